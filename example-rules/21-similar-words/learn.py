"""Writes the settings of this rule from tickets that people have categorised.

    python3 learn.py tickets.csv --text subject --text body --category category > rule-settings.toml
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "src"))
from text import words  # noqa: E402


def rows(file: Path, columns: list[str]) -> csv.DictReader[str]:
    """The rows of a table: separated by commas, semicolons or tabs; in UTF-8, or else in Windows-1252."""
    found = file.read_bytes()
    try:
        text = found.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = found.decode("cp1252", errors="replace")
    heading = text.split("\n", 1)[0]
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=heading.count))
    missing = [column for column in columns if column not in (table.fieldnames or [])]
    if missing:
        raise SystemExit(f"there is no column {', '.join(missing)}: there are {', '.join(table.fieldnames or [])}")
    return table


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file", type=Path)
    options.add_argument("--text", action="append", required=True, help="a column with text; may be given again")
    options.add_argument("--category", required=True, help="the column with the category's id")
    options.add_argument("--words", type=int, default=300, help="how many words to keep of each category")
    chosen = options.parse_args()
    tickets: Counter[str] = Counter()
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows(chosen.file, [*chosen.text, chosen.category]):
        tickets[row[chosen.category]] += 1
        counts[row[chosen.category]].update(words(" ".join(row[column] or "" for column in chosen.text)))
    print("[settings]\nsure = 0.8\nleast-words = 2")
    for category, number in sorted(tickets.items()):
        kept = {word: count for word, count in counts[category].most_common(chosen.words) if count > 1}
        print(f"\n[settings.model.{json.dumps(category)}]\ntickets = {number}")
        print(f"words = {{ {', '.join(f'{json.dumps(w, ensure_ascii=False)} = {c}' for w, c in kept.items())} }}")


if __name__ == "__main__":
    main()

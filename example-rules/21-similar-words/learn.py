"""Writes the settings of this rule from tickets that people have categorised.

    python3 learn.py tickets.csv --text subject --text body --category category > rule-settings.toml
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "src"))
from text import words  # noqa: E402


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file", type=Path)
    options.add_argument("--text", action="append", required=True, help="a column with text; may be given again")
    options.add_argument("--category", required=True, help="the column with the category's id")
    options.add_argument("--words", type=int, default=300, help="how many words to keep of each category")
    chosen = options.parse_args()
    tickets: Counter[str] = Counter()
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    with chosen.file.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            tickets[row[chosen.category]] += 1
            counts[row[chosen.category]].update(words(" ".join(row[column] for column in chosen.text)))
    print("[settings]\nsure = 0.8\nleast-words = 2")
    for category, number in sorted(tickets.items()):
        kept = {word: count for word, count in counts[category].most_common(chosen.words) if count > 1}
        print(f"\n[settings.model.{json.dumps(category)}]\ntickets = {number}")
        print(f"words = {{ {', '.join(f'{json.dumps(w, ensure_ascii=False)} = {c}' for w, c in kept.items())} }}")


if __name__ == "__main__":
    main()

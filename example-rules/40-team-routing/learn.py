#!/usr/bin/env python3
"""Learns which team takes which tickets from an incident log and writes it as settings of the team-routing rule.

    python3 learn.py INCIDENTS.csv[.gz] OUT.toml --number number --team assignment_group
        --field category=category --field location=location [--table category,location]... [--take last]

`--field NAME=COLUMN` names a form field and the table's column for it. Without these options the table is a ServiceNow audit
log, with `number`, `category`, `subcategory`, `location` and `assignment_group`: one row an update. An incident counts once,
with the values of its last row that names a team, which had it in the end; with `--take first`, of its first. Without
`--number` each row is an incident of its own. One incident in five, chosen by a hash of its number, is held back and used only
to print how often the settings name the right team: the last, and the first. Only the standard library is needed; the same
log gives the same file.

Tables run from the most to the least specific. A row is written where the combination was seen often enough and the
tables after it would name another team.
"""

import argparse
import csv
import gzip
import hashlib
import io
import re
from collections import Counter, defaultdict

# The first byte of a held-back incident's hash is below this: 51 of 256 is about one in five.
HELD_BACK_BELOW = 51
# The log's column for each form field.
COLUMNS = {"category": "category", "subcategory": "subcategory", "location": "location"}
# Chosen on a part of the incidents learned from; the symptom only learned accidents by heart.
TABLES = [
    ("category", "subcategory", "location"),
    ("category", "subcategory"),
    ("category", "location"),
    ("category",),
    ("subcategory",),
]
# A combination has to have been seen so often.
SEEN_MIN = 3
MISSING = "?"

def rows(path):
    """The rows of a table with headings: separated by commas, semicolons or tabs; in UTF-8, or else in Windows-1252."""
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rb") as file:
        found = file.read()
    try:
        text = found.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = found.decode("cp1252", errors="replace")
    heading = text.split("\n", 1)[0]
    separator = max(",;\t", key=heading.count)
    return csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)


def check_columns(table, wanted):
    """Ends with the columns that there are, where one is missing."""
    missing = [column for column in wanted if column not in (table.fieldnames or [])]
    if missing:
        raise SystemExit(f"there is no column {', '.join(missing)}: there are {', '.join(table.fieldnames or [])}")


def read(options):
    """The values of each incident, its last team and its first, by number."""
    incidents = {}
    table = rows(options.incidents)
    wanted = [options.team, *options.columns.values()]
    check_columns(table, wanted + ([options.number] if options.number else []))
    for place, row in enumerate(table):
        group = (row[options.team] or "").strip()
        if group in ("", MISSING):
            continue
        number = row[options.number] if options.number else str(place)
        known = incidents.get(number)
        team = re.sub(r"\s+", "-", group.lower())
        fields = {name: row[column] for name, column in options.columns.items() if row[column] not in ("", None, MISSING)}
        if known is None:
            incidents[number] = (fields, team, team)
        elif options.take == "first":
            incidents[number] = (known[0], team, known[2])
        else:
            incidents[number] = (fields, team, known[2])
    return incidents


def value(fields, names):
    """The fields' values as the rule joins them; None if one is empty."""
    found = [fields.get(name) for name in names]
    return None if None in found else " / ".join(found)


def team_for(tables, fields):
    for names, teams in tables:
        team = teams.get(value(fields, names))
        if team:
            return team
    return None


def learn(incidents, wanted):
    tables = []
    for names in reversed(wanted):
        seen = defaultdict(Counter)
        for fields, team in incidents:
            seen[value(fields, names)][team] += 1
        seen.pop(None, None)
        teams = {}
        for key in sorted(seen):
            team, _ = min(seen[key].items(), key=lambda item: (-item[1], item[0]))
            fields = dict(zip(names, key.split(" / ")))
            if sum(seen[key].values()) >= SEEN_MIN and team_for(tables, fields) != team:
                teams[key] = team
        tables.insert(0, (names, teams))
    return tables


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write(path, tables):
    lines = [
        "# Settings of the team-routing rule, learned from an incident log by learn.py.",
        "# Use them in place of the [settings] of rule.toml.",
    ]
    for names, teams in tables:
        if teams:
            lines += ["", "[[settings.tables]]", f"fields = [{', '.join(quoted(name) for name in names)}]", "[settings.tables.teams]"]
            lines += [f"{quoted(key)} = {quoted(team)}" for key, team in teams.items()]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def chosen():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("incidents")
    parser.add_argument("out")
    parser.add_argument("--number", help="the column with the incident's number")
    parser.add_argument("--team", default="assignment_group", help="the column with the team")
    parser.add_argument("--field", action="append", metavar="NAME=COLUMN", help="a form field and its column")
    parser.add_argument("--table", action="append", metavar="NAME,NAME", help="fields that name a team together")
    parser.add_argument("--take", choices=["last", "first"], default="last", help="the team that is learned")
    options = parser.parse_args()
    options.columns = COLUMNS if options.field is None else dict(pair.split("=", 1) for pair in options.field if "=" in pair)
    if options.field is None and options.number is None:
        options.number = "number"
    names = list(options.columns)
    # From all fields together to each by itself.
    by_itself = [tuple(names[:count]) for count in range(len(names), 0, -1)] + [(name,) for name in names[1:]]
    options.tables = TABLES if options.field is None else by_itself
    if options.table:
        options.tables = [tuple(table.split(",")) for table in options.table]
    unknown = {name for table in options.tables for name in table} - set(names)
    if unknown or not names:
        parser.error(f"--table names {', '.join(sorted(unknown)) or 'nothing'}: --field gives {', '.join(names) or 'none'}")
    return options


def main():
    options = chosen()
    parts = {True: [], False: []}
    for number, incident in sorted(read(options).items()):
        parts[hashlib.sha256(number.encode("utf-8")).digest()[0] < HELD_BACK_BELOW].append(incident)
    taught = 1 if options.take == "last" else 2
    tables = learn([(incident[0], incident[taught]) for incident in parts[False]], options.tables)
    write(options.out, tables)
    written = sum(len(teams) for _, teams in tables)
    print(f"learned from {len(parts[False])}, held back {len(parts[True])}, rows {written}")
    for name, held_back in (("learned", False), ("held back", True)):
        part = parts[held_back]
        named = [(team_for(tables, fields), last, first) for fields, last, first in part]
        shares = [sum(guess[0] == guess[of] for guess in named) / max(len(part), 1) for of in (1, 2)]
        silent = sum(guess is None for guess, _, _ in named) / max(len(part), 1)
        print(f"{name}: right {shares[0]:.4f}, by the first team {shares[1]:.4f}, no opinion {silent:.4f}")


if __name__ == "__main__":
    main()

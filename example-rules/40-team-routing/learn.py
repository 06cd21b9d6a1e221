#!/usr/bin/env python3
"""Learns which team takes which tickets from an incident log and writes it as settings of the team-routing rule.

    python3 learn.py INCIDENTS.csv[.gz] OUT.toml

The table is a ServiceNow audit log: one row an update, with `number`, `category`, `subcategory`, `location` and
`assignment_group`. An incident counts once, with the values of its last row that names a group: the team that had it
in the end. One incident in five, chosen by a hash of its number, is held back and used only to print how often the
settings name the right team. Only the standard library is needed; the same log gives the same file.

Tables run from the most to the least specific. A row is written where the combination was seen often enough and the
tables after it would name another team.
"""

import argparse
import csv
import gzip
import hashlib
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


def read(path):
    """The last known values of each incident, by number."""
    incidents = {}
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["assignment_group"] != MISSING:
                fields = {name: row[column] for name, column in COLUMNS.items() if row[column] != MISSING}
                team = re.sub(r"\s+", "-", row["assignment_group"].strip().lower())
                incidents[row["number"]] = (fields, team)
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


def learn(incidents):
    tables = []
    for names in reversed(TABLES):
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("incidents")
    parser.add_argument("out")
    options = parser.parse_args()
    parts = {True: [], False: []}
    for number, incident in sorted(read(options.incidents).items()):
        parts[hashlib.sha256(number.encode("utf-8")).digest()[0] < HELD_BACK_BELOW].append(incident)
    tables = learn(parts[False])
    write(options.out, tables)
    rows = sum(len(teams) for _, teams in tables)
    print(f"learned from {len(parts[False])}, held back {len(parts[True])}, rows {rows}")
    for name, held_back in (("learned", False), ("held back", True)):
        part = parts[held_back]
        named = [(team_for(tables, fields), team) for fields, team in part]
        right = sum(guess == team for guess, team in named)
        silent = sum(guess is None for guess, _ in named)
        print(f"{name}: right {right / len(part):.4f}, no opinion {silent / len(part):.4f}")


if __name__ == "__main__":
    main()

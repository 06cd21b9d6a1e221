#!/usr/bin/env python3
"""Learns keywords and their weights from categorized tickets and writes them as settings of the keyword-category rule.

    python3 learn.py TICKETS.csv[.gz] OUT.toml --text subject --text body --category category [--map "HR Support=hr"]...
        [--right 0.9] [--keywords 1500] [--weights 4500]

`--text` and `--category` name columns of the table; without them it has `Document` and `Topic_group`. A label that no
`--map` gives an id is written in lower case with hyphens. One ticket in five, chosen by a hash of its text, is held back: it
is not learned from. By one half of these the margin is chosen: the least with which as many answers are right as `--right`
asks for, so that the rule leaves to others what it does not know. By the other half it is measured, and printed, how many of
the tickets the written settings decide, and how many of these right. Scores are computed as the rule computes them. Only the
standard library is needed; the same table gives the same file.

The model is a multinomial logistic regression on the presence of words and of pairs of neighbouring words, trained by
stochastic gradient descent, pruned to the weights that matter most, trained again with these alone, and rounded. While
it is trained, a ticket's score is divided by the square root of its length, so that long tickets do not drown short
ones; this does not change which category is highest, so the rule need not do it. For the same reason it has no bias.
"""

import argparse
import csv
import gzip
import hashlib
import io
import math
import random
import re
from collections import Counter, defaultdict

# Of the table that has the columns `Document` and `Topic_group`.
CATEGORIES = {
    "Hardware": "hardware",
    "HR Support": "hr",
    "Access": "access",
    "Miscellaneous": "miscellaneous",
    "Storage": "storage",
    "Purchase": "purchase",
    "Internal Project": "project",
    "Administrative rights": "access.admin-rights",
}
# The first byte of a held-back ticket's hash is below this: 51 of 256 is about one in five.
HELD_BACK_BELOW = 51
# And below this, it is of the half by which the margin is chosen.
CHOOSES_BELOW = 26
# A keyword has to stand in so many tickets that it is no accident.
TICKETS_MIN = 8
# Words considered before the first training.
CANDIDATES = 9000
# Errors below this move nothing: it saves most of the time.
ERROR_MIN = 0.01
# How strongly weights are drawn towards zero at each step.
SHRINK = 0.0003
# Weights are written as whole numbers: hundredths of the logarithm of the odds.
SCALE = 100
# The least score that decides: a text without any keyword is left to others.
THRESHOLD = 1
# Tickets by which a share is believed.
PROVES_MIN = 20


def words(text):
    """The words as the rule sees them: runs of letters and digits in lower case."""
    return re.findall(r"[^\W_]+", text.lower())


def phrases(text):
    """The words of a text and its pairs of neighbouring words, each once, in the order of appearance."""
    found = words(text)
    return list(dict.fromkeys(found + [f"{a} {b}" for a, b in zip(found, found[1:])]))

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


def category_of(label, mapped):
    """The id of a label: as it is mapped, or in lower case with hyphens; dots stay, as they part a category from its parent."""
    if label in mapped:
        return mapped[label]
    return re.sub(r"[^a-z0-9.]+", "-", label.lower()).strip("-.")


def read(options):
    """Tickets to learn from, to choose the margin by, and to measure by, as (phrases, category)."""
    learned, choosing, measured = [], [], []
    mapped = dict(CATEGORIES) if options.category == "Topic_group" else {}
    for pair in options.map:
        label, separator, category = pair.partition("=")
        if not separator:
            raise SystemExit(f"--map {pair}: say LABEL=ID")
        mapped[label] = category
    table = rows(options.tickets)
    check_columns(table, [*options.text, options.category])
    for row in table:
        # No phrase reaches from one text into the next, as in the rule.
        texts = [row[column] or "" for column in options.text]
        category = category_of(row[options.category] or "", mapped)
        if not category:
            continue
        first_byte = hashlib.sha256("\n".join(texts).encode("utf-8")).digest()[0]
        part = learned if first_byte >= HELD_BACK_BELOW else choosing if first_byte < CHOOSES_BELOW else measured
        part.append((list(dict.fromkeys(phrase for text in texts for phrase in phrases(text))), category))
    return learned, choosing, measured


def candidates(tickets):
    """The phrases whose presence tells most about the category (mutual information)."""
    totals = Counter(category for _, category in tickets)
    counts = defaultdict(Counter)
    for found, category in tickets:
        for phrase in found:
            counts[phrase][category] += 1
    size = len(tickets)
    told = {}
    for phrase, by_category in counts.items():
        present = sum(by_category.values())
        if present < TICKETS_MIN:
            continue
        bits = 0.0
        for category, total in totals.items():
            inside = by_category[category]
            for joint, margin in ((inside, present), (total - inside, size - present)):
                if joint:
                    bits += joint / size * math.log(joint * size / (margin * total))
        told[phrase] = bits
    return sorted(told, key=lambda phrase: (-told[phrase], phrase))[:CANDIDATES]


def train(tickets, names, allowed, epochs):
    """Weights by phrase (a list, one number a category), by AdaGrad.

    `allowed` maps a phrase to the categories it may have a weight for.
    """
    weights = {phrase: [0.0] * len(names) for phrase in allowed}
    squares = {phrase: [1e-6] * len(names) for phrase in allowed}
    position = {name: index for index, name in enumerate(names)}
    examples = [([p for p in found if p in allowed], position[category]) for found, category in tickets]
    chance = random.Random(1)
    for epoch in range(epochs):
        chance.shuffle(examples)
        rate = 0.3 / (1 + 0.5 * epoch)
        for found, truth in examples:
            step(found, truth, rate, weights, squares, allowed, len(names))
    return weights


def step(found, truth, rate, weights, squares, allowed, width):
    """Moves the weights of one ticket's phrases against its error."""
    share = 1 / math.sqrt(len(found) or 1)
    errors = softmax([share * total for total in scores(found, weights, width)])
    errors[truth] -= 1.0
    active = [c for c in range(width) if abs(errors[c]) > ERROR_MIN]
    for phrase in found:
        row, row_squares, mask = weights[phrase], squares[phrase], allowed[phrase]
        for c in active:
            if c in mask:
                gradient = errors[c] * share + SHRINK * row[c]
                row_squares[c] += gradient * gradient
                row[c] -= rate * gradient / math.sqrt(row_squares[c])


def scores(found, weights, width):
    totals = [0.0] * width
    for phrase in found:
        row = weights.get(phrase)
        if row:
            totals = [a + b for a, b in zip(totals, row)]
    return totals


def softmax(totals):
    top = max(totals)
    powers = [math.exp(value - top) for value in totals]
    whole = sum(powers)
    return [value / whole for value in powers]


def pruned(weights, tickets, keywords_max, weights_max):
    """The (phrase, category) pairs that move most scores: weight times how often the phrase stands."""
    often = Counter(phrase for found, _ in tickets for phrase in found if phrase in weights)
    importance = {
        phrase: max(abs(w) for w in row) * math.sqrt(often[phrase]) for phrase, row in weights.items()
    }
    kept = sorted(importance, key=lambda phrase: (-importance[phrase], phrase))[:keywords_max]
    pairs = [
        (abs(w) * math.sqrt(often[phrase]), phrase, c) for phrase in kept for c, w in enumerate(weights[phrase])
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    allowed = defaultdict(set)
    for _, phrase, c in pairs[:weights_max]:
        allowed[phrase].add(c)
    return dict(allowed)


def rounded(weights):
    """Whole numbers; what rounds to nothing is left out."""
    whole = {phrase: [round(w * SCALE) for w in row] for phrase, row in weights.items()}
    return {phrase: row for phrase, row in whole.items() if any(row)}


def decided(tickets, names, weights):
    """Of each ticket by how much its category leads the next, and whether it is right; only where a keyword speaks for it."""
    found_of = []
    for found, category in tickets:
        totals = scores(found, weights, len(names))
        best, second = sorted(totals, reverse=True)[:2]
        # Of equals the first wins, in the order of the ids, as in the rule.
        if best >= THRESHOLD:
            found_of.append((best - second, names[totals.index(best)] == category))
    return found_of


def margin_for(leads, wanted):
    """The least margin with which so large a share is right; where none is, that with the largest."""
    right, best = 0, (0.0, 0)
    chosen = None
    ordered = sorted(leads, key=lambda lead: -lead[0])
    for place, (lead, is_right) in enumerate(ordered, 1):
        right += is_right
        # Those of one lead are decided together.
        if place < len(ordered) and ordered[place][0] == lead:
            continue
        share = right / place
        if share >= wanted:
            # Where all of them are enough, none is too close.
            chosen = lead if place < len(ordered) else 0
        # A handful of tickets proves nothing.
        if place >= PROVES_MIN and share > best[0]:
            best = (share, lead)
    return int(best[1] if chosen is None else chosen)


def measured(leads, margin, count):
    """The share of tickets that are decided with a margin, and the share of these that are right."""
    clear = [is_right for lead, is_right in leads if lead >= margin]
    return len(clear) / max(count, 1), sum(clear) / max(len(clear), 1)


def toml_key(phrase):
    return phrase if re.fullmatch(r"[A-Za-z0-9_-]+", phrase) else '"' + phrase + '"'


def write(path, names, weights, margin):
    count = sum(1 for row in weights.values() for weight in row if weight)
    lines = [
        "# Settings of the keyword-category rule, learned from categorized tickets by learn.py.",
        f"# {len(weights)} keywords with {count} weights. Use them in place of the [settings] of rule.toml.",
        "",
        "[settings]",
        "# What no keyword speaks for, or for two categories alike, is left to others.",
        f"threshold = {THRESHOLD}",
        f"margin = {margin}",
    ]
    for index, name in enumerate(names):
        own = [(-row[index], phrase) for phrase, row in weights.items() if row[index]]
        lines += ["", f'[settings.categories."{name}".keywords]']
        lines += [f"{toml_key(phrase)} = {-weight}" for weight, phrase in sorted(own)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tickets")
    parser.add_argument("out")
    parser.add_argument("--text", action="append", help="a column with text; may be given again")
    parser.add_argument("--category", default="Topic_group", help="the column with what people decided")
    parser.add_argument("--map", action="append", default=[], metavar="LABEL=ID", help="the category of a label")
    parser.add_argument("--right", type=float, default=0.9, help="the share of answers that has to be right")
    parser.add_argument("--keywords", type=int, default=1500)
    parser.add_argument("--weights", type=int, default=4500)
    options = parser.parse_args()
    options.text = options.text or ["Document"]
    learned, choosing, rest = read(options)
    names = sorted({category for _, category in learned})
    if len(names) < 2:
        raise SystemExit(f"{len(learned)} tickets to learn from have {len(names)} categories: two are needed at least")
    everywhere = set(range(len(names)))
    first = train(learned, names, {phrase: everywhere for phrase in candidates(learned)}, epochs=6)
    allowed = pruned(first, learned, options.keywords, options.weights)
    weights = rounded(train(learned, names, allowed, epochs=8))
    margin = margin_for(decided(choosing, names, weights), options.right)
    write(options.out, names, weights, margin)
    print(f"learned from {len(learned)}, held back {len(choosing)} and {len(rest)}, keywords {len(weights)}, margin {margin}")
    for name, part in (("learned", learned), ("held back", rest)):
        share, right = measured(decided(part, names, weights), margin, len(part))
        print(f"{name}: decides {share:.4f}, of these right {right:.4f}")


if __name__ == "__main__":
    main()

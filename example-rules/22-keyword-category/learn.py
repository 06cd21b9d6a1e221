#!/usr/bin/env python3
"""Learns keywords and their weights from categorized tickets and writes them as settings of the keyword-category rule.

    python3 learn.py TICKETS.csv[.gz] OUT.toml [--keywords 1500] [--weights 4500]

The table needs the columns `Document` and `Topic_group`. One ticket in five, chosen by a hash of its text, is held back:
it is not learned from, and the share of these that the written settings put in the right category is printed. Scores are
computed as the rule computes them. Only the standard library is needed; the same table gives the same file.

The model is a multinomial logistic regression on the presence of words and of pairs of neighbouring words, trained by
stochastic gradient descent, pruned to the weights that matter most, trained again with these alone, and rounded. While
it is trained, a ticket's score is divided by the square root of its length, so that long tickets do not drown short
ones; this does not change which category is highest, so the rule need not do it. For the same reason it has no bias.
"""

import argparse
import csv
import gzip
import hashlib
import math
import random
import re
from collections import Counter, defaultdict

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


def words(text):
    """The words as the rule sees them: runs of letters and digits in lower case."""
    return re.findall(r"[^\W_]+", text.lower())


def phrases(text):
    """The words of a text and its pairs of neighbouring words, each once, in the order of appearance."""
    found = words(text)
    return list(dict.fromkeys(found + [f"{a} {b}" for a, b in zip(found, found[1:])]))


def read(path):
    """Tickets to learn from and tickets held back, as (phrases, category)."""
    learned, held_back = [], []
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            text = row["Document"]
            first_byte = hashlib.sha256(text.encode("utf-8")).digest()[0]
            part = held_back if first_byte < HELD_BACK_BELOW else learned
            part.append((phrases(text), CATEGORIES[row["Topic_group"]]))
    return learned, held_back


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


def accuracy(tickets, names, weights):
    """The share of tickets in the right category. Of equals the first wins, in the order of the ids, as in the rule."""
    right = 0
    for found, category in tickets:
        totals = scores(found, weights, len(names))
        right += names[totals.index(max(totals))] == category
    return right / len(tickets)


def toml_key(phrase):
    return phrase if re.fullmatch(r"[A-Za-z0-9_-]+", phrase) else '"' + phrase + '"'


def write(path, names, weights):
    count = sum(1 for row in weights.values() for weight in row if weight)
    lines = [
        "# Settings of the keyword-category rule, learned from categorized tickets by learn.py.",
        f"# {len(weights)} keywords with {count} weights. Use them in place of the [settings] of rule.toml.",
        "",
        "[settings]",
        "# Low enough to take every ticket.",
        "threshold = -1000000",
        "margin = 0",
    ]
    for index, name in enumerate(names):
        own = [(-row[index], phrase) for phrase, row in weights.items() if row[index]]
        lines += ["", f'[settings.categories."{name}".keywords]']
        lines += [f"{toml_key(phrase)} = {-weight}" for weight, phrase in sorted(own)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tickets")
    parser.add_argument("out")
    parser.add_argument("--keywords", type=int, default=1500)
    parser.add_argument("--weights", type=int, default=4500)
    options = parser.parse_args()
    learned, held_back = read(options.tickets)
    names = sorted(set(CATEGORIES.values()))
    everywhere = set(range(len(names)))
    first = train(learned, names, {phrase: everywhere for phrase in candidates(learned)}, epochs=6)
    allowed = pruned(first, learned, options.keywords, options.weights)
    weights = rounded(train(learned, names, allowed, epochs=8))
    write(options.out, names, weights)
    print(f"learned from {len(learned)}, held back {len(held_back)}, keywords {len(weights)}")
    for name, part in (("learned", learned), ("held back", held_back)):
        print(f"{name}: right {accuracy(part, names, weights):.4f}")


if __name__ == "__main__":
    main()

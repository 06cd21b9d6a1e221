"""Finds a category by the words of earlier tickets: naive Bayes, with the model in the settings.

`learn.py` counts the words of categorised tickets and writes the `[settings]`; the rule answers only where one category is
clearly more likely than the next.
"""

from __future__ import annotations

import math
from typing import Any

from ruledesk import Answer, CategorizationInput, Rule, Settings, classify, no_opinion
from text import words


class SimilarWords(Rule):
    def configure(self, given: Settings) -> None:
        self.sure = given.number("sure", at_least=0.5, at_most=0.999, default=0.8)
        self.least_words = given.whole("least-words", at_least=1, at_most=50, default=2)
        model = given.table.get("model")
        if not isinstance(model, dict) or len(model) < 2:
            given.problem("`model` needs at least two categories: let learn.py write it.")
            model = {}
        self.vocabulary: set[str] = set()
        self.categories: dict[str, dict[str, float]] = {}
        total = sum(count_of(entry) for entry in model.values())
        for category, entry in model.items():
            self.learn(category, entry, total, given)

    def learn(self, category: str, entry: Any, total: int, given: Settings) -> None:
        """Turns counts into logarithms once, so that decisions only add."""
        tickets = count_of(entry)
        counts = entry.get("words") if isinstance(entry, dict) else None
        if tickets < 1 or not isinstance(counts, dict):
            given.problem(f"`model.\"{category}\"` has to have `tickets`, one or more, and a table `words`.")
            return
        self.vocabulary.update(counts)
        # One ticket more with the word and one without it: no word is impossible.
        likely = {word: math.log((count + 1) / (tickets + 2)) for word, count in counts.items()}
        self.categories[category] = {"": math.log(tickets / total), **likely, " unseen": math.log(1 / (tickets + 2))}

    def categorization(self, input: CategorizationInput) -> Answer:
        if input.so_far.category is not None:
            return no_opinion("it has a category")
        known = sorted(words(f"{input.ticket.subject} {input.ticket.body}") & self.vocabulary)
        if len(known) < self.least_words:
            return no_opinion("too few words that earlier tickets had")
        scores = {
            category: likely[""] + sum(likely.get(word, likely[" unseen"]) for word in known)
            for category, likely in self.categories.items()
        }
        best = max(scores, key=scores.__getitem__)
        certainty = 1 / sum(math.exp(score - scores[best]) for score in scores.values())
        if certainty < self.sure:
            return no_opinion(f"{best} is likely, and only {certainty:.0%} sure")
        likely = self.categories[best]
        telling = sorted(known, key=lambda word: -likely.get(word, likely[" unseen"]))[:3]
        answer = classify(best).because(f"earlier tickets with {', '.join(telling)} were {best}: {certainty:.0%} sure")
        return answer.attribute("certainty", f"{certainty:.3f}")


def count_of(entry: Any) -> int:
    tickets = entry.get("tickets") if isinstance(entry, dict) else None
    return tickets if isinstance(tickets, int) else 0


rule = SimilarWords()

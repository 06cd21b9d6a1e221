"""Finds a category by the words of earlier tickets: naive Bayes, with the model in the settings.

`learn.py` counts the words of categorised tickets and writes the `[settings]`; the rule answers only where one category is
clearly more likely than the next.
"""

from __future__ import annotations

import math
from typing import Any

from ruledesk import Answer, CategorizationInput, Rule, Settings, classify, no_opinion
from text import words


# The tickets for which what all tickets say stands in: as many as make a category's own words believable.
DOUBT = 2


class SimilarWords(Rule):
    def configure(self, given: Settings) -> None:
        self.sure = given.number("sure", at_least=0.5, at_most=0.999, default=0.8)
        self.least_words = given.whole("least-words", at_least=1, at_most=50, default=2)
        model = given.table.get("model")
        if not isinstance(model, dict) or len(model) < 2:
            given.problem("`model` needs at least two categories: let learn.py write it.")
            model = {}
        entries: dict[str, Any] = model
        wrong = [category for category, entry in entries.items() if not is_entry(entry)]
        for category in wrong:
            given.problem(f"`model.\"{category}\"` has to have `tickets`, one or more, and a table `words`.")
        self.learn({category: entry for category, entry in entries.items() if category not in wrong})

    def learn(self, model: dict[str, Any]) -> None:
        """Counts each word over all categories once."""
        self.total = sum(entry["tickets"] for entry in model.values())
        self.model = model
        self.often: dict[str, int] = {}
        for entry in model.values():
            for word, count in entry["words"].items():
                self.often[word] = self.often.get(word, 0) + count

    def likely(self, category: str, word: str) -> float:
        """The logarithm of how likely a word is in a category.

        It is as likely there as in all tickets until enough of the category's own tickets say otherwise: else a category of
        three tickets would speak as loudly as one of thousands.
        """
        entry = self.model[category]
        share = DOUBT * self.often[word] / self.total
        return math.log((entry["words"].get(word, 0) + share) / (entry["tickets"] + DOUBT))

    def categorization(self, input: CategorizationInput) -> Answer:
        if input.so_far.category is not None:
            return no_opinion("it has a category")
        known = sorted(words(f"{input.ticket.subject} {input.ticket.body}") & self.often.keys())
        if len(known) < self.least_words:
            return no_opinion("too few words that earlier tickets had")
        # Words come together: ten of one thing tell less than ten times as much as one, so that no certainty is claimed that
        # is not there.
        weight = 1 / math.sqrt(len(known))
        scores = {
            category: math.log(entry["tickets"] / self.total)
            + weight * sum(self.likely(category, word) for word in known)
            for category, entry in self.model.items()
        }
        best = max(scores, key=scores.__getitem__)
        certainty = 1 / sum(math.exp(score - scores[best]) for score in scores.values())
        if certainty < self.sure:
            return no_opinion(f"{best} is likely, and only {certainty:.0%} sure")
        telling = self.telling(best, known)
        if not telling:
            return no_opinion(f"{best} is what most tickets are, and no word speaks for it")
        answer = classify(best).because(f"earlier tickets with {', '.join(telling)} were {best}: {min(certainty, 0.99):.0%} sure")
        return answer.attribute("certainty", f"{certainty:.3f}")

    def telling(self, best: str, known: list[str]) -> list[str]:
        """The words that speak for a category against all others, those first that do so in most of its tickets."""

        def lead(word: str) -> float:
            against = max(self.likely(other, word) for other in self.model if other != best)
            return (self.likely(best, word) - against) * self.model[best]["words"].get(word, 0)

        return sorted((word for word in known if lead(word) > 0), key=lead, reverse=True)[:3]


def is_entry(entry: Any) -> bool:
    tickets, words_of = (entry.get("tickets"), entry.get("words")) if isinstance(entry, dict) else (None, None)
    counts = words_of.values() if isinstance(words_of, dict) else [0]
    return isinstance(tickets, int) and tickets > 0 and all(isinstance(count, int) and count > 0 for count in counts)


rule = SimilarWords()

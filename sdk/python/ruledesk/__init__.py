"""The RuleDesk SDK for Python: what a rule is, what it answers, and how it reads its settings.

Nothing in here needs WebAssembly, so a rule's own tests run under plain Python.
"""

from __future__ import annotations

from typing import Optional, Union

from . import host, log
from .answers import (
    Answer,
    accept,
    approve,
    assign,
    classify,
    deny,
    no_opinion,
    rate,
    reject,
    require_approval,
)
from .contract import *  # noqa: F403
from .contract import (
    AccessInput,
    CategorizationInput,
    IntakeInput,
    PriorityInput,
    RoutingInput,
    Ticket,
)
from .settings import Settings

FieldValue = Union[str, float, bool, list[str]]


class Rule:
    """A rule: its settings, and a method for each stage that its manifest names.

    Each method is pure: the same input and settings always give the same answer. ``time.time()`` is the decision's time,
    ``random`` depends on the decision alone, ``print`` and ``logging`` write to the decision's record. An exception is
    recorded with its traceback, and counts as no answer.
    """

    def configure(self, given: Settings) -> None:
        """Reads the settings, once, when the rule is loaded. What it leaves is in memory before any decision is asked."""

    def intake(self, input: IntakeInput) -> Answer:
        raise NotImplementedError

    def categorization(self, input: CategorizationInput) -> Answer:
        raise NotImplementedError

    def priority(self, input: PriorityInput) -> Answer:
        raise NotImplementedError

    def routing(self, input: RoutingInput) -> Answer:
        raise NotImplementedError

    def access(self, input: AccessInput) -> Answer:
        raise NotImplementedError


def field(ticket: Ticket, name: str) -> Optional[FieldValue]:
    """The value of a form field; ``None`` if it is not filled in. Dates and choices are texts."""
    for candidate in ticket.fields:
        if candidate.name == name:
            return candidate.value.value
    return None


def lookup(table: str, key: str) -> Optional[dict[str, str]]:
    """The row of a reference table; ``None`` if it has none. The manifest has to name the table under ``tables``."""
    row = host.lookup(table, key)
    return None if row is None else {column.name: column.value for column in row}

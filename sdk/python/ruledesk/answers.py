"""What a rule decides, with the sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Optional

from .contract import (
    ApprovalPlan,
    ApprovalStep,
    Attribute,
    Changes,
    Classification,
    Destination,
    Field,
    Problem,
    Rating,
    Scope,
    ValueChoice,
    ValueChoices,
    ValueDate,
    ValueFlag,
    ValueNumber,
    ValueText,
)


@dataclass
class Answer:
    """A decision by its name in the contract, what it holds, and why: people read the reason beside the decision."""

    decision: str
    value: Any = None
    reason: str = ""
    attributes: list[Attribute] = field(default_factory=list)

    def because(self, reason: str) -> Answer:
        """Sets the reason."""
        self.reason = reason
        return self

    def attribute(self, name: str, value: object) -> Answer:
        """Adds a name and a text to the record, for programs."""
        self.attributes.append(Attribute(name, str(value)))
        return self


def no_opinion(reason: str = "") -> Answer:
    """The contract's ``pass``."""
    return Answer("pass", reason=reason)


def accept(
    *,
    subject: Optional[str] = None,
    body: Optional[str] = None,
    fields: Optional[Mapping[str, Any]] = None,
    tags: Iterable[str] = (),
    signals: Iterable[str] = (),
    duplicate_of: Optional[str] = None,
) -> Answer:
    """Intake: the submission may become a ticket, with these changes. Fields may be plain values."""
    changed = [Field(name, to_value(value)) for name, value in (fields or {}).items()]
    return Answer("accept", Changes(subject, body, changed, list(tags), list(signals), duplicate_of))


def reject(*problems: Problem) -> Answer:
    """Intake: what the requester has to mend; at least one problem."""
    return Answer("reject", list(problems))


def classify(category: Optional[str] = None, *, tags: Iterable[str] = (), kind: Optional[str] = None) -> Answer:
    """Categorization: a category's id, tags to add, and the kind where the request type's own is not right."""
    return Answer("classify", Classification(category, list(tags), kind))


def rate(level: str, *, impact: Optional[str] = None, urgency: Optional[str] = None) -> Answer:
    """Priority: a level's id."""
    return Answer("rate", Rating(impact, urgency, level))


def assign(
    team: Optional[str] = None,
    *,
    assignee: Optional[str] = None,
    skills: Iterable[str] = (),
    strategy: Optional[str] = None,
    tier: Optional[int] = None,
) -> Answer:
    """Routing: who gets the ticket, or what they must be able to do."""
    return Answer("assign", Destination(team, assignee, list(skills), strategy, tier))


def approve(tier: str, duration_hours: int, *, role: Optional[str] = None, groups: Iterable[str] = ()) -> Answer:
    """Access: granted, if no other rule asks for a person or denies."""
    return Answer("approve", Scope(tier, role, list(groups), duration_hours))


def require_approval(steps: Iterable[ApprovalStep], scope: Scope) -> Answer:
    """Access: granted when people have approved."""
    return Answer("require-approval", ApprovalPlan(list(steps), scope))


def deny(reason: str = "") -> Answer:
    """Access: denied, whatever other rules say."""
    return Answer("deny", reason=reason)


VALUES = (ValueText, ValueNumber, ValueFlag, ValueDate, ValueChoice, ValueChoices)


def to_value(value: Any) -> Any:
    """A form field's value of a plain one: text, number, yes or no, or a list of choices."""
    if isinstance(value, VALUES):
        return value
    if isinstance(value, bool):
        return ValueFlag(value)
    if isinstance(value, (int, float)):
        return ValueNumber(float(value))
    if isinstance(value, str):
        return ValueText(value)
    return ValueChoices(list(value))

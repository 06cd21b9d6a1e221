"""Asks a rule under plain Python, without WebAssembly: for the rule's own tests.

``ruledesk rule test`` runs the manifest's examples in the desk's sandbox; this is for what lies between the lines.
"""

from __future__ import annotations

import copy
from typing import Any, Mapping, Optional

from . import contract, host
from .answers import Answer, to_value
from .settings import Settings

AT = 1_767_614_400_000


def input(stage: str, **given: Any) -> Any:
    """A stage's whole input. ``ticket={"subject": "..."}`` sets a part of it; the rest is empty, the moment a Monday noon."""
    now = contract.Moment(AT, 0, 20458, 1, 720, True)
    ticket = contract.Ticket("incident", "api", "", "", [], [], [], [], AT, [])
    person = contract.Person(
        "amara", "Amara Okafor", "amara@example.org", "Finance", "Controller", "Berlin", [], [], False, []
    )
    so_far = contract.SoFar(None, [], "incident", None, None, None, None, None, [])
    if stage == "intake":
        whole: Any = contract.IntakeInput(now, ticket, person, "amara", [], [])
    elif stage == "access":
        whole = contract.AccessInput(
            now,
            ticket,
            person,
            so_far,
            contract.Request("new", "", "", None, [], None, ""),
            contract.CatalogItem("", "", "", "low", 720, None, [], None, []),
            copy.deepcopy(person),
            [],
            contract.History(0, 0, 0, 0),
            contract.Peers(0, 0),
        )
    else:
        kinds = {
            "categorization": contract.CategorizationInput,
            "priority": contract.PriorityInput,
            "routing": contract.RoutingInput,
        }
        whole = kinds[stage](now, ticket, person, so_far)
    return merged(whole, given)


def ask(rule: Any, stage: str, settings: Optional[Mapping[str, Any]] = None, **given: Any) -> Answer:
    """What a rule answers. Raises what the rule raises, and ``ValueError`` if the settings are wrong."""
    wrong = problems(rule, settings)
    if wrong:
        raise ValueError(" ".join(wrong))
    return getattr(rule, stage)(input(stage, **given))


def problems(rule: Any, settings: Optional[Mapping[str, Any]] = None) -> list[str]:
    """The sentences that an admin reads about these settings; an empty list if they are right."""
    given = Settings(dict(settings or {}))
    rule.configure(given)
    return given.problems()


def tables(every: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
    """Reference tables for ``lookup``: ``{table: {key: {column: text}}}``."""

    def look(table: str, key: str) -> Optional[list]:
        row = every[table].get(key)
        return None if row is None else [contract.Attribute(name, value) for name, value in row.items()]

    host.look = look


def merged(whole: Any, given: Mapping[str, Any]) -> Any:
    for name, value in given.items():
        if not hasattr(whole, name):
            raise TypeError(f"{type(whole).__name__} has no `{name}`")
        if name == "fields" and isinstance(value, Mapping):
            value = [contract.Field(own, to_value(filled)) for own, filled in value.items()]
        elif isinstance(value, Mapping):
            value = merged(getattr(whole, name), value)
        setattr(whole, name, value)
    return whole

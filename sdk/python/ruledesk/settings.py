"""Reads a rule's settings and collects a sentence for everything that is wrong with them, so that an admin sees all of it
at once."""

from __future__ import annotations

import json
import math
from typing import Any, Callable, Optional


class Settings:
    """The ``[settings]`` table of the manifest. Each method notes a sentence for the admin where the setting is wrong."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._table = table
        self._asked: set[str] = set()
        self._problems: list[str] = []

    @property
    def table(self) -> dict[str, Any]:
        """The table as it is, for settings that the methods cannot read."""
        self._asked.update(self._table)
        return self._table

    def problem(self, sentence: str) -> None:
        """Notes a problem: one sentence for the admin. The rule is then not activated."""
        self._problems.append(sentence)

    def text(self, name: str, default: Optional[str] = None) -> str:
        """A text that is not empty."""
        return self._read(name, default, "", "a text", is_text)

    def flag(self, name: str, default: Optional[bool] = None) -> bool:
        return self._read(name, default, False, "true or false", lambda value: isinstance(value, bool))

    def number(
        self, name: str, *, at_least: float = -math.inf, at_most: float = math.inf, default: Optional[float] = None
    ) -> float:
        def fits(value: Any) -> bool:
            return is_number(value) and at_least <= value <= at_most

        return self._read(name, default, 0.0, f"a number{limits(at_least, at_most)}", fits)

    def whole(
        self, name: str, *, at_least: float = -math.inf, at_most: float = math.inf, default: Optional[int] = None
    ) -> int:
        def fits(value: Any) -> bool:
            return isinstance(value, int) and not isinstance(value, bool) and at_least <= value <= at_most

        return self._read(name, default, 0, f"a whole number{limits(at_least, at_most)}", fits)

    def texts(self, name: str, default: Optional[list[str]] = None) -> list[str]:
        """A list of texts, none of them empty, with at least one."""

        def fits(value: Any) -> bool:
            return isinstance(value, list) and bool(value) and all(is_text(text) for text in value)

        return self._read(name, default, [], "a list of texts with at least one of them", fits)

    def problems(self) -> list[str]:
        """All problems noted so far, and the settings that nobody has asked for."""
        known = ", ".join(sorted(self._asked)) or "none"
        unknown = [name for name in self._table if name not in self._asked]
        return self._problems + [f"`{name}` is no setting of this rule: it has {known}." for name in unknown]

    def _read(self, name: str, default: Any, after_problem: Any, what: str, fits: Callable[[Any], bool]) -> Any:
        self._asked.add(name)
        if name not in self._table:
            if default is not None:
                return default
            self.problem(f"`{name}` is missing: it has to be {what}.")
            return after_problem
        value = self._table[name]
        if fits(value):
            return value
        self.problem(f"`{name}` is {json.dumps(value, ensure_ascii=False)}: it has to be {what}.")
        return after_problem


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def limits(at_least: float, at_most: float) -> str:
    if at_least > -math.inf and at_most < math.inf:
        return f" from {at_least} to {at_most}"
    if at_least > -math.inf:
        return f", {at_least} or more"
    return f", {at_most} or less" if at_most < math.inf else ""

"""What a rule can reach outside of itself: the desk's reference tables and the decision's record. ``testing`` and the
component replace this."""

from __future__ import annotations

from typing import Callable, Optional


def no_tables(table: str, key: str) -> Optional[list]:
    return None


def print_line(level: str, message: str) -> None:
    print(f"{level}: {message}")


write: Callable[[str, str], None] = print_line
look: Callable[[str, str], Optional[list]] = no_tables


def lookup(table: str, key: str) -> Optional[list]:
    return look(table, key)

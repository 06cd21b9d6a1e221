"""Lines for the decision's record, each with its level. ``print`` writes at ``info``; ``logging`` keeps its own levels."""

from __future__ import annotations

from . import host


def debug(message: str) -> None:
    """For those who work on the rule."""
    host.write("debug", message)


def info(message: str) -> None:
    host.write("info", message)


def warn(message: str) -> None:
    """About something odd."""
    host.write("warn", message)


def error(message: str) -> None:
    """About something that went wrong."""
    host.write("error", message)

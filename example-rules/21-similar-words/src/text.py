"""The words of a text, as the model counts them: shared by the rule and by `learn.py`."""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W\d_]{3,}")


def words(text: str) -> set[str]:
    """Each word once, in lower case; what is shorter than three letters says little."""
    return set(WORD.findall(text.lower()))

"""Texts, days and clocks, as the specification's section "Words used below" has them."""

from __future__ import annotations

import re
from typing import Iterable

from ruledesk.contract import Moment

LOWER = {letter: letter + 32 for letter in range(ord("A"), ord("Z") + 1)}
DAY = re.compile("([0-9]{4})-([0-9]{2})-([0-9]{2})")


def lower(text: str) -> str:
    return text.translate(LOWER)


def squeeze(text: str) -> str:
    return re.sub("[ \t\n\r]+", " ", text).strip(" ")


def united(*lists: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for texts in lists for text in texts))


def clock(now: Moment) -> str:
    year, month, day = civil(now.local_day)
    sign = "-" if now.utc_offset < 0 else "+"
    state = "open" if now.in_business_hours else "closed"
    date = f"{year}-{month:02}-{day:02} {now.weekday}"
    return f"{date} {hours(now.minute_of_day)} {sign}{hours(abs(now.utc_offset))} {state}"


def hours(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def drift(now: Moment) -> int:
    return now.minute_of_day - (now.at // 60000 + now.utc_offset) % 1440


def civil(day: int) -> tuple[int, int, int]:
    """Year, month and day of a day counted from 1970-01-01: `datetime` has neither year 0 nor the years before it. The
    years are counted from March, in cycles of 400."""
    cycle, of_cycle = divmod(day + 719468, 146097)
    year = (of_cycle - of_cycle // 1460 + of_cycle // 36524 - of_cycle // 146096) // 365
    of_year = of_cycle - (365 * year + year // 4 - year // 100)
    march = (5 * of_year + 2) // 153
    month = march + 3 if march < 10 else march - 9
    return year + cycle * 400 + (month <= 2), month, of_year - (153 * march + 2) // 5 + 1


def is_day(text: str) -> bool:
    parts = DAY.fullmatch(text)
    if parts is None:
        return False
    year, month, day = (int(part) for part in parts.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return 1 <= month <= 12 and 1 <= day <= days[month - 1]

"""Any value of the contract as one text, and a text's digest."""

from __future__ import annotations

import struct
from typing import Any, Callable

Written = Callable[[Any], str]


def text(value: str) -> str:
    return f"{len(value.encode())}:{value}"


def number(value: float) -> str:
    return struct.pack(">d", value).hex()


def flag(value: bool) -> str:
    return "t" if value else "f"


def listed(item: Written) -> Written:
    return lambda values: "[" + ",".join(map(item, values)) + "]"


def optional(item: Written) -> Written:
    return lambda value: "-" if value is None else "+" + item(value)


def record(**fields: Written) -> Written:
    return lambda value: "(" + ",".join(written(getattr(value, name)) for name, written in fields.items()) + ")"


CASES: dict[str, Written] = {
    "Text": text,
    "Number": number,
    "Flag": flag,
    "Date": text,
    "Choice": text,
    "Choices": listed(text),
}


def case_of(value: Any) -> str:
    """The contract's name of a value's case: the classes of the SDK and of a component differ in more than that."""
    return type(value).__name__.replace("_", "").removeprefix("Value")


def value(held: Any) -> str:
    case = case_of(held)
    return f"{case.lower()}={CASES[case](held.value)}"


texts = listed(text)
attributes = listed(record(name=text, value=text))
moment = record(at=str, utc_offset=str, local_day=str, weekday=str, minute_of_day=str, in_business_hours=flag)
person = record(
    id=text,
    name=text,
    email=text,
    department=text,
    title=text,
    location=text,
    groups=texts,
    managers=texts,
    vip=flag,
    attributes=attributes,
)
ticket = record(
    request_type=text,
    channel=text,
    subject=text,
    body=text,
    fields=listed(record(name=text, value=value)),
    tags=texts,
    signals=texts,
    attachments=listed(record(name=text, media_type=text, size=str)),
    created_at=str,
    attributes=attributes,
)
so_far = record(
    category=optional(text),
    tags=texts,
    kind=text,
    impact=optional(text),
    urgency=optional(text),
    priority=optional(text),
    team=optional(text),
    assignee=optional(text),
    attributes=attributes,
)
recent = record(key=text, request_type=text, subject=text, state=text, created_at=str)
request = record(
    kind=text,
    app=text,
    tier=text,
    role=optional(text),
    groups=texts,
    duration_hours=optional(str),
    justification=text,
)
item = record(
    app=text,
    name=text,
    tier=text,
    risk=text,
    max_duration_hours=str,
    owner=optional(text),
    groups=texts,
    seats_left=optional(str),
    attributes=attributes,
)
grant = record(
    app=text, tier=text, role=optional(text), groups=texts, granted_at=str, expires_at=str, state=text
)
later = {"now": moment, "ticket": ticket, "requester": person, "so_far": so_far}

INPUTS: dict[str, Written] = {
    "intake": record(
        now=moment, ticket=ticket, requester=person, submitted_by=text, headers=attributes, recent=listed(recent)
    ),
    "categorization": record(**later),
    "priority": record(**later),
    "routing": record(**later),
    "access": record(
        **later,
        request=request,
        item=item,
        subject=person,
        grants=listed(grant),
        history=record(requested=str, approved=str, denied=str, revoked=str),
        peers=record(department_size=str, department_holders=str),
    ),
}


def digest(written: str) -> str:
    """64-bit FNV-1a, in hexadecimal."""
    hashed = 14695981039346656037
    for byte in written.encode():
        hashed = (hashed ^ byte) * 1099511628211 & 0xFFFFFFFFFFFFFFFF
    return f"{hashed:016x}"

# Written from sdk/wit by a test: do not edit.
"""What a rule is asked with, and what it answers: the words of the contract, each with its comment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Union

Timestamp = int
"""Milliseconds since 1970-01-01T00:00:00Z."""


@dataclass
class Moment:
    """The decision's time: the only clock a rule has. The same for every rule that one ticket asks."""
    at: Timestamp
    """The instant."""
    utc_offset: int
    """Minutes east of UTC in the desk's time zone at that instant."""
    local_day: int
    """The day in the desk's time zone, counted from 1970-01-01."""
    weekday: int
    """The day of the week in the desk's time zone, ISO 8601: Monday is 1, Sunday is 7."""
    minute_of_day: int
    """Minutes since midnight in the desk's time zone, 0 to 1439."""
    in_business_hours: bool
    """Whether the desk's business calendar is open at that instant."""


@dataclass
class Attribute:
    """A name and its text: room for what this version of the contract has no field for.
    A rule ignores names that it does not know.
    """
    name: str
    value: str


@dataclass
class ValueText:
    """Free text, one line or several."""

    value: str


@dataclass
class ValueNumber:
    """A number."""

    value: float


@dataclass
class ValueFlag:
    """Yes or no."""

    value: bool


@dataclass
class ValueDate:
    """A calendar day, `YYYY-MM-DD`."""

    value: str


@dataclass
class ValueChoice:
    """One of the options that the form offers."""

    value: str


@dataclass
class ValueChoices:
    """Some of the options that the form offers."""

    value: list[str]


Value = Union[ValueText, ValueNumber, ValueFlag, ValueDate, ValueChoice, ValueChoices]
"""What a form field holds."""


@dataclass
class Field:
    """One filled-in field of a request type's form. Fields left empty are absent."""
    name: str
    """The field's name in the request type, such as `device`."""
    value: Value


@dataclass
class Person:
    """Somebody in the organisation."""
    id: str
    """The stable id, such as `amara`."""
    name: str
    """The name as people read it."""
    email: str
    """The mail address; empty if there is none."""
    department: str
    """The department's name; empty if unknown."""
    title: str
    """The job title; empty if unknown."""
    location: str
    """The site or city; empty if unknown."""
    groups: list[str]
    """The groups this person is a member of."""
    managers: list[str]
    """The ids of the managers, nearest first."""
    vip: bool
    """Whether the organisation marks this person for special care."""
    attributes: list[Attribute]
    """What else the organisation's directory says."""


@dataclass
class Attachment:
    """An attached file, without its content."""
    name: str
    """The file's name as sent."""
    media_type: str
    """The media type as sent, such as `image/png`."""
    size: int
    """The size in bytes."""


@dataclass
class Ticket:
    """A ticket as its requester submitted it, and as intake normalised it.
    It is the same for all stages after intake.
    """
    request_type: str
    """The request type, such as `hardware`."""
    channel: str
    """Where it came from, such as `api`, `portal`, `email`, `chat`, `import`."""
    subject: str
    body: str
    fields: list[Field]
    """The form's filled-in fields."""
    tags: list[str]
    """The tags it came with, and those that intake added."""
    signals: list[str]
    """Signals of intake for the stages after it, such as `possible-duplicate`."""
    attachments: list[Attachment]
    created_at: Timestamp
    """When it arrived."""
    attributes: list[Attribute]


@dataclass
class SoFar:
    """What has been decided about a ticket before this stage is asked."""
    category: Optional[str]
    """The category's id in the taxonomy."""
    tags: list[str]
    """The tags that stand now."""
    kind: str
    """`incident`, `request`, `problem` or `change`."""
    impact: Optional[str]
    """The impact, as an id of the desk's impact scale."""
    urgency: Optional[str]
    """The urgency, as an id of the desk's urgency scale."""
    priority: Optional[str]
    """The priority level's id."""
    team: Optional[str]
    """The team that has the ticket, when it is routed again."""
    assignee: Optional[str]
    """The person who has the ticket, when it is routed again."""
    attributes: list[Attribute]


@dataclass
class RecentTicket:
    """A ticket of the same requester, newest first."""
    key: str
    """The short key, such as `IT-1042`."""
    request_type: str
    subject: str
    state: str
    """The state, such as `open` or `resolved`."""
    created_at: Timestamp


@dataclass
class IntakeInput:
    """Asked when a submission arrives, before there is a ticket.

    All rules are asked. The changes of those that accept are applied in order, each rule seeing the submission as it
    came; problems are merged, and any rejection rejects. If no rule can answer, the submission is accepted and marked.
    """
    now: Moment
    ticket: Ticket
    """The submission: it has passed the form's own checks (known fields, types, options)."""
    requester: Person
    submitted_by: str
    """Who submitted it: the requester's id, or that of somebody who acts for the requester."""
    headers: list[Attribute]
    """What the channel knows about the message, such as the mail's headers in lower case."""
    recent: list[RecentTicket]
    """The requester's last five tickets of the last 72 hours; empty unless the manifest `wants` `recent-tickets`."""


@dataclass
class Changes:
    """What to change in an accepted submission. `none` and empty lists change nothing."""
    subject: Optional[str]
    body: Optional[str]
    fields: list[Field]
    """Fields to set or to add; each must exist in the request type's form."""
    tags: list[str]
    """Tags to add."""
    signals: list[str]
    """Signals to add for the stages after this one."""
    duplicate_of: Optional[str]
    """The short key of a ticket that this one seems to repeat; shown to agents."""


@dataclass
class Problem:
    """Something that the requester has to mend before the submission can be accepted."""
    field: str
    """The form field, or `subject` or `body`."""
    code: str
    """A stable word for programs, such as `required`."""
    message: str
    """A sentence for the requester: what is wrong and what to do."""


@dataclass
class CategorizationInput:
    """Asked when a submission has been accepted.

    The first category wins; tags of all rules are united. If no rule answers, the request type's default category stands.
    """
    now: Moment
    ticket: Ticket
    requester: Person
    so_far: SoFar


@dataclass
class Classification:
    category: Optional[str]
    """A category's id in the taxonomy; `none` adds tags only."""
    tags: list[str]
    """Tags to add, each in the taxonomy."""
    kind: Optional[str]
    """`incident`, `request`, `problem` or `change`, where the request type's own kind is not right."""


@dataclass
class PriorityInput:
    """Asked when the category is known.

    The highest level proposed wins, unless a rule whose manifest says `override` proposes one: then that one, the first
    of several. If no rule answers, the desk's default level stands.
    """
    now: Moment
    ticket: Ticket
    requester: Person
    so_far: SoFar


@dataclass
class Rating:
    impact: Optional[str]
    """How much of the organisation is affected; an id of the desk's impact scale."""
    urgency: Optional[str]
    """How soon it matters; an id of the desk's urgency scale."""
    level: str
    """The priority level's id."""


@dataclass
class RoutingInput:
    """Asked when the priority is known, and again when a ticket changes hands.

    The first answer wins. If no rule answers, the category's own team or the desk's default team takes the ticket.
    A rule says what is needed; which member gets it is settled by the desk when the ticket is stored, where the true
    load of each is known.
    """
    now: Moment
    ticket: Ticket
    requester: Person
    so_far: SoFar


@dataclass
class Destination:
    team: Optional[str]
    """The team's id; `none` lets the desk find a team whose members have the skills."""
    assignee: Optional[str]
    """The id of the one person who should have it."""
    skills: list[str]
    """What the person who gets it must be able to do; members without these skills are passed over."""
    strategy: Optional[str]
    """`round-robin` or `least-loaded`; `none` uses the team's own."""
    tier: Optional[int]
    """The escalation tier: 1 is the first line."""


@dataclass
class Request:
    """What is asked for."""
    kind: str
    """`new`, or `extend` for more time on a grant that is held."""
    app: str
    """The app's id in the catalog."""
    tier: str
    """The licence tier's id."""
    role: Optional[str]
    groups: list[str]
    """Groups asked for beyond those that the tier gives."""
    duration_hours: Optional[int]
    """For how long; `none` asks for the longest that the catalog allows."""
    justification: str


@dataclass
class CatalogItem:
    """What the catalog says about the requested tier."""
    app: str
    name: str
    """The app's name as people read it."""
    tier: str
    risk: str
    """The risk class, such as `low` or `high`."""
    max_duration_hours: int
    """The longest grant, in hours."""
    owner: Optional[str]
    """The id of the person who answers for the app."""
    groups: list[str]
    """The groups that the tier gives."""
    seats_left: Optional[int]
    """Licences not yet handed out; `none` where they are not counted."""
    attributes: list[Attribute]


@dataclass
class Grant:
    """Access that the subject holds, or has held in the last year."""
    app: str
    tier: str
    role: Optional[str]
    groups: list[str]
    granted_at: Timestamp
    expires_at: Timestamp
    state: str
    """`active` or `ended`."""


@dataclass
class History:
    """The subject's requests in the last 365 days, this one not counted."""
    requested: int
    approved: int
    denied: int
    revoked: int


@dataclass
class Peers:
    """How common this access is among the subject's peers."""
    department_size: int
    """People in the subject's department, the subject not counted."""
    department_holders: int
    """Those of them who hold the same tier or a higher one."""


@dataclass
class AccessInput:
    """Asked when somebody requests access, and again before a grant is extended.

    A denial overrides; otherwise the required approvals of all rules are united. The request is approved by itself only
    when at least one rule approves and none asks for a person. The narrowest scope proposed is granted. If a rule fails, or
    none answers, a person decides.
    """
    now: Moment
    ticket: Ticket
    requester: Person
    so_far: SoFar
    request: Request
    item: CatalogItem
    subject: Person
    """Who is to have the access: the requester, or somebody the requester asks for."""
    grants: list[Grant]
    history: History
    peers: Peers


@dataclass
class Scope:
    """What is granted, or is granted once people approve. Never more than the catalog allows."""
    tier: str
    role: Optional[str]
    groups: list[str]
    duration_hours: int


@dataclass
class ApprovalStep:
    """One step of approval."""
    approvers: list[str]
    """Who may approve: ids of people, or `group:NAME` for the members of a group."""
    needed: int
    """How many of them have to; at least 1."""
    due_in_hours: int
    """By when, in hours from now; after that the request is denied."""


@dataclass
class ApprovalPlan:
    steps: list[ApprovalStep]
    """The steps, one after the other."""
    scope: Scope

"""The reference rule in Python. What it does, and why it makes no sense, is in `tests/conformance/README.md`."""

from __future__ import annotations

import math
from typing import Any, Optional

from ruledesk import (
    AccessInput,
    Answer,
    CategorizationInput,
    IntakeInput,
    PriorityInput,
    RoutingInput,
    Rule,
    Settings,
    accept,
    approve,
    assign,
    classify,
    deny,
    host,
    log,
    no_opinion,
    rate,
    reject,
    require_approval,
)
from ruledesk.contract import (
    ApprovalStep,
    Attribute,
    Field,
    Problem,
    Scope,
    Ticket,
    ValueChoice,
    ValueChoices,
    ValueDate,
    ValueFlag,
    ValueNumber,
    ValueText,
)

import canonical
from canonical import case_of
from words import clock, drift, is_day, lower, squeeze, united


class Reference(Rule):
    def configure(self, given: Settings) -> None:
        table = given.table

        def must(good: bool, name: str, what: str) -> None:
            if not good:
                given.problem(f"`{name}` must be {what}")

        def text(name: str) -> str:
            value = table.get(name)
            must(is_text(value), name, "a text, not empty")
            return value

        def whole(name: str, most: int) -> int:
            value = table.get(name)
            good = is_number(value) and 1 <= value <= most and value == int(value)
            must(good, name, f"a whole number from 1 to {most}")
            return int(value) if good else 0

        words = table.get("words")
        good = isinstance(words, list) and bool(words) and all(is_text(word) for word in words)
        must(good, "words", "a list of texts, none of them empty")
        self.words = [lower(word) for word in words] if good else []
        self.category, self.level, self.team, self.table = map(text, ("category", "level", "team", "table"))
        self.factor = table.get("factor")
        must(is_number(self.factor), "factor", "a number")
        self.body_max, self.max_hours = whole("body-max", 1000), whole("max-hours", 8784)
        self.trace = table.get("trace", False)
        must(isinstance(self.trace, bool), "trace", "true or false")

    def begin(self, stage: str, input: Any) -> tuple[list[Attribute], Optional[list[Attribute]]]:
        """What every stage does first: the attributes, and the row."""
        row = host.lookup(self.table, input.requester.id)
        text = canonical.INPUTS[stage](input)
        digest = canonical.digest(text)
        log.info(f"{stage} {digest}")
        if input.ticket.subject == "":
            log.warn("no subject")
        if self.trace:
            log.debug(text)
        if "fail" in input.ticket.tags:
            log.error("giving up")
            raise ValueError(f"asked to fail: {input.ticket.subject}")
        attributes = {
            "digest": digest,
            "clock": clock(input.now),
            "drift": str(drift(input.now)),
            "row": "none" if row is None else canonical.attributes(row),
        }
        return [Attribute(name, value) for name, value in attributes.items()], row

    def mentioned(self, ticket: Ticket) -> list[str]:
        text = lower(f"{ticket.subject} {ticket.body}")
        return united(word for word in self.words if word in text)

    def intake(self, input: IntakeInput) -> Answer:
        attributes, _ = self.begin("intake", input)
        header = next((header.value for header in input.headers if header.name == "message-id"), "")
        attributes.append(Attribute("header", header))
        problems = [problem for problem in map(problem_of, input.ticket.fields) if problem is not None]
        if problems:
            return ending(reject(*problems), f"problems: {len(problems)}", attributes)
        return ending(self.changes(input), f"accepted at {clock(input.now)}", attributes)

    def changes(self, input: IntakeInput) -> Answer:
        ticket, now = input.ticket, input.now
        signals = [] if input.submitted_by == input.requester.id else ["on-behalf"]
        if ticket.attachments:
            size = sum(attachment.size for attachment in ticket.attachments)
            signals.append(f"size-{min(size, 2**64 - 1)}")
        subject = squeeze(ticket.subject)
        repeated = (
            recent.key
            for recent in input.recent
            if recent.request_type == ticket.request_type
            and lower(squeeze(recent.subject)) == lower(subject)
            and recent.state != "closed"
            and 0 <= now.at - recent.created_at <= 604800000
        )
        answer = accept(
            subject=None if subject == ticket.subject else subject,
            body=ticket.body[: self.body_max] + "…" if len(ticket.body) > self.body_max else None,
            tags=[f"mentions-{word}" for word in self.mentioned(ticket)[:1]],
            signals=signals,
            duplicate_of=next(repeated, None),
        )
        answer.value.fields = [Field(field.name, self.changed(field.value)) for field in ticket.fields]
        return answer

    def changed(self, value: Any) -> Any:
        held = value.value
        match case_of(value):
            case "Text":
                return ValueText(squeeze(held))
            case "Number":
                return ValueNumber(held * self.factor if math.isfinite(held * self.factor) else held)
            case "Flag":
                return ValueFlag(not held)
            case "Date":
                return ValueDate(held)
            case "Choice":
                return ValueChoice(lower(held))
            case _:
                return ValueChoices(sorted(held))

    def categorization(self, input: CategorizationInput) -> Answer:
        attributes, _ = self.begin("categorization", input)
        word = next(iter(self.mentioned(input.ticket)), None)
        if word is not None:
            tags = united(input.ticket.tags, input.so_far.tags, [word])
            kind = None if input.now.in_business_hours else "incident"
            return ending(classify(self.category, tags=tags, kind=kind), f"it mentions {word}", attributes)
        if input.requester.vip:
            return ending(classify(kind=input.so_far.kind), "only the kind", attributes)
        return ending(no_opinion(), "nothing to say", attributes)

    def priority(self, input: PriorityInput) -> Answer:
        attributes, _ = self.begin("priority", input)
        numbers = [field.value.value for field in input.ticket.fields if case_of(field.value) == "Number"]
        total = 0.0
        # Not `sum`, which makes up for rounding.
        for number in numbers:
            total += number
        score = score_of(total * self.factor)
        attributes.append(Attribute("score", str(score)))
        if not numbers and not self.mentioned(input.ticket):
            return ending(no_opinion(), "nothing to rate", attributes)
        level = "critical" if score >= 100 else self.level if score >= 10 else "low"
        rating = rate(level, impact=input.so_far.urgency, urgency=input.so_far.impact)
        return ending(rating, f"score {score}", attributes)

    def routing(self, input: RoutingInput) -> Answer:
        attributes, row = self.begin("routing", input)
        team = next((column.value for column in row or [] if column.name == "team"), self.team)
        assignee = input.so_far.assignee
        if input.so_far.team == team:
            return ending(no_opinion(), "it is there already", attributes)
        if assignee is not None and assignee in input.requester.managers:
            return ending(assign(assignee=assignee, tier=255), "a manager has it", attributes)
        destination = assign(
            team,
            skills=self.mentioned(input.ticket),
            strategy="least-loaded" if input.now.weekday >= 6 else None,
            tier=len(input.ticket.tags) % 255 + 1,
        )
        return ending(destination, f"{team} at {clock(input.now)}", attributes)

    def access(self, input: AccessInput) -> Answer:
        attributes, _ = self.begin("access", input)
        at, request, item = input.now.at, input.request, input.item
        left = [
            grant.expires_at - at
            for grant in input.grants
            if grant.state == "active" and grant.app == request.app and grant.granted_at <= at < grant.expires_at
        ]
        history, peers = input.history, input.peers
        total = history.requested + history.approved + history.denied + history.revoked
        share = peers.department_holders / peers.department_size if peers.department_size else 0.0
        attributes.append(Attribute("remaining", str(max(left, default=0))))
        attributes.append(Attribute("history", str(total)))
        attributes.append(Attribute("share", canonical.number(share)))
        longest = item.max_duration_hours
        asked = longest if request.duration_hours is None else request.duration_hours
        hours = min(asked, longest, self.max_hours)
        groups = sorted(united(item.groups, request.groups))
        if item.seats_left == 0:
            return ending(deny(), "no seats left", attributes)
        if item.risk == "high":
            steps = steps_of(input)
            plan = require_approval(steps, Scope(request.tier, request.role, groups, hours))
            return ending(plan, f"approvals: {len(steps)}", attributes)
        if (request.kind == "extend" and left) or share >= 0.5:
            approval = approve(request.tier, hours, role=request.role, groups=groups)
            return ending(approval, "common or held", attributes)
        return ending(no_opinion(), "not common", attributes)


def ending(answer: Answer, reason: str, attributes: list[Attribute]) -> Answer:
    answer.attributes = attributes
    return answer.because(reason)


def problem_of(field: Field) -> Optional[Problem]:
    case, held = case_of(field.value), field.value.value
    if case == "Text" and held == "":
        return Problem(field.name, "empty", f"`{field.name}` is empty")
    if case == "Date" and not is_day(held):
        return Problem(field.name, "date", f"`{held}` is no day")
    if case == "Choices":
        twice = next((choice for at, choice in enumerate(held) if choice in held[:at]), None)
        if twice is not None:
            return Problem(field.name, "twice", f"`{twice}` is chosen twice")
    return None


def score_of(x: float) -> int:
    # What is no number is neither.
    if x >= 1000000:
        return 1000000
    return math.floor(x + 0.5) if x > -1000000 else -1000000


def steps_of(input: AccessInput) -> list[ApprovalStep]:
    steps = [ApprovalStep([manager], 1, 24) for manager in input.subject.managers]
    item = input.item
    if item.owner is not None:
        due = min(item.max_duration_hours * 2, 4294967295)
        steps.append(ApprovalStep([item.owner, f"group:{item.app}"], 2, due))
    return steps or [ApprovalStep(["group:desk"], 1, 4)]


def is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


rule = Reference()

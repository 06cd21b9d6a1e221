"""Between the contract and the rule, inside of the component: settings, exceptions, printing and chance."""

from __future__ import annotations

import dataclasses
import gc
import json
import random
import re
import sys
import traceback
from types import ModuleType
from typing import Any

from componentize_py_types import Err
from wit_world.imports import log, tables, types

from . import Answer, Rule, Settings, host


class Printed:
    """A text stream whose lines go to the decision's record."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, level: log.Level) -> None:
        self.level = level
        self.begun = ""

    def write(self, text: str) -> int:
        *lines, self.begun = (self.begun + text).split("\n")
        for line in lines:
            log.write(self.level, line)
        return len(text)

    def flush(self) -> None:
        """Lines are whole lines: what was begun waits for its end, or for the decision's."""

    def isatty(self) -> bool:
        return False

    def end(self) -> None:
        if self.begun:
            self.write("\n")


out, err = Printed(log.Level.INFO), Printed(log.Level.WARN)
LEVELS = {"debug": log.Level.DEBUG, "info": log.Level.INFO, "warn": log.Level.WARN, "error": log.Level.ERROR}
host.look = tables.lookup
host.write = lambda level, message: log.write(LEVELS[level], message)


def record_logging() -> None:
    """Sends what a rule logs to the record, each level as it is, unless the rule has set up handlers of its own."""
    logging = sys.modules.get("logging")
    if logging is None or logging.root.handlers:
        return

    class Recorded(logging.Handler):  # type: ignore[name-defined]
        def emit(self, record: Any) -> None:
            at_least = ((40, "error"), (30, "warn"), (20, "info"))
            level = next((word for least, word in at_least if record.levelno >= least), "debug")
            host.write(level, self.format(record))

    logging.root.addHandler(Recorded())
    logging.root.setLevel(logging.DEBUG)


def ready() -> None:
    """Called when all is imported. Whatever lives now is never looked at again by the collector of garbage: a decision is
    too short to need one, and looking would touch memory that each decision would have to copy."""
    sys.stdout, sys.stderr = out, err
    record_logging()
    gc.collect()
    gc.freeze()
    gc.disable()


def rule_of(source: ModuleType) -> Rule:
    """The rule of a module: its global named ``rule``."""
    rule = getattr(source, "rule", None)
    if not isinstance(rule, Rule):
        raise TypeError(f"{source.__name__}.py has no rule: end it with `rule = MyRule()`, where MyRule is a ruledesk.Rule")
    return rule


def settings_of(rule: Rule) -> type:
    """The contract's ``settings`` for a rule."""

    class TheSettings:
        def configure(self, text: str) -> None:
            given = Settings(json.loads(text))
            try:
                rule.configure(given)
                problems = given.problems()
            except Exception as error:
                problems = [described(error)]
            if problems:
                raise Err(problems)
            gc.freeze()

    return TheSettings


def stage_of(rule: Rule, stage: str, module: ModuleType) -> type:
    """The contract's interface of one stage."""
    decide_here = getattr(rule, stage)
    if getattr(type(rule), stage) is getattr(Rule, stage):
        raise TypeError(f"rule.toml names the stage `{stage}`, and the rule has no method `{stage}`")

    class TheStage:
        def decide(self, input: Any) -> Any:
            random.seed(seed_of(input))
            try:
                answer = decide_here(input)
                if not isinstance(answer, Answer):
                    raise TypeError(f"`{stage}` has returned {answer!r}, which is no answer such as no_opinion()")
                return in_contract(answer, module)
            except Exception as error:
                raise Err(described(error)) from None
            finally:
                out.end()
                err.end()

    return TheStage


def seed_of(input: Any) -> int:
    """Where random numbers begin: long texts are not worth the fuel, what differs between tickets stands here."""
    ticket = input.ticket
    text = f"{input.now.at} {input.requester.id} {ticket.created_at} {ticket.subject[:64]}"
    return int.from_bytes(text.encode("utf-8", "replace"), "little")


def in_contract(answer: Answer, module: ModuleType) -> Any:
    case = getattr(module, f"Decision_{camel(answer.decision)}")
    decision = case() if answer.value is None else case(converted(answer.value, module))
    attributes = [types.Attribute(own.name, own.value) for own in answer.attributes]
    return module.Answer(decision, answer.reason, attributes)


def converted(value: Any, module: ModuleType) -> Any:
    """A value of the SDK's types as one of the component's: the same names and fields, other classes."""
    if isinstance(value, list):
        return [converted(item, module) for item in value]
    if not dataclasses.is_dataclass(value):
        return value
    name = type(value).__name__
    name = name.replace("Value", "Value_", 1) if name.startswith("Value") else name
    target = getattr(module, name, None) or getattr(types, name)
    return target(*[converted(getattr(value, f.name), module) for f in dataclasses.fields(value)])


def camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))


def described(error: BaseException) -> str:
    """The exception's message first, then where it came from, without the frames of this file."""
    place = error.__traceback__
    while place is not None and place.tb_frame.f_code.co_filename == __file__:
        place = place.tb_next
    message = "".join(traceback.format_exception_only(type(error), error)).removesuffix("\n")
    trace = "".join(traceback.format_exception(type(error), error, place)).rstrip()
    # In the component, the folders of modules have numbers for names.
    return message + "\n" + re.sub(r'File "/\d+/', 'File "', trace)

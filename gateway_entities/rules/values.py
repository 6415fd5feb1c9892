"""Rules of single values: text, numbers and enums.

A rule takes a present value and its path, and yields violations. A description continues the path, as in
``model_configs[2].weight must be a finite number, 0 or more, is -1.0``.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from google.protobuf.descriptor import EnumDescriptor

from gateway_entities.rules.violation import Violation

Rule = Callable[[Any, str], Iterable[Violation]]
"""Checks a present value, given its path. Nearly every value is valid, so that case must be cheap: return ()."""

_SHOWN_LENGTH = 60
_LONGEST: dict[Rule, int] = {}


class Limits(NamedTuple):
    """The limits of a rule, for documents that are generated of rules.

    Attributes:
        least: the fewest characters of a text, or the smallest number.
        most: the most characters of a text, the largest number, or the most elements of a list or a map; None for no limit.
        pattern: the regular expression that the whole text must match; None for any.
    """

    least: int
    most: int | None
    pattern: str | None = None


LIMITS: dict[Rule, Limits] = {}
"""The limits of the rules that have some."""


class EnumType(Protocol):
    """An enum of the compiled contract."""

    @property
    def DESCRIPTOR(self) -> EnumDescriptor:  # noqa: N802 - protobuf's name for it
        """The enum's names and numbers."""
        ...


def shown(text: str) -> str:
    """Return the text quoted, escaped and truncated to fit into a message."""
    cut = text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 3] + "..."
    # JSON can escape half of a surrogate pair, which no text that is sent on can hold.
    return json.dumps(cut, ensure_ascii=False).encode(errors="backslashreplace").decode()


def entry(path: str, key: str) -> str:
    """Return the path of one entry of a map, such as ``secret_value["api_key"]``."""
    return f"{path}[{shown(key)}]"


def listed(names: Iterable[str]) -> str:
    """Return names separated by commas."""
    return ", ".join(names)


def text(least: int, most: int | None = None, *, pattern: str | None = None, form: str | None = None) -> Rule:
    """Text of ``least`` to ``most`` characters (Unicode code points; None: no limit) without NUL.

    Args:
        least: the fewest characters, 0 or 1.
        most: the most characters.
        pattern: the regular expression that the whole text must match.
        form: what the pattern asks for, in words that go on from "must".
    """
    expression = None if pattern is None else re.compile(pattern)
    top = sys.maxsize if most is None else most

    def rule(value: str, path: str) -> Iterable[Violation]:
        fits = least <= len(value) <= top and "\0" not in value and (expression is None or expression.fullmatch(value))
        return () if fits else faults(value, path)

    def faults(value: str, path: str) -> Iterator[Violation]:
        length = len(value)
        if most is None and length < least:
            yield Violation("rules/length", path, "must not be empty")
        elif not least <= length <= top:
            limits = f"{least} to {most}" if least else f"at most {most}"
            if least == most:
                limits = f"{least}"
            yield Violation("rules/length", path, f"must be {limits} characters, has {length}")
        if "\0" in value:
            yield Violation("rules/nul", path, "must not contain NUL characters")
        # An empty text that may not be empty is one fault, not two.
        if expression is not None and length >= least and not expression.fullmatch(value):
            yield Violation("rules/form", path, f"must {form}")

    if expression is None:
        _LONGEST[rule] = top
    LIMITS[rule] = Limits(least, most, pattern)
    return rule


def longest(rule: Rule) -> int:
    """Return the most characters of a rule that limits only the length of a non-empty text; 0 for other rules.

    Callers on a hot path compare lengths instead of calling such a rule.
    """
    return _LONGEST.get(rule, 0)


def finite(value: float, path: str) -> Iterable[Violation]:
    """A finite number, 0 or more."""
    if math.isfinite(value) and value >= 0:
        return ()
    return (Violation("rules/number", path, f"must be a finite number, 0 or more, is {value}"),)


def whole(least: int, most: int | None = None) -> Rule:
    """An integer of ``least`` to ``most`` (None: no limit)."""
    limits = f"{least} or more" if most is None else f"{least} to {most}"

    def rule(value: int, path: str) -> Iterable[Violation]:
        if value >= least and (most is None or value <= most):
            return ()
        return (Violation("rules/number", path, f"must be {limits}, is {value}"),)

    LIMITS[rule] = Limits(least, most)
    return rule


LIMITS[finite] = Limits(0, None)


def anything(_value: object, _path: str) -> Iterable[Violation]:
    """Any value of the field's type."""
    return ()


def known(enum: EnumType, *, unspecified: bool = False) -> Rule:
    """A number that the enum defines, other than 0 unless ``unspecified`` allows it."""
    valid = {value.number: value.name for value in enum.DESCRIPTOR.values if unspecified or value.number != 0}

    def rule(value: int, path: str) -> Iterable[Violation]:
        if value in valid:
            return ()
        return (Violation("rules/enum", path, f"must be one of {listed(valid.values())}, is {value}"),)

    return rule


def recognized(enum: EnumType, *, unspecified: bool = False) -> Rule:
    """Like ``known``, for messages of other versions: an undefined number is only a ``schema/enum`` finding."""
    valid = {value.number: value.name for value in enum.DESCRIPTOR.values}
    strict = known(enum, unspecified=unspecified)

    def rule(value: int, path: str) -> Iterable[Violation]:
        if value in valid:
            return strict(value, path)
        description = f"should be one of {listed(name for number, name in valid.items() if number)}, is the unknown {value}"
        return (Violation("schema/enum", path, description),)

    return rule


NAME = text(1, 255)
"""A name: 1 to 255 characters."""
IDENTIFIER = text(1, 255)
"""An identifier to look up: 1 to 255 characters."""
ACTOR = text(1, 255)
"""The actor of a change: 1 to 255 characters."""
SELECTOR = text(0, 255)
"""A filter, or one of several keys of a resource: at most 255 characters; empty counts as absent."""
PAGE_TOKEN = text(0, 8192)
"""A page token: at most 8192 characters; empty selects the first page."""
PAGE_SIZE = whole(0, 1000)
"""The most items of a page; 0 selects the default."""

"""Limits of request fields, measured by probing ``gateway_entities.rules``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway_entities import rules
from gateway_entities.wire.schemas.limits import Limit
from gateway_entities.wire.schemas.model.signature import INTEGERS, oneof_of

_LONGEST: Final = 2**14
# One of these is valid under every rule for text: a letter or a digit.
_LETTERS: Final = ("a", "1")


def rule_limits(files: Iterable[FileDescriptor]) -> dict[str, Limit]:
    """Return the limits of text and integer fields at the top level of requests, by full field name.

    Patterns and rules over several fields are not covered. Messages that the rules do not cover have no limits.
    """
    limits: dict[str, Limit] = {}
    for file in files:
        for descriptor in file.message_types_by_name.values():
            limits |= _of_message(descriptor)
    return limits


def _of_message(descriptor: Descriptor) -> dict[str, Limit]:
    empty = GetMessageClass(descriptor)()
    try:
        missing = {violation.field for violation in rules.check(empty) if violation.description == "is required"}
    except TypeError:
        return {}
    found: dict[str, Limit] = {}
    for field in descriptor.fields:
        if field.is_repeated or oneof_of(field) is not None or "update_mask" in descriptor.fields_by_name:
            continue
        limit = _of_field(empty, field, required=field.name in missing)
        if limit != Limit():
            found[field.full_name] = limit
    return found


def _of_field(empty: Message, field: FieldDescriptor, *, required: bool) -> Limit:
    def allowed(value: Any) -> bool:
        message = type(empty)()
        setattr(message, field.name, value)
        return all(violation.field != field.name for violation in rules.check(message))

    if field.type == field.TYPE_STRING:
        letter = next((c for c in _LETTERS if allowed(c)), None)
        if letter is None:
            return Limit(required=required)
        least = 0 if allowed("") else 1
        most = _greatest(lambda n: allowed(letter * n), 1, _LONGEST)
        return Limit(least or None, most, required=required)
    if field.type in INTEGERS:
        low, high = INTEGERS[field.type]
        lowest = next((n for n in (low, 0, 1) if allowed(n)), None)
        if lowest is None:
            return Limit(required=required)
        return Limit(None if lowest == low else lowest, _greatest(allowed, max(lowest, 1), high), required=required)
    return Limit(required=required)


def _greatest(allowed: Callable[[int], bool], low: int, high: int) -> int | None:
    """Return the greatest allowed number, given that ``low`` is allowed; None if ``high`` is too."""
    if allowed(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if allowed(middle) else (low, middle)
    return low

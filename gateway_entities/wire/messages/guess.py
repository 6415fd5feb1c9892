"""Guess the message type of bytes or JSON that come without one."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final, NamedTuple

from google.protobuf.message import Message

from gateway_entities import rules
from gateway_entities.errors import GatewayError
from gateway_entities.mlflow_rest import decode
from gateway_entities.rules.values import listed
from gateway_entities.wire.messages.layout import BYTES, Layout, Slot, layout_of
from gateway_entities.wire.messages.scan import UNREADABLE, Record, scan
from gateway_entities.wire.messages.types import MESSAGE_TYPES

MAX_RECORDS: Final = 500
"""The number of top-level fields considered."""
MAX_BYTES: Final = 1 << 16
"""Longer input is not parsed as every type."""
MAX_VIOLATIONS: Final = 20

_PREFIXES: Final = {
    "secret_id": b"s-",
    "model_definition_id": b"d-",
    "endpoint_id": b"e-",
    "mapping_id": b"m-",
    "budget_policy_id": b"bp-",
    "guardrail_id": b"gr-",
}


class Guess(NamedTuple):
    """A possible message type.

    Attributes:
        message_type: its short name.
        confidence: from 0 (no match) to 1; comparable between guesses for the same input only.
        reasons: evidence for and against it.
    """

    message_type: str
    confidence: float
    reasons: tuple[str, ...]


def guess(data: bytes) -> list[Guess]:
    """Return the possible message types of some bytes, likeliest first; an empty list if there is no evidence.

    Types with the same fields are equally likely, such as requests with a single id.

    Args:
        data: any bytes.
    """
    records = [one for one in islice(scan(data), MAX_RECORDS) if one.wire != UNREADABLE]
    if not records:
        return []
    guesses = [_guess(kind, data, records) for kind in MESSAGE_TYPES.values()]
    return sorted((one for one in guesses if one.confidence > 0), key=lambda one: -one.confidence)


def guess_json(text: bytes) -> list[Guess]:
    """Return the possible message types of a JSON object by its field names, likeliest first.

    Args:
        text: any bytes; the list is empty unless they are a JSON object.
    """
    try:
        names = list(decode.load(text))
    except GatewayError:
        return []
    guesses: list[Guess] = []
    for name, kind in MESSAGE_TYPES.items():
        fields: dict[str, Any] = {n: one for one in kind.DESCRIPTOR.fields for n in (one.name, one.json_name)}
        fitting = sum(each in fields for each in names)
        if fitting:
            confidence = fitting / len(names) * (0.9 + 0.1 * fitting / len(kind.DESCRIPTOR.fields))
            reasons = (f"{fitting} of {len(names)} names match its fields",)
            guesses.append(Guess(name, round(confidence, 4), reasons))
    return sorted(guesses, key=lambda one: -one.confidence)


def _guess(kind: type[Message], data: bytes, records: list[Record]) -> Guess:
    layout = layout_of(kind.DESCRIPTOR)
    fitting = [one for one in records if (slot := layout.slots.get(one.number)) is not None and slot.wire == one.wire]
    numbers = {one.number for one in fitting}
    reasons = [f"{len(fitting)} of {len(records)} fields match its schema"]
    confidence = len(fitting) / len(records)
    prefixed, other = _prefixes(data, fitting, layout)
    if prefixed:
        reasons.append(f"{listed(prefixed)} has the prefix of such ids")
    if other:
        reasons.append(f"{listed(other)} lacks the prefix of such ids")
        confidence *= 0.7
    if odd := [slot.name for one in fitting if _is_odd_text(data, one, slot := layout.slots[one.number])]:
        reasons.append(f"{listed(dict.fromkeys(odd))} is not printable text")
        confidence *= 0.6
    if confidence == 0:
        return Guess(layout.name, 0, tuple(reasons))
    broken = _broken(kind, data)
    if broken is None:
        reasons.append("protobuf cannot parse it")
        confidence *= 0.3
    elif broken:
        reasons.append(f"it breaks {broken} rule{'s' if broken > 1 else ''} of the contract")
        confidence *= 0.9 / (1 + broken / 10)
    else:
        reasons.append("it breaks no rule of the contract")
    # Tie break: ids with the right prefix, and fewer unused fields.
    confidence *= 0.9 + 0.05 * bool(prefixed) + 0.05 * len(numbers) / max(len(layout.slots), 1)
    return Guess(layout.name, round(confidence, 4), tuple(reasons))


def _prefixes(data: bytes, records: list[Record], layout: Layout) -> tuple[list[str], list[str]]:
    right: dict[str, None] = {}
    wrong: dict[str, None] = {}
    for one in records:
        name = layout.slots[one.number].name
        if one.wire == BYTES and name in _PREFIXES:
            begins = data[one.body : one.end].startswith(_PREFIXES[name])
            (right if begins else wrong)[name] = None
    return list(right), list(wrong)


def _is_odd_text(data: bytes, record: Record, slot: Slot) -> bool:
    """Return whether a text field starts with unprintable characters, as a nested message would."""
    return slot.is_text and not data[record.body : min(record.end, record.body + 64)].decode(errors="ignore").isprintable()


def _broken(kind: type[Message], data: bytes) -> int | None:
    """Return the number of rules broken as this type; None if it cannot be parsed; 0 for long input."""
    if len(data) > MAX_BYTES:
        return 0
    try:
        message = kind.FromString(data)
    except Exception:  # The pure-Python parser raises more than DecodeError.
        return None
    return sum(1 for _ in islice(rules.violations(message), MAX_VIOLATIONS))

"""Which type of message some bytes may be, and why: for bytes that come without a name."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final, NamedTuple

from google.protobuf.message import Message

from gateway_entities import rules
from gateway_entities.errors import GatewayError
from gateway_entities.mlflow_rest import decode
from gateway_entities.rules.values import listed
from gateway_entities.wire.messages.layout import BYTES, MESSAGE_TYPES, Layout, Slot, layout_of
from gateway_entities.wire.messages.scan import REST, Record, scan

MOST_RECORDS: Final = 500
"""How many fields of the outermost message are looked at."""
MOST_BYTES: Final = 1 << 16
"""Bytes beyond this many are not read as every type."""
MOST_VIOLATIONS: Final = 20

_PREFIXES: Final = {
    "secret_id": b"s-",
    "model_definition_id": b"d-",
    "endpoint_id": b"e-",
    "mapping_id": b"m-",
    "budget_policy_id": b"bp-",
}


class Guess(NamedTuple):
    """A type that the bytes may be of.

    Attributes:
        message_type: its short name.
        certainty: how well it fits, from 0 (not at all) to 1; to compare the guesses for the same bytes.
        reasons: what speaks for it and against it.
    """

    message_type: str
    certainty: float
    reasons: tuple[str, ...]


def guess(data: bytes) -> list[Guess]:
    """Return the types that the bytes may be of, the likeliest first; none when no type fits at all.

    Bytes that hold nothing fit every type, and then nothing is guessed. Several types fit alike when they have the same
    fields: the requests that hold one id, and the answers that hold the same resource.

    Args:
        data: any bytes.
    """
    records = [one for one in islice(scan(data), MOST_RECORDS) if one.wire != REST]
    if not records:
        return []
    guesses = [_guess(kind, data, records) for kind in MESSAGE_TYPES.values()]
    return sorted((one for one in guesses if one.certainty > 0), key=lambda one: -one.certainty)


def guess_json(text: bytes) -> list[Guess]:
    """Return the types that an object in JSON may be of by the names of its fields, the likeliest first.

    Args:
        text: any bytes; those that are no JSON object are of no type.
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
            certainty = fitting / len(names) * (0.9 + 0.1 * fitting / len(kind.DESCRIPTOR.fields))
            reasons = (f"{fitting} of {len(names)} names are those of its fields",)
            guesses.append(Guess(name, round(certainty, 4), reasons))
    return sorted(guesses, key=lambda one: -one.certainty)


def _guess(kind: type[Message], data: bytes, records: list[Record]) -> Guess:
    layout = layout_of(kind.DESCRIPTOR)
    fitting = [one for one in records if (slot := layout.slots.get(one.number)) is not None and slot.wire == one.wire]
    numbers = {one.number for one in fitting}
    reasons = [f"{len(fitting)} of {len(records)} fields fit its schema"]
    certainty = len(fitting) / len(records)
    prefixed, other = _prefixes(data, fitting, layout)
    if prefixed:
        reasons.append(f"{listed(prefixed)} begins as such ids do")
    if other:
        reasons.append(f"{listed(other)} does not begin as such ids do")
        certainty *= 0.7
    if odd := [slot.name for one in fitting if _is_odd_text(data, one, slot := layout.slots[one.number])]:
        reasons.append(f"{listed(dict.fromkeys(odd))} holds no printable text")
        certainty *= 0.6
    if certainty == 0:
        return Guess(layout.name, 0, tuple(reasons))
    broken = _broken(kind, data)
    if broken is None:
        reasons.append("protobuf cannot read it")
        certainty *= 0.3
    elif broken:
        reasons.append(f"{broken} rules of the contract are broken" if broken > 1 else "one rule of the contract is broken")
        certainty *= 0.9 / (1 + broken / 10)
    else:
        reasons.append("no rule of the contract is broken")
    # Of two types that fit alike, the one that says more with the same fields: ids with the right prefix, fewer left unused.
    certainty *= 0.9 + 0.05 * bool(prefixed) + 0.05 * len(numbers) / max(len(layout.slots), 1)
    return Guess(layout.name, round(certainty, 4), tuple(reasons))


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
    """Return whether text begins with what people do not write, as a message in its place would."""
    return slot.is_text and not data[record.body : min(record.end, record.body + 64)].decode(errors="ignore").isprintable()


def _broken(kind: type[Message], data: bytes) -> int | None:
    """Return how many rules the bytes break as this type; None when they cannot be read. Too many bytes break none."""
    if len(data) > MOST_BYTES:
        return 0
    try:
        message = kind.FromString(data)
    except Exception:  # The pure-Python parser raises more than DecodeError.
        return None
    return sum(1 for _ in islice(rules.violations(message), MOST_VIOLATIONS))

"""Deviations of a runtime from the contract, and their effects on its results.

Most deviations are of two kinds: a runtime decodes an input as another one, such as a map entry without its unknown fields;
or it encodes differently, such as map keys in another order. Both predict the deviating result, and those of one language
combine: the prediction decodes the input as the runtime does and encodes it as the runtime does.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from gateway_entities.wire import MESSAGE_TYPES, check
from tests.interop.cases import Case
from tests.interop.encoding import Unknown, Writing, unknown_fields
from tests.interop.reference import REJECTED, Result, expected
from tests.messages import WIRE_TYPES, is_map

ANYTHING = Result("anything")
"""The deviating result cannot be predicted, only that it differs from the contract's."""


def anything(case: Case, wanted: Result) -> Result:
    return ANYTHING


def rejected(case: Case, wanted: Result) -> Result:
    return REJECTED


@dataclass(frozen=True)
class Deviation:
    """One difference between a runtime and the contract.

    Attributes:
        name: short description.
        languages: the affected columns.
        operations: the affected rows.
        reason: its cause in the runtime.
        sample: a case that shows it in each of its languages and operations. None for calls, which always show it.
        reads: returns the case as the runtime decodes it; an unaffected case unchanged.
        writing: how the runtime encodes, as fields of Writing.
        applies: whether a case shows it, if it is neither about decoding nor encoding.
        instead: returns the runtime's result from such a case and the contract's result.
        sometimes: whether it depends on more than the case. Then the contract's result is accepted too.
    """

    name: str
    languages: frozenset[str]
    operations: frozenset[str]
    reason: str
    sample: Case | None
    reads: Callable[[Case], Case] = lambda case: case
    writing: Mapping[str, Any] = field(default_factory=dict)
    applies: Callable[[Case], bool] = lambda case: False
    instead: Callable[[Case, Result], Result] = anything
    sometimes: bool = False


def predict(deviations: list[Deviation], case: Case, operation: str) -> tuple[list[str], Result]:
    """Return the names of one language's deviations that a case shows, and the predicted result."""
    shown: list[str] = []
    read = case
    for each in deviations:
        if (decoded := each.reads(read)) != read:
            shown.append(each.name)
            read = decoded
    plain = expected(read, operation)
    writing: dict[str, Any] = {}
    for each in deviations:
        writing |= each.writing
        if each.writing and expected(read, operation, Writing(**each.writing)) != plain:
            shown.append(each.name)
    result = expected(read, operation, Writing(**writing))
    for each in deviations:
        if each.applies(case):
            shown.append(each.name)
            result = each.instead(case, result)
    return shown, result


# Encoding.


def longer_first(key: str) -> Any:
    # The end sorts after any byte.
    return [*key.encode(), 256]


def by_utf16(key: str) -> Any:
    return key.encode("utf-16-be")


def grouped(unknown: bytes) -> bytes:
    """Encode unknown fields by number, then by wire type, with minimal varints."""
    order = {wire_type: rank for rank, wire_type in enumerate((0, 5, 1, 2, 3))}
    fields = [
        replace(each, payload=grouped(each.payload)) if each.wire_type == 3 else each for each in unknown_fields(unknown)
    ]
    return b"".join(each.data for each in sorted(fields, key=lambda each: (each.number, order[each.wire_type])))


# Decoding.


def entries(descriptor: Descriptor, data: bytes, keeps: Callable[[Descriptor, Unknown], bool]) -> bytes:
    """Encode a message with only those fields in its map entries that are to be kept."""
    fields: list[Unknown] = []
    for each in unknown_fields(data):
        kind = descriptor.fields_by_number.get(each.number)
        payload = each.payload
        if kind is not None and kind.message_type is not None and each.wire_type == 2:
            entry = kind.message_type
            payload = entries(entry, payload, keeps)
            if is_map(kind):
                payload = b"".join(part.data for part in unknown_fields(payload) if keeps(entry, part))
        fields.append(replace(each, payload=payload))
    return b"".join(each.data for each in fields)


def is_key_or_value(entry: Descriptor, part: Unknown) -> bool:
    """Return whether a field of a map entry is its key or value, in the wire type of that."""
    kind = entry.fields_by_number.get(part.number)
    return kind is not None and part.wire_type == WIRE_TYPES.get(kind.type, 0)


def without_more_in_entries(case: Case) -> Case:
    """Return a case with only keys and values in its map entries."""
    if case.data is None or expected(case, "decode") == REJECTED:
        return case
    descriptor = MESSAGE_TYPES[case.message_type].DESCRIPTOR
    plain = entries(descriptor, case.data, is_key_or_value)
    return case if plain == entries(descriptor, case.data, lambda _entry, _part: True) else replace(case, data=plain)


def replace_numbers(message: Message, where: Callable[[float], bool], value: float, types: Container[int]) -> bool:
    """Replace the matching values of fields of these types; return whether there were any."""
    found = False
    for kind, held in message.ListFields():
        if kind.message_type is not None and not is_map(kind):
            found |= sum(replace_numbers(each, where, value, types) for each in (held if kind.is_repeated else [held])) > 0
        elif kind.cpp_type in types and where(held):
            setattr(message, kind.name, value)
            found = True
    return found


def numbers(
    where: Callable[[float], bool], value: float, types: Container[int] = (FieldDescriptor.CPPTYPE_DOUBLE,)
) -> Callable[[Case], Case]:
    """Return a decoder that replaces the matching numbers of these types."""

    def reads(case: Case) -> Case:
        if case.data is None or expected(case, "decode") == REJECTED:
            return case
        message = MESSAGE_TYPES[case.message_type].FromString(case.data)
        return replace(case, data=message.SerializeToString()) if replace_numbers(message, where, value, types) else case

    return reads


def texts(other: Mapping[str, str]) -> Callable[[Case], Case]:
    """Return a decoder that replaces whole JSON texts."""
    return lambda case: case if case.text is None else replace(case, text=other.get(case.text, case.text))


# Conditions on cases.


def breaks(rule: str) -> Callable[[Case], bool]:
    """Return whether a case breaks a rule of ``gateway_entities.wire`` although Python reads it."""
    return lambda case: (
        case.data is not None
        and expected(case, "decode") != REJECTED
        and any(finding.rule == rule for finding in check(case.data, case.message_type).findings)
    )


def has_fields_in_mask(case: Case) -> bool:
    message = MESSAGE_TYPES[case.message_type].FromString(case.data or b"")
    if "update_mask" not in message.DESCRIPTOR.fields_by_name:
        return False
    known = FieldMask(paths=message.update_mask.paths)
    return known.ByteSize() != message.update_mask.ByteSize()

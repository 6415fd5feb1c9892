"""What a deviation is, and the ways in which a runtime reads or writes otherwise than the contract.

Most deviations are of two kinds. A runtime reads one input as another, such as a map entry without what is neither key nor
value; or it writes otherwise, such as the keys of a map in another order. Both say what comes instead, and those of one
language add up: an answer is predicted from the input as it reads it, in the way in which it writes.
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
from tests.interop.reference import REFUSED, Answer, expected
from tests.messages import is_map

ANYTHING = Answer("anything")
"""The result cannot be predicted; only that it differs from the contract."""


def anything(case: Case, wanted: Answer) -> Answer:
    return ANYTHING


def refused(case: Case, wanted: Answer) -> Answer:
    return REFUSED


@dataclass(frozen=True)
class Deviation:
    """One thing that a runtime does otherwise.

    Attributes:
        name: what it is, in a few words.
        languages: the columns it is seen in.
        operations: the rows it is seen in.
        reason: why it is so, and where that can be read.
        sample: a case that shows it, in each of its languages and operations. None for calls, which show it by themselves.
        reads: returns what the runtime takes a case for: the case itself unless it shows the deviation.
        writing: how the runtime writes, as fields of Writing.
        applies: whether a case shows it, when it is a matter neither of reading nor of writing.
        instead: given such a case and what would be expected, what the runtime answers.
        sometimes: whether it depends on more than the case. Then what the contract says may come too, and always.
    """

    name: str
    languages: frozenset[str]
    operations: frozenset[str]
    reason: str
    sample: Case | None
    reads: Callable[[Case], Case] = lambda case: case
    writing: Mapping[str, Any] = field(default_factory=dict)
    applies: Callable[[Case], bool] = lambda case: False
    instead: Callable[[Case, Answer], Answer] = anything
    sometimes: bool = False


def predicted(known: list[Deviation], case: Case, operation: str) -> tuple[list[str], Answer]:
    """Return the names of the deviations that a case shows, of those of one language, and what it then answers."""
    shown: list[str] = []
    read = case
    for each in known:
        if (taken := each.reads(read)) != read:
            shown.append(each.name)
            read = taken
    plain = expected(read, operation)
    shown += [each.name for each in known if each.writing and expected(read, operation, Writing(**each.writing)) != plain]
    answer = expected(read, operation, Writing(**{name: value for each in known for name, value in each.writing.items()}))
    for each in known:
        if each.applies(case):
            shown.append(each.name)
            answer = each.instead(case, answer)
    return shown, answer


# Ways to write.


def longer_first(key: str) -> Any:
    # An end is greater than any byte.
    return [*key.encode(), 256]


def by_utf16(key: str) -> Any:
    return key.encode("utf-16-be")


def grouped(unknown: bytes) -> bytes:
    """Write unknown fields by number, those of one number by kind, needless bytes of varints left out."""
    order = {wire_type: rank for rank, wire_type in enumerate((0, 5, 1, 2, 3))}
    fields = [
        replace(each, payload=grouped(each.payload)) if each.wire_type == 3 else each for each in unknown_fields(unknown)
    ]
    return b"".join(each.data for each in sorted(fields, key=lambda each: (each.number, order[each.wire_type])))


# Ways to read.


def entries(descriptor: Descriptor, data: bytes, numbers: Container[int]) -> bytes:
    """Write a message again, and of the entries of its maps only the fields of these numbers."""
    fields: list[Unknown] = []
    for each in unknown_fields(data):
        kind = descriptor.fields_by_number.get(each.number)
        payload = each.payload
        if kind is not None and kind.message_type is not None and each.wire_type == 2:
            payload = entries(kind.message_type, payload, numbers)
            if is_map(kind):
                payload = b"".join(part.data for part in unknown_fields(payload) if part.number in numbers)
        fields.append(replace(each, payload=payload))
    return b"".join(each.data for each in fields)


def without_more_in_entries(case: Case) -> Case:
    """Return a case with nothing in the entries of its maps but keys and values."""
    if case.data is None or expected(case, "decode") == REFUSED:
        return case
    descriptor = MESSAGE_TYPES[case.message_type].DESCRIPTOR
    plain = entries(descriptor, case.data, (1, 2))
    return case if plain == entries(descriptor, case.data, range(2**29)) else replace(case, data=plain)


def replace_numbers(message: Message, where: Callable[[float], bool], value: float, types: Container[int]) -> bool:
    """Set each field of such a type that has such a value to another one, and return whether there was one."""
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
    """Return what reads the numbers of such types that have such a value as another one."""

    def reads(case: Case) -> Case:
        if case.data is None or expected(case, "decode") == REFUSED:
            return case
        message = MESSAGE_TYPES[case.message_type].FromString(case.data)
        return replace(case, data=message.SerializeToString()) if replace_numbers(message, where, value, types) else case

    return reads


def texts(other: Mapping[str, str]) -> Callable[[Case], Case]:
    """Return what reads some JSON as other JSON."""
    return lambda case: case if case.text is None else replace(case, text=other.get(case.text, case.text))


# Cases that show something.


def breaks(rule: str) -> Callable[[Case], bool]:
    """Return whether a case breaks a rule of ``gateway_entities.wire`` although Python reads it."""
    return lambda case: (
        case.data is not None
        and expected(case, "decode") != REFUSED
        and any(finding.rule == rule for finding in check(case.data, case.message_type).findings)
    )


def has_fields_in_mask(case: Case) -> bool:
    message = MESSAGE_TYPES[case.message_type].FromString(case.data or b"")
    if "update_mask" not in message.DESCRIPTOR.fields_by_name:
        return False
    known = FieldMask(paths=message.update_mask.paths)
    return known.ByteSize() != message.update_mask.ByteSize()

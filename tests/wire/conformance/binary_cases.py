"""The binary cases of protobuf's conformance suite, re-stated: name, bytes, and whether a parser accepts them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from tests.messages import varint
from tests.wire.conformance.schema import MAPS, ONEOF, SCALARS
from tests.wire.messages.samples import tag, text

UNKNOWN = 666
BAD_TEXT = b"\xa0\xb0\xc0\xd0"
VARINT, FIXED64, BYTES, START, END, FIXED32 = range(6)
MIN64, MAX64, MIN32, MAX32 = -(2**63), 2**63 - 1, -(2**31), 2**31 - 1


class BinaryCase(NamedTuple):
    """One case.

    Attributes:
        name: the suite's name, after its syntax.
        syntax: ``proto3``, ``proto2`` or ``editions``.
        data: the bytes.
        accepted: whether a parser accepts them.
    """

    name: str
    syntax: str
    data: bytes
    accepted: bool


def wire_type(kind: str) -> int:
    """Return the wire type of a kind of field."""
    if kind in ("string", "bytes") or kind.endswith("message"):
        return BYTES
    if kind in ("double", "fixed64", "sfixed64"):
        return FIXED64
    return FIXED32 if kind in ("float", "fixed32", "sfixed32") else VARINT


def value(kind: str, number: float | str | bytes) -> bytes:
    """Return the encoding of a value, without its tag."""
    if isinstance(number, str | bytes):
        content = number.encode() if isinstance(number, str) else number
        return varint(len(content)) + content
    if kind in ("float", "double"):
        return struct.pack("<f" if kind == "float" else "<d", number)
    whole = int(number)
    if kind.startswith(("fixed", "sfixed")):
        size = 4 if kind.endswith("32") else 8
        return (whole % 2 ** (8 * size)).to_bytes(size, "little")
    if kind.startswith("sint"):
        return varint((whole << 1 ^ whole >> 63) % 2**64)
    return varint(whole % 2**64)


def long_varint(number: int, extra: int) -> bytes:
    """Return a varint with bytes that it does not need."""
    data = bytearray(varint(number))
    data[-1] |= 0x80
    return bytes(data) + b"\x80" * (extra - 1) + b"\0"


SINGLE = {kind: 1 + position for position, kind in enumerate(SCALARS)} | {"enum": 21, "message": 18}
REPEATED = {kind: 31 + position for position, kind in enumerate(SCALARS)} | {"enum": 51, "message": 48}
PACKED = {kind: 75 + position for position, kind in enumerate((*SCALARS[:13], "enum"))}
UNPACKED = {kind: 89 + position for position, kind in enumerate((*SCALARS[:13], "enum"))}
_A = tag(1, VARINT) + varint(1234)
VALUES: dict[str, list[bytes]] = {
    "double": [value("double", n) for n in (0, 0.1, 1.7976931348623157e308, 2.2250738585072014e-308)],
    "float": [value("float", n) for n in (0, 0.1, 1.00000075e-36, 3.402823e38, 1.17549435e-38)],
    "int64": [value("int64", n) for n in (0, 12345, MAX64, MIN64)],
    "uint64": [value("uint64", n) for n in (0, 12345, 2**64 - 1)],
    "int32": [
        *(value("int32", 0), value("int32", 12345), long_varint(12345, 2), long_varint(12345, 7)),
        *(value("int32", n) for n in (MAX32, MIN32, 1 << 33, (1 << 33) - 1, MAX64, MIN64 + 1)),
    ],
    "uint32": [
        *(value("uint32", 0), value("uint32", 12345), long_varint(12345, 2), long_varint(12345, 7)),
        *(value("uint32", n) for n in (2**32 - 1, 1 << 33, (1 << 33) + 1, (1 << 33) - 1, MAX64, MIN64 + 1)),
    ],
    "fixed64": [value("fixed64", n) for n in (0, 12345, 2**64 - 1)],
    "fixed32": [value("fixed32", n) for n in (0, 12345, 2**32 - 1)],
    "sfixed64": [value("sfixed64", n) for n in (0, 12345, MAX64, MIN64)],
    "sfixed32": [value("sfixed32", n) for n in (0, 12345, MAX32, MIN32)],
    "bool": [value("bool", n) for n in (0, 1, -1, 12345678, 1 << 33, MAX64, MIN64)],
    "sint32": [value("sint32", n) for n in (0, 12345, MAX32, MIN32, MAX32 + 2)],
    "sint64": [value("sint64", n) for n in (0, 12345, MAX64, MIN64)],
    "string": [value("string", t) for t in ("", "Hello world!", "'\"?\\\a\b\f\n\r\t\v", "谷歌", "谷歌", "谷歌", "😁")],
    "bytes": [value("bytes", t) for t in (b"", b"Hello world!", b"\1\2", b"\xfb")],
    "enum": [value("enum", n) for n in (0, 1, 2, -1, MAX64, MIN64 + 1)],
    "message": [value("message", b""), value("message", _A)],
}


def default(kind: str) -> bytes:
    """Return the encoding of a kind's default."""
    return varint(0) if wire_type(kind) == BYTES else value(kind, 0)


def other(kind: str) -> bytes:
    """Return the encoding of a value that is not the default."""
    if kind.endswith("message"):
        return value(kind, _A)
    return value(kind, "a") if wire_type(kind) == BYTES else value(kind, 1)


def cases() -> Iterator[BinaryCase]:
    """Yield all cases."""
    for syntax in ("proto3", "proto2"):
        found = [*_rejected(), *_scalars(), *_maps(), *_oneofs(), *_unknown()]
        if syntax == "proto3":
            found += _bad_text()
        yield from (BinaryCase(name, syntax, data, accepted) for name, data, accepted in found)
    yield from (BinaryCase(name, "editions", data, accepted) for name, data, accepted in _editions())
    yield from (BinaryCase(name, "proto2", data, accepted) for name, data, accepted in _message_sets())


_Found = tuple[str, bytes, bool]


def _rejected() -> Iterator[_Found]:
    for kind in VALUES:
        yield from ((name, data, False) for name, data in _premature(kind))
    for position, data in enumerate((b"\1DEADBEEF", b"\2\1\1", b"\3\4", b"\5DEAD")):
        yield f"IllegalZeroFieldNum_Case_{position}", data, False
    continued = b"\x88"
    yield "BadTag_FieldNumberTooHigh", continued + b"\x80" * 5 + b"\x0f" + varint(1234), False
    yield "BadTag_FieldNumberSlightlyTooHigh", continued + b"\x80" * 3 + b"\x40" + varint(1234), False
    yield "BadTag_OverlongVarint", continued + b"\x80" * 7 + b"\0" + varint(1234), False
    yield "BadTag_VarintMoreThanTenBytes", continued + b"\x80" * 11 + b"\0" + varint(1234), False
    hello = text(2, "hello world")
    for side, end in ((("End"), END), (("Start"), START)):
        yield f"Unmatched{side}Group", tag(201, end), False
        yield f"Unmatched{side}GroupUnknown", tag(1234, end), False
        yield f"Unmatched{side}GroupWrongType", tag(1, end), False
        yield f"Unmatched{side}GroupNestedLen", text(18, tag(1234, end)), False
        yield f"Unmatched{side}GroupNested", group(201, tag(202, end)), False
        yield f"Unmatched{side}GroupWithData", tag(1, end) + hello, False
    yield "MismatchedGroupTags", tag(201, START) + hello + tag(202, END), False
    yield "MismatchedNestedGroupTags", group(201, tag(202, START) + hello + tag(203, END)), False
    for kind in (6, 7):
        for field in range(4):
            for version in range(4):
                yield f"UnknownWireType{kind}_Field{field}_Version{version}", bytes([field << 3 | kind, version]), False


def group(number: int, content: bytes) -> bytes:
    """Return a group."""
    return tag(number, START) + content + tag(number, END)


def _premature(kind: str) -> Iterator[tuple[str, bytes]]:
    wire, suffix = wire_type(kind), f".{kind.upper()}"
    incomplete = {VARINT: b"\x80", FIXED64: b"abcdefg", BYTES: b"\x80", FIXED32: b"abc"}[wire]
    places = {"KnownNonRepeatedValue": SINGLE[kind], "KnownRepeatedValue": REPEATED[kind], "UnknownValue": UNKNOWN}
    for place, number in places.items():
        yield f"PrematureEofBefore{place}{suffix}", tag(number, wire)
        yield f"PrematureEofInside{place}{suffix}", tag(number, wire) + incomplete
        if wire == BYTES:
            yield f"PrematureEofInDelimitedDataFor{place}{suffix}", tag(number, wire) + varint(1)
    if kind == "message":
        yield f"PrematureEofInSubmessageValue{suffix}", text(SINGLE[kind], tag(5, VARINT) + b"\x80")
    elif wire != BYTES:
        yield f"PrematureEofInPackedFieldValue{suffix}", text(REPEATED[kind], incomplete)
        yield f"PrematureEofInPackedField{suffix}", tag(REPEATED[kind], BYTES) + varint(1)


def _scalars() -> Iterator[_Found]:
    for kind, values in VALUES.items():
        wire, suffix = wire_type(kind), f".{kind.upper()}"
        for position, each in enumerate(values):
            yield f"ValidDataScalar{suffix}[{position}]", tag(SINGLE[kind], wire) + each, True
        if kind != "message":
            yield f"RepeatedScalarSelectsLast{suffix}", b"".join(tag(SINGLE[kind], wire) + each for each in values), True
        if wire == BYTES:
            yield f"ValidDataRepeated{suffix}", b"".join(tag(REPEATED[kind], wire) + each for each in values), True
            continue
        for numbers, output in ((REPEATED, ""), (PACKED, ".PackedOutput"), (UNPACKED, ".UnpackedOutput")):
            unpacked = b"".join(tag(numbers[kind], wire) + each for each in values)
            yield f"ValidDataRepeated{suffix}.UnpackedInput{output}", unpacked, True
            yield f"ValidDataRepeated{suffix}.PackedInput{output}", text(numbers[kind], b"".join(values)), True
    parts = [[(1, 1234), (2, 1234), (31, 1234)], [(1, 4321), (3, 4321), (31, 4321)]]
    sent = (text(2, b"".join(tag(n, VARINT) + varint(v) for n, v in part)) for part in parts)
    yield "RepeatedScalarMessageMerge", b"".join(text(18, each) for each in sent), True


def _maps() -> Iterator[_Found]:
    for position, (key, kind) in enumerate(MAPS):
        if kind.startswith("foreign"):
            continue
        number = 56 + position
        name = f"ValidDataMap.{key.upper()}.{kind.removeprefix('nested_').upper()}"
        key_tag, value_tag = tag(1, wire_type(key)), tag(2, wire_type(kind))
        key1, value1 = key_tag + default(key), value_tag + default(kind)
        key2, value2 = key_tag + other(key), value_tag + other(kind)
        yield f"{name}.Default", text(number, key1 + value1), True
        yield f"{name}.MissingDefault", text(number, b""), True
        yield f"{name}.NonDefault", text(number, key2 + value2), True
        yield f"{name}.Unordered", text(number, value2 + key2), True
        yield f"{name}.DuplicateKey", text(number, key2 + value1) + text(number, key2 + value2), True
        yield f"{name}.DuplicateKeyInMapEntry", text(number, key1 + key2 + value2), True
        yield f"{name}.DuplicateValueInMapEntry", text(number, key2 + value1 + value2), True
    numbers = (tag(n, VARINT) + varint(1) for n in (1, 2))
    merged = [text(71, text(1, b"") + text(2, text(2, each + tag(31, VARINT) + varint(1)))) for each in numbers]
    yield "ValidDataMap.STRING.MESSAGE.MergeValue", b"".join(merged), True


def _oneofs() -> Iterator[_Found]:
    for position, kind in enumerate(ONEOF):
        head, name = tag(111 + position, wire_type(kind)), f"ValidDataOneof.{kind.removeprefix('nested_').upper()}"
        yield f"{name}.DefaultValue", head + default(kind), True
        yield f"{name}.NonDefaultValue", head + other(kind), True
        yield f"{name}.MultipleValuesForSameField", head + default(kind) + head + other(kind), True
        before = next(each for each in ("uint32", "nested_message") if each != kind)
        lost = tag(111 + ONEOF.index(before), wire_type(before)) + default(before)
        yield f"{name}.MultipleValuesForDifferentField", lost + head + other(kind), True
        yield f"OneofZero.{kind}", head + default(kind), True
    one, two, many = (tag(n, VARINT) + varint(1) for n in (1, 2, 89))
    yield "ValidDataOneof.MESSAGE.Merge", text(112, text(2, one + two + many)) + text(112, text(2, two + many)), True


def _unknown() -> Iterator[_Found]:
    yield "UnknownVarint", b"\xa8\x1f\x01", True
    number = tag(UNKNOWN, VARINT)
    yield "UnknownOrdering", text(UNKNOWN, "abc") + number + varint(123) + text(UNKNOWN, "def") + number + varint(456), True


def _bad_text() -> Iterator[_Found]:
    yield "RejectInvalidUtf8.String.Singular", text(14, BAD_TEXT), False
    yield "RejectInvalidUtf8.String.Repeated", text(44, BAD_TEXT), False
    yield "RejectInvalidUtf8.String.Oneof", text(113, BAD_TEXT), False
    yield "RejectInvalidUtf8.String.MapKey", text(69, text(1, BAD_TEXT) + text(2, "foo")), False
    yield "RejectInvalidUtf8.String.MapValue", text(69, text(1, "foo") + text(2, BAD_TEXT)), False


def _editions() -> Iterator[_Found]:
    number = tag(1, VARINT) + varint(99)
    yield "ValidNonMessage", number, True
    yield "ValidLengthPrefixedField", text(18, number), True
    yield "ValidMap.Integer", text(56, number + tag(2, VARINT) + varint(87)), True
    yield "ValidMap.LengthPrefixed", text(71, text(1, "a") + text(2, tag(1, VARINT) + varint(87))), True
    inside = tag(202, VARINT) + varint(99)
    yield "ValidDelimitedField.GroupLike", group(201, inside), True
    yield "ValidDelimitedField.NotGroupLike", group(202, inside), True
    yield "ValidDelimitedExtension.GroupLike", group(121, number), True
    yield "ValidDelimitedExtension.NotGroupLike", group(122, number), True
    yield "RejectInvalidUtf8.String.Extension", text(133, BAD_TEXT), False
    yield "AcceptInvalidUtf8.Bytes.Extension", text(134, BAD_TEXT), True
    deep = b""
    for _ in range(20_000):
        # The suite nests as deep; here the inner ones have no other field, so that the lengths stay small.
        deep = text(251, tag(1, VARINT) + varint(0) + text(2, deep)) if len(deep) < 100_000 else deep
    yield "EnforceDepthLimit.Map", deep, False


def _message_sets() -> Iterator[_Found]:
    kind, nine, eight = tag(2, VARINT) + varint(4135312), tag(9, VARINT) + varint(99), tag(9, VARINT) + varint(88)
    unknown = tag(2, VARINT) + varint(4135300)
    sets = {
        "ValidMessageSetEncoding": group(1, kind + text(3, nine)),
        "ValidMessageSetEncoding.OutOfOrderGroupsEntries": group(1, text(3, nine) + kind),
        "MessageSetEncoding.UnknownExtension": group(1, unknown + text(3, tag(0, VARINT) + varint(99))),
        "ValidMessageSetEncoding.SubmessageEncoding": text(4135312, nine),
        "ValidMessageSetEncoding.SubmessageEncoding.NotUnknown": text(123456789, tag(1, VARINT) + varint(42))
        + group(1, tag(2, VARINT) + varint(123456789) + text(3, tag(2, VARINT) + varint(99))),
        "ValidMessageSetEncoding.DuplicateDifferentTypeId": group(
            1, kind + text(3, nine) + tag(2, VARINT) + varint(1547769)
        ),
        "ValidMessageSetEncoding.DuplicateValue": group(1, kind + text(3, nine) + text(3, eight)),
        "ValidMessageSetEncoding.DuplicateValueOutOfOrder": group(1, text(3, nine) + kind + text(3, eight)),
    }
    yield from ((name, text(500, data), True) for name, data in sets.items())

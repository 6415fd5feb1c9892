"""Wire layout of message types: fields by number, with their wire types and value ranges."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FeatureSet, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

VARINT, FIXED64, BYTES, START_GROUP, END_GROUP, FIXED32 = range(6)
WIRE_NAMES: Final = ("varint", "64-bit", "length-delimited", "start-group", "end-group", "32-bit")

_F = FieldDescriptor
_WIRE: Final = {
    **dict.fromkeys((_F.TYPE_STRING, _F.TYPE_BYTES, _F.TYPE_MESSAGE), BYTES),
    **dict.fromkeys((_F.TYPE_DOUBLE, _F.TYPE_FIXED64, _F.TYPE_SFIXED64), FIXED64),
    **dict.fromkeys((_F.TYPE_FLOAT, _F.TYPE_FIXED32, _F.TYPE_SFIXED32), FIXED32),
    _F.TYPE_GROUP: START_GROUP,
}
_SIGNED_32: Final = frozenset({_F.TYPE_INT32, _F.TYPE_ENUM})
_UNSIGNED_32: Final = frozenset({_F.TYPE_UINT32, _F.TYPE_SINT32})
_SECRET_FIELDS: Final = frozenset({"secret_value"})
_ANY: Final = "google.protobuf.Any"
_ITEM: Final = "wire.MessageSet.Item"


class Slot:
    """Wire properties of one field.

    Attributes:
        field: the descriptor.
        name: the field name.
        number: the field number.
        wire: the wire type of one value.
        wires: the wire types that readers accept, for packed and unpacked encoding.
        repeated: whether it is a list or a map.
        is_map: whether it is a map.
        packed: whether its values are written packed; None if its type cannot be packed.
        is_text: whether it is a string, which must be UTF-8.
        is_signed_32: whether its varint is a signed 32-bit number, sign-extended to 64 bits.
        max_varint: the largest valid varint; 2^64-1 if all are.
        always_valid: the largest varint that is valid without further checks; -1 for enums.
        secret: whether its values must not be shown: those of the contract's secrets, and fields with ``debug_redact``.
        checks_utf8: whether parsers reject text that is not UTF-8, as in proto3.
        oneof: the oneof that it is a member of; "" for none.
        is_extension: whether it is an extension.
        is_payload: whether it is the payload of an Any or of an entry of a MessageSet: a message in a bytes field.
        is_item: whether it is that of an entry of a MessageSet, which parsers read with the whole message.
    """

    __slots__ = (
        *(
            "_layout",
            "checks_utf8",
            "field",
            "is_extension",
            "is_item",
            "is_map",
            "is_payload",
            "is_signed_32",
            "is_text",
            "max_varint",
        ),
        *("always_valid", "name", "number", "oneof", "packed", "repeated", "secret", "wire", "wires"),
    )

    def __init__(self, field: FieldDescriptor) -> None:
        self.field: Final = field
        self.name: Final = f"[{field.full_name}]" if field.is_extension else field.name
        self.number: Final = field.number
        self.wire: Final = _WIRE.get(field.type, VARINT)
        self.repeated: Final = field.is_repeated
        self.is_map: Final = field.message_type is not None and field.message_type.GetOptions().map_entry
        self.packed: Final = field.is_packed if self.repeated and self.wire in (VARINT, FIXED32, FIXED64) else None
        self.wires: Final = frozenset({self.wire} if self.packed is None else {self.wire, BYTES})
        self.is_text: Final = field.type == _F.TYPE_STRING
        self.is_signed_32: Final = field.type in _SIGNED_32
        small = field.type in _UNSIGNED_32
        self.max_varint: Final = 1 if field.type == _F.TYPE_BOOL else 2**32 - 1 if small else 2**64 - 1
        is_enum = field.type == _F.TYPE_ENUM
        self.always_valid: Final = (
            -1 if is_enum else min(self.max_varint, 2**31 - 1) if self.is_signed_32 else self.max_varint
        )
        self.secret: Final = field.name in _SECRET_FIELDS or field.GetOptions().debug_redact
        self.checks_utf8: Final = self.is_text and _checks_utf8(field)
        oneof = field.containing_oneof
        self.oneof: Final = oneof.name if oneof is not None and len(oneof.fields) > 1 else ""
        self.is_extension: Final = field.is_extension
        self.is_item: Final = field.full_name == f"{_ITEM}.message"
        self.is_payload: Final = self.is_item or field.full_name == f"{_ANY}.value"
        self._layout: Layout | None = None

    @property
    def layout(self) -> Layout | None:
        """The layout of the field's message type; None for a scalar."""
        if self._layout is None and self.field.message_type is not None:
            self._layout = layout_of(self.field.message_type)
        return self._layout


class Layout:
    """Wire layout of one message type.

    Attributes:
        name: the type name without its package.
        descriptor: the message type.
        slots: the fields by number, with all extensions that its pool knows.
        is_entry: whether it is a map entry.
        retired: the reserved number ranges, half-open.
        holds_secret: whether it has a secret field, so that unknown bytes in it must not be shown.
        is_any: whether it is google.protobuf.Any, whose field 2 is a message of the type that field 1 names.
        is_item: whether it is an entry of a MessageSet, whose field 3 is an extension of the number in field 2.
        has_groups: whether its syntax has groups: not proto3.
    """

    __slots__ = ("descriptor", "has_groups", "holds_secret", "is_any", "is_entry", "is_item", "name", "retired", "slots")

    def __init__(self, descriptor: Descriptor) -> None:
        self.name: Final = descriptor.name
        self.descriptor: Final = descriptor
        fields = list(cast("list[FieldDescriptor]", descriptor.fields))
        if descriptor.GetOptions().message_set_wire_format:
            fields.append(_message_set().fields_by_number[1])
        if descriptor.is_extendable:
            fields += descriptor.file.pool.FindAllExtensions(descriptor)
        self.slots: Final = {field.number: Slot(field) for field in fields}
        self.is_any: Final = descriptor.full_name == _ANY
        self.is_item: Final = descriptor.full_name == _ITEM
        self.has_groups: Final = _has_groups(descriptor.file)
        self.is_entry: Final = descriptor.GetOptions().map_entry
        self.holds_secret: Final = any(slot.secret for slot in self.slots.values())
        self.retired: Final = _reserved(descriptor.file).get(descriptor.full_name, ())

    def is_retired(self, number: int) -> bool:
        """Return whether the number is reserved."""
        return any(first <= number < after for first, after in self.retired)


@cache
def layout_of(descriptor: Descriptor) -> Layout:
    """Return the layout of a message type."""
    return Layout(descriptor)


@cache
def _message_set() -> Descriptor:
    """Return a message type with the layout that MessageSets have on the wire."""
    file = FileDescriptorProto(name="wire/message_set.proto", package="wire", syntax="proto2")
    message = file.message_type.add(name="MessageSet")
    item = message.nested_type.add(name="Item")
    kind = FieldDescriptorProto
    message.field.add(name="item", number=1, type=kind.TYPE_GROUP, label=kind.LABEL_REPEATED, type_name=f".{_ITEM}")
    item.field.add(name="type_id", number=2, type=kind.TYPE_UINT32, label=kind.LABEL_OPTIONAL)
    item.field.add(name="message", number=3, type=kind.TYPE_BYTES, label=kind.LABEL_OPTIONAL)
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindMessageTypeByName("wire.MessageSet")


@cache
def _proto(file: FileDescriptor) -> FileDescriptorProto:
    # From the file, because the pure Python runtime has no proto of a message.
    proto = FileDescriptorProto()
    file.CopyToProto(proto)
    proto.ClearField("source_code_info")
    return proto


def _has_groups(file: FileDescriptor) -> bool:
    return _proto(file).syntax != "proto3"


@cache
def _reserved(file: FileDescriptor) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return the reserved number ranges, half-open, of the messages of a file that have any."""
    proto = _proto(file)
    prefix = f"{proto.package}." if proto.package else ""
    waiting = [(f"{prefix}{message.name}", message) for message in proto.message_type]
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    while waiting:
        name, message = waiting.pop()
        if message.reserved_range:
            found[name] = tuple((each.start, each.end) for each in message.reserved_range)
        waiting += [(f"{name}.{nested.name}", nested) for nested in message.nested_type]
    return found


def _checks_utf8(field: FieldDescriptor) -> bool:
    # Of the features that protobuf resolves it has no public name.
    features = getattr(field, "_GetFeatures", None)
    if features is None:
        return not _has_groups(cast("Any", field).file)
    return bool(features().utf8_validation == FeatureSet.Utf8Validation.VERIFY)

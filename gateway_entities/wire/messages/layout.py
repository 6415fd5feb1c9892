"""Wire layout of message types: fields by number, with their wire types and value ranges."""

from __future__ import annotations

from functools import cache
from typing import Final, cast

from google.protobuf import symbol_database
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto
from google.protobuf.message import Message

from gatewayentities.v1 import (
    binding_pb2,
    budget_pb2,
    change_pb2,
    endpoint_pb2,
    model_definition_pb2,
    resolution_pb2,
    secret_pb2,
)

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
        secret: whether its values must not be shown.
    """

    __slots__ = (
        *("_layout", "field", "max_varint", "is_map", "is_signed_32", "is_text"),
        *("name", "number", "packed", "repeated", "secret", "always_valid", "wire", "wires"),
    )

    def __init__(self, field: FieldDescriptor) -> None:
        self.field: Final = field
        self.name: Final = field.name
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
        self.secret: Final = field.name in _SECRET_FIELDS
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
        slots: the fields by number.
        is_entry: whether it is a map entry.
        retired: the reserved number ranges, half-open.
        holds_secret: whether it has a secret field, so that unknown bytes in it must not be shown.
    """

    __slots__ = ("holds_secret", "is_entry", "name", "retired", "slots")

    def __init__(self, descriptor: Descriptor) -> None:
        self.name: Final = descriptor.name
        self.slots: Final = {field.number: Slot(field) for field in cast("list[FieldDescriptor]", descriptor.fields)}
        self.is_entry: Final = descriptor.GetOptions().map_entry
        self.holds_secret: Final = any(slot.secret for slot in self.slots.values())
        proto = DescriptorProto()
        descriptor.CopyToProto(proto)
        self.retired: Final = tuple((each.start, each.end) for each in proto.reserved_range)

    def is_retired(self, number: int) -> bool:
        """Return whether the number is reserved."""
        return any(first <= number < after for first, after in self.retired)


@cache
def layout_of(descriptor: Descriptor) -> Layout:
    """Return the layout of a message type."""
    return Layout(descriptor)


_FILES = (secret_pb2, model_definition_pb2, endpoint_pb2, binding_pb2, budget_pb2, change_pb2, resolution_pb2)
MESSAGE_TYPES: Final[dict[str, type[Message]]] = {
    name: getattr(file, name) for file in _FILES for name in file.DESCRIPTOR.message_types_by_name
}
"""The message types of the contract by short name."""


def message_type_named(name: str) -> type[Message]:
    """Return a message type of the contract, or of the default symbol database by full name.

    Args:
        name: a short name (``GatewayEndpoint``), a full one (``gatewayentities.v1.GatewayEndpoint``), or MLflow's, where a
            request has the name of its RPC (``CreateGatewayEndpoint``, ``mlflow.CreateGatewayEndpoint.Response``).

    Raises:
        LookupError: no type has this name.
    """
    short = name.removeprefix("gatewayentities.v1.").removeprefix("mlflow.")
    mlflow = short.removesuffix(".Response") + "Response" if short.endswith(".Response") else f"{short}Request"
    if short == "ListGatewayBudgetWindows.BudgetWindow":
        mlflow = "GatewayBudgetWindow"
    found = MESSAGE_TYPES.get(short) or MESSAGE_TYPES.get(mlflow)
    if found is None:
        try:
            found = symbol_database.Default().GetSymbol(name)
        except KeyError:
            raise LookupError(f"no message type is named {name!r}") from None
    return found

"""The message types that protobuf's conformance suite uses, re-stated: every kind of field, under the suite's numbers.

``conformance.proto3.TestAllTypes`` is the suite's TestAllTypesProto3, ``conformance.proto2.TestAllTypes`` its
TestAllTypesProto2, and ``conformance.editions.TestAllTypes`` its TestAllTypesEdition2023.
"""

from __future__ import annotations

from functools import cache

from google.protobuf import any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor_pb2 import (
    EDITION_2023,
    DescriptorProto,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from gateway_entities.wire import MessageTypes

SCALARS = (
    *("int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64"),
    *("sfixed32", "sfixed64", "float", "double", "bool", "string", "bytes"),
)
"""Field 1 is the first, and so on; repeated ones start at 31, packed ones at 75, and unpacked ones at 89."""
MAPS = (
    *((each, each) for each in SCALARS[:10]),
    *(("int32", "float"), ("int32", "double"), ("bool", "bool"), ("string", "string"), ("string", "bytes")),
    *(("string", "nested_message"), ("string", "foreign_message"), ("string", "nested_enum"), ("string", "foreign_enum")),
)
"""Field 56 is the first."""
ONEOF = ("uint32", "nested_message", "string", "bytes", "bool", "uint64", "float", "double", "nested_enum")
"""Field 111 is the first."""
WRAPPERS = ("Bool", "Int32", "Int64", "UInt32", "UInt64", "Float", "Double", "String", "Bytes")
"""Field 201 is the first; repeated ones start at 211."""
WELL_KNOWN = (
    *(("duration", "Duration", 301, 311), ("timestamp", "Timestamp", 302, 312), ("field_mask", "FieldMask", 303, 313)),
    *(("struct", "Struct", 304, 324), ("any", "Any", 305, 315), ("value", "Value", 306, 316)),
    *(("list_value", "ListValue", 0, 317), ("empty", "Empty", 308, 318)),
)
NAMES = (
    *("fieldname1", "field_name2", "_field_name3", "field__name4_", "field0name5", "field_0_name6", "fieldName7"),
    *("FieldName8", "field_Name9", "Field_Name10", "FIELD_NAME11", "FIELD_name12", "__field_name13", "__Field_name14"),
    *("field__name15", "field__Name16", "field_name17__", "Field_name18__"),
)
"""Field 401 is the first."""
_RUNTIME = (any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
_T = FieldDescriptorProto


@cache
def files(*, message_sets: bool = True) -> FileDescriptorSet:
    """Return the files, with those of google/protobuf.

    Args:
        message_sets: whether to have the MessageSet of proto2, which protobuf-go no longer reads.
    """
    runtime = [FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb) for module in _RUNTIME]
    return FileDescriptorSet(file=[*runtime, _file("proto3"), _file("proto2", message_sets), _file("editions")])


@cache
def types() -> MessageTypes:
    """Return the message types."""
    return MessageTypes(files(), name="the conformance suite")


def _file(syntax: str, message_sets: bool = False) -> FileDescriptorProto:
    package = f"conformance.{syntax}"
    file = FileDescriptorProto(name=f"conformance/{syntax}.proto", package=package)
    if syntax == "editions":
        file.syntax, file.edition = "editions", EDITION_2023
        file.options.features.message_encoding = FeatureSet.DELIMITED
    else:
        file.syntax = syntax
    file.dependency.extend(module.DESCRIPTOR.name for module in _RUNTIME)
    message = _Message(file, file.message_type.add(name="TestAllTypes"), syntax)
    _nested(message)
    foreign = file.message_type.add(name="ForeignMessage")
    foreign.field.add(name="c", number=1, type=_T.TYPE_INT32, label=_T.LABEL_OPTIONAL)
    enum = file.enum_type.add(name="ForeignEnum")
    for number, name in enumerate(("FOREIGN_FOO", "FOREIGN_BAR", "FOREIGN_BAZ")):
        enum.value.add(name=name, number=number)
    _fields(message)
    if syntax != "proto3":
        message.made.extension_range.add(start=120, end=201)
        _with_groups(message, file)
    if message_sets:
        _message_set(message, file)
    for made in file.message_type:
        _name_in_json(made)
    return file


def _name_in_json(message: DescriptorProto) -> None:
    """Set the JSON names, which compilers do, and some runtimes do not do themselves."""
    for field in message.field:
        first, *rest = field.name.split("_")
        field.json_name = first + "".join(part[:1].upper() + part[1:] for part in rest)
    for nested in message.nested_type:
        _name_in_json(nested)


class _Message:
    """TestAllTypes of one syntax, and how its fields are added."""

    def __init__(self, file: FileDescriptorProto, made: DescriptorProto, syntax: str) -> None:
        self.package = file.package
        self.made = made
        self.syntax = syntax

    def add(self, name: str, number: int, kind: str, *, repeated: bool = False, packed: bool | None = None) -> None:
        field = self.made.field.add(name=name, number=number)
        self.set_type(field, kind)
        field.label = _T.LABEL_REPEATED if repeated else _T.LABEL_OPTIONAL
        if packed is not None and self.syntax == "editions":
            encoding = FeatureSet.PACKED if packed else FeatureSet.EXPANDED
            field.options.features.repeated_field_encoding = encoding
        elif packed is not None:
            field.options.packed = packed
        if field.type == _T.TYPE_MESSAGE and self.syntax == "editions":
            field.options.features.message_encoding = FeatureSet.LENGTH_PREFIXED

    def set_type(self, field: FieldDescriptorProto, kind: str) -> None:
        full = f".{self.package}"
        named = {
            "nested_message": (_T.TYPE_MESSAGE, f"{full}.TestAllTypes.NestedMessage"),
            "foreign_message": (_T.TYPE_MESSAGE, f"{full}.ForeignMessage"),
            "self": (_T.TYPE_MESSAGE, f"{full}.TestAllTypes"),
            "nested_enum": (_T.TYPE_ENUM, f"{full}.TestAllTypes.NestedEnum"),
            "aliased_enum": (_T.TYPE_ENUM, f"{full}.TestAllTypes.AliasedEnum"),
            "foreign_enum": (_T.TYPE_ENUM, f"{full}.ForeignEnum"),
            "null_value": (_T.TYPE_ENUM, ".google.protobuf.NullValue"),
        }
        if kind in SCALARS:
            field.type = _T.Type.Value(f"TYPE_{kind.upper()}")
        elif kind in named:
            field.type, field.type_name = named[kind]
        else:
            field.type, field.type_name = _T.TYPE_MESSAGE, f".google.protobuf.{kind}"


def _nested(message: _Message) -> None:
    nested = _Message(
        FileDescriptorProto(package=message.package), message.made.nested_type.add(name="NestedMessage"), message.syntax
    )
    nested.add("a", 1, "int32")
    nested.add("corecursive", 2, "self")
    for name, values in {
        "NestedEnum": (("FOO", 0), ("BAR", 1), ("BAZ", 2), ("NEG", -1)),
        "AliasedEnum": (("ALIAS_FOO", 0), ("ALIAS_BAR", 1), ("ALIAS_BAZ", 2), ("MOO", 2), ("moo", 2), ("bAz", 2)),
    }.items():
        enum = message.made.enum_type.add(name=name)
        enum.options.allow_alias = name == "AliasedEnum"
        if name == "NestedEnum":
            enum.ClearField("options")
        for value, number in values:
            enum.value.add(name=value, number=number)


def _fields(message: _Message) -> None:
    for position, kind in enumerate(SCALARS):
        message.add(f"optional_{kind}", 1 + position, kind)
        message.add(f"repeated_{kind}", 31 + position, kind, repeated=True)
    for position, kind in enumerate(("nested_message", "foreign_message", "", "nested_enum", "foreign_enum")):
        if kind:
            message.add(f"optional_{kind}", 18 + position, kind)
            message.add(f"repeated_{kind}", 48 + position, kind, repeated=True)
    message.add("optional_aliased_enum", 23, "aliased_enum")
    message.add("recursive_message", 27, "self")
    for position, kind in enumerate((*SCALARS[:13], "nested_enum")):
        message.add(f"packed_{kind}", 75 + position, kind, repeated=True, packed=True)
        message.add(f"unpacked_{kind}", 89 + position, kind, repeated=True, packed=False)
    for position, (key, value) in enumerate(MAPS):
        _map(message, f"map_{key}_{value}", 56 + position, key, value)
    _map(message, "map_recursive", 251, "int32", "self")
    message.made.oneof_decl.add(name="oneof_field")
    members = (*ONEOF, "null_value") if message.syntax == "proto3" else ONEOF
    for position, kind in enumerate(members):
        message.add(f"oneof_{kind.replace('nested_enum', 'enum')}", 111 + position, kind)
        message.made.field[-1].oneof_index = 0
    for position, name in enumerate(NAMES):
        message.add(name, 401 + position, "int32")
    if message.syntax == "proto3":
        for position, kind in enumerate(WRAPPERS):
            message.add(f"optional_{kind.lower()}_wrapper", 201 + position, f"{kind}Value")
            message.add(f"repeated_{kind.lower()}_wrapper", 211 + position, f"{kind}Value", repeated=True)
        for name, kind, single, repeated in WELL_KNOWN:
            if single:
                message.add(f"optional_{name}", single, kind)
            message.add("repeated_fieldmask" if name == "field_mask" else f"repeated_{name}", repeated, kind, repeated=True)
        message.add("optional_null_value", 307, "null_value")
    message.made.reserved_name.append("reserved_field")


def _map(message: _Message, name: str, number: int, key: str, value: str) -> None:
    entry = message.made.nested_type.add(name="".join(part.capitalize() for part in f"{name}_entry".split("_")))
    entry.options.map_entry = True
    for position, (part, kind) in enumerate((("key", key), ("value", value)), 1):
        field = entry.field.add(name=part, number=position, label=_T.LABEL_OPTIONAL)
        message.set_type(field, kind)
    field = message.made.field.add(name=name, number=number, type=_T.TYPE_MESSAGE, label=_T.LABEL_REPEATED)
    field.type_name = f".{message.package}.TestAllTypes.{entry.name}"
    if message.syntax == "editions":
        # Only the field of the map has the feature: protobuf gives entries the same.
        field.options.features.message_encoding = FeatureSet.LENGTH_PREFIXED


def _with_groups(message: _Message, file: FileDescriptorProto) -> None:
    """Add a group, extensions of every kind, and a group as an extension."""
    owner, delimited = f".{file.package}.TestAllTypes", _T.TYPE_MESSAGE if message.syntax == "editions" else _T.TYPE_GROUP
    name = "GroupLikeType" if message.syntax == "editions" else "Data"
    group = message.made.nested_type.add(name=name)
    group.field.add(name="group_int32", number=202, type=_T.TYPE_INT32, label=_T.LABEL_OPTIONAL)
    group.field.add(name="group_uint32", number=203, type=_T.TYPE_UINT32, label=_T.LABEL_OPTIONAL)
    numbers = {name.lower(): 201, "delimited_field": 202} if message.syntax == "editions" else {"data": 201}
    for field, number in numbers.items():
        message.made.field.add(
            name=field, number=number, type=delimited, type_name=f"{owner}.{name}", label=_T.LABEL_OPTIONAL
        )
    for field, number, kind in (("extension_int32", 120, _T.TYPE_INT32), ("extension_string", 133, _T.TYPE_STRING)):
        file.extension.add(name=field, number=number, type=kind, label=_T.LABEL_OPTIONAL, extendee=owner)
    file.extension.add(name="extension_bytes", number=134, type=_T.TYPE_BYTES, label=_T.LABEL_OPTIONAL, extendee=owner)
    extended = file.message_type.add(name=name)
    extended.field.add(name="c", number=1, type=_T.TYPE_INT32, label=_T.LABEL_OPTIONAL)
    for field, number in {name.lower(): 121, "delimited_ext": 122}.items():
        if delimited == _T.TYPE_MESSAGE or number == 121:
            file.extension.add(
                name=field,
                number=number,
                type=delimited,
                type_name=f".{file.package}.{name}",
                label=_T.LABEL_OPTIONAL,
                extendee=owner,
            )


def _message_set(message: _Message, file: FileDescriptorProto) -> None:
    owner = f".{file.package}.TestAllTypes"
    made = message.made.nested_type.add(name="MessageSetCorrect")
    made.options.message_set_wire_format = True
    made.extension_range.add(start=4, end=2**31 - 1)
    first = message.made.nested_type.add(name="MessageSetCorrectExtension1")
    first.field.add(name="str", number=25, type=_T.TYPE_STRING, label=_T.LABEL_OPTIONAL)
    second = message.made.nested_type.add(name="MessageSetCorrectExtension2")
    second.field.add(name="i", number=9, type=_T.TYPE_INT32, label=_T.LABEL_OPTIONAL)
    second.field.add(
        name="sub_msg", number=10, type=_T.TYPE_MESSAGE, type_name=f"{owner}.MessageSetCorrect", label=_T.LABEL_OPTIONAL
    )
    third = message.made.nested_type.add(name="ExtensionWithOneof")
    third.oneof_decl.add(name="oneof_field")
    for position, name in enumerate("ab", 1):
        third.field.add(name=name, number=position, type=_T.TYPE_INT32, label=_T.LABEL_OPTIONAL, oneof_index=0)
    for extension, number in ((first, 1547769), (second, 4135312), (third, 123456789)):
        extension.extension.add(
            name="message_set_extension",
            number=number,
            type=_T.TYPE_MESSAGE,
            type_name=f"{owner}.{extension.name}",
            label=_T.LABEL_OPTIONAL,
            extendee=f"{owner}.MessageSetCorrect",
        )
    field = message.made.field.add(name="message_set_correct", number=500, type=_T.TYPE_MESSAGE, label=_T.LABEL_OPTIONAL)
    field.type_name = f"{owner}.MessageSetCorrect"

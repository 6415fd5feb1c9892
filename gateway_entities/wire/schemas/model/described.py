"""Descriptors as the messages that they were made from, in either runtime."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, Error, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto

# A few suffice: neighbours are asked for one after another.
_KEPT: Final = 64


@lru_cache(_KEPT)
def described_fields(message: Descriptor) -> Mapping[int, FieldDescriptorProto]:
    """Return the descriptions of a message's fields by number. They may be shared; do not change them."""
    return {field.number: field for field in described_message(message).field}


@lru_cache(_KEPT)
def described_message(message: Descriptor) -> DescriptorProto:
    """Return the description of a message. It may be shared; do not change it."""
    made = DescriptorProto()
    try:
        message.CopyToProto(made)
    except Error:
        # The pure Python runtime keeps the description of the file only.
        return cast("DescriptorProto", _find(described_file(message.file), message, "message_type", "nested_type"))
    return made


def described_enum(enum: EnumDescriptor) -> EnumDescriptorProto:
    """Return the description of an enum. It may be shared; do not change it."""
    made = EnumDescriptorProto()
    try:
        enum.CopyToProto(made)
    except Error:
        return cast("EnumDescriptorProto", _find(described_file(enum.file), enum, "enum_type", "enum_type"))
    return made


@lru_cache(_KEPT)
def described_file(file: FileDescriptor) -> FileDescriptorProto:
    """Return the description of a file. It may be shared; do not change it."""
    return FileDescriptorProto.FromString(file.serialized_pb)


def _find(file: FileDescriptorProto, element: Any, outside: str, inside: str) -> Any:
    if element.containing_type is None:
        found = getattr(file, outside)
    else:
        found = getattr(_find(file, element.containing_type, "message_type", "nested_type"), inside)
    return next(each for each in found if each.name == element.name)

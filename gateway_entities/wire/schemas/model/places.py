"""Where the elements of a schema are declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)

from gateway_entities.wire.schemas.report import Place

_Path = tuple[int, ...]
# The numbers of the fields of descriptor.proto, of which the paths of source information are made.
_MESSAGES: Final = FileDescriptorProto.MESSAGE_TYPE_FIELD_NUMBER
_ENUMS: Final = FileDescriptorProto.ENUM_TYPE_FIELD_NUMBER
_SERVICES: Final = FileDescriptorProto.SERVICE_FIELD_NUMBER
_EXTENSIONS: Final = FileDescriptorProto.EXTENSION_FIELD_NUMBER


class Places:
    """The places of elements by full name. A file is indexed when the first of its elements is asked for."""

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        self._files = {file.name: file for file in files}
        self._indexes: dict[str, Mapping[str, Place]] = {}

    def find(self, file: str, names: Iterable[str]) -> Place | None:
        """Return the place of the first of these names that the file declares; without any, the file."""
        if file not in self._indexes:
            self._indexes[file] = dict(_index(self._files[file])) if file in self._files else {}
        index = self._indexes[file]
        return next((index[name] for name in names if name in index), Place(file, None))


def _index(file: FileDescriptorProto) -> Iterator[tuple[str, Place]]:
    lines = {tuple(location.path): location.span[0] + 1 for location in file.source_code_info.location}
    for name, path in _elements(file):
        yield name, Place(file.name, lines.get(path))


def _elements(file: FileDescriptorProto) -> Iterator[tuple[str, _Path]]:
    prefix = f"{file.package}." if file.package else ""
    for i, message in enumerate(file.message_type):
        yield from _of_message(message, prefix, (_MESSAGES, i))
    for i, enum in enumerate(file.enum_type):
        yield from _of_enum(enum, prefix, (_ENUMS, i))
    for i, service in enumerate(file.service):
        yield from _of_service(service, prefix, (_SERVICES, i))
    for i, extension in enumerate(file.extension):
        yield prefix + extension.name, (_EXTENSIONS, i)


def _of_message(message: DescriptorProto, prefix: str, path: _Path) -> Iterator[tuple[str, _Path]]:
    name = prefix + message.name
    yield name, path
    parts: tuple[tuple[Sequence[Any], int], ...] = (
        (message.field, DescriptorProto.FIELD_FIELD_NUMBER),
        (message.oneof_decl, DescriptorProto.ONEOF_DECL_FIELD_NUMBER),
        (message.extension, DescriptorProto.EXTENSION_FIELD_NUMBER),
    )
    for elements, number in parts:
        for i, element in enumerate(elements):
            yield f"{name}.{element.name}", (*path, number, i)
    for i, nested in enumerate(message.nested_type):
        yield from _of_message(nested, f"{name}.", (*path, DescriptorProto.NESTED_TYPE_FIELD_NUMBER, i))
    for i, enum in enumerate(message.enum_type):
        yield from _of_enum(enum, f"{name}.", (*path, DescriptorProto.ENUM_TYPE_FIELD_NUMBER, i))


def _of_enum(enum: EnumDescriptorProto, prefix: str, path: _Path) -> Iterator[tuple[str, _Path]]:
    yield prefix + enum.name, path
    for i, value in enumerate(enum.value):
        yield f"{prefix}{enum.name}.{value.name}", (*path, EnumDescriptorProto.VALUE_FIELD_NUMBER, i)


def _of_service(service: ServiceDescriptorProto, prefix: str, path: _Path) -> Iterator[tuple[str, _Path]]:
    yield prefix + service.name, path
    for i, method in enumerate(service.method):
        yield f"{prefix}{service.name}.{method.name}", (*path, ServiceDescriptorProto.METHOD_FIELD_NUMBER, i)

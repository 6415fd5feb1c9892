"""Descriptor pools of files in any order, for every file that protoc accepts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from google.protobuf import (
    any_pb2,
    api_pb2,
    descriptor_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    source_context_pb2,
    struct_pb2,
    timestamp_pb2,
    type_pb2,
    wrappers_pb2,
)
from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.wire.sources.errors import unreadable

_MODULES: Final[tuple[Any, ...]] = (
    *(any_pb2, api_pb2, descriptor_pb2, duration_pb2, empty_pb2, field_mask_pb2, plugin_pb2),
    *(source_context_pb2, struct_pb2, timestamp_pb2, type_pb2, wrappers_pb2),
)
_RUNTIME: Final[Mapping[str, bytes]] = {module.DESCRIPTOR.name: module.DESCRIPTOR.serialized_pb for module in _MODULES}
_EDITION: Final = re.compile(r"EDITION_(20\d\d)")
_EDITION_FIELD: Final = FileDescriptorProto.EDITION_FIELD_NUMBER
RUNTIME_FILES: Final = "google/protobuf/"
"""The folder of the files that every protobuf runtime has."""


def build_pool(name: str, files: FileDescriptorSet) -> tuple[DescriptorPool, list[str]]:
    """Build a descriptor pool of its own.

    Runtimes refuse some names of JSON that protoc accepts. Such files are changed so that they keep their encodings; two
    fields of one JSON name cannot.

    Args:
        name: the source, for errors.
        files: the files in any order. Missing google/protobuf files come from the runtime.

    Returns:
        The pool, and what could not be kept, as sentences.

    Raises:
        GatewayError: INVALID_ARGUMENT if the files conflict, lack an import, or have an edition that the runtime lacks.
    """
    pool = DescriptorPool()
    left_out: list[str] = []
    try:
        for file in _imports_first({file.name: file for file in files.file}):
            _known_edition(file)
            mended, dropped = _with_distinct_json_names(file)
            left_out += dropped
            pool.AddSerializedFile(mended.SerializeToString())
        for file in files.file:
            # The pure Python pool builds a file when it is asked for it.
            pool.FindFileByName(file.name)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise unreadable(name, str(error)) from error
    return pool, left_out


def _known_edition(file: FileDescriptorProto) -> None:
    if file.syntax != "editions":
        return
    if file.HasField("edition"):
        return
    # A runtime older than the edition keeps its number as an unknown field.
    number = next((f.data for f in cast("Any", UnknownFieldSet(file)) if f.field_number == _EDITION_FIELD), None)
    newest = max(name for name in Edition.keys() if _EDITION.fullmatch(name)).removeprefix("EDITION_")  # noqa: SIM118
    raise ValueError(f"{file.name} has edition number {number}; the installed protobuf reads editions up to {newest}")


def _with_distinct_json_names(file: FileDescriptorProto) -> tuple[FileDescriptorProto, list[str]]:
    dropped: list[str] = []
    best_effort = False
    mended = file
    for path, message in _messages(file):
        names = {field.name for field in message.field} | {oneof.name for oneof in message.oneof_decl}
        crossing = any(_json_name(f) != f.name and _json_name(f) in names for f in message.field)
        twice = [n for n, count in Counter(_json_name(f) for f in message.field).items() if count > 1]
        if not crossing and not twice:
            continue
        if mended is file:
            mended = FileDescriptorProto.FromString(file.SerializeToString())
        best_effort = best_effort or crossing
        copy = _at(mended, path)
        for name in twice:
            for field in [f for f in copy.field if _json_name(f) == name][1:]:
                field.json_name = f"{field.name}_{field.number}"
                owner = ".".join(filter(None, (file.package, *_path_names(file, path))))
                dropped.append(f"The JSON name of {owner}.{field.name} is also another field's; it is not compared.")
    if best_effort and file.syntax == "proto3":
        _as_edition(mended)
    return mended, dropped


def _as_edition(file: FileDescriptorProto) -> None:
    """Make a proto3 file one of an edition with the same encodings, in which JSON names may cross."""
    file.syntax, file.edition = "editions", Edition.EDITION_2023
    features = file.options.features
    features.field_presence = FeatureSet.IMPLICIT
    features.enum_type = FeatureSet.OPEN
    features.repeated_field_encoding = FeatureSet.PACKED
    features.utf8_validation = FeatureSet.VERIFY
    features.message_encoding = FeatureSet.LENGTH_PREFIXED
    features.json_format = FeatureSet.LEGACY_BEST_EFFORT
    for _, message in _messages(file):
        synthetic = {field.oneof_index for field in message.field if field.proto3_optional}
        for field in message.field:
            if field.proto3_optional:
                field.ClearField("proto3_optional")
                field.ClearField("oneof_index")
                field.options.features.field_presence = FeatureSet.EXPLICIT
            if field.options.HasField("packed"):
                packed = field.options.packed
                field.options.ClearField("packed")
                encoding = FeatureSet.PACKED if packed else FeatureSet.EXPANDED
                field.options.features.repeated_field_encoding = encoding
        # Those that the compiler makes come after all others.
        kept = [oneof for i, oneof in enumerate(message.oneof_decl) if i not in synthetic]
        del message.oneof_decl[len(kept) :]


def _json_name(field: FieldDescriptorProto) -> str:
    if field.HasField("json_name"):
        return field.json_name
    head, *rest = field.name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def _messages(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], DescriptorProto]]:
    """Yield each message with the indexes that lead to it."""
    waiting: list[tuple[tuple[int, ...], DescriptorProto]] = [((i,), m) for i, m in enumerate(file.message_type)]
    while waiting:
        path, message = waiting.pop()
        yield path, message
        waiting += [((*path, i), nested) for i, nested in enumerate(message.nested_type)]


def _at(file: FileDescriptorProto, path: tuple[int, ...]) -> DescriptorProto:
    message = file.message_type[path[0]]
    for i in path[1:]:
        message = message.nested_type[i]
    return message


def _path_names(file: FileDescriptorProto, path: tuple[int, ...]) -> list[str]:
    return [_at(file, path[: i + 1]).name for i in range(len(path))]


def _imports_first(files: Mapping[str, FileDescriptorProto]) -> Iterator[FileDescriptorProto]:
    """Yield each file after its imports. Raises ValueError if one is missing or imports itself."""
    done: set[str] = set()
    waiting = [(name, False) for name in files]
    open_: set[str] = set()
    while waiting:
        name, imports_done = waiting.pop()
        if imports_done:
            open_.discard(name)
            if name not in done:
                done.add(name)
                yield _file(files, name)
        elif name in open_:
            raise ValueError(f"{name} imports itself")
        elif name not in done:
            open_.add(name)
            waiting.append((name, True))
            waiting += [(other, False) for other in _file(files, name).dependency if other not in done]


def _file(files: Mapping[str, FileDescriptorProto], name: str) -> FileDescriptorProto:
    if name in files:
        return files[name]
    if not name.startswith(RUNTIME_FILES):
        raise ValueError(f"{name} is imported, but is not in the schema")
    if name not in _RUNTIME:
        raise ValueError(f"{name} is imported, but is neither in the schema nor in the runtime")
    return FileDescriptorProto.FromString(_RUNTIME[name])

"""Descriptor sets and buf images: binary, JSON, and both in gzip."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, cast

from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from google.protobuf.wrappers_pb2 import BoolValue

from gateway_entities.wire.sources.errors import unreadable
from gateway_entities.wire.sources.files import SchemaFiles

MAX_IMAGE_BYTES: Final = 512 << 20
"""The size of an image after decompression."""

_GZIP: Final = b"\x1f\x8b"
_BUF_EXTENSION: Final = 8042
_IMPORT: Final = b"\xd2\xf6\x03\x02\x08\x01"
"""The extension of buf that marks a file as an import."""


def read_image(path: Path, *, name: str = "") -> SchemaFiles:
    """Read a FileDescriptorSet or a buf image. Its content tells the format, not its name.

    Args:
        path: the file.
        name: its name for display; by default its path.

    Raises:
        GatewayError: INVALID_ARGUMENT if it cannot be read or is neither.
    """
    name = name or str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(name, error.strerror or str(error)) from error
    try:
        files = image_of(data)
    except ValueError as error:
        raise unreadable(name, str(error)) from error
    own = [file.name for file in files.file if not _is_import(file)]
    # protoc --include_imports marks no imports. Those of google/protobuf belong to no schema.
    own = [file for file in own if not file.startswith("google/protobuf/")] or own
    return SchemaFiles(name, files, tuple(own))


def image_of(data: bytes) -> FileDescriptorSet:
    """Decode a FileDescriptorSet or a buf image.

    Raises:
        ValueError: it is neither; the text is the reason.
    """
    if data.startswith(_GZIP):
        data = _decompress(data)
    try:
        files = _of_json(data) if data.lstrip()[:1] == b"{" else FileDescriptorSet.FromString(data)
    except (DecodeError, json_format.ParseError, ValueError, RecursionError) as error:
        raise ValueError(f"it is neither a FileDescriptorSet nor a buf image: {error}") from None
    if not files.file:
        raise ValueError("it is neither a FileDescriptorSet nor a buf image: it has no file")
    if not all(file.name for file in files.file):
        raise ValueError("it is neither a FileDescriptorSet nor a buf image: it has a file without a name")
    return files


def is_image(data: bytes) -> bool:
    """Return whether some bytes are a FileDescriptorSet or buf image, in any of its formats, and hardly anything else."""
    try:
        files = image_of(data)
    except ValueError:
        return False
    return all(file.name.endswith(".proto") for file in files.file)


def _of_json(data: bytes) -> FileDescriptorSet:
    content: object = json.loads(data.decode())
    # The names of custom options are in no pool; they do not change what is on the wire.
    files = json_format.ParseDict(cast("Any", content), FileDescriptorSet(), ignore_unknown_fields=True)
    for described, file in zip(cast("Any", content)["file"], files.file, strict=True) if files.file else ():
        extension = described.get("bufExtension")
        if isinstance(extension, dict) and cast("dict[str, object]", extension).get("isImport") is True:
            file.MergeFromString(_IMPORT)
    return files


def _decompress(data: bytes) -> bytes:
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = stream.decompress(data, MAX_IMAGE_BYTES + 1)
    except zlib.error:
        raise ValueError("it starts like gzip, and cannot be decompressed") from None
    if len(content) > MAX_IMAGE_BYTES:
        raise ValueError(f"it has more than {MAX_IMAGE_BYTES >> 20} MiB when decompressed")
    if not stream.eof:
        raise ValueError("it is gzip, and ends too early")
    return content


def _is_import(file: FileDescriptorProto) -> bool:
    """Return whether a buf image marks a file as an import."""
    # Its stubs do not say that it is iterable.
    unknowns: Iterable[Any] = cast("Iterable[Any]", UnknownFieldSet(file))
    for unknown in unknowns:
        if unknown.field_number == _BUF_EXTENSION and unknown.wire_type == 2:
            # The extension is a message whose field 1 says so; a BoolValue has the same layout.
            try:
                return bool(BoolValue.FromString(unknown.data).value)
            except DecodeError:
                return False
    return False

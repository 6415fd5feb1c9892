"""Golden vectors: every message type of the contract as bytes and JSON, to test implementations in any language.

A folder of vectors has ``<Message>.<case>.binpb`` and ``<Message>.<case>.json`` files and a ``manifest.json`` with the type,
the case, the SHA-256 of the bytes, and whether the JSON is complete (JSON has no unknown fields).

The vectors are generated from the descriptors, so new fields are included. The bytes are canonical: fields by number, map
entries by key, unknown fields last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.rules.responses import CONTRACT_FILES

_PACKAGE: Final = "gatewayentities.v1"
MANIFEST: Final = "manifest.json"
"""The name of a folder's manifest."""

_UNKNOWN_FIELDS: Final = bytes.fromhex(
    "807d01"  # field 2000, a varint
    "897d0100000000000000"  # field 2001, 64 bits
    "927d03616263"  # field 2002, three bytes
    "9d7d01000000"  # field 2003, 32 bits
)
_UNICODE: Final = "a\u0301 \u00e9 \u6f22\u5b57 \U0001f600 \u202e \ufeff \U0010ffff"
_SCALARS: Final[dict[str, dict[int, Any]]] = {
    "full": {
        FieldDescriptor.CPPTYPE_STRING: "text",
        FieldDescriptor.CPPTYPE_BOOL: True,
        FieldDescriptor.CPPTYPE_INT32: 300,
        FieldDescriptor.CPPTYPE_INT64: 1_700_000_000_000,
        FieldDescriptor.CPPTYPE_FLOAT: 0.1,
        FieldDescriptor.CPPTYPE_DOUBLE: 0.1,
        FieldDescriptor.CPPTYPE_ENUM: 1,
    },
    "zero": {
        FieldDescriptor.CPPTYPE_STRING: "",
        FieldDescriptor.CPPTYPE_BOOL: False,
        FieldDescriptor.CPPTYPE_INT32: 0,
        FieldDescriptor.CPPTYPE_INT64: 0,
        FieldDescriptor.CPPTYPE_FLOAT: 0.0,
        FieldDescriptor.CPPTYPE_DOUBLE: 0.0,
        FieldDescriptor.CPPTYPE_ENUM: 0,
    },
    "maximum": {
        # The longest name, of the longest UTF-8 characters.
        FieldDescriptor.CPPTYPE_STRING: "\U0001f600" * 255,
        FieldDescriptor.CPPTYPE_INT32: 2**31 - 1,
        FieldDescriptor.CPPTYPE_INT64: 2**63 - 1,
        # Some JSON parsers reject the largest float, because its shortest decimal exceeds it.
        FieldDescriptor.CPPTYPE_FLOAT: 3.4e38,
        FieldDescriptor.CPPTYPE_DOUBLE: 1.7976931348623157e308,
    },
    "minimum": {
        FieldDescriptor.CPPTYPE_INT32: -(2**31),
        FieldDescriptor.CPPTYPE_INT64: -(2**63),
        FieldDescriptor.CPPTYPE_FLOAT: 1.401298464324817e-45,
        FieldDescriptor.CPPTYPE_DOUBLE: 5e-324,
    },
    "unicode": {FieldDescriptor.CPPTYPE_STRING: _UNICODE},
    "unknown_enum": {FieldDescriptor.CPPTYPE_ENUM: 1000},
    "float_weight": {FieldDescriptor.CPPTYPE_FLOAT: 1 / 3},
}
"""The values of each case by C++ type; missing ones are those of ``full``."""


class Vector(NamedTuple):
    """One message.

    Attributes:
        message_type: the full name of its type.
        case: the name of the example.
        data: its canonical bytes.
        json: its proto3 JSON, without the unknown fields.
    """

    message_type: str
    case: str
    data: bytes
    json: str

    @property
    def name(self) -> str:
        """The stem of its files."""
        return f"{self.message_type.rpartition('.')[2]}.{self.case}"

    @property
    def whole_in_json(self) -> bool:
        """Whether the JSON is complete."""
        return self.case != "unknown_field"


def vectors() -> Iterator[Vector]:
    """Yield every vector, by message and case."""
    for file in sorted(CONTRACT_FILES, key=lambda file: file.__name__):
        for descriptor in cast("dict[str, Descriptor]", file.DESCRIPTOR.message_types_by_name).values():
            yield from _of_message(descriptor)


def write(folder: Path) -> int:
    """Write all vectors and their manifest into a folder and return their number.

    Files of obsolete vectors are removed; other files are not touched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    manifest: list[dict[str, object]] = []
    written = {MANIFEST}
    for vector in vectors():
        (folder / f"{vector.name}.binpb").write_bytes(vector.data)
        (folder / f"{vector.name}.json").write_text(vector.json, encoding="utf-8")
        written |= {f"{vector.name}.binpb", f"{vector.name}.json"}
        manifest.append(
            {
                "name": vector.name,
                "type": vector.message_type,
                "case": vector.case,
                "sha256": hashlib.sha256(vector.data).hexdigest(),
                "whole_in_json": vector.whole_in_json,
            }
        )
    text = json.dumps({"package": _PACKAGE, "vectors": manifest}, indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    cases = {"empty", "unknown_field", *_SCALARS}
    for path in folder.iterdir():
        stem, _, suffix = path.name.rpartition(".")
        if suffix in {"binpb", "json"} and stem.rpartition(".")[2] in cases and path.name not in written:
            path.unlink()
    return len(manifest)


def is_manifest(path: Path) -> bool:
    """Return whether a file is the manifest of a folder of vectors."""
    if path.name != MANIFEST:
        return False
    try:
        content: object = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "vectors" in content


def _of_message(descriptor: Descriptor) -> Iterator[Vector]:
    yield _vector(descriptor, "empty", b"")
    yield _vector(descriptor, "unknown_field", _filled(descriptor, "full") + _UNKNOWN_FIELDS)
    seen = {b""}
    for case in _SCALARS:
        data = _filled(descriptor, case)
        # A message without, say, an enum does not vary by that case.
        if data not in seen:
            seen.add(data)
            yield _vector(descriptor, case, data)


def _vector(descriptor: Descriptor, case: str, data: bytes) -> Vector:
    message = message_factory.GetMessageClass(descriptor).FromString(data)
    value = json_format.MessageToDict(message)
    text = json.dumps(value, indent=1, ensure_ascii=True, sort_keys=True)
    return Vector(descriptor.full_name, case, data, text + "\n")


def _filled(descriptor: Descriptor, case: str) -> bytes:
    message = message_factory.GetMessageClass(descriptor)()
    _fill(message, {**_SCALARS["full"], **_SCALARS[case]})
    return message.SerializeToString(deterministic=True)


def _fill(message: Message, values: dict[int, Any]) -> None:
    for field in cast("list[FieldDescriptor]", message.DESCRIPTOR.fields):
        _FILL[_kind(field)](message, field, values)


def _kind(field: FieldDescriptor) -> str:
    if field.message_type is None:
        return "scalars" if field.is_repeated else "scalar"
    if field.message_type.GetOptions().map_entry:
        return "map"
    if field.message_type.full_name == "google.protobuf.FieldMask":
        return "mask"
    return "list" if field.is_repeated else "message"


def _fill_scalar(message: Message, field: FieldDescriptor, values: dict[int, Any]) -> None:
    setattr(message, field.name, values[field.cpp_type])


def _fill_scalars(message: Message, field: FieldDescriptor, values: dict[int, Any]) -> None:
    # The empty element must survive too.
    getattr(message, field.name).extend([values[field.cpp_type], _SCALARS["zero"][field.cpp_type]])


def _fill_map(message: Message, field: FieldDescriptor, values: dict[int, Any]) -> None:
    text: str = values[FieldDescriptor.CPPTYPE_STRING]
    getattr(message, field.name).update({text: text, "second": ""})


def _fill_mask(message: Message, field: FieldDescriptor, _values: dict[int, Any]) -> None:
    fields = cast("list[FieldDescriptor]", message.DESCRIPTOR.fields)
    getattr(message, field.name).paths.append(fields[1].name)


def _fill_list(message: Message, field: FieldDescriptor, values: dict[int, Any]) -> None:
    _fill(getattr(message, field.name).add(), values)
    # An empty element must survive too.
    getattr(message, field.name).add()


def _fill_message(message: Message, field: FieldDescriptor, values: dict[int, Any]) -> None:
    getattr(message, field.name).SetInParent()
    _fill(getattr(message, field.name), values)


_FILL: Final[dict[str, Callable[[Message, FieldDescriptor, dict[int, Any]], None]]] = {
    "scalar": _fill_scalar,
    "scalars": _fill_scalars,
    "map": _fill_map,
    "mask": _fill_mask,
    "list": _fill_list,
    "message": _fill_message,
}

"""Schemas as plain data, for tests to write in a few lines and modify."""

from __future__ import annotations

from dataclasses import dataclass, field

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from gateway_entities.wire.schemas.model.schema import Schema

SCALARS = {
    name: getattr(FieldDescriptorProto, f"TYPE_{name.upper()}")
    for name in (
        *("int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64"),
        *("bool", "float", "double", "string", "bytes"),
    )
}
LABELS = {"optional": 1, "required": 2, "repeated": 3}


@dataclass
class Field:
    name: str
    number: int
    type: str  # a scalar, the name of a message or an enum, or map<key, value>
    label: str = "optional"  # or required, repeated, implicit (proto3 without presence)
    oneof: str | None = None
    default: str | None = None
    json: str | None = None


@dataclass
class Message:
    fields: list[Field] = field(default_factory=list)
    reserved: list[int | str] = field(default_factory=list)


@dataclass
class Enum:
    values: list[tuple[str, int]]
    reserved: list[int | str] = field(default_factory=list)


@dataclass
class Rpc:
    request: str
    response: str
    client_streaming: bool = False
    server_streaming: bool = False
    idempotency: int = 0


EXTENSIONS = range(1000, 3000)


@dataclass
class Model:
    syntax: str
    package: str = "x"
    messages: dict[str, Message] = field(default_factory=dict)
    enums: dict[str, Enum] = field(default_factory=dict)
    extensions: dict[str, list[Field]] = field(default_factory=dict)  # by the message that they extend
    services: dict[str, dict[str, Rpc]] = field(default_factory=dict)

    def file(self) -> FileDescriptorProto:
        file = FileDescriptorProto(name=f"{self.package}.proto", package=self.package, syntax=self.syntax)
        for name, message in self.messages.items():
            self._message(file.message_type.add(name=name), message)
        for name, enum in self.enums.items():
            _enum(file.enum_type.add(name=name), enum)
        for name, extensions in self.extensions.items():
            target = next(message for message in file.message_type if message.name == name)
            target.extension_range.add(start=EXTENSIONS.start, end=EXTENSIONS.stop)
            for f in extensions:
                self._set_type(
                    target, file.extension.add(name=f.name, number=f.number, extendee=f".{self.package}.{name}"), f
                )
        for name, rpcs in self.services.items():
            service = file.service.add(name=name)
            for method, rpc in rpcs.items():
                types = [f".{self.package}.{each}" for each in (rpc.request, rpc.response)]
                made = service.method.add(name=method, input_type=types[0], output_type=types[1])
                made.client_streaming, made.server_streaming = rpc.client_streaming, rpc.server_streaming
                made.options.idempotency_level = rpc.idempotency
        return file

    def schema(self, name: str = "") -> Schema:
        return Schema.from_files(name or self.package, FileDescriptorSet(file=[self.file()]))

    def _message(self, target: DescriptorProto, message: Message) -> None:
        oneofs = list(dict.fromkeys(f.oneof for f in message.fields if f.oneof))
        for oneof in oneofs:
            target.oneof_decl.add(name=oneof)
        for f in message.fields:
            made = target.field.add(name=f.name, number=f.number)
            self._set_type(target, made, f)
            if f.default is not None:
                made.default_value = f.default
            if f.json is not None:
                made.json_name = f.json
            if f.oneof is not None:
                made.oneof_index = oneofs.index(f.oneof)
        for f, made in zip(message.fields, target.field, strict=True):
            scalar = made.type != FieldDescriptorProto.TYPE_MESSAGE
            if self.syntax == "proto3" and f.label == "optional" and f.oneof is None and scalar:
                made.proto3_optional = True
                made.oneof_index = len(target.oneof_decl)
                target.oneof_decl.add(name=f"_{f.name}")
        for reserved in message.reserved:
            if isinstance(reserved, int):
                target.reserved_range.add(start=reserved, end=reserved + 1)
            else:
                target.reserved_name.append(reserved)

    def _set_type(self, target: DescriptorProto, made: FieldDescriptorProto, f: Field) -> None:
        made.label = LABELS.get(f.label, 1)
        if f.type in SCALARS:
            made.type = SCALARS[f.type]
        elif f.type in self.enums:
            made.type, made.type_name = FieldDescriptorProto.TYPE_ENUM, f".{self.package}.{f.type}"
        elif f.type.startswith("map<"):
            entry = "".join(part.title() for part in f.name.split("_")) + "Entry"
            nested = target.nested_type.add(name=entry)
            nested.options.map_entry = True
            for number, (name, kind) in enumerate(zip(("key", "value"), f.type[4:-1].split(", "), strict=True), 1):
                self._set_type(nested, nested.field.add(name=name, number=number), Field(name, number, kind))
            made.label, made.type = 3, FieldDescriptorProto.TYPE_MESSAGE
            made.type_name = f".{self.package}.{target.name}.{entry}"
        else:
            made.type, made.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{self.package}.{f.type}"


def _enum(target: EnumDescriptorProto, enum: Enum) -> None:
    numbers = [number for _, number in enum.values]
    if len(set(numbers)) < len(numbers):
        target.options.allow_alias = True
    for name, number in enum.values:
        target.value.add(name=name, number=number)
    for reserved in enum.reserved:
        if isinstance(reserved, int):
            target.reserved_range.add(start=reserved, end=reserved)
        else:
            target.reserved_name.append(reserved)


def model(text: str, *, syntax: str = "proto3", package: str = "x") -> Model:
    """Read a model from lines: ``M: [label] type name number [key=value ...]; ...`` and ``enum E: NAME 0; ...``."""
    made = Model(syntax, package)
    for line in filter(None, map(str.strip, text.splitlines())):
        head, _, body = line.partition(":")
        parts = [part.split() for part in body.replace(", ", ",").split(";") if part.strip()]
        if head.startswith("enum "):
            values = [(name, int(number)) for name, number in (p for p in parts if p[0] != "reserved")]
            made.enums[head.removeprefix("enum ")] = Enum(values, _reserved(parts))
        else:
            made.messages[head] = Message([_field(p) for p in parts if p[0] != "reserved"], _reserved(parts))
    return made


def _reserved(parts: list[list[str]]) -> list[int | str]:
    return [int(word) if word.isdigit() else word for p in parts if p[0] == "reserved" for word in p[1:]]


def _field(words: list[str]) -> Field:
    label = words.pop(0) if words[0] in (*LABELS, "implicit") else "optional"
    kind, name, number, *options = words
    return Field(name, int(number), kind.replace(",", ", "), label, **dict(option.split("=", 1) for option in options))

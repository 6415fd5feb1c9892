"""The JSON Schema of configuration files, made of the contract's descriptors and rules, and of the entities' docstrings."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import click
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

import gateway_entities
from gateway_entities import rules
from gateway_entities.cli.config.reading import SCHEMA, VALUE_FROM
from gateway_entities.rules.values import LIMITS
from gatewayentities.v1 import configuration_pb2 as pb

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE: Final = {
    "type": "string",
    "pattern": r"(^|[^$])\$\{[A-Za-z_][A-Za-z0-9_]*\}",
    "description": "A value with variables of the environment.",
}
_ANY_OF_A_VARIABLE: Final = {"$ref": "#/$defs/variable"}
_ATTRIBUTE: Final = re.compile(r"^(\w+): ", re.MULTILINE)
_NUMBERS: Final = {
    FieldDescriptor.TYPE_INT32: "integer",
    FieldDescriptor.TYPE_INT64: "integer",
    FieldDescriptor.TYPE_FLOAT: "number",
    FieldDescriptor.TYPE_DOUBLE: "number",
}
_SOURCES: Final[dict[str, dict[str, Any]]] = {
    "env": {"type": "string", "minLength": 1, "description": "Name of an environment variable."},
    "file": {"type": "string", "minLength": 1, "description": "Path of a file, relative to this one."},
    "command": {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "description": "Program with its arguments, whose output is the value. It runs only with --allow-command.",
    },
}


@click.command()
def schema() -> None:
    """Print the JSON Schema of configuration files, for editors and other programs.

    A file names it in its first line: # yaml-language-server: $schema=gateway.schema.json
    """
    click.echo(json.dumps(build(), indent=2, ensure_ascii=False))


def build() -> dict[str, Any]:
    """Return the schema."""
    root = pb.GatewayConfiguration.DESCRIPTOR
    definitions = {each.name: _object(each) for each in _reachable(root)}
    document = definitions.pop(root.name)
    document["properties"][SCHEMA] = {"type": "string", "description": "Address of this schema."}
    secret = definitions[pb.GatewaySecretConfiguration.DESCRIPTOR.name]
    secret["properties"][VALUE_FROM] = {
        "type": "object",
        "description": "Where an apply reads each key of the value, such as {api_key: {env: NAME}}.",
        "minProperties": 1,
        "additionalProperties": {"$ref": "#/$defs/source"},
    }
    definitions["source"] = {
        "type": "object",
        "description": "Where a value is read.",
        "properties": _SOURCES,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {
        "$schema": _DRAFT,
        "title": "gateway-entities configuration",
        **document,
        "$defs": {**definitions, "variable": _VARIABLE},
    }


def _reachable(root: Descriptor) -> Iterator[Descriptor]:
    """Yield the message types of a configuration, each once."""
    found = {root.full_name: root}
    waiting = [root]
    while waiting:
        for field in (current := waiting.pop(0)).fields:
            kind = field.message_type
            if kind is not None and not kind.GetOptions().map_entry and kind.full_name not in found:
                found[kind.full_name] = kind
                waiting.append(kind)
        yield current


def _object(descriptor: Descriptor) -> dict[str, Any]:
    table = rules.fields(GetMessageClass(descriptor))
    descriptions = _descriptions(descriptor.name)
    properties: dict[str, Any] = {}
    for field in descriptor.fields:
        kind = _field(field, LIMITS.get(table[field.name].rule))
        text = descriptions.get(field.name)
        properties[field.name] = kind if text is None else {"description": text, **kind}
    needed = [name for name, each in table.items() if each.required]
    found = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": needed} if needed else found


def _field(field: FieldDescriptor, limits: Any) -> dict[str, Any]:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        found: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}
        return {**found, "maxProperties": limits.most} if limits else found
    if kind is not None:
        reference = {"$ref": f"#/$defs/{kind.name}"}
        if not field.is_repeated:
            return reference
        found = {"type": "array", "items": reference}
        return {**found, "maxItems": limits.most} if limits else found
    found = _scalar(field, limits)
    return found if found == {"type": "string"} else {"anyOf": [found, _ANY_OF_A_VARIABLE]}


def _scalar(field: FieldDescriptor, limits: Any) -> dict[str, Any]:
    if field.enum_type is not None:
        return {"enum": [each.name for each in field.enum_type.values if each.number]}
    if field.type == FieldDescriptor.TYPE_BOOL:
        return {"type": "boolean"}
    if field.type in _NUMBERS:
        found: dict[str, Any] = {"type": _NUMBERS[field.type]}
        bounds = {"minimum": limits.least, "maximum": limits.most} if limits else {}
    else:
        found = {"type": "string"}
        pattern = f"^(?:{limits.pattern})$" if limits and limits.pattern else None
        bounds = {"minLength": limits.least or None, "maxLength": limits.most, "pattern": pattern} if limits else {}
    return {**found, **{name: bound for name, bound in bounds.items() if bound is not None}}


def _descriptions(name: str) -> dict[str, str]:
    """Return the descriptions of the fields in the docstring of an entity."""
    _, _, text = (inspect.getdoc(getattr(gateway_entities, name)) or "").partition("Attributes:\n")
    parts = _ATTRIBUTE.split(inspect.cleandoc(text))[1:]
    found = {field: " ".join(parts[place + 1].split()) for place, field in enumerate(parts) if place % 2 == 0}
    # A file has no None; its fields are absent.
    return {field: (text[:1].upper() + text[1:]).replace("None", "Absent") for field, text in found.items()}

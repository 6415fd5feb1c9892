"""Nodes as a configuration: the message, the sources of secret values, and the position of each path."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway_entities.cli.config.nodes import ListNode, MappingNode, Mark, Node, Problem, ScalarNode, is_null, value
from gateway_entities.entities.json_form import scalar
from gateway_entities.errors import FieldViolation, WireError
from gateway_entities.rules import check
from gateway_entities.rules.address import RULE as ADDRESS_RULE
from gateway_entities.rules.values import entry, shown
from gatewayentities.v1 import configuration_pb2 as pb

VALUE_FROM: Final = "value_from"
"""Field of a secret in a file, beside those of its message."""
SCHEMA: Final = "$schema"
"""Key of a file that is ignored: editors read it."""

_SECRET: Final = pb.GatewaySecretConfiguration.DESCRIPTOR
_ROOT: Final = pb.GatewayConfiguration.DESCRIPTOR
_KINDS: Final = ("env", "file", "command")


class ValueSource(NamedTuple):
    """Where one key of a secret's value is read: an environment variable, a file or the output of a command."""

    secret: str
    key: str
    kind: str
    argument: str | Sequence[str]
    mark: Mark


@dataclass(slots=True)
class Reading:
    """A configuration that is being read.

    Attributes:
        message: the configuration.
        sources: where the values of its secrets are read.
        marks: positions by path.
        problems: all that is wrong with it.
    """

    message: pb.GatewayConfiguration = field(default_factory=pb.GatewayConfiguration)
    sources: list[ValueSource] = field(default_factory=list[ValueSource])
    marks: dict[str, Mark] = field(default_factory=dict[str, Mark])
    problems: list[Problem] = field(default_factory=list[Problem])

    def at(self, path: str) -> Mark:
        """Return the position of a path, or of the closest thing around it that has one."""
        while path and path not in self.marks:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.marks.get(path) or Mark("configuration", 1, 1)

    def locate(self, violations: Iterable[FieldViolation]) -> list[Problem]:
        """Return violations of a request with their positions."""
        return [
            Problem(self.at(path), f"{path} {violation.description}")
            for violation in violations
            for path in (violation.field.removeprefix("configuration."),)
        ]


def read(nodes: Sequence[Node]) -> Reading:
    """Return the configuration of documents, whose lists are joined."""
    reading = Reading()
    for node in nodes:
        reading.marks.setdefault("", node.mark)
        if isinstance(node, MappingNode):
            _read_document(reading, node)
        else:
            reading.problems.append(Problem(node.mark, f"must be a mapping with the fields {_names(_ROOT)}"))
    # Which addresses a gateway allows is known to the gateway.
    found = [FieldViolation(each.field, each.description) for each in check(reading.message) if each.rule != ADDRESS_RULE]
    if reading.problems:
        # What is missing may be what could not be read.
        known = {each.mark for each in reading.problems}
        found = [each for each in found if each.field in reading.marks and reading.marks[each.field] not in known]
    reading.problems += reading.locate(found)
    return reading


def _read_document(reading: Reading, node: MappingNode) -> None:
    owner = node.entries.get("owner")
    before = reading.message.owner
    _fill(reading, reading.message, MappingNode(node.mark, _without_schema(node), node.keys), "")
    if owner is not None and before and reading.message.owner != before:
        first = reading.marks["owner"]
        reading.problems.append(Problem(owner.mark, f"owner must be that of {first}, {shown(before)}: one for all files"))


def _without_schema(node: MappingNode) -> dict[str, Node]:
    return {key: item for key, item in node.entries.items() if key != SCHEMA}


def _fill(reading: Reading, message: Any, node: Node, path: str) -> None:
    if not isinstance(node, MappingNode):
        reading.problems.append(Problem(node.mark, f"{path} must be a mapping, not {_described(node)}"))
        return
    descriptor: Descriptor = message.DESCRIPTOR
    for name, item in node.entries.items():
        where = f"{path}.{name}" if path else name
        found = descriptor.fields_by_name.get(name)
        if name == VALUE_FROM and descriptor is _SECRET:
            reading.marks[where] = item.mark
            reading.sources += _value_sources(reading, node, item, where)
        elif found is None:
            reading.problems.append(Problem(node.keys[name], _unknown(name, descriptor)))
        elif not is_null(item):
            reading.marks.setdefault(where, item.mark)
            _fill_field(reading, message, found, item, where)


def _fill_field(reading: Reading, message: Any, found: FieldDescriptor, node: Node, path: str) -> None:
    kind = found.message_type
    if kind is not None and kind.GetOptions().map_entry:
        _fill_map(reading, getattr(message, found.name), kind, node, path)
    elif found.is_repeated:
        if not isinstance(node, ListNode):
            reading.problems.append(Problem(node.mark, f"{path} must be a list, not {_described(node)}"))
            return
        items = getattr(message, found.name)
        for item in node.items:
            where = f"{path}[{len(items)}]"
            reading.marks[where] = item.mark
            _fill(reading, items.add(), item, where)
    elif kind is not None:
        part = getattr(message, found.name)
        part.SetInParent()
        _fill(reading, part, node, path)
    else:
        for converted in _scalar(reading, found, node, path):
            setattr(message, found.name, converted)


def _fill_map(reading: Reading, entries: Any, kind: Descriptor, node: Node, path: str) -> None:
    if not isinstance(node, MappingNode):
        reading.problems.append(Problem(node.mark, f"{path} must be a mapping, not {_described(node)}"))
        return
    for key, item in node.entries.items():
        where = entry(path, key)
        reading.marks[where] = item.mark
        for converted in _scalar(reading, kind.fields_by_name["value"], item, where):
            entries[key] = converted


def _scalar(reading: Reading, found: FieldDescriptor, node: Node, path: str) -> Iterator[Any]:
    """Yield the value of a scalar, or nothing and note the problem."""
    if not isinstance(node, ScalarNode):
        reading.problems.append(Problem(node.mark, f"{path} must be a single value, not {_described(node)}"))
        return
    is_text = found.type == FieldDescriptor.TYPE_STRING
    item = value(node)
    if node.replaced:
        # Quoted or not: the field says what it is.
        item = node.text if is_text else value(ScalarNode(node.text, plain=True, mark=node.mark))
    if is_text and not isinstance(item, str):
        advice = f"{path} must be text, not {_described(node)}; write it in quotes"
        reading.problems.append(Problem(node.mark, advice))
        return
    try:
        yield scalar(found, item, path)
    except WireError as error:
        (violation,) = error.field_violations
        reading.problems.append(Problem(node.mark, f"{path} {_in_terms_of_yaml(violation.description, node)}"))


def _in_terms_of_yaml(description: str, node: ScalarNode) -> str:
    """Return a description with YAML's kind of value, or a number itself, in place of Python's class."""
    wanted, is_of_class, _ = description.rpartition("; it is a ")
    if not is_of_class:
        return description
    what = _described(ScalarNode(node.text, node.plain or node.replaced, node.mark))
    return f"{wanted}, not {node.text[:40] if what == 'a number' and not node.replaced else what}"


def _value_sources(reading: Reading, secret: MappingNode, node: Node, path: str) -> Iterator[ValueSource]:
    name = secret.entries.get("name")
    if not isinstance(node, MappingNode) or not node.entries:
        reading.problems.append(
            Problem(
                node.mark, f"{path} must be a mapping from each key of the value to its source: {{api_key: {{env: NAME}}}}"
            )
        )
        return
    for key, item in node.entries.items():
        where = f"{path}.{key}"
        kinds = list(item.entries) if isinstance(item, MappingNode) else []
        if len(kinds) != 1 or kinds[0] not in _KINDS:
            reading.problems.append(
                Problem(item.mark, f"{where} must be one of {{env: NAME}}, {{file: PATH}}, {{command: [...]}}")
            )
            continue
        assert isinstance(item, MappingNode)  # noqa: S101 - it has kinds.
        argument = _argument(kinds[0], item.entries[kinds[0]])
        if argument is None:
            form = "a list of texts: the program and its arguments" if kinds[0] == "command" else "text"
            reading.problems.append(Problem(item.mark, f"{where}.{kinds[0]} must be {form}"))
        elif isinstance(name, ScalarNode):
            yield ValueSource(name.text, key, kinds[0], argument, item.mark)


def _argument(kind: str, node: Node) -> str | Sequence[str] | None:
    if kind != "command":
        return node.text if isinstance(node, ScalarNode) and node.text else None
    if not isinstance(node, ListNode) or not node.items:
        return None
    texts = [item.text for item in node.items if isinstance(item, ScalarNode)]
    return texts if len(texts) == len(node.items) and texts[0] else None


def _unknown(name: str, descriptor: Descriptor) -> str:
    if descriptor is _SECRET and name == "secret_value":
        return "secret_value is not for files; name the source of the value in value_from"
    known = [each.name for each in descriptor.fields]
    near = difflib.get_close_matches(name[:60], known, 1)
    advice = f"did you mean {near[0]}?" if near else f"the fields are {_names(descriptor)}"
    return f"{shown(name)} is not a field here; {advice}"


def _names(descriptor: Descriptor) -> str:
    extra = (VALUE_FROM,) if descriptor is _SECRET else ()
    return ", ".join((*(each.name for each in descriptor.fields), *extra))


def _described(node: Node) -> str:
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node, MappingNode):
        return "a mapping"
    kinds: Mapping[type, str] = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    return kinds.get(type(value(node)), "null")

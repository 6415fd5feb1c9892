"""Check of proto3 JSON against a message type, as strictly as protobuf's parsers take it together.

bytes -> load -> a JSON value, whose objects know their repeated names -> check_value -> findings by path
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from typing import Final, NoReturn, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway_entities.mlflow_rest.decode import JsonObject
from gateway_entities.rules.values import entry
from gateway_entities.wire.messages.json_form.json_values import check_key, check_scalar, kind_of, text_of
from gateway_entities.wire.messages.json_form.json_well_known import ANY, CHECKS, LIST, STRUCT, VALUE, WRAPPERS
from gateway_entities.wire.messages.report import Collector

MAX_JSON_DEPTH: Final = 100
"""The nesting limit of objects and arrays, as in protobuf."""
_LONGEST_INTEGER: Final = 40


def load(text: bytes) -> object:
    """Read JSON strictly by RFC 8259.

    Raises:
        ValueError: it is not JSON; the text says where.
    """
    if text.startswith(b"\xef\xbb\xbf"):
        raise ValueError("the text starts with a byte order mark, which JSON does not have; save it as UTF-8 without one")
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"the text is not UTF-8 at byte {error.start}") from None
    if not decoded.strip():
        raise ValueError("the text is empty; an empty message is {}")
    try:
        return json.loads(decoded, object_pairs_hook=JsonObject, parse_constant=_refuse_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise ValueError(f"the text is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise ValueError(f"the text nests more than {MAX_JSON_DEPTH} deep; reduce the nesting") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f'the text is not JSON: {name} is no number of JSON; write it as text, "{name}"')


def _integer(digits: str) -> int | float:
    # Python reads no integer of thousands of digits, and no field has one.
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def check_value(value: object, descriptor: Descriptor, collector: Collector) -> None:
    """Collect the findings of a JSON value as a message.

    Args:
        value: the value, from ``load``.
        descriptor: the message type.
        collector: the findings.
    """
    _Walk(collector).message(value, descriptor, "", 1)


class _Walk:
    """One pass over a JSON value. Its recursion is bounded by MAX_JSON_DEPTH."""

    def __init__(self, collector: Collector) -> None:
        self._found = collector

    def message(self, value: object, kind: Descriptor, path: str, depth: int) -> None:
        name = kind.full_name
        if depth > MAX_JSON_DEPTH:
            self._add("json/value", path, f"nests more than {MAX_JSON_DEPTH} deep; reduce the nesting")
        elif name in WRAPPERS:
            self._check(partial(check_scalar, kind.fields_by_name["value"], value), path)
        elif name in CHECKS:
            self._check(partial(CHECKS[name], value), path)
            if name in (STRUCT, LIST, VALUE):
                self._any_value(value, path, depth)
        elif not isinstance(value, dict):
            self._add("json/value", path, f"must be an object, not {kind_of(value)}")
        elif name == ANY:
            self._any(cast("dict[str, object]", value), kind, path, depth)
        else:
            self._fields(cast("dict[str, object]", value), kind, path, depth)

    def _fields(self, value: dict[str, object], kind: Descriptor, path: str, depth: int, *skipped: str) -> None:
        names = _fields_of(kind)
        given: dict[str, str] = {}
        members: dict[str, str] = {}
        for name, item in value.items():
            if name in skipped:
                continue
            field = names.get(name) or _extension(kind, name)
            if field is None:
                shown = f"{path}.{_shown(name)}" if path else _shown(name)
                self._add("json/unknown-name", shown, f"is not a field of {kind.full_name}; use the names of its fields")
                continue
            label = f"[{field.full_name}]" if field.is_extension else field.name
            below = f"{path}.{label}" if path else label
            if name in getattr(value, "repeated", ()):
                self._add("json/value", below, "is given twice; provide it once")
            elif label in given:
                self._add("json/value", below, f"is given as both {given[label]!r} and {name!r}; provide only one")
            given[label] = name
            oneof = field.containing_oneof
            if oneof is not None and (item is not None or _takes_null(field)):
                if oneof.name in members:
                    self._add("json/value", below, f"and {members[oneof.name]} are both of {oneof.name}; provide only one")
                members[oneof.name] = label
            self._field(item, field, below, depth)

    def _field(self, value: object, field: FieldDescriptor, path: str, depth: int) -> None:
        if value is None and (field.is_repeated or not _takes_null(field)):
            return
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            self._map(value, field.message_type, path, depth)
        elif not field.is_repeated:
            self._element(value, field, path, depth)
        elif not isinstance(value, list):
            self._add("json/value", path, f"must be an array, not {kind_of(value)}")
        else:
            for index, item in enumerate(cast("list[object]", value)):
                self._element(item, field, f"{path}[{index}]", depth)

    def _map(self, value: object, kind: Descriptor, path: str, depth: int) -> None:
        if not isinstance(value, dict):
            self._add("json/value", path, f"must be an object, not {kind_of(value)}")
            return
        key_field, value_field = kind.fields_by_name["key"], kind.fields_by_name["value"]
        for key, item in cast("dict[str, object]", value).items():
            below = entry(path, _shown(key))
            if key in getattr(cast("object", value), "repeated", ()):
                self._add("json/value", below, "is given twice; provide it once")
            self._check(partial(check_key, key_field, key), below)
            self._element(item, value_field, below, depth)

    def _element(self, value: object, field: FieldDescriptor, path: str, depth: int) -> None:
        if field.message_type is not None:
            self.message(value, field.message_type, path, depth + 1)
        else:
            self._check(partial(check_scalar, field, value), path)

    def _any(self, value: dict[str, object], kind: Descriptor, path: str, depth: int) -> None:
        if not value:
            return
        url = value.get("@type")
        below = f"{path}.@type" if path else "@type"
        if not isinstance(url, str) or "/" not in url or url.endswith("/"):
            self._add("json/value", below, "must be the type of the payload, such as type.googleapis.com/package.Message")
            return
        try:
            payload = kind.file.pool.FindMessageTypeByName(url.rpartition("/")[2])
        except KeyError:
            self._add("json/value", below, "is a type that the schema does not have; check with a schema that has it")
            return
        if payload.full_name not in WRAPPERS and payload.full_name not in CHECKS and payload.full_name != ANY:
            self._fields(value, payload, path, depth + 1, "@type")
            return
        inside = f"{path}.value" if path else "value"
        for name in value.keys() - {"@type", "value"}:
            shown = f"{path}.{_shown(name)}" if path else _shown(name)
            self._add("json/unknown-name", shown, f"is no part of the JSON of {payload.full_name}; use @type and value")
        if "value" not in value:
            self._add("json/value", inside, f"is absent; write the JSON of {payload.full_name} as value")
        else:
            self.message(value["value"], payload, inside, depth + 1)

    def _any_value(self, value: object, path: str, depth: int) -> None:
        """Check the names, texts and depth of a value of any form."""
        waiting: list[tuple[object, int]] = [(value, depth)]
        while waiting:
            current, level = waiting.pop()
            if level > MAX_JSON_DEPTH:
                self._add("json/value", path, f"nests more than {MAX_JSON_DEPTH} deep; reduce the nesting")
                return
            if isinstance(current, dict):
                if getattr(cast("object", current), "repeated", ()):
                    self._add("json/value", path, "has a name twice in one object; provide it once")
                for key, item in cast("dict[str, object]", current).items():
                    self._check(partial(text_of, key), path)
                    waiting.append((item, level + 1))
            elif isinstance(current, list):
                waiting += [(item, level + 1) for item in cast("list[object]", current)]
            elif isinstance(current, str):
                self._check(partial(text_of, current), path)

    def _check(self, check: Callable[[], object], path: str) -> None:
        try:
            check()
        except ValueError as error:
            self._add("json/value", path, str(error))

    def _add(self, rule: str, path: str, text: str) -> None:
        if self._found.count_in(rule):
            self._found.append(rule, path, None, f"{path or 'the message'} {text}")


@cache
def _fields_of(kind: Descriptor) -> dict[str, FieldDescriptor]:
    fields = cast("list[FieldDescriptor]", kind.fields)
    # Where one field's JSON name is another field's own name, it is the JSON name that counts.
    return {one.name: one for one in fields} | {one.json_name: one for one in fields}


def _extension(kind: Descriptor, name: str) -> FieldDescriptor | None:
    if not (name.startswith("[") and name.endswith("]")):
        return None
    try:
        found = kind.file.pool.FindExtensionByName(name[1:-1])
    except KeyError:
        return None
    return found if found.containing_type is kind else None


def _takes_null(field: FieldDescriptor) -> bool:
    """Return whether null is a value of the field, and does not mean that it is absent."""
    if field.message_type is not None:
        return bool(field.message_type.full_name == VALUE)
    return field.enum_type is not None and field.enum_type.full_name == "google.protobuf.NullValue"


def _shown(name: str) -> str:
    return name[:60].encode(errors="backslashreplace").decode()

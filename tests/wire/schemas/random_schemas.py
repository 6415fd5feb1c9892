"""Schemas at random: every syntax and kind of field, as source text, whatever protoc accepts."""

from __future__ import annotations

from random import Random

SCALARS = (
    *("int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64"),
    *("bool", "string", "bytes", "float", "double"),
)
KEYS = ("int32", "string", "bool", "fixed64")
WELL_KNOWN = {
    "Timestamp": "timestamp",
    "Duration": "duration",
    "Any": "any",
    "Struct": "struct",
    "Value": "struct",
    "ListValue": "struct",
    "FieldMask": "field_mask",
    "Int32Value": "wrappers",
    "Empty": "empty",
}
NAMES = ("a", "b", "c", "d", "foo_bar", "x")
NUMBERS = (1, 2, 3, 4, 5, 6, 7, 15, 16, 2047, 536870911)


class RandomSchema:
    """One schema of the package x. Names and numbers are few, so that two schemas have much in common."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._syntax = random.choice(("proto2", "proto3", "2023"))
        self._messages = [f"M{i}" for i in range(random.randint(1, 4))]
        self._enums = [f"E{i}" for i in range(random.randint(0, 2))]
        self._imports: set[str] = set()

    def text(self) -> str:
        """Return its source."""
        body = [*map(self._enum, self._enums), *map(self._message, self._messages)]
        if self._random.random() < 0.4:
            body.append(f"service S {{ {' '.join(map(self._rpc, range(self._random.randint(1, 3))))} }}")
        head = 'edition = "2023";' if self._syntax == "2023" else f'syntax = "{self._syntax}";'
        imports = [f'import "google/protobuf/{name}.proto";' for name in sorted(self._imports)]
        return "\n".join([head, "package x;", *imports, *body])

    def _type(self) -> str:
        kind = self._random.random()
        if kind < 0.55:
            return self._random.choice(SCALARS)
        if kind < 0.75:
            return self._random.choice(self._messages)
        if kind < 0.85 and self._enums:
            return self._random.choice(self._enums)
        name = self._random.choice(list(WELL_KNOWN))
        self._imports.add(WELL_KNOWN[name])
        return f"google.protobuf.{name}"

    def _enum(self, name: str) -> str:
        numbers = [0, *(self._random.choice((1, 2, 3, -1, 5)) for _ in range(self._random.randint(0, 3)))]
        values = [f"{name}_V{self._random.randint(0, 3)}_{i} = {number};" for i, number in enumerate(numbers)]
        alias = "option allow_alias = true; " if len(set(numbers)) < len(numbers) else ""
        return f"enum {name} {{ {alias}{' '.join(values)} }}"

    def _message(self, name: str) -> str:
        numbers = self._random.sample(NUMBERS, len(NUMBERS))
        names = self._random.sample(NAMES, self._random.randint(0, 5))
        parts = [self._field(each, numbers.pop()) for each in names]
        if self._random.random() < 0.3:
            members = [f"{self._type()} o{i} = {numbers.pop()};" for i in range(self._random.randint(1, 3))]
            parts.append(f"oneof one {{ {' '.join(members)} }}")
        if self._random.random() < 0.2:
            parts.append("reserved 100 to 110; reserved " + ("zz;" if self._syntax == "2023" else '"zz";'))
        if self._syntax == "proto3" or self._random.random() < 0.6:
            return f"message {name} {{ {' '.join(parts)} }}"
        extension = f"{self._label()}{self._type()} e{name} = {self._random.choice((200, 201))};"
        return f"message {name} {{ {' '.join(parts)} extensions 200 to 300; }} extend {name} {{ {extension} }}"

    def _label(self) -> str:
        return "optional " if self._syntax == "proto2" else ""

    def _field(self, name: str, number: int) -> str:
        kind, of = self._random.random(), self._type()
        if kind < 0.12:
            return f"map<{self._random.choice(KEYS)}, {of}> {name} = {number};"
        if kind < 0.3:
            return f"repeated {of} {name} = {number};"
        if kind < 0.4 and self._syntax == "proto2":
            # A message that requires itself has no examples.
            return f"required {'int32' if of in self._messages else of} {name} = {number};"
        if kind < 0.45 and self._syntax == "proto2":
            return f"optional group G{number} = {number} {{ optional int32 q = 1; }}"
        if kind < 0.55 and self._syntax == "proto3":
            return f"optional {of} {name} = {number};"
        return f"{self._label()}{of} {name} = {number};"

    def _rpc(self, number: int) -> str:
        request, response = (
            f"{self._random.choice(('', 'stream '))}{self._random.choice(self._messages)}" for _ in ("request", "response")
        )
        return f"rpc R{number}({request}) returns ({response});"

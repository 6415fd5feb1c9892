"""Reference documentation: a page for each proto file, from its comments."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from generators.compilers import protoc, python_environment

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        EnumDescriptorProto,
        FieldDescriptorProto,
        FileDescriptorProto,
        ServiceDescriptorProto,
    )

# Field numbers in descriptor.proto: the elements of a location's path.
_MESSAGES, _ENUMS, _SERVICES = 4, 5, 6
_FIELDS, _NESTED, _VALUES, _METHODS = 2, 3, 2, 2
_IDEMPOTENCY = {1: "No side effects: a client may repeat it.", 2: "Idempotent: a client may repeat it."}


def generate(target: Path) -> None:
    """Write a page for each proto file below target, an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        descriptors = Path(folder) / "protos.binpb"
        protoc(f"--descriptor_set_out={descriptors}", "--include_source_info")
        # The running Python may lack protobuf; the compilers' environment has it.
        command: list[str | Path] = [python_environment() / "python", "-m", "generators.reference", descriptors, target]
        subprocess.run(command, check=True, cwd=Path(__file__).parent.parent)


class _File:
    """One proto file: its descriptor, its comments, and the pages of types."""

    def __init__(self, descriptor: FileDescriptorProto, pages: Mapping[str, str]) -> None:
        self.descriptor = descriptor
        self._pages = pages
        self._comments = {tuple(place.path): place for place in descriptor.source_code_info.location}

    def page(self) -> str:
        """Return the page."""
        # The head comment of a file is detached from its first statement by an empty line.
        head = self._comments[12,].leading_detached_comments[0]
        lines = [f"# {_name(self.descriptor)}.proto", "", _prose(head), ""]
        for index, service in enumerate(self.descriptor.service):
            lines += self._service(service, (_SERVICES, index))
        for index, message in enumerate(self.descriptor.message_type):
            lines += self._message(message, (_MESSAGES, index))
        for index, enum in enumerate(self.descriptor.enum_type):
            lines += self._enum(enum, (_ENUMS, index))
        return "\n".join(lines)

    def _service(self, service: ServiceDescriptorProto, path: tuple[int, ...]) -> Iterator[str]:
        yield from (f"## {service.name}", "", self._comment(path), "")
        for index, method in enumerate(service.method):
            yield from (f"### {method.name}", "", f"`POST /{self.descriptor.package}.{service.name}/{method.name}`", "")
            yield from (f"{self._link(method.input_type)} → {self._link(method.output_type)}", "")
            yield from (self._comment((*path, _METHODS, index)), "")
            if note := _IDEMPOTENCY.get(method.options.idempotency_level):
                yield from (note, "")

    def _message(self, message: DescriptorProto, path: tuple[int, ...]) -> Iterator[str]:
        yield from (f"## {message.name}", "", self._comment(path), "")
        maps = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
        if message.field:
            yield from ("| field | number | type | |", "| --- | --- | --- | --- |")
            for index, field in enumerate(message.field):
                entry = maps.get(field.type_name.rpartition(".")[2])
                kind = f"map of {' to '.join(map(self._type, entry.field))}" if entry else self._type(field)
                repeated = "repeated " if field.label == field.LABEL_REPEATED and not entry else ""
                comment = self._comment((*path, _FIELDS, index))
                yield f"| `{field.name}` | {field.number} | {repeated}{kind} | {_cell(comment)} |"
            yield ""
        if message.reserved_range:
            numbers = ", ".join(str(number) for each in message.reserved_range for number in range(each.start, each.end))
            names = "".join(f", `{name}`" for name in message.reserved_name)
            yield from (f"Reserved: {numbers}{names}.", "")
        for index, nested in enumerate(message.nested_type):
            if nested.name not in maps:
                yield from self._message(nested, (*path, _NESTED, index))

    def _enum(self, enum: EnumDescriptorProto, path: tuple[int, ...]) -> Iterator[str]:
        yield from (f"## {enum.name}", "", self._comment(path), "", "| value | number | |", "| --- | --- | --- |")
        for index, value in enumerate(enum.value):
            yield f"| `{value.name}` | {value.number} | {_cell(self._comment((*path, _VALUES, index)))} |"
        yield ""

    def _comment(self, path: Sequence[int]) -> str:
        return _prose(self._comments[tuple(path)].leading_comments)

    def _type(self, field: FieldDescriptorProto) -> str:
        if field.type_name:
            return self._link(field.type_name)
        return f"`{field.Type.Name(field.type).removeprefix('TYPE_').lower()}`"

    def _link(self, type_name: str) -> str:
        name = type_name.removeprefix(".")
        short = name.rpartition(".")[2]
        if name not in self._pages:
            return f"`{name}`"
        return f"[`{short}`]({self._pages[name]}#{short.lower()})"


def _name(file: FileDescriptorProto) -> str:
    return Path(file.name).stem


def _prose(comment: str) -> str:
    """Return a comment as Markdown, with its markup characters escaped."""
    lines = (line.strip() for line in comment.strip().splitlines())
    return re.sub(r"([\\`*\[\]<>|])", r"\\\1", "\n".join(lines))


def _cell(text: str) -> str:
    return " ".join(text.split())


def _write(descriptors: Path, target: Path) -> None:
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    files = FileDescriptorSet.FromString(descriptors.read_bytes()).file
    pages: dict[str, str] = {}
    for file in files:
        names = (*(message.name for message in file.message_type), *(enum.name for enum in file.enum_type))
        pages |= {f"{file.package}.{name}": f"{_name(file)}.md" for name in names}
    for file in files:
        (target / f"{_name(file)}.md").write_text(_File(file, pages).page().strip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    import sys

    _write(Path(sys.argv[1]), Path(sys.argv[2]))

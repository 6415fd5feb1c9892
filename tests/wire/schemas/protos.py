"""Cases of two .proto files each, compiled together."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet

from gateway_entities.wire import Comparison, Difference, Direction, compare
from gateway_entities.wire.schemas.model.schema import Schema

HEADS = {
    "2": 'syntax = "proto2"; package x; ',
    "3": 'syntax = "proto3"; package x; ',
    "2023": 'edition = "2023"; package x; ',
}


class Case(NamedTuple):
    """Two schemas, and what their comparison finds.

    Attributes:
        old: the old file, without its head.
        new: the new file, without its head.
        breaks: lines such as ``new binary field-lost M.a``: who reads, the level, the rule, and the subject in package x.
        notes: likewise, for the notes that the case is about.
        syntax: 2, 3 or an edition; two with an arrow between them if they differ.
    """

    old: str
    new: str
    breaks: str = ""
    notes: str = ""
    syntax: str = "3"


def compile_cases(folder: Path, cases: Mapping[str, Case]) -> dict[str, tuple[Schema, Schema]]:
    """Compile the files of all cases in two runs of protoc: each case has a package of its own until then."""
    sides = [_compile(folder / side, side, cases) for side in ("old", "new")]
    return {name: (sides[0][name], sides[1][name]) for name in cases}


def _compile(folder: Path, side: str, cases: Mapping[str, Case]) -> dict[str, Schema]:
    folder.mkdir()
    for i, case in enumerate(cases.values()):
        syntax = case.syntax.split(">")[-1 if side == "new" else 0]
        text = HEADS[syntax] + (case.new if side == "new" else case.old)
        (folder / f"c{i}.proto").write_text(re.sub(r"package x\b", f"package c{i}", re.sub(r"\bx\.", f"c{i}.", text)))
    target = folder / "all.binpb"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", "--include_imports", "--include_source_info"]
    names = [f"c{i}.proto" for i in range(len(cases))]
    subprocess.run([*command, f"--descriptor_set_out={target}", *names], check=True, cwd=folder, capture_output=True)
    files = {file.name: file for file in FileDescriptorSet.FromString(target.read_bytes()).file}
    imports = [file for name, file in files.items() if name not in names]
    made: dict[str, Schema] = {}
    for i, name in enumerate(cases):
        # The package becomes x again, in every name.
        data = files[f"c{i}.proto"]
        renamed = type(data)()
        renamed.CopyFrom(data)
        renamed.package = "x"
        for message in renamed.message_type:
            _rename(message, f".c{i}.")
        for extension in renamed.extension:
            _rename_field(extension, f".c{i}.")
        for service in renamed.service:
            for method in service.method:
                method.input_type = method.input_type.replace(f".c{i}.", ".x.", 1)
                method.output_type = method.output_type.replace(f".c{i}.", ".x.", 1)
        made[name] = Schema.from_files(side, FileDescriptorSet(file=[*imports, renamed]))
    return made


def _rename(message: DescriptorProto, prefix: str) -> None:
    for field in (*message.field, *message.extension):
        _rename_field(field, prefix)
    for nested in message.nested_type:
        _rename(nested, prefix)


def _rename_field(field: FieldDescriptorProto, prefix: str) -> None:
    for name in ("type_name", "extendee"):
        value = getattr(field, name)
        if value.startswith(prefix):
            setattr(field, name, f".x.{value.removeprefix(prefix)}")


def lines(differences: Iterable[Difference]) -> set[str]:
    """Return differences as lines of a case."""
    readers = {Direction.NEW_READS_OLD: "new", Direction.OLD_READS_NEW: "old"}
    return {f"{readers[d.direction]} {d.level.value} {d.rule} {d.subject.removeprefix('x.')}" for d in differences}


def expected(text: str) -> set[str]:
    """Return the lines of a case, where ``both`` stands for both readers and ``a|b`` for both levels."""
    found: set[str] = set()
    for line in filter(None, map(str.strip, text.split(";"))):
        reader, levels, rule, subject = line.split()
        for side in ("new", "old") if reader == "both" else (reader,):
            found |= {f"{side} {level} {rule} {subject}" for level in levels.split("|")}
    return found


def compared(schemas: tuple[Schema, Schema]) -> Comparison:
    return compare(*schemas)

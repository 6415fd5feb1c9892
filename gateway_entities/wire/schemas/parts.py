"""Large messages in parts of a few fields.

Parsing JSON costs as much as the message has fields, whichever of them it sets. A comparison field by field would take
quadratic time, so large messages are compared as several small ones with the same fields.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from gateway_entities.wire.schemas.model.described import described_fields, described_file, described_message
from gateway_entities.wire.schemas.model.signature import json_name, map_entry, oneof_of

WHOLE_FIELDS: Final = 64
"""Messages with more fields than this are compared in parts."""
PART_FIELDS: Final = 16
"""The number of fields of a part, unless more of them belong together."""
PREFIX: Final = "part_of_"

_counter = itertools.count()


def true_name(full_name: str) -> str:
    """Return the full name of a type or field without the prefix of a part."""
    head, _, rest = full_name.partition(".")
    return rest if head.startswith(PREFIX) else full_name


def original_text(text: str) -> str:
    """Return the text of an error without the prefixes of parts."""
    if PREFIX not in text:
        return text
    head, *rest = text.split(PREFIX)
    return head + "".join(part.partition(".")[2] for part in rest)


def parts(
    old: Descriptor, new: Descriptor, changed: Callable[[FieldDescriptor | None, FieldDescriptor | None], bool]
) -> Iterator[tuple[Descriptor, Descriptor]]:
    """Yield a pair of messages as it is, or in parts with the changed fields if it is large.

    Args:
        old: the old message.
        new: the new message.
        changed: whether an old and a new field with one number or name differ; either may be missing.
    """
    if max(len(old.fields), len(new.fields)) <= WHOLE_FIELDS:
        yield old, new
        return
    batch: tuple[list[FieldDescriptor], list[FieldDescriptor]] = ([], [])
    groups = [*_groups(old, new, changed), *_exclusive(old, new), *_exclusive(new, old, swapped=True)]
    for ours, theirs in groups:
        batch[0].extend(ours)
        batch[1].extend(theirs)
        if max(map(len, batch)) >= PART_FIELDS:
            yield part(old, batch[0]), part(new, batch[1])
            batch = ([], [])
    if any(batch):
        yield part(old, batch[0]), part(new, batch[1])


def _groups(
    old: Descriptor, new: Descriptor, changed: Callable[[FieldDescriptor | None, FieldDescriptor | None], bool]
) -> Iterator[tuple[list[FieldDescriptor], list[FieldDescriptor]]]:
    """Yield the fields that share a number or name, for each group with a change."""
    nodes: dict[object, list[tuple[int, FieldDescriptor]]] = {}
    for side, message in enumerate((old, new)):
        for field in message.fields:
            for key in {field.number, field.name, json_name(field)}:
                nodes.setdefault(key, []).append((side, field))
    seen: set[tuple[int, int]] = set()
    for side, message in enumerate((old, new)):
        for field in message.fields:
            if (side, field.number) in seen:
                continue
            group: tuple[list[FieldDescriptor], list[FieldDescriptor]] = ([], [])
            waiting = [(side, field)]
            while waiting:
                which, member = waiting.pop()
                if (which, member.number) in seen:
                    continue
                seen.add((which, member.number))
                group[which].append(member)
                for key in (member.number, member.name, json_name(member)):
                    waiting += nodes.pop(key, ())
            ours, theirs = group
            single = len(ours) <= 1 and len(theirs) <= 1
            if not single or changed(ours[0] if ours else None, theirs[0] if theirs else None):
                yield group


def _exclusive(
    writer: Descriptor, reader: Descriptor, *, swapped: bool = False
) -> Iterator[tuple[list[FieldDescriptor], list[FieldDescriptor]]]:
    """Yield fields of a few members of each oneof that has members from elsewhere."""
    for oneof in reader.oneofs:
        if len(groups := exclusive_members(writer, oneof)) > 1:
            chosen = [pair for group in groups[:4] for pair in group[:4]]
            sides = [ours for ours, _ in chosen], [theirs for _, theirs in chosen]
            yield (sides[1], sides[0]) if swapped else sides


def exclusive_members(writer: Descriptor, oneof: OneofDescriptor) -> list[list[tuple[FieldDescriptor, FieldDescriptor]]]:
    """Return the writer's and the reader's fields of a oneof, in groups that the writer has at most one of.

    Within a group the fields come first that are the same for both.
    """
    groups: dict[str, list[tuple[FieldDescriptor, FieldDescriptor]]] = {}
    for theirs in oneof.fields:
        for ours in {writer.fields_by_number.get(theirs.number), writer.fields_by_name.get(theirs.name)} - {None}:
            if ours is not None:
                home = oneof_of(ours)
                groups.setdefault(ours.full_name if home is None else home.full_name, []).append((ours, theirs))
    return [sorted(group, key=lambda pair: strangeness(*pair)) for group in groups.values()]


def strangeness(ours: FieldDescriptor, theirs: FieldDescriptor) -> int:
    """Return how much a field differs for the reader."""
    return 2 * (ours.type != theirs.type) + (ours.name != theirs.name) + (ours.number != theirs.number)


def part(message: Descriptor, fields: Sequence[FieldDescriptor]) -> Descriptor:
    """Return a message with some of the fields of another, in the same pool."""
    chain = [message]
    while chain[0].containing_type is not None:
        chain.insert(0, chain[0].containing_type)
    file, inner = _file_like(message, chain)
    oneofs: dict[str, int] = {}
    described = described_message(message)
    by_number = described_fields(message)
    synthetic: list[FieldDescriptorProto] = []
    for field in {f.number: f for f in fields}.values():
        made = inner.field.add()
        made.CopyFrom(by_number[field.number])
        entry = map_entry(field)
        if entry is not None:
            inner.nested_type.add().CopyFrom(described_message(entry))
            made.type_name = f".{file.package}.{'.'.join(m.name for m in chain)}.{entry.name}"
        if made.proto3_optional:
            synthetic.append(made)
        elif made.HasField("oneof_index"):
            name = described.oneof_decl[made.oneof_index].name
            if name not in oneofs:
                oneofs[name] = len(oneofs)
                inner.oneof_decl.add().CopyFrom(described.oneof_decl[made.oneof_index])
            made.oneof_index = oneofs[name]
    for made in synthetic:
        made.oneof_index = len(inner.oneof_decl)
        inner.oneof_decl.add(name=f"_{made.name}")
    return _added(message, file, ".".join(m.name for m in chain))


def holder(enum: EnumDescriptor) -> Descriptor:
    """Return a message with one field, ``value``, of an enum's type."""
    file = _file_of(enum.file)
    inner = file.message_type.add(name=enum.name)
    kind = FieldDescriptorProto.TYPE_ENUM
    inner.field.add(name="value", number=1, label=1, type=kind, type_name=f".{enum.full_name}")
    return _added(enum, file, enum.name)


def _file_of(original: Any) -> FileDescriptorProto:
    described = described_file(original)
    file = FileDescriptorProto(name=f"{PREFIX}/{next(_counter)}.proto")
    if described.HasField("syntax"):
        file.syntax = described.syntax
    if described.HasField("edition"):
        file.edition = described.edition
    if described.options.HasField("features"):
        file.options.features.CopyFrom(described.options.features)
    imports = [original, *original.dependencies]
    file.dependency.extend(dict.fromkeys(f.name for f in _public(imports)))
    head = f"{PREFIX}{file.name.partition('/')[2].removesuffix('.proto')}"
    file.package = ".".join(filter(None, (head, original.package)))
    return file


def _public(files: Iterable[Any]) -> Iterator[Any]:
    for file in files:
        yield file
        yield from _public(file.public_dependencies)


def _file_like(message: Descriptor, chain: Sequence[Descriptor]) -> tuple[FileDescriptorProto, DescriptorProto]:
    file = _file_of(message.file)
    made: DescriptorProto | None = None
    for level in chain:
        made = file.message_type.add(name=level.name) if made is None else made.nested_type.add(name=level.name)
        if described_message(level).HasField("options"):
            made.options.CopyFrom(described_message(level).options)
    if made is None:
        raise ValueError("a message is always inside itself")
    return file, made


def _added(original: Descriptor | EnumDescriptor, file: FileDescriptorProto, name: str) -> Descriptor:
    pool: Any = cast("Any", original.file).pool
    pool.AddSerializedFile(file.SerializeToString())
    return cast("Descriptor", pool.FindMessageTypeByName(f"{file.package}.{name}"))

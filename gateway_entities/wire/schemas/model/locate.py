"""Where a difference is declared on both sides, and whether its package is unstable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor

from gateway_entities.wire.schemas.model.schema import Schema
from gateway_entities.wire.schemas.model.signature import enum_index, field_numbered, file_of
from gateway_entities.wire.schemas.pairing.matching import KINDS
from gateway_entities.wire.schemas.report import Difference, Direction, Place

_UNSTABLE: Final = re.compile(r"(^|\.)v\d+(p\d+)?((alpha|beta)\d*|test\w*)(\.|$)")


def located(difference: Difference, old: Schema, new: Schema, owners: tuple[Any, Any] | None) -> Difference:
    """Return a difference with its places.

    Args:
        difference: a difference without places.
        old: the old schema.
        new: the new schema.
        owners: the old and the new type that hold the subject; None if they are services.
    """
    if owners is None:
        owners = _declared(old, difference.message_type), _declared(new, difference.message_type)
    places = [_place(difference, schema, owner) for schema, owner in zip((old, new), owners, strict=True)]
    writer, reader = owners if difference.direction is Direction.NEW_READS_OLD else reversed(owners)
    owner = writer or reader
    unstable = owner is not None and _UNSTABLE.search(owner.file.package) is not None
    return replace(difference, old_place=places[0], new_place=places[1], unstable=unstable)


def _declared(schema: Schema, name: str) -> Any:
    return next((found[name] for kind in KINDS if name in (found := getattr(schema, kind))), None)


def _place(difference: Difference, schema: Schema, owner: Any) -> Place | None:
    extension = schema.extensions.get(difference.subject)
    if extension is not None:
        return schema.places.find(file_of(extension).name, [extension.full_name])
    if owner is None:
        return None
    return schema.places.find(owner.file.name, _candidates(difference, owner))


def _candidates(difference: Difference, owner: Any) -> Iterator[str]:
    """Yield the names that the subject may have in a type: its own, that of its number, and the type's."""
    yield f"{owner.full_name}.{difference.subject.removeprefix(f'{difference.message_type}.')}"
    if isinstance(owner, Descriptor):
        field = field_numbered(owner, difference.number)
        if field is not None:
            yield field.full_name
    elif isinstance(owner, EnumDescriptor):
        for name in enum_index(owner).names.get(difference.number, ())[:1]:
            yield f"{owner.full_name}.{name}"
    yield owner.full_name

"""The rules of a schema comparison: every id that ``Difference.rule`` may have, with its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway_entities.wire.schemas.report import DifferenceKind, Element

_KINDS: Final[Mapping[DifferenceKind, str]] = {
    DifferenceKind.REJECTED: "makes readers reject the whole message.",
    DifferenceKind.LOST: "is not seen by readers, or not in full.",
    DifferenceKind.MISREAD: "is read as another value.",
    DifferenceKind.DEFAULT: "has another default when it is absent.",
    DifferenceKind.PRESENCE: "reads as absent when it is explicitly zero.",
    DifferenceKind.REFUSED: "breaks a limit of the reader.",
    DifferenceKind.UNAVAILABLE: "cannot be called.",
    DifferenceKind.STREAMING: "streams for one side only.",
    DifferenceKind.NEW: "is new, and old readers ignore it.",
    DifferenceKind.RETIRED: "was removed and is reserved.",
    DifferenceKind.RENAMED: "has another name, which bytes do not carry.",
    DifferenceKind.UNRESERVED: "is no longer reserved, so that another may take its place.",
    DifferenceKind.IDEMPOTENCY: "has another idempotency level.",
}
_VALUE: Final = (DifferenceKind.REJECTED, DifferenceKind.LOST, DifferenceKind.MISREAD)
_SURROUNDING: Final = (DifferenceKind.NEW, DifferenceKind.RETIRED, DifferenceKind.RENAMED)
_FIELD: Final = (*_VALUE, DifferenceKind.DEFAULT, DifferenceKind.PRESENCE, DifferenceKind.REFUSED, *_SURROUNDING)
_OF: Final[Mapping[Element, tuple[DifferenceKind, ...]]] = {
    Element.FIELD: _FIELD,
    Element.EXTENSION: _FIELD,
    Element.ONEOF: (DifferenceKind.REJECTED, DifferenceKind.LOST),
    Element.MESSAGE: (*_VALUE, DifferenceKind.RENAMED, DifferenceKind.UNRESERVED),
    Element.ENUM: (*_VALUE, DifferenceKind.NEW, DifferenceKind.RENAMED, DifferenceKind.UNRESERVED),
    Element.ENUM_VALUE: (*_VALUE, *_SURROUNDING),
    Element.SERVICE: (DifferenceKind.UNAVAILABLE, DifferenceKind.NEW, DifferenceKind.RENAMED),
    Element.RPC: (
        *(*_VALUE, DifferenceKind.DEFAULT, DifferenceKind.PRESENCE, DifferenceKind.REFUSED),
        *(DifferenceKind.UNAVAILABLE, DifferenceKind.STREAMING),
        *(DifferenceKind.NEW, DifferenceKind.RENAMED, DifferenceKind.IDEMPOTENCY),
    ),
}

COMPARISON_RULES: Final[Mapping[str, str]] = {
    f"{element.value}-{kind.value}": f"The {element.value.replace('-', ' ')} {_KINDS[kind]}"
    for element, kinds in _OF.items()
    for kind in kinds
}
"""The meaning of each rule, as one sentence, by id."""

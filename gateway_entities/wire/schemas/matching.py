"""Which message of one schema is which of the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor

from gateway_entities.wire.schemas.schema import Schema

Rename = tuple[str, str]
"""A regular expression for the whole full name of an old message, and its new full name, which may name groups: ``\\1``."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """The messages of two schemas, matched.

    Attributes:
        pairs: old and new message.
        only_old: full names of old messages that no new one continues.
        only_new: full names of new messages that continue no old one.
    """

    pairs: Sequence[tuple[Descriptor, Descriptor]]
    only_old: Sequence[str]
    only_new: Sequence[str]


def pair(old: Schema, new: Schema, renames: Sequence[Rename] = ()) -> Pairing:
    """Match messages: by a rename, then by full name, then across packages by a name that is unique without its package."""
    matched: dict[str, str] = {}
    for name in old.messages:
        renamed = next(_renamed(name, renames, new.messages), name)
        if renamed in new.messages:
            matched[name] = renamed
    by_place = _unique(new.messages, set(matched.values()))
    for place, name in _unique(old.messages, matched).items():
        found = by_place.get(place)
        if found is not None and _package(old.messages[name]) != _package(new.messages[found]):
            matched[name] = found
    taken = set(matched.values())
    return Pairing(
        [(old.messages[a], new.messages[b]) for a, b in sorted(matched.items())],
        sorted(name for name in old.messages if name not in matched),
        sorted(name for name in new.messages if name not in taken),
    )


def _renamed(name: str, renames: Sequence[Rename], known: Collection[str]) -> Iterator[str]:
    for pattern, target in renames:
        match = re.fullmatch(pattern, name)
        if match is not None and (renamed := match.expand(target)) in known:
            yield renamed


def _package(message: Descriptor) -> str:
    return str(message.file.package)


def _place(message: Descriptor) -> str:
    return message.full_name.removeprefix(f"{_package(message)}.")


def _unique(messages: Mapping[str, Descriptor], taken: Collection[str]) -> dict[str, str]:
    """Map the name without its package, where only one message has it, to the full name, of messages that are not taken."""
    places = Counter(map(_place, messages.values()))
    return {_place(m): name for name, m in messages.items() if name not in taken and places[_place(m)] == 1}

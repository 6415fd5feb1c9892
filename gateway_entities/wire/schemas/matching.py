"""Matching of the messages of two schemas."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor

from gateway_entities.wire.schemas.schema import Schema

Rename = tuple[str, str]
"""A regular expression for the whole full name of an old message, and its new full name, which may use groups: ``\\1``."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Matched messages of two schemas.

    Attributes:
        pairs: old and new message.
        only_old: full names of old messages without a match.
        only_new: full names of new messages without a match.
    """

    pairs: Sequence[tuple[Descriptor, Descriptor]]
    only_old: Sequence[str]
    only_new: Sequence[str]


def match_messages(old: Schema, new: Schema, renames: Sequence[Rename] = ()) -> Matching:
    """Match messages by rename, then by full name, then across packages by a name unique without its package."""
    matched: dict[str, str] = {}
    for name in old.messages:
        renamed = next(_renamed(name, renames, new.messages), name)
        if renamed in new.messages:
            matched[name] = renamed
    by_local_name = _unique(new.messages, set(matched.values()))
    for local_name, name in _unique(old.messages, matched).items():
        found = by_local_name.get(local_name)
        if found is not None and _package(old.messages[name]) != _package(new.messages[found]):
            matched[name] = found
    matched_new = set(matched.values())
    return Matching(
        [(old.messages[a], new.messages[b]) for a, b in sorted(matched.items())],
        sorted(name for name in old.messages if name not in matched),
        sorted(name for name in new.messages if name not in matched_new),
    )


def _renamed(name: str, renames: Sequence[Rename], names: Collection[str]) -> Iterator[str]:
    for pattern, target in renames:
        match = re.fullmatch(pattern, name)
        if match is not None and (renamed := match.expand(target)) in names:
            yield renamed


def _package(message: Descriptor) -> str:
    return str(message.file.package)


def _local_name(message: Descriptor) -> str:
    return message.full_name.removeprefix(f"{_package(message)}.")


def _unique(messages: Mapping[str, Descriptor], matched: Collection[str]) -> dict[str, str]:
    """Map unique names without their package to the full names of unmatched messages."""
    counts = Counter(map(_local_name, messages.values()))
    return {_local_name(m): name for name, m in messages.items() if name not in matched and counts[_local_name(m)] == 1}

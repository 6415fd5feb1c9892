"""Matching of the messages, enums and services of two schemas."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway_entities.wire.schemas.schema import Schema

Rename = tuple[str, str]
"""A regular expression for the whole full name of an old message, enum or service, and its new full name, which may use
groups: ``\\1``."""

KINDS: Final = ("messages", "enums", "services")
"""What is matched, as attributes of a schema."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Matched elements of two schemas.

    Attributes:
        names: the new full name of each matched old one, of every kind.
        only_old: full names of old messages without a match.
        only_new: full names of new messages without a match.
        renames: what was renamed.
    """

    names: Mapping[str, str]
    only_old: Sequence[str]
    only_new: Sequence[str]
    renames: Sequence[Rename] = ()

    def belong(self, old: str, new: str) -> bool:
        """Return whether two full names are those of one type: the same name, or one renamed into the other."""
        if old in self.names or self.renames:
            return self.renamed(old, (new,)) == new
        return old == new

    def renamed(self, name: str, new_names: Collection[str]) -> str:
        """Return the new full name of an old element."""
        return _renamed(name, self.renames, new_names)

    def pairs(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[tuple[Any, Any]]:
        """Yield the matched elements of two schemas, by old name."""
        return ((old[name], new[self.names[name]]) for name in sorted(old) if self.names.get(name) in new)


def match(old: Schema, new: Schema, renames: Sequence[Rename] = ()) -> Matching:
    """Match by rename, then by full name."""
    names: dict[str, str] = {}
    for kind in KINDS:
        ours, theirs = getattr(old, kind), getattr(new, kind)
        for name in ours:
            found = _renamed(name, renames, theirs)
            if found in theirs:
                names[name] = found
    matched = set(names.values())
    only_old, only_new = (n for n in old.messages if n not in names), (n for n in new.messages if n not in matched)
    return Matching(names, sorted(only_old), sorted(only_new), renames)


def _renamed(name: str, renames: Sequence[Rename], new_names: Collection[str]) -> str:
    for pattern, target in renames:
        found = re.fullmatch(pattern, name)
        if found is not None and (renamed := found.expand(target)) in new_names:
            return renamed
    return name

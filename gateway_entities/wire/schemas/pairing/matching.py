"""Matching of the messages, enums and services of two schemas."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway_entities.wire.schemas.model.schema import Schema

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
        unused: what renames pair nothing and why, as sentences.
    """

    names: Mapping[str, str]
    only_old: Sequence[str]
    only_new: Sequence[str]
    renames: Sequence[Rename] = ()
    unused: Sequence[str] = ()

    def belong(self, old: str, new: str) -> bool:
        """Return whether two full names are those of one type: the same name, or one renamed into the other."""
        if old in self.names or self.renames:
            return self.renamed(old, (new,)) == new
        return old == new

    def renamed(self, name: str, new_names: Collection[str]) -> str:
        """Return the new full name of an old element."""
        return _renamed(name, self.renames, new_names)[0]

    def pairs(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[tuple[Any, Any]]:
        """Yield the matched elements of two schemas, by old name."""
        return ((old[name], new[self.names[name]]) for name in sorted(old) if self.names.get(name) in new)


def match(old: Schema, new: Schema, renames: Sequence[Rename] = ()) -> Matching:
    """Match by rename, then by full name."""
    names: dict[str, str] = {}
    used: set[Rename] = set()
    for kind in KINDS:
        ours, theirs = getattr(old, kind), getattr(new, kind)
        for name in ours:
            found, rename = _renamed(name, renames, theirs)
            if found in theirs:
                names[name] = found
            if rename is not None:
                used.add(rename)
    matched = set(names.values())
    only_old, only_new = (n for n in old.messages if n not in names), (n for n in new.messages if n not in matched)
    unused = [_unused(rename, old, new) for rename in renames if rename not in used]
    return Matching(names, sorted(only_old), sorted(only_new), renames, unused)


def _unused(rename: Rename, old: Schema, new: Schema) -> str:
    """Return why a rename pairs nothing, as a sentence."""
    pattern, target = rename
    matched = [
        (kind, found.expand(target)) for kind in KINDS for n in getattr(old, kind) if (found := re.fullmatch(pattern, n))
    ]
    text = f"The rename of {pattern!r} to {target!r} pairs nothing"
    if not matched:
        return f"{text}: no old message, enum or service has a full name that it matches as a whole."
    missed = [(kind, name) for kind, name in matched if name not in getattr(new, kind)]
    if len(missed) < len(matched):
        return f"{text}: renames before it apply to what it matches."
    kind, name = missed[0]
    return f"{text}: none of the new {kind} is named {name}."


def _renamed(name: str, renames: Sequence[Rename], new_names: Collection[str]) -> tuple[str, Rename | None]:
    """Return the new full name of an old element, and the rename that gives it."""
    for pattern, target in renames:
        found = re.fullmatch(pattern, name)
        if found is not None and (renamed := found.expand(target)) in new_names:
            return renamed, (pattern, target)
    return name, None

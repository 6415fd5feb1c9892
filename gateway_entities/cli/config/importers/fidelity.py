"""What became of each field of an imported source. It names fields only, never their values, which may be secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

MAPPED: Final = "mapped"
APPROXIMATED: Final = "approximated"
DROPPED: Final = "dropped"
UNACCOUNTED: Final = "unaccounted"


class Outcome(NamedTuple):
    """What became of a field.

    Attributes:
        path: the field in the source, such as ``model_list[0].litellm_params.rpm``.
        outcome: mapped, approximated, dropped or unaccounted.
        note: to what, how, or why.
    """

    path: str
    outcome: str
    note: str


class Fidelity:
    """Records what became of the fields of a source. A record of a field also counts for what is below it."""

    def __init__(self, source: Mapping[str, Any]) -> None:
        self._leaves = {path: parents for path, parents in leaves(source) if path}
        self._records: dict[str, Outcome] = {}

    def mapped(self, path: str, to: str) -> None:
        """Record that a field means the same in the result."""
        self._record(path, MAPPED, to)

    def approximated(self, path: str, how: str) -> None:
        """Record that a field means nearly the same in the result."""
        self._record(path, APPROXIMATED, how)

    def dropped(self, path: str, why: str) -> None:
        """Record that a field is not in the result."""
        self._record(path, DROPPED, why)

    def recorded(self, path: str) -> bool:
        """Return whether the field itself has a record."""
        return path in self._records

    def _record(self, path: str, outcome: str, note: str) -> None:
        # The first word about a field is the precise one.
        self._records.setdefault(path, Outcome(path, outcome, note))

    def outcomes(self) -> list[Outcome]:
        """Return what became of every field that has a value, in the order of the source."""
        return [self._outcome(leaf, parents) for leaf, parents in self._leaves.items()]

    def _outcome(self, leaf: str, parents: tuple[str, ...]) -> Outcome:
        for path in (leaf, *reversed(parents)):
            if path in self._records:
                return self._records[path]._replace(path=leaf)
        return Outcome(leaf, UNACCOUNTED, "")


def leaves(value: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the path of every value of a tree, with the paths of what it is in. An empty list or mapping is a value."""

    def visit(found: object, path: str, parents: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
        below = (*parents, path) if path else parents
        if isinstance(found, Mapping) and found:
            for key, item in cast("Mapping[str, Any]", found).items():
                yield from visit(item, f"{path}.{key}" if path else str(key), below)
        elif isinstance(found, list) and found:
            for position, item in enumerate(cast("list[object]", found)):
                yield from visit(item, f"{path}[{position}]", below)
        else:
            yield path, parents

    yield from visit(value, "", ())


def summary(outcomes: list[Outcome]) -> str:
    """Return the sentence with the number of fields of each outcome."""
    counts = Counter(each.outcome for each in outcomes)
    parts = ", ".join(f"{counts[each]} {each}" for each in (MAPPED, APPROXIMATED, DROPPED, UNACCOUNTED))
    return f"{len(outcomes)} fields: {parts}"

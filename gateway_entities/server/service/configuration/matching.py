"""Matching of budget policies and guardrails, which have no unique names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from gateway_entities.server.service import form
from gateway_entities.server.service.configuration.state import GUARDRAIL, POLICY

_Key = Callable[[Any], Any]


class Matching(NamedTuple):
    """How descriptions of a noun are matched.

    Attributes:
        group: returns what two must have in common to match at all.
        phases: the keys that must be equal, in the order in which they are matched. The first is that of equal ones.
    """

    group: _Key
    phases: Sequence[_Key]


class Candidate(NamedTuple):
    """A stored resource that a described one may match.

    Attributes:
        id: its id.
        form: its description.
        rank: among equally good ones, those of the lowest rank come first.
        only_equal: whether it matches only what is equal.
    """

    id: str
    form: Any
    rank: int
    only_equal: bool


def _any(_form: Any) -> None:
    return None


_DURATION: Final = ("duration.unit", "duration.value")
MATCHING: Final[Mapping[str, Matching]] = {
    POLICY: Matching(
        attrgetter("target_scope", "target_value", "budget_unit"),
        (
            attrgetter(*_DURATION, "budget_action", "budget_amount"),
            attrgetter(*_DURATION, "budget_action"),
            attrgetter(*_DURATION),
            attrgetter("budget_amount"),
            _any,
        ),
    ),
    GUARDRAIL: Matching(
        attrgetter("name", "scorer_id", "stage"),
        (
            form.guardrail_key,
            form.guardrail_content,
            attrgetter("scorer_version", "action"),
            attrgetter("scorer_version"),
            attrgetter("action"),
            _any,
        ),
    ),
}
"""How each noun without unique names is matched."""


def match(matching: Matching, wanted: Sequence[Any], candidates: Sequence[Candidate]) -> list[str | None]:
    """Return for each description the id of the stored resource that it matches; None for none.

    Args:
        matching: how they are matched.
        wanted: the descriptions.
        candidates: the stored resources, each of which is matched once at most.
    """
    found: list[str | None] = [None] * len(wanted)
    free = sorted(candidates, key=lambda candidate: (candidate.rank, candidate.id))
    used: set[str] = set()
    for phase, key in enumerate(matching.phases):
        by_key: dict[Any, list[Candidate]] = {}
        for candidate in free:
            if candidate.id not in used and (phase == 0 or not candidate.only_equal):
                by_key.setdefault((matching.group(candidate.form), key(candidate.form)), []).append(candidate)
        for position, described in enumerate(wanted):
            if found[position] is not None:
                continue
            equals = by_key.get((matching.group(described), key(described)))
            if equals:
                found[position] = equals.pop(0).id
                used.add(str(found[position]))
    return found

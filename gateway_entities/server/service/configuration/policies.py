"""Matching of budget policies, which have no names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from gatewayentities.v1 import configuration_pb2 as pb

_Form = pb.GatewayBudgetPolicyConfiguration


class Candidate(NamedTuple):
    """A stored policy that a described one may match.

    Attributes:
        id: its id.
        form: its description.
        rank: among equally good ones, those of the lowest rank come first.
        only_equal: whether it matches only what is equal.
    """

    id: str
    form: _Form
    rank: int
    only_equal: bool


def _duration(form: _Form) -> tuple[int, int]:
    return form.duration.unit, form.duration.value


_PHASES: Final[Sequence[Callable[[_Form], Any]]] = (
    lambda form: (_duration(form), form.budget_action, form.budget_amount),
    lambda form: (_duration(form), form.budget_action),
    _duration,
    lambda form: form.budget_amount,
    lambda _form: None,
)
"""The keys that must be equal, in the order in which policies are matched."""


def group(form: _Form) -> tuple[Any, ...]:
    """Return what two policies must have in common to match at all."""
    return form.target_scope, form.target_value, form.budget_unit


def match(wanted: Sequence[_Form], candidates: Sequence[Candidate]) -> list[str | None]:
    """Return for each description the id of the stored policy that it matches; None for none.

    Args:
        wanted: the descriptions.
        candidates: the stored policies, each of which is matched once at most.
    """
    found: list[str | None] = [None] * len(wanted)
    free = sorted(candidates, key=lambda candidate: (candidate.rank, candidate.id))
    used: set[str] = set()
    for phase, key in enumerate(_PHASES):
        by_key: dict[Any, list[Candidate]] = {}
        for candidate in free:
            if candidate.id not in used and (phase == 0 or not candidate.only_equal):
                by_key.setdefault((group(candidate.form), key(candidate.form)), []).append(candidate)
        for position, form in enumerate(wanted):
            equals = by_key.get((group(form), key(form)))
            if found[position] is None and equals:
                found[position] = equals.pop(0).id
                used.add(str(found[position]))
    return found

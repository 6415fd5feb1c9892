"""Variants of a test: the same body over another transport, store, or kind of client.

A run of the default profile has one of them for each test, drawn by the seed, so that the runs of successive commits differ.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeGuard

import pytest

from tests import profiles
from tests.postgresql import find_programs

_WORDS: Final = frozenset({"grpc", "http", "mlflow", "sync", "async", "sqlite", "postgresql"})
"""A variant is called by one of them, or by some with hyphens between, such as ``grpc-async``."""


class Case(NamedTuple):
    """A case of a test function.

    Attributes:
        name: the test's id of the function and the parameters.
        parameters: its parameters.
    """

    name: str
    parameters: Mapping[str, object]


def case_of(item: pytest.Item) -> Case:
    """Return the case that an item runs."""
    callspec: Any = getattr(item, "callspec", None)
    return Case(item.nodeid, {} if callspec is None else callspec.params)


def uses_programs(item: pytest.Item) -> bool:
    """Return whether a test needs a program that a fresh machine lacks."""
    if item.get_closest_marker("programs") or "postgresql" in getattr(item, "fixturenames", ()):
        return True
    return any("postgresql" in value.split("-") for value in case_of(item).parameters.values() if _is_variant(value))


def drawn(cases: Iterable[Case], seed: int) -> set[int]:
    """Return the positions of the cases to run: one of those that are the same but for their variants.

    Args:
        cases: the cases.
        seed: draws the variants.
    """
    groups: dict[str, list[tuple[int, set[str]]]] = {}
    for position, case in enumerate(cases):
        name, words = case.name, set[str]()
        for value in filter(_is_variant, case.parameters.values()):
            function, bracket, parameters = name.partition("[")
            name = function + bracket + parameters.replace(value, "*", 1)
            words.update(value.split("-"))
        groups.setdefault(name, []).append((position, words))
    has_postgresql = profiles.PROFILE.programs and find_programs() is not None
    chosen = set[int]()
    for name, members in groups.items():
        # Without the program they would only be skipped.
        able = [position for position, words in members if has_postgresql or "postgresql" not in words]
        chosen.add(random.Random(f"{seed} {name}").choice(able or [position for position, _ in members]))
    return chosen


def _is_variant(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _WORDS.issuperset(value.split("-"))

"""The list of deviations is exact: an unlisted one fails, and so does a listed one that does not show."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.interop import matrix
from tests.interop.deviations import DEVIATIONS
from tests.interop.language import OPERATIONS, SCHEMES, Language, Tool, all_languages
from tests.interop.matrix import Cases, check
from tests.interop.testee import Testee

LANGUAGES = all_languages()


@pytest.fixture(scope="module")
def cases() -> Cases:
    return Cases(0, 1)


@pytest.fixture
def python() -> Iterator[Testee]:
    with Testee("python", LANGUAGES["python"].command()) as testee:
        yield testee


def test_an_unlisted_deviation_fails(monkeypatch: pytest.MonkeyPatch, cases: Cases, python: Testee) -> None:
    assert check(python, "digest", cases).faults == []
    others = tuple(each for each in DEVIATIONS if each.name != "map keys: the longer first")
    monkeypatch.setattr(matrix, "DEVIATIONS", others)
    assert {each.operation for each in check(python, "digest", cases).faults} == {"digest"}


def test_a_listed_deviation_that_does_not_show_fails(monkeypatch: pytest.MonkeyPatch, cases: Cases, python: Testee) -> None:
    stale = next(each for each in DEVIATIONS if each.name == "unknown fields: dropped")
    monkeypatch.setattr(matrix, "DEVIATIONS", (*DEVIATIONS, replace(stale, languages=frozenset({"python"}))))
    (fault,) = check(python, "decode", cases).faults
    assert (fault.case, fault.language) == ("unknown fields: dropped", "python")
    assert "take it off the list" in str(fault)


def test_a_fault_in_a_deviating_message_fails(monkeypatch: pytest.MonkeyPatch, cases: Cases, python: Testee) -> None:
    wrong = [
        replace(each, writing={"keys": lambda key: key[::-1]}) if each.name == "map keys: the longer first" else each
        for each in DEVIATIONS
    ]
    monkeypatch.setattr(matrix, "DEVIATIONS", tuple(wrong))
    assert check(python, "digest", cases).faults != []


def test_every_deviation_is_of_a_language_and_says_why() -> None:
    assert len({each.name for each in DEVIATIONS}) == len(DEVIATIONS)
    served = OPERATIONS - {"call"} | {f"call {scheme}" for scheme in SCHEMES}
    for each in DEVIATIONS:
        assert each.languages
        assert each.languages <= LANGUAGES.keys(), each.name
        assert each.operations
        assert each.operations <= served, each.name
        assert each.reason.endswith("."), each.name


def test_a_tool_that_is_missing_or_old_is_named() -> None:
    assert Tool(sys.executable, "").missing() is None
    assert Tool(sys.executable, "", (3, 11)).missing() is None
    assert Tool("no-such-program", "install it").missing() == "no-such-program is not installed: install it"
    old = Tool(sys.executable, "install it", (99,)).missing()
    assert old is not None
    assert old.endswith("is older than 99: install it")
    lame = Language("lame", (Tool("no-such-program", "install it"), Tool(sys.executable, "")), lambda cache: [])
    assert lame.missing() == ["no-such-program is not installed: install it"]

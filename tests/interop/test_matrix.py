"""Every language against the contract: each operation over every vector and the generated messages, the live lifecycle,
and the live streams.

Each module in tests/interop/languages registers a language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests import profiles
from tests.interop.__main__ import MESSAGES
from tests.interop.columns import Gateways, cell, rows, server
from tests.interop.language import BuildError, Language, all_languages
from tests.interop.matrix import Cases
from tests.interop.testee import Testee

LANGUAGES = all_languages()
ROWS = [(language, row) for language in LANGUAGES.values() for row in rows(language)]


@pytest.fixture(scope="module")
def cases() -> Cases:
    return Cases(profiles.count(MESSAGES, 300), profiles.SEED)


@pytest.fixture(scope="module")
def running() -> Iterator[Gateways]:
    with server(LANGUAGES.values()) as started:
        yield started


@pytest.fixture(scope="module")
def testee() -> Iterator[Callable[[Language], Testee]]:
    """Return a function that returns the running testee of a language, built on first use."""
    started: dict[str, Testee] = {}
    broken: dict[str, str] = {}

    def start(language: Language) -> Testee:
        if missing := language.missing():
            pytest.skip("; ".join(missing))
        if language.name in broken:
            pytest.fail(broken[language.name])
        if language.name not in started or not started[language.name].running:
            try:
                started[language.name] = Testee(language.name, language.command(), language.environment)
            except BuildError as error:
                broken[language.name] = str(error)
                pytest.fail(str(error))
        return started[language.name]

    yield start
    try:
        for each in started.values():
            if each.running:
                each.close()
    finally:
        for each in started.values():
            each.kill()


@pytest.mark.parametrize(("language", "row"), ROWS, ids=[f"{language.name}-{row}" for language, row in ROWS])
def test_a_language_conforms_to_the_contract(
    language: Language, row: str, cases: Cases, running: Gateways, testee: Callable[[Language], Testee]
) -> None:
    found = cell(testee(language), row, cases, running)
    assert not found.faults, "\n\n".join([f"{len(found.faults)} faults", *map(str, found.faults[:5])])
    assert found.count > 0


def test_every_kind_of_input_is_among_the_cases(cases: Cases) -> None:
    kinds = {case.name.partition("/")[0] for case, _ in cases.of("from_json")}
    assert kinds == {"HEAD", "bad", "json", "sample", "generated"}
    rejected = {case.name.partition("/")[0] for case, wanted in cases.of("decode") if wanted.kind == "parse_error"}
    assert rejected == {"bad"}

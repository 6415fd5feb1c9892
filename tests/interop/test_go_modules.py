"""Both Go modules of this repository, the stubs and their test programs, pass Go's own tools."""

from __future__ import annotations

import subprocess

import pytest

from tests.interop.language import ROOT, run
from tests.interop.languages.go import LANGUAGE, SOURCES

pytestmark = pytest.mark.parametrize("module", [ROOT / "gen" / "go", SOURCES], ids=["stubs", "programs"])


@pytest.fixture(autouse=True)
def _go() -> None:
    if missing := LANGUAGE.missing():
        pytest.skip("; ".join(missing))


def test_vet(module):
    run(["go", "vet", "./..."], module)


def test_format(module):
    assert subprocess.run(["gofmt", "-l", "."], cwd=module, capture_output=True, text=True, check=True).stdout == ""


def test_requirements_are_complete_and_all_used(module):
    run(["go", "mod", "tidy", "-diff"], module)

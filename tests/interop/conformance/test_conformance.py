"""The official Connect conformance suite, on the server and on both clients. README.md has the claims."""

from __future__ import annotations

import pytest

from tests.interop.conformance import runner


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> runner.Kit:
    missing = runner.GO.missing()
    if missing:
        pytest.skip(missing)
    return runner.prepare(tmp_path_factory.mktemp("stubs"))


# The number of cases of this suite version and configuration: fewer would be a weaker claim.
@pytest.mark.parametrize(
    ("mode", "program", "cases"),
    [
        pytest.param("server", ["server"], 292, id="server"),
        pytest.param("client", ["client", "sync"], 196, id="client-sync"),
        pytest.param("client", ["client", "async"], 196, id="client-async"),
    ],
)
def test_everything_claimed_passes(kit: runner.Kit, mode: str, program: list[str], cases: int) -> None:
    name, *arguments = program
    passed, printed = runner.run(kit, mode, f"tests.interop.conformance.{name}", *arguments)
    assert passed, f"\n{printed}"
    assert f"{cases} passed, 0 failed" in printed, f"\n{printed}"

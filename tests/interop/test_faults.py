"""The suite finds faults of a testee: a relay plants each of them in a correct testee's responses."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests import profiles
from tests.interop import __main__ as command
from tests.interop.columns import Gateways, cell, column, rows, server
from tests.interop.faults import Fault
from tests.interop.faulty import FAULTS
from tests.interop.language import BuildError, Language, Tool, all_languages
from tests.interop.matrix import Cases
from tests.interop.proto import testee_pb2 as pb
from tests.interop.testee import Testee, TesteeError

LANGUAGES = all_languages()
# Its streams, which wait for a revocation, have tests of their own.
PYTHON = replace(LANGUAGES["python"], operations=LANGUAGES["python"].operations - {"stream"})
STREAMS = replace(LANGUAGES["python"], operations=frozenset({"stream"}), targets=("http",))
# The first available one: faults must be found in every runtime, also in one with deviations.
OTHERS = ("go", "ts", "java", "rust", "cpp")

CALLS = {"call grpc", "call http"}
EXPECTED = {
    "dropped_field": {"decode", "from_json", *CALLS},
    "changed_enum": {"decode", "from_json", *CALLS},
    "swapped_byte": {"decode", "from_json", *CALLS},
    "number_for_int64": {"to_json"},
    "name_in_camel_case": {"to_json"},
    "wrong_digest": {"digest"},
    "swallowed_error": {"decode", "to_json", "digest", "from_json", *CALLS},
    "invented_error": {"decode", "to_json", "digest", "from_json", *CALLS},
    "changed_status": CALLS,
    "lost_details": CALLS,
    "not_supported": {"decode", "to_json", "digest", "from_json", *CALLS},
}
"""The operations that report each fault, but for streams."""

IN_STREAMS = {"wrong_digest", "swallowed_error", "changed_status", "lost_removal", "not_supported"}
"""The faults that are planted in streams."""

BROKEN = {
    "ends": "ended without a response to .*status is 3.*out of order",
    "talks": "sent no TesteeResponse",
    "says_nothing": "sent an empty TesteeResponse",
    "falls_silent": "did not respond for 1 seconds before",
}
"""The message of each protocol error."""


@pytest.fixture(scope="module")
def cases() -> Cases:
    return Cases(profiles.whole(300, 144), command.SEED)


@pytest.fixture(scope="module")
def running() -> Iterator[Gateways]:
    with server(()) as started:
        yield started


def faulty(language: Language, fault: str) -> Language:
    def build(cache: Path) -> list[str]:
        return [sys.executable, "-m", "tests.interop.faulty", fault, *language.build(cache)]

    return replace(language, build=build)


def faults(language: Language, cases: Cases, running: Gateways) -> list[Fault]:
    found = column(language, cases, running)
    assert not found.passed
    return [fault for each in found.cells for fault in each.faults]


def test_every_fault_is_planted() -> None:
    assert EXPECTED.keys() | IN_STREAMS | BROKEN.keys() == FAULTS.keys()


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_is_found_in_every_affected_operation(fault: str, cases: Cases, running: Gateways) -> None:
    found = faults(faulty(PYTHON, fault), cases, running)
    assert {each.operation for each in found} == EXPECTED[fault]
    assert {each.language for each in found} == {"python"}


@pytest.mark.parametrize("fault", sorted(IN_STREAMS))
def test_a_fault_is_found_in_streams(fault: str, cases: Cases, running: Gateways) -> None:
    assert {each.operation for each in faults(faulty(STREAMS, fault), cases, running)} == {"stream http"}


@pytest.mark.parametrize("fault", ["dropped_field", "changed_enum", "swapped_byte", "swallowed_error"])
def test_a_fault_is_found_in_another_language(fault: str, cases: Cases, running: Gateways) -> None:
    there = [LANGUAGES[name] for name in OTHERS if name in LANGUAGES and not LANGUAGES[name].missing()]
    if not there:
        pytest.skip("no language other than Python is available: " + "; ".join(LANGUAGES[OTHERS[0]].missing()))
    language = replace(there[0], operations=there[0].operations - {"call", "stream"})
    found = faults(faulty(language, fault), cases, running)
    assert {each.operation for each in found} == EXPECTED[fault] - CALLS
    assert {each.language for each in found} == {language.name}


@pytest.mark.parametrize(
    ("fault", "message_types"),
    [
        ("changed_enum", {"FallbackConfig", "GatewayEndpoint"}),
        ("invented_error", {"FallbackConfig"}),
    ],
)
def test_a_fault_names_the_message_and_shows_it(
    fault: str, message_types: set[str], cases: Cases, running: Gateways
) -> None:
    with Testee("python", faulty(PYTHON, fault).command()) as testee:
        found = cell(testee, "decode", cases, running).faults
    assert message_types <= {each.message_type for each in found}
    assert not {each.message_type for each in found} & {"GatewaySecretInfo", "GatewayBudgetWindow"}
    for each in found:
        assert each.expected != each.came
        assert all(text in str(each) for text in ("python decode", each.message_type, each.input, each.expected, each.came))


def test_the_command_fails_and_shows_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lame = Language("lame", (Tool("no-such-program", "install it"),), PYTHON.build)

    def broken(cache: Path) -> list[str]:
        raise BuildError("line 7: no such thing")

    shown = {
        "python": faulty(PYTHON, "wrong_digest"),
        "lame": lame,
        "broken": replace(PYTHON, name="broken", build=broken),
    }
    monkeypatch.setattr(command, "all_languages", lambda: shown)
    result = tmp_path / "result.json"
    assert command.main(["--messages", "72", "--seed", "7", "--json", str(result)]) == 1
    text = capsys.readouterr().out
    assert "python digest:" in text
    assert "missing: no-such-program is not installed: install it" in text
    assert "line 7: no such thing" in text
    assert "FAILED; 2 of 3 languages checked; 72 messages of seed 7" in text
    columns = {each["language"]: each for each in json.loads(result.read_text())["columns"]}
    assert {name: len(each["cells"]) for name, each in columns.items()} == {"python": 6, "lame": 0, "broken": 0}
    assert command.main(["lame", "--messages", "72"]) == 0


@pytest.mark.parametrize("fault", BROKEN)
def test_a_protocol_error_is_described(fault: str) -> None:
    testee = Testee("python", faulty(PYTHON, fault).command(), silence=1 if fault == "falls_silent" else 60)
    with pytest.raises(TesteeError, match=f"(?s)the testee of python .*{BROKEN[fault]}"):
        testee.one(pb.TesteeRequest(message_type="gatewayentities.v1.FallbackConfig", digest=b""))
    assert not testee.running


def test_the_next_operation_runs_after_a_protocol_error(cases: Cases, running: Gateways) -> None:
    language = replace(faulty(PYTHON, "ends"), operations=frozenset({"decode", "digest"}))
    assert [len(each.faults) for each in column(language, cases, running).cells] == [1, 1]


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("import sys; sys.stdin.read(); print('bye')", "wrote more than its responses"),
        ("import sys; sys.stdin.read(); sys.exit('not today')", "failed.*not today"),
        ("import time; time.sleep(3600)", "still runs|did not respond"),
    ],
)
def test_a_testee_must_exit_cleanly(program: str, text: str) -> None:
    testee = Testee("python", [sys.executable, "-c", program], silence=1)
    with pytest.raises(TesteeError, match=f"(?s){text}"):
        testee.close()
    assert not testee.running


def test_a_testee_reports_unsupported_requests() -> None:
    with Testee("python", PYTHON.command()) as testee:
        requests = [
            pb.TesteeRequest(message_type="gatewayentities.v1.NoSuchMessage", decode=b""),
            pb.TesteeRequest(message_type="gatewayentities.v1.FallbackConfig"),
            pb.TesteeRequest(call=pb.Call(target="grpc://127.0.0.1:1", path="/gatewayentities.v1.NoSuchService/Call")),
        ]
        assert [each.WhichOneof("result") for each in testee.send(requests)] == ["unsupported"] * 3


def test_the_rows_of_a_language_are_what_it_serves() -> None:
    messages = ["decode", "to_json", "from_json", "digest"]
    assert rows(LANGUAGES["python"]) == [*messages, "call grpc", "call http", "stream grpc", "stream http"]
    assert rows(LANGUAGES["python-pure"]) == ["decode", "to_json", "from_json", "digest"]

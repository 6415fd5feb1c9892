"""What decides the exit code of ``gateway-entities wire compare``, and its formats for other programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from gateway_entities.cli.app import cli
from tests.wire.schemas.model import model

Run = Callable[..., Result]
SARIF_SCHEMA = Path(__file__).resolve().parents[2] / "wire" / "reviews" / "sarif-schema-2.1.0.json"


def write(path: Path, text: str, package: str = "x") -> Path:
    file = model(text).file()
    if package != "x":
        data = file.SerializeToString().replace(b".x.", f".{package}.".encode())
        file = type(file).FromString(data)
        file.package = package
    path.write_bytes(FileDescriptorSet(file=[file]).SerializeToString())
    return path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Compare two schemas of one message: ``run("M: int32 a 1", "M: string a 1", *options)``."""

    def run(old: str, new: str, *options: str | Path, code: int = 0, package: str = "x") -> Result:
        files = [write(tmp_path / name, text, package) for name, text in (("old", old), ("new", new))]
        result = CliRunner().invoke(cli, ["wire", "compare", *map(str, (*files, *options))])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == code, result.output
        return result

    return run


OLD, OTHER, RENAMED, WIDE = "M: int32 a 1", "M: string a 1", "M: int32 b 1", "M: int64 a 1"


def test_only_the_chosen_levels_fail(run: Run) -> None:
    run(OLD, RENAMED, code=1)
    run(OLD, RENAMED, "--level", "binary")
    run(OLD, RENAMED, "--level", "binary", "--level", "json", code=1)
    result = run(OLD, RENAMED, "--level", "binary")
    assert "break [json, new reader of old data] x.M.a" in result.stdout
    assert "compatibility (binary): FULL" in result.stdout
    # Nothing was compared, so nothing is compatible.
    assert "give --old-limits" in run(OLD, RENAMED, "--level", "rules", code=2).stderr


def test_the_compatibility_does_not_depend_on_what_is_accepted(run: Run) -> None:
    for options in (["--direction", "backward"], ["--direction", "forward"], ["--fail-on", "never"]):
        code = 1 if options[-1] == "forward" else 0
        assert "compatibility: BACKWARD" in run(OLD, WIDE, *options, code=code).stdout


def test_only_the_chosen_direction_fails(run: Run) -> None:
    assert "compatibility: BACKWARD" in run(OLD, WIDE, code=1).stdout
    run(OLD, WIDE, "--direction", "backward")
    run(OLD, WIDE, "--direction", "forward", code=1)
    run(WIDE, OLD, "--direction", "backward", code=1)
    run(WIDE, OLD, "--direction", "forward")


def test_notes_fail_on_demand_and_nothing_on_demand(run: Run) -> None:
    run(OLD, f"{OLD}; string b 2")
    run(OLD, f"{OLD}; string b 2", "--fail-on", "note", code=1)
    assert "compatibility: NONE" in run(OLD, OTHER, "--fail-on", "never").stdout


@pytest.mark.parametrize("package", ["x.v1alpha1", "x.v1beta1"])
def test_breaks_of_unstable_packages_need_not_fail(run: Run, package: str) -> None:
    assert "(unstable package)" in run(OLD, OTHER, package=package, code=1).stdout
    run(OLD, OTHER, "--unstable", "report", package=package)
    run(OLD, OTHER, "--unstable", "report", package="x.v1", code=1)


def ignores(path: Path, expires: str = "2999-01-31", **changes: str) -> Path:
    entry = {"subject": '"x.M.a"', "reason": '"nobody | reads it"', "expires": expires, **changes}
    path.write_text(
        "[[ignore]]\n" + "\n".join(f"{key} = {value}" for key, value in entry.items() if value), encoding="utf-8"
    )
    return path


def test_an_accepted_break_does_not_fail_until_its_end(run: Run, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    file = ignores(tmp_path / "accepted.toml", str(today + timedelta(days=1)))
    result = run(OLD, OTHER, "--ignore", file)
    assert f"ignored    until {today + timedelta(days=1)}: nobody | reads it" in result.stdout
    ignores(file, str(today - timedelta(days=2)))
    assert "entry 1 (x.M.a) has ended on" in run(OLD, OTHER, "--ignore", file, code=1).stdout


def test_an_entry_may_be_narrow_and_one_that_matches_nothing_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "accepted.toml"
    run(OLD, OTHER, "--ignore", ignores(file, direction='"backward"'), code=1)
    run(OLD, WIDE, "--ignore", ignores(file, direction='"forward"', subject='"x.*"'))
    run(OLD, OTHER, "--ignore", ignores(file, level='"json"'), code=1)
    run(OLD, OTHER, "--ignore", ignores(file, rule='"enum-*"'), code=1)
    assert (
        "entry 1 (x.Other) matches nothing; remove it"
        in run(OLD, OLD, "--ignore", ignores(file, subject='"x.Other"')).stdout
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"reason": ""}, "entry 1 lacks its reason"),
        ({"reason": '" "'}, "entry 1 lacks its reason"),
        ({"subject": ""}, "entry 1 lacks its subject"),
        ({"expires": ""}, "entry 1 lacks the day on which it ends; write expires = 2027-03-31"),
        ({"expires": '"2027-03-31"'}, "write expires = 2027-03-31, without quotes"),
        ({"level": '"wire"'}, "entry 1 has a level that does not exist; valid: binary, json"),
        ({"until": "1"}, "entry 1 has until, which is no key"),
        ({"reason": "no text"}, "Invalid value"),
    ],
)
def test_a_bad_ignore_file_is_a_clear_error(run: Run, tmp_path: Path, changes: dict[str, str], text: str) -> None:
    file = ignores(tmp_path / "accepted.toml", **changes)
    assert text in run(OLD, OTHER, "--ignore", file, code=2).stderr


def sarif(result: Result) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(result.stdout)
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed: pip install jsonschema")
    jsonschema.Draft4Validator(json.loads(SARIF_SCHEMA.read_text(encoding="utf-8"))).validate(document)
    return document


@pytest.mark.parametrize("new", [OLD, OTHER, RENAMED, f"{OLD}; string b 2"])
def test_sarif_has_the_form_of_the_published_schema(run: Run, tmp_path: Path, new: str) -> None:
    file = ignores(tmp_path / "accepted.toml", level='"json"')
    document = sarif(run(OLD, new, "--format", "sarif", "--fail-on", "never", "--ignore", file))
    results = document["runs"][0]["results"]
    assert bool(results) == (new != OLD)
    for each in results:
        assert document["runs"][0]["tool"]["driver"]["rules"][each["ruleIndex"]]["id"] == each["ruleId"]
    suppressed = [each for each in results if "suppressions" in each]
    assert all(each["suppressions"][0]["justification"] == "nobody | reads it" for each in suppressed)
    assert bool(suppressed) == (new in (OTHER, RENAMED))
    prints = [each["partialFingerprints"]["difference/v1"] for each in results]
    assert len(set(prints)) == len(prints)


def test_sarif_levels_follow_the_exit_code(run: Run) -> None:
    failed = sarif(run(OLD, RENAMED, "--format", "sarif", code=1))
    assert {each["level"] for each in failed["runs"][0]["results"]} == {"error", "note"}
    passed = sarif(run(OLD, RENAMED, "--format", "sarif", "--level", "binary"))
    assert {each["level"] for each in passed["runs"][0]["results"]} == {"warning", "note"}


def test_the_sarif_of_checked_messages_has_the_form_of_the_published_schema(tmp_path: Path) -> None:
    path = tmp_path / "GatewayEndpointTag.bad.binpb"
    path.write_bytes(b"\x0a\x09short")
    result = CliRunner().invoke(cli, ["wire", "check", str(path), str(tmp_path / "gone.binpb"), "--format", "sarif"])
    assert len(sarif(result)["runs"][0]["results"]) > 0


def test_junit_counts_what_it_has(run: Run, tmp_path: Path) -> None:
    file = ignores(tmp_path / "accepted.toml", level='"json"')
    root = ET.fromstring(run(OLD, OTHER, "--format", "junit", "--ignore", file, code=1).stdout)
    (suite,) = root
    cases = suite.findall("testcase")
    assert int(suite.get("tests", 0)) == len(cases)
    assert int(suite.get("failures", 0)) == len(suite.findall("testcase/failure")) == 2
    assert int(suite.get("skipped", 0)) == len(suite.findall("testcase/skipped")) == 2
    assert "ignored until 2999-01-31: nobody | reads it" in (suite.findall("testcase/skipped")[0].get("message") or "")
    passed = ET.fromstring(run(OLD, OLD, "--format", "junit").stdout)[0]
    assert int(passed.get("tests", 0)) > 0
    assert passed.get("failures") == "0"


def test_annotations_are_one_line_for_each_subject(run: Run, tmp_path: Path) -> None:
    lines = run(OLD, f"{OTHER}; string b 2", "--format", "github", code=1).stdout.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::notice"]
    assert "%0AAffects new readers of old data (binary, json); old readers of new data (binary, json)" in lines[0]
    file = ignores(tmp_path / "accepted.toml", reason='"50% done, see: x"')
    assert "50%25 done, see: x" in run(OLD, OTHER, "--format", "github", "--ignore", file).stdout


def test_markdown_keeps_texts_of_others_in_their_cells(run: Run, tmp_path: Path) -> None:
    file = ignores(tmp_path / "accepted.toml", reason='"<b> | \\n# x"')
    lines = run(OLD, OTHER, "--format", "markdown", "--ignore", file).stdout.splitlines()
    (row,) = (line for line in lines if line.startswith("| ") and "2999-01-31" in line)
    assert row.endswith(r"| 2999-01-31 | \<b\> \| \# x |")


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "junit", "markdown"])
def test_what_was_not_compared_is_said_in_every_format(run: Run, tmp_path: Path, form: str) -> None:
    file = ignores(tmp_path / "accepted.toml", subject='"x.Nothing"')
    assert "matches nothing; remove it" in run(OLD, OLD, "--ignore", file, "--format", form).stdout

"""The benchmark suite itself: it lists its rows, measures one, and reports regressions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gateway_entities.entities import _native, base
from tests.benchmarks import entities, mlflow_install, native, saved, table
from tests.benchmarks.rounds import Effort, Figure, Result, measure
from tests.benchmarks.stage import stage
from tests.benchmarks.targets import TARGETS, target_text

ROOT = Path(__file__).resolve().parent.parent.parent


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def check_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved run of the cheapest row, which has no further requirements."""
    file = tmp_path_factory.mktemp("run") / "run.json"
    done = run("check", "--quick", "--json", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].startswith("check ")
    return file


def test_every_row_is_listed_once_and_every_target_is_a_row_s() -> None:
    done = run("--list")
    assert (done.returncode, done.stderr) == (0, "")
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert len(set(names)) == len(names)
    assert TARGETS.keys() <= set(names)


def test_a_missing_requirement_is_named_with_its_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_install, "find_spec", lambda name: None)
    (row,) = (row for row in entities.ROWS if row.name == "decode")
    with stage(Effort(least=1, most=1, row_seconds=0, sample_seconds=0.001)) as opened:
        shown = measure(row, opened, opened.effort)
    assert shown.figures.keys() == {"ours", "limit"}
    assert shown.to_peer is None
    assert shown.notes == ("no peer: MLflow is not installed: pip install -e '.[bench]'",)


def test_an_unknown_row_is_an_error() -> None:
    done = run("check", "chekc")
    assert done.returncode == 2
    assert "chekc" in done.stderr


def test_an_unknown_attack_is_an_error() -> None:
    done = run("attack", "none", "traliers")
    assert done.returncode == 2
    assert "no such attack: traliers" in done.stderr


def test_the_page_of_limits_has_a_place_for_the_table_of_attacks() -> None:
    from tests.benchmarks import attack

    before, after = table.around_table(attack.PAGE, attack.MARKERS)
    assert before.endswith(f"\n\n{attack.MARKERS[0]}")
    assert after.startswith(f"{attack.MARKERS[1]}\n")


def test_an_attack_is_bounded_to_its_rate() -> None:
    from tests.benchmarks.attackers import Pace

    pace, began = Pace(500), time.monotonic()
    for _ in range(50):
        pace.wait(1)
    # Less the burst at the start.
    assert time.monotonic() - began >= 0.08


def test_a_row_shows_its_figures(check_run: Path) -> None:
    document = json.loads(check_run.read_text())
    (row,) = document["rows"]
    assert document["quick"] is True
    assert row["rounds"] >= 3
    assert row["figures"]["ours"]["median"] > row["figures"]["limit"]["median"] > 0
    assert row["to_limit"]["low"] <= row["to_limit"]["median"] <= row["to_limit"]["high"]


def test_a_planted_regression_is_named(check_run: Path, tmp_path: Path) -> None:
    document = json.loads(check_run.read_text())
    planted = tmp_path / "planted.json"
    # As if it had been ten times as fast, relative to the limit.
    document["rows"][0]["to_limit"] = {name: value / 10 for name, value in document["rows"][0]["to_limit"].items()}
    planted.write_text(json.dumps(document))
    done = run("check", "--quick", "--against", planted)
    assert done.returncode == 1
    assert "worse: check: ours to limit" in done.stdout


def result(**fields: Any) -> Result:
    return Result(
        **{"row": "decode", "unit": "us", "figures": {}, "to_peer": None, "to_limit": None, "rounds": 9}
        | {"seconds": 1.0, "notes": ()}
        | fields
    )


@pytest.mark.parametrize(
    ("before", "now", "worse"),
    [
        ((10, 9, 11), (10.4, 9, 12), False),
        ((10, 9, 11), (12.5, 10.5, 14), False),
        ((10, 9, 11), (12.5, 11.5, 14), True),
        ((10, 10, 10), (10.5, 10.5, 10.5), False),
        ((10, 9, 11), (5, 4, 6), False),
    ],
    ids=["within", "spreads overlap", "beyond", "less than a tenth", "better"],
)
def test_worse_is_beyond_the_spread_and_more_than_a_tenth(before: Any, now: Any, worse: bool) -> None:
    old, new = result(to_limit=Figure(*before)), result(to_limit=Figure(*now))
    assert bool(saved.regressions([old], [new])) is worse


def test_a_ratio_to_the_peer_is_worse_when_it_falls() -> None:
    fast, slow = result(to_peer=Figure(30, 29, 31)), result(to_peer=Figure(20, 19, 21))
    assert [each.what for each in saved.regressions([fast], [slow])] == ["peer to ours"]
    assert not saved.regressions([slow], [fast])


def test_each_target_is_met_or_missed() -> None:
    met = result(to_peer=Figure(13, 12, 14), to_limit=Figure(4, 3, 5))
    assert target_text(met) == "≥ 12x peer: met; ≤ 3x limit: missed"
    assert target_text(result()) == "≥ 12x peer: not measured; ≤ 3x limit: not measured"


def test_a_row_of_the_python_converters_is_measured_without_the_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_install, "find_spec", lambda name: None)
    (row,) = (row for row in native.ROWS if row.name == "decode-python")
    with stage(Effort(least=1, most=1, row_seconds=0, sample_seconds=0.001)) as opened:
        shown = measure(row, opened, opened.effort)
    assert shown.figures.keys() == {"ours", "limit"}
    assert base.decode is _native.decode


def test_protobuf_py_is_named_with_its_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "find_spec", lambda name: None)
    (row,) = (row for row in native.ROWS if row.name == "encode-protobuf-py")
    with stage(Effort(least=1, most=1, row_seconds=0, sample_seconds=0.001)) as opened:
        assert measure(row, opened, opened.effort).notes == (
            "no peer: protobuf-py is not installed: pip install -e '.[bench]'",
        )


def test_the_page_of_the_documentation_has_a_place_for_the_table() -> None:
    from tests.benchmarks.__main__ import PAGE

    before, after = table.around_table(PAGE)
    assert before.endswith(f"\n## Results\n\n{table.MARKERS[0]}")
    assert after.startswith(f"{table.MARKERS[1]}\n")


def test_the_table_stands_between_the_markers(tmp_path: Path) -> None:
    from tests.benchmarks.__main__ import ROWS

    file = tmp_path / "benchmarks.md"
    begin, end = table.MARKERS
    file.write_text(f"before\n{begin}\nformer\n{end}\nafter\n")
    figures = {"ours": Figure(2e-5, 2e-5, 2e-5)}
    table.write_page(file, [result(figures=figures), result(row="check", figures=figures)], ROWS)
    text = file.read_text()
    assert text.startswith(f"before\n{begin}\n| figure | ours |")
    assert "| bytes -> GatewayEndpoint | 20 us |" in text
    assert "former" not in text
    assert "wire.check" not in text
    assert text.endswith(f"{end}\nafter\n")
    assert "\n- Medians over rounds" in text
    file.write_text("no markers\n")
    with pytest.raises(ValueError, match="needs the lines"):
        table.write_page(file, [], ROWS)

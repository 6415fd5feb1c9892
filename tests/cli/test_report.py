"""``gateway-entities spend list``: reports by day, endpoint and user, as tables, for programs, and as pictures."""

from __future__ import annotations

import csv
import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import Result

from gateway_entities import GatewaySpendTotal
from gateway_entities.cli.spending import plot

Run = Callable[..., Result]
RunJson = Callable[..., Any]
DAY_MS = 86_400_000
TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)
FORMULA = '=cmd|"$x_{$ <&>'


@pytest.fixture
def spent(run: Run, endpoint: dict[str, Any]) -> dict[str, Any]:
    """Spend on the endpoint; return it."""
    for amount, *options in (
        ("0.1", "--user", "ann"),
        ("0.000000001", "--user", "ann"),
        ("0.25", "--user", "ann", "--occurred-at", f"{YESTERDAY}T12:00:00Z"),
        ("0.5",),
        ("2", "--user", FORMULA),
    ):
        run("spend", "record", endpoint["name"], "--amount", amount, *options)
    return endpoint


@pytest.fixture
def report(run: Run, spent: dict[str, Any]) -> Callable[..., Result]:
    """Run the command for the endpoint alone."""
    return lambda *arguments, **given: run("spend", "list", "--endpoint", spent["name"], *arguments, **given)


def rows(result: Result) -> list[list[str]]:
    return [line.split() for line in result.stdout.splitlines()]


def test_a_table_by_day_endpoint_and_user(report: Run, spent: dict[str, Any]) -> None:
    name = spent["name"]
    heading, *found = rows(report())
    assert heading == ["DAY", "ENDPOINT", "USER", "AMOUNT", "UNIT", "CHARGES"]
    assert found == [
        [str(YESTERDAY), name, "ann", "0.25", "USD", "1"],
        [str(TODAY), name, "-", "0.5", "USD", "1"],
        [str(TODAY), name, *FORMULA.split(), "2", "USD", "1"],
        [str(TODAY), name, "ann", "0.100000001", "USD", "2"],
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--by", "user", "--user", "ann"), [["USER", "AMOUNT", "UNIT", "CHARGES"], ["ann", "0.350000001", "USD", "3"]]),
        (("--by", "user", "--user", ""), [["USER", "AMOUNT", "UNIT", "CHARGES"], ["-", "0.5", "USD", "1"]]),
        (
            ("--by", "user", "--by", "day", "--by", "day", "--until", f"{TODAY}"),
            [["DAY", "USER", "AMOUNT", "UNIT", "CHARGES"], [f"{YESTERDAY}", "ann", "0.25", "USD", "1"]],
        ),
        (
            ("--by", "day", "--since", f"{TODAY}"),
            [["DAY", "AMOUNT", "UNIT", "CHARGES"], [f"{TODAY}", "2.600000001", "USD", "4"]],
        ),
        (("--since", "2100-01-01"), [["(none)"]]),
    ],
)
def test_groups_and_filters(report: Run, arguments: tuple[str, ...], expected: list[list[str]]) -> None:
    assert rows(report(*arguments)) == expected


def test_csv_has_amounts_in_units_and_the_names_of_endpoints(report: Run, spent: dict[str, Any]) -> None:
    heading, *found = csv.reader(report("-o", "csv").stdout.splitlines())
    assert heading == ["day", "endpoint_id", "endpoint", "user", "amount", "unit", "charges"]
    assert [each[1:3] for each in found] == [[spent["endpoint_id"], spent["name"]]] * 4
    assert [each[3:] for each in found] == [
        ["ann", "0.25", "USD", "1"],
        ["", "0.5", "USD", "1"],
        [FORMULA, "2", "USD", "1"],
        ["ann", "0.100000001", "USD", "2"],
    ]


def test_a_deleted_endpoint_is_known_by_its_id(run: Run, spent: dict[str, Any]) -> None:
    key = spent["endpoint_id"]
    run("endpoint", "delete", key)
    assert run("spend", "list", "--endpoint", spent["name"], code=1).stderr.startswith("error: NOT_FOUND: ")
    listed = ("spend", "list", "--endpoint", key, "--by", "endpoint")
    assert rows(run(*listed))[1:] == [[key, "2.850000001", "USD", "5"]]
    assert run(*listed, "-o", "csv").stdout.splitlines()[1:] == [f"{key},{key},2.850000001,USD,5"]


def test_json_and_yaml_have_nano_units(report: Run, spent: dict[str, Any]) -> None:
    (own,) = json.loads(report("--by", "endpoint", "--json").stdout)
    assert own == {"endpoint_id": spent["endpoint_id"], "budget_unit": "USD", "amount_nanos": 2_850_000_001, "charges": 5}
    assert "amount_nanos: 2850000001" in report("--by", "endpoint", "-o", "yaml").stdout


def test_wide_has_the_ids_too_and_name_the_keys(report: Run, spent: dict[str, Any]) -> None:
    heading, *found = rows(report("--by", "endpoint", "--by", "day", "-o", "wide"))
    assert heading == ["DAY", "ENDPOINT", "AMOUNT", "UNIT", "CHARGES", "ENDPOINT_ID"]
    assert {each[-1] for each in found} == {spent["endpoint_id"]}
    assert rows(report("--by", "endpoint", "--by", "day", "-o", "name")) == [each[:2] for each in found]


def test_a_name_that_a_terminal_would_interpret_is_escaped(run: Run, endpoint: dict[str, Any]) -> None:
    run("spend", "record", endpoint["name"], "--amount", "1", "--user", "a\x1b[2J\nb" + "c" * 100)
    for form in ("table", "wide", "csv", "name"):
        text = run("spend", "list", "--endpoint", endpoint["name"], "-o", form).stdout
        assert r"a\x1b[2J\nb" + "c" * 100 in text
        assert len(text.splitlines()) == (1 if form == "name" else 2)


def svg_texts(path: Path) -> list[str]:
    return [each.text or "" for each in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")]


def test_an_svg_by_day_has_a_series_for_each_key(report: Run, spent: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "report.svg"
    done = report("--plot", str(path))
    assert done.stdout == report().stdout
    assert done.stderr == f"wrote {path}\n"
    texts = svg_texts(path)
    assert "Spending by day, endpoint and user, USD" in texts
    assert {str(YESTERDAY), str(TODAY)} <= set(texts)
    name = spent["name"]
    # The largest at the bottom of the stack, so at the end of the legend.
    labels = [text for text in texts if text.startswith(name)]
    assert labels == [f"{name}, {user}" for user in ("ann", "(no user)", FORMULA)]


def test_a_png_by_key(report: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.png"
    report("--by", "user", "-o", "csv", "--plot", str(path))
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == (1500, 750)


def test_a_report_without_rows_has_a_picture_that_says_so(report: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.svg"
    report("--since", "2100-01-01", "--plot", str(path))
    assert "nothing is recorded" in svg_texts(path)


def test_the_same_report_is_the_same_file(tmp_path: Path) -> None:
    totals = [GatewaySpendTotal("USD", 10**9 * each, 1, each * DAY_MS, "e-1", f"u{each}") for each in range(3)]  # type: ignore[arg-type]
    for name in ("a.svg", "b.svg"):
        plot.draw(totals, ("day", "endpoint", "user"), {}, str(tmp_path / name))
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize(("grouping", "shown"), [(("day", "user"), 7), (("user",), 20)])
def test_many_keys_are_shown_as_the_largest_and_the_others(grouping: tuple[str, ...], shown: int, tmp_path: Path) -> None:
    long = "n" * 255
    totals = [
        GatewaySpendTotal("USD", 10**9 * number, 1, 0 if "day" in grouping else None, None, f"{long}{number}")  # type: ignore[arg-type]
        for number in range(1, 31)
    ]
    plot.draw(totals, grouping, {}, str(tmp_path / "many.svg"))
    texts = svg_texts(tmp_path / "many.svg")
    assert f"others ({30 - shown})" in texts
    assert len([text for text in texts if text.strip() == "n" * 39 + "…"]) == shown
    if grouping == ("user",):
        assert [text for text in texts if text in {"29", "11", "55"}] == ["29", "11", "55"]


def test_each_unit_has_its_own_axes(tmp_path: Path) -> None:
    totals = [GatewaySpendTotal(unit, 10**9, 1, 0) for unit in (1, 77)]
    plot.draw(totals, ("day",), {}, str(tmp_path / "units.svg"))
    assert {"Spending by day, USD", "Spending by day, 77"} <= set(svg_texts(tmp_path / "units.svg"))


@pytest.mark.parametrize("path", ["report.pdf", "svg", ""])
def test_a_picture_is_svg_or_png(run: Run, path: str) -> None:
    assert "must end with .svg or .png" in run("spend", "list", "--plot", path, code=2).stderr


def test_a_picture_that_cannot_be_written_is_an_error(report: Run, tmp_path: Path) -> None:
    refused = report("--plot", str(tmp_path / "none" / "report.svg"), code=1).stderr
    assert refused.startswith("error: FAILED_PRECONDITION: ")
    assert "No such file" in refused

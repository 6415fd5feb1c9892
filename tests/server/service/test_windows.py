"""Budget windows: parity with MLflow, and properties."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities.entities import BudgetDurationUnit
from gateway_entities.server.service.spending.windows import window_at

VECTORS = Path(__file__).parent / "data" / "budget_windows.jsonl"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
LENGTHS = {"MINUTES": MINUTE, "HOURS": 60 * MINUTE, "DAYS": DAY, "WEEKS": 7 * DAY}
LONGEST = {"MINUTES": 52_596_000, "HOURS": 876_600, "DAYS": 36_525, "WEEKS": 5217, "MONTHS": 1200}


def milliseconds(now: str) -> int:
    return (datetime.fromisoformat(now) - EPOCH) // timedelta(milliseconds=1)


def window(unit: str, value: int, moment: int) -> tuple[int, int]:
    return window_at(BudgetDurationUnit[unit], value, moment)


def test_windows_equal_mlflows() -> None:
    """MLflow 3.17.2 computed the vectors.

    In the second before 1970 MLflow rounds minutes up to 0: its window does not contain the moment, ours does.
    """
    vectors = [json.loads(line) for line in VECTORS.read_text().splitlines()]
    contained = [vector for vector in vectors if vector["start_ms"] <= milliseconds(vector["now"]) < vector["end_ms"]]
    assert len(vectors) == 100
    assert [(v["unit"], v["now"]) for v in vectors if v not in contained] == [("MINUTES", "1969-12-31T23:59:59+00:00")] * 2
    for vector in contained:
        found = window(vector["unit"], vector["value"], milliseconds(vector["now"]))
        assert found == (vector["start_ms"], vector["end_ms"]), vector


@pytest.mark.parametrize(
    ("unit", "value", "start", "end"),
    [
        ("MINUTES", 7, "2026-11-21T20:08", "2026-11-21T20:15"),
        ("HOURS", 5, "2026-11-21T18:00", "2026-11-21T23:00"),
        ("DAYS", 3, "2026-11-21T00:00", "2026-11-24T00:00"),
        ("DAYS", 7, "2026-11-19T00:00", "2026-11-26T00:00"),
        ("WEEKS", 1, "2026-11-15T00:00", "2026-11-22T00:00"),
        ("WEEKS", 2, "2026-11-15T00:00", "2026-11-29T00:00"),
        ("MONTHS", 5, "2026-09-01T00:00", "2027-02-01T00:00"),
        ("MONTHS", 18, "2025-07-01T00:00", "2027-01-01T00:00"),
    ],
)
def test_examples(unit: str, value: int, start: str, end: str) -> None:
    now = milliseconds("2026-11-21T20:11:57Z")
    assert window(unit, value, now) == (milliseconds(start + "Z"), milliseconds(end + "Z"))


durations = st.sampled_from(sorted(LONGEST)).flatmap(lambda unit: st.tuples(st.just(unit), st.integers(1, LONGEST[unit])))
moments = st.integers(-(10**12), 10**13) | st.integers(-(2**62), 2**62)


@given(durations, moments)
def test_windows_tile_time(duration: tuple[str, int], moment: int) -> None:
    unit, value = duration
    start, end = window(unit, value, moment)
    assert start <= moment < end
    assert window(unit, value, start) == window(unit, value, end - 1) == (start, end)
    assert window(unit, value, end)[0] == end
    assert window(unit, value, start - 1)[1] == start


@given(durations.filter(lambda duration: duration[0] != "MONTHS"), moments)
def test_windows_of_a_fixed_length_are_aligned(duration: tuple[str, int], moment: int) -> None:
    unit, value = duration
    start, end = window(unit, value, moment)
    anchor = milliseconds("1969-12-28T00:00Z") if unit == "WEEKS" else 0
    assert end - start == value * LENGTHS[unit]
    assert (start - anchor) % (end - start) == 0


@given(st.integers(1, 1200), st.datetimes(datetime(120, 1, 1), datetime(9800, 1, 1), timezones=st.just(UTC)))
def test_windows_of_months_are_aligned(value: int, now: datetime) -> None:
    start, end = (EPOCH + timedelta(milliseconds=bound) for bound in window("MONTHS", value, milliseconds(now.isoformat())))
    first, last = ((bound.year - 1970) * 12 + bound.month - 1 for bound in (start, end))
    assert start == datetime(start.year, start.month, 1, tzinfo=UTC)
    assert end == datetime(end.year, end.month, 1, tzinfo=UTC)
    assert (first % value, last - first) == (0, value)


@pytest.mark.parametrize("unit", [0, 6, -1])
def test_unknown_units_raise(unit: int) -> None:
    with pytest.raises(ValueError, match=f"unit {unit}$"):
        window_at(unit, 1, 0)

"""Budget windows: the time window of a duration that contains a given moment.

Windows of one length tile all of time, before 1970 too, independent of a policy's creation. They start at
multiples of their length from a fixed anchor in UTC: 1970-01-01 for minutes, hours, days and months, and Sunday 1969-12-28
for weeks. So 7 DAYS start on Thursdays and 1 WEEKS on Sundays.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from gateway_entities.entities import BudgetDurationUnit

_MINUTE: Final = 60_000
_DAY: Final = 24 * 60 * _MINUTE
_LENGTHS: Final[Mapping[int, int]] = {
    BudgetDurationUnit.MINUTES: _MINUTE,
    BudgetDurationUnit.HOURS: 60 * _MINUTE,
    BudgetDurationUnit.DAYS: _DAY,
    BudgetDurationUnit.WEEKS: 7 * _DAY,
}
_SUNDAY: Final = -4 * _DAY
_EPOCH: Final = date(1970, 1, 1).toordinal()
# The calendar repeats after 400 years. Counting in eras of 400 years supports years outside 1 to 9999, the range of date.
_ERA_YEARS: Final = 400
_ERA_DAYS: Final = 146_097


class Window(NamedTuple):
    """A time window.

    Attributes:
        start: inclusive, in milliseconds since the Unix epoch, UTC.
        end: exclusive, in milliseconds since the Unix epoch, UTC.
    """

    start: int
    end: int


def window_at(unit: int, value: int, moment: int) -> Window:
    """Return the window that contains a moment.

    Args:
        unit: the number of a BudgetDurationUnit.
        value: the window's length in units, 1 or more.
        moment: milliseconds since the Unix epoch, UTC; negative before 1970.

    Raises:
        ValueError: the unit is not one of MINUTES, HOURS, DAYS, WEEKS and MONTHS.
    """
    if unit == BudgetDurationUnit.MONTHS:
        first = _month_of(moment // _DAY) // value * value
        return Window(_first_day_of(first) * _DAY, _first_day_of(first + value) * _DAY)
    if unit not in _LENGTHS:
        raise ValueError(f"a budget window cannot be measured in the unit {unit}")
    length = _LENGTHS[unit] * value
    anchor = _SUNDAY if unit == BudgetDurationUnit.WEEKS else 0
    start = (moment - anchor) // length * length + anchor
    return Window(start, start + length)


def _month_of(day: int) -> int:
    """Return the month of a day, both counted from 0 for January 1st 1970."""
    era, day_of_era = divmod(day + _EPOCH - 1, _ERA_DAYS)
    found = date.fromordinal(day_of_era + 1)
    return (era * _ERA_YEARS + found.year - 1970) * 12 + found.month - 1


def _first_day_of(month: int) -> int:
    """Return the first day of a month, both counted from 0 for January 1970."""
    years, month_of_year = divmod(month, 12)
    era, year_of_era = divmod(years + 1970 - 1, _ERA_YEARS)
    return era * _ERA_DAYS + date(year_of_era + 1, month_of_year + 1, 1).toordinal() - _EPOCH

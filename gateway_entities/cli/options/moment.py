"""Times on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    _WholeNumber = click.ParamType[int]
else:
    # ParamType is not generic in older versions of click.
    _WholeNumber = click.ParamType

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Time(_WholeNumber):
    """A time, as milliseconds since the Unix epoch."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse ISO 8601; UTC if without a zone."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time, such as 2026-11-21T20:00:00Z.", param, ctx)
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)


TIME: Final = _Time()
"""The type of an option with a time."""

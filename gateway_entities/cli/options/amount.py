"""Amounts of money on the command line."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import click

from gateway_entities.entities.amount import from_nanos, to_nanos
from gateway_entities.errors import GatewayError

if TYPE_CHECKING:
    _DecimalNumber = click.ParamType[Decimal]
else:
    # ParamType is not generic in older versions of click.
    _DecimalNumber = click.ParamType


class _Amount(_DecimalNumber):
    """An amount in a budget's unit, exact: it is never a float."""

    name = "amount"

    def convert(self, value: str | Decimal, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the amount; click also passes what was converted before."""
        try:
            nanos = to_nanos(value)
        except GatewayError as error:
            (violation,) = error.field_violations
            reason = f"it {violation.description}."
            self.fail(f"{str(value)!r} is not an amount with at most nine decimals, such as 0.25: {reason}", param, ctx)
        return from_nanos(nanos)


AMOUNT: Final = _Amount()
"""The type of an option with an amount in units, with at most nine decimals."""

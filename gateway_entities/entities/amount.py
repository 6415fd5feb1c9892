"""Amounts in nano-units: 10^-9 of a budget's unit, as whole numbers."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from typing import Final, TypeAlias

from gateway_entities.errors import FieldViolation, GatewayError

Amount: TypeAlias = Decimal | int | str
"""An amount in a budget's unit, such as ``Decimal("0.0025")`` or ``"0.0025"``."""

_DECIMALS: Final = 9
MAX_NANOS: Final = 2**63 - 1
"""Maximum of an amount on the wire."""
_MAX_TEXT: Final = 64
_EXPECTED: Final = 'must be a Decimal, a whole number or a text such as "0.0025", in the unit of the budget'


def to_nanos(amount: Amount, field: str = "amount") -> int:
    """Return an amount in nano-units, exactly.

    Args:
        amount: the amount in a budget's unit, at most 2^63 - 1 nano-units, negative ones included.
        field: its name in errors.

    Raises:
        GatewayError: INVALID_ARGUMENT; it is a float, which may be another number than the one that was written, it is not a
            finite number, or it has more than nine decimals.
    """
    _check_kind(amount, field)
    if isinstance(amount, int):
        nanos = amount * 10**_DECIMALS if abs(amount) <= MAX_NANOS else MAX_NANOS + 1
    else:
        nanos = _nanos(amount, field)
    if abs(nanos) > MAX_NANOS:
        raise _invalid(field, f"must be at most {from_nanos(MAX_NANOS)}")
    return nanos


def from_nanos(nanos: int) -> Decimal:
    """Return an amount of nano-units in its unit, exactly and without an exponent of its own: 2500000 is 0.0025."""
    units, rest = divmod(abs(nanos), 10**_DECIMALS)
    decimals = f"{rest:0{_DECIMALS}}".rstrip("0")
    return Decimal(f"{'-' if nanos < 0 else ''}{units}{'.' if decimals else ''}{decimals}")


def limit_nanos(amount: float) -> int:
    """Return a budget_amount in nano-units, by its shortest decimal, rounded down. It may be more than MAX_NANOS."""
    return int(Decimal(repr(amount)).scaleb(_DECIMALS).to_integral_value(ROUND_FLOOR))


def _check_kind(amount: object, field: str) -> None:
    # Callers without a type checker may pass anything.
    if isinstance(amount, bool) or not isinstance(amount, (Decimal, int, str)):
        given = "a float is not exact" if isinstance(amount, float) else f"it is a {type(amount).__name__}"
        raise _invalid(field, f"{_EXPECTED}: {given}")


def _nanos(amount: Decimal | str, field: str) -> int:
    if isinstance(amount, str):
        # Decimal also takes digits of other scripts, underscores and blanks.
        if len(amount) > _MAX_TEXT or not amount.isascii() or "_" in amount or amount != amount.strip():
            raise _invalid(field, _EXPECTED)
        try:
            amount = Decimal(amount)
        except InvalidOperation:
            raise _invalid(field, _EXPECTED) from None
    if not amount.is_finite():
        raise _invalid(field, "must be a finite number")
    sign, digits, exponent = amount.as_tuple()
    shift = int(exponent) + _DECIMALS
    if amount and len(digits) + shift > len(str(MAX_NANOS)):
        return MAX_NANOS + 1
    # In integers: the context of Decimal rounds to 28 digits.
    value = int("".join(map(str, digits)))
    if shift >= 0:
        value *= 10**shift if value else 1
    else:
        value, rest = divmod(value, 10**-shift) if value and -shift <= len(digits) else (0, value)
        if rest:
            raise _invalid(field, f"must have at most {_DECIMALS} decimals: round it to a multiple of 0.000000001")
    return -value if sign else value


def _invalid(field: str, description: str) -> GatewayError:
    return GatewayError.invalid([FieldViolation(field, description)])

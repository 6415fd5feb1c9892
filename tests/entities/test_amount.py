"""Amounts in units and nano-units are exact, or refused."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities import Code, GatewayError, from_nanos, to_nanos

MOST = 2**63 - 1


@given(st.integers(-MOST, MOST))
def test_every_amount_survives(nanos: int) -> None:
    amount = from_nanos(nanos)
    # Whatever the precision of the caller's context.
    with localcontext(Context(prec=3)):
        assert to_nanos(amount) == to_nanos(str(amount)) == to_nanos(f"{amount:f}") == nanos
        assert from_nanos(nanos) == amount


@pytest.mark.parametrize(
    ("amount", "nanos"),
    [
        (3, 3 * 10**9),
        ("0.0000001", 100),
        ("-0.5", -500_000_000),
        ("1e-9", 1),
        ("1E+3", 10**12),
        ("0.1000000000000000000000", 10**8),
        (Decimal("0.000000001"), 1),
        (Decimal("-0"), 0),
        (Decimal("0e999999"), 0),
        (Decimal("0e-999999"), 0),
        ("9223372036.854775807", MOST),
        (9223372036, 9223372036 * 10**9),
    ],
)
def test_exact_amounts(amount: Any, nanos: int) -> None:
    assert to_nanos(amount) == nanos


@pytest.mark.parametrize(
    "amount",
    [
        0.1,
        1.0,
        True,
        None,
        b"1",
        "",
        "1,5",
        "1_0",
        " 1",
        "\uff11",
        "NaN",
        "Infinity",
        Decimal("sNaN"),
        "0.0000000001",
        Decimal("1e-10"),
        "1.0000000001",
        "9223372036.854775808",
        9223372037,
        10**400,
        "1e999999",
        Decimal("1e999999"),
        "1e-999999",
        "1" * 65,
    ],
    ids=lambda amount: repr(amount)[:20],
)
def test_what_is_not_exact_is_refused(amount: Any) -> None:
    with pytest.raises(GatewayError) as caught:
        to_nanos(amount, "amount_nanos")
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert [each.field for each in caught.value.field_violations] == ["amount_nanos"]


def test_amounts_are_shown_without_an_exponent_of_their_own() -> None:
    assert [str(from_nanos(nanos)) for nanos in (2_500_000, 10**9, -1 - 10**9, 0)] == ["0.0025", "1", "-1.000000001", "0"]

"""Numbers of other libraries."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from numbers import Real
from typing import Any

import pytest

from gateway_entities import GatewayBudgetWindow, GatewayEndpoint, GatewayEndpointModelConfig, WireError


def config(weight: Any) -> GatewayEndpointModelConfig:
    return GatewayEndpointModelConfig("d-1", 1, weight)


def test_numpy_s_numbers():
    numpy = pytest.importorskip("numpy", reason="numpy is not installed: pip install numpy")
    for made, shown in ((numpy.float32(0.1), "0.1"), (numpy.float64(0.1), "0.1"), (numpy.float16(0.5), "0.5")):
        assert repr(config(made).weight) == shown
        later = config(1)
        later.weight = made
        assert later.to_bytes() == config(float(shown)).to_bytes()
    assert repr(config(numpy.int64(3)).weight) == "3.0"
    times = GatewayEndpoint("e-1", "n", numpy.int64(5), numpy.uint32(6))
    assert GatewayEndpoint.from_json(times.to_json()) == GatewayEndpoint("e-1", "n", 5, 6)
    window = GatewayBudgetWindow("bp-1", 0, 1, numpy.float32(0.5))
    assert GatewayBudgetWindow.from_bytes(window.to_bytes()).current_spend == 0.5


class Half:
    """A real number that is neither a float nor an int."""

    def __float__(self) -> float:
        return 0.5


Real.register(Half)


def test_any_real_number_is_a_weight():
    assert config(Half()).weight == config(Fraction(1, 2)).weight == 0.5
    later = config(1)
    later.weight = Half()  # type: ignore[assignment]
    assert later.to_bytes() == config(0.5).to_bytes()


def test_an_amount_is_exact():
    assert GatewayBudgetWindow("bp-1", 0, 1, Fraction(1, 2)).to_proto().current_spend == 0.5  # type: ignore[arg-type]
    for wrong in (Fraction(1, 3), Decimal("0.5"), "0.5", 1j):
        with pytest.raises(WireError, match=r"GatewayBudgetWindow\.current_spend"):
            GatewayBudgetWindow("bp-1", 0, 1, wrong).to_bytes()  # type: ignore[arg-type]


def test_a_decimal_is_no_weight():
    """A float cannot hold it exactly: a caller who means the nearest one calls float()."""
    with pytest.raises(WireError, match=r"GatewayEndpointModelConfig\.weight"):
        config(Decimal("0.1")).to_bytes()

"""The weight of a model: a 32-bit float on the wire; in an entity the shortest decimal that rounds to that float."""

from __future__ import annotations

from functools import lru_cache
from math import isinf, isnan
from numbers import Real
from struct import Struct
from typing import Any

_FLOAT32 = Struct("<f")
_END_OF_RANGE = float.fromhex("0x1.ffffffp+127")
"""Half a step above the largest 32-bit float: from here on a number rounds to infinity."""


def shortest_decimal(weight: Any) -> Any:
    """Return the shortest decimal of a weight, as entities have it.

    A value that is not a number is returned unchanged: only encoding it is an error.
    """
    if not isinstance(weight, (float, int)):
        if not isinstance(weight, Real):
            return weight
        # Numbers of numpy.
        weight = float(weight)
    return _shortest(weight) if weight else weight


@lru_cache(maxsize=1024)
def _shortest(weight: float) -> float:
    # The cache cannot tell the two zeros apart, so callers pass neither. NaN and out-of-range numbers stay unchanged.
    if not -_END_OF_RANGE < weight < _END_OF_RANGE:
        return weight
    narrowed = _narrowed(weight)
    if not narrowed:
        return narrowed
    for digits in range(9):
        mantissa, exponent = f"{narrowed:.{digits}e}".split("e")
        nearest = int(mantissa.replace(".", ""))
        # Above a power of two floats lie further apart than below, so the next larger decimal may round to it too.
        for candidate in (nearest, nearest + (1 if narrowed > 0 else -1)):
            decimal = float(f"{candidate}e{int(exponent) - digits}")
            if -_END_OF_RANGE < decimal < _END_OF_RANGE and _narrowed(decimal) == narrowed:
                return decimal
    return narrowed


def _narrowed(weight: float) -> float:
    narrowed: float = _FLOAT32.unpack(_FLOAT32.pack(weight))[0]
    return narrowed


def read(proto: Any) -> float | None:
    """Return the shortest decimal of a message's ``weight`` field; None if the field is absent.

    Raises:
        ValueError: a signaling NaN. Reading one changes its bits, so it could not be written back.
    """
    weight: float = proto.weight
    if weight > 0:
        return _shortest(weight)
    if isnan(weight) and not is_preserved(proto):
        raise ValueError
    return shortest_decimal(weight) if proto.HasField("weight") else None


def is_preserved(proto: Any) -> bool:
    """Return whether a message's weight survives the conversion to a Python number, bit for bit."""
    copy = type(proto)()
    copy.CopyFrom(proto)
    copy.weight = copy.weight
    preserved: bool = copy.SerializeToString() == proto.SerializeToString()
    return preserved


def narrow(weight: Any) -> float:
    """Return the weight, checked. Protobuf itself converts an out-of-range number to infinity.

    Raises:
        OverflowError: it is out of the range of a 32-bit float.
        TypeError: it is not a real number.
    """
    if not isinstance(weight, (float, int)):
        if not isinstance(weight, Real):
            raise TypeError
        weight = float(weight)
    given: float = weight
    if -_END_OF_RANGE < given < _END_OF_RANGE or isnan(given) or isinf(given):
        return given
    raise OverflowError

"""The weight of a model: a 32-bit float on the wire, and in an entity the shortest decimal that names that float."""

from __future__ import annotations

from functools import lru_cache
from math import isinf, isnan
from struct import Struct
from typing import Any

_FLOAT32 = Struct("<f")
_END_OF_RANGE = float.fromhex("0x1.ffffffp+127")
"""Halfway between the greatest 32-bit float and the next there would be: from here on, a number becomes infinite."""


def held(weight: Any) -> Any:
    """Return what an entity holds of a weight: a number's shortest decimal.

    What is not a number is returned as it is: only encoding it is an error.
    """
    return _shortest(weight) if weight and isinstance(weight, (float, int)) else weight


@lru_cache(maxsize=1024)
def _shortest(weight: float) -> float:
    # The cache cannot tell the two zeros apart, so neither comes here. NaN and what 32 bits cannot hold stay as they are.
    if not -_END_OF_RANGE < weight < _END_OF_RANGE:
        return weight
    narrowed = _narrowed(weight)
    if not narrowed:
        return narrowed
    for digits in range(9):
        mantissa, exponent = f"{narrowed:.{digits}e}".split("e")
        nearest = int(mantissa.replace(".", ""))
        # Above a power of two floats lie further apart than below, so the decimal that is next in size may name it too.
        for candidate in (nearest, nearest + (1 if narrowed > 0 else -1)):
            decimal = float(f"{candidate}e{int(exponent) - digits}")
            if -_END_OF_RANGE < decimal < _END_OF_RANGE and _narrowed(decimal) == narrowed:
                return decimal
    return narrowed


def _narrowed(weight: float) -> float:
    narrowed: float = _FLOAT32.unpack(_FLOAT32.pack(weight))[0]
    return narrowed


def read(proto: Any) -> float | None:
    """Return what an entity holds of the weight of a message that has a field of this name; None if the field is absent.

    Raises:
        ValueError: a signaling NaN. Reading one makes it another NaN, so it could not be written back.
    """
    weight: float = proto.weight
    if weight > 0:
        return _shortest(weight)
    if isnan(weight) and not is_kept(proto):
        raise ValueError
    return held(weight) if proto.HasField("weight") else None


def is_kept(proto: Any) -> bool:
    """Return whether a message's weight is the same, bit for bit, after it was a Python number."""
    copy = type(proto)()
    copy.CopyFrom(proto)
    copy.weight = copy.weight
    kept: bool = copy.SerializeToString() == proto.SerializeToString()
    return kept


def narrow(weight: Any) -> float:
    """Return the weight. Protobuf by itself makes an infinity of a number that 32 bits cannot hold.

    Raises:
        OverflowError: it is such a number.
        TypeError: it is not a float or an int.
    """
    if not isinstance(weight, (float, int)):
        raise TypeError
    if -_END_OF_RANGE < weight < _END_OF_RANGE or isnan(weight) or isinf(weight):
        return weight
    raise OverflowError

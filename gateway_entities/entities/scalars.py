"""Values of fields where protobuf accepts more than the type of the field."""

from __future__ import annotations

from math import isnan
from numbers import Real
from typing import Any


def double(value: Any) -> float:
    """Return the value of a double field. Protobuf accepts anything with ``__float__``, which may be another number.

    Raises:
        TypeError: it is not a real number.
        ValueError: no double has its value.
    """
    if isinstance(value, (float, int)):
        return value
    # Those of numpy, and fractions. A Decimal is none of them: few decimals are doubles.
    if not isinstance(value, Real):
        raise TypeError
    converted = float(value)
    if converted != value and not isnan(converted):
        raise ValueError
    return converted


def truth(value: bool) -> bool:
    """Return the value of a bool field. Protobuf accepts every number.

    Raises:
        TypeError: it is not a bool.
    """
    if type(value) is not bool:
        raise TypeError
    return value

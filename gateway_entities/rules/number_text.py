"""Numbers as text in JSON, in the form that JSON itself gives them.

Python reads more as a number: an underscore between digits, a plus sign, blanks around it, digits of other scripts. Other
languages refuse those, or read them as another number.
"""

from __future__ import annotations

import re
from typing import Final

_INTEGER: Final = re.compile("-?(?:0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(_INTEGER.pattern + r"(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|NaN|-?Infinity")


def is_integer(text: str) -> bool:
    """Return whether a text is an integer, such as ``-12``, of any size."""
    return _INTEGER.fullmatch(text) is not None


def is_number(text: str) -> bool:
    """Return whether a text is a number, such as ``-12``, ``0.5`` or ``1e3``, or one of NaN, Infinity and -Infinity."""
    return _NUMBER.fullmatch(text) is not None

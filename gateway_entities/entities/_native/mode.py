"""Whether the native codec is wanted. The build imports this, so it imports nothing that an isolated build does not have."""

from __future__ import annotations

import os
from typing import Final

VARIABLE: Final = "GATEWAY_ENTITIES_NATIVE"
"""The environment variable, read when the package is built and when it is imported."""
AUTO: Final = ""
"""The codec is used if it is there. The variable is not set, or empty."""
OFF: Final = "off"
"""It is neither built nor used."""
REQUIRE: Final = "require"
"""Its absence is an error."""


def mode() -> str:
    """Return what the environment says: AUTO, OFF or REQUIRE.

    Raises:
        ImportError: the variable has another value.
    """
    value = os.environ.get(VARIABLE, AUTO)
    if value not in (AUTO, OFF, REQUIRE):
        raise ImportError(f"{VARIABLE} is {value!r}; it must be {OFF}, {REQUIRE}, or not set")
    return value

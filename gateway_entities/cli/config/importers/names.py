"""Names of other gateways as names of this one.

The rule: each run of characters other than ASCII letters, digits, ``_``, ``.`` and ``-`` becomes one ``-``, and ``*``
becomes ``all``; ``-`` at the ends is removed; what is empty becomes ``unnamed``; a name beyond 200 characters is cut. Of
several names with the same result the later ones get ``-2``, ``-3`` and so on. So ``openai/*`` is ``openai-all``, and
``ollama/llama3:8b`` is ``ollama-llama3-8b``.
"""

from __future__ import annotations

import re
from typing import Final

_OTHER: Final = re.compile(r"[^a-zA-Z0-9_.-]+")
_LONGEST: Final = 200


class Names:
    """The names of one kind of resource. Each original name has one result."""

    def __init__(self) -> None:
        self._by_original: dict[object, str] = {}
        self._taken: set[str] = set()

    def name(self, original: str, key: object = None) -> str:
        """Return the name for an original; the key tells apart things of one original name."""
        known = original if key is None else key
        if known not in self._by_original:
            base = _OTHER.sub("-", original.replace("*", "all")).strip("-")[:_LONGEST] or "unnamed"
            name, number = base, 1
            while name in self._taken:
                number += 1
                name = f"{base}-{number}"
            self._taken.add(name)
            self._by_original[known] = name
        return self._by_original[known]


def variable(*parts: str) -> str:
    """Return the name of an environment variable made of names: ``openai-prod`` and ``api_key`` give OPENAI_PROD_API_KEY."""
    text = re.sub(r"[^A-Z0-9]+", "_", "_".join(parts).upper()).strip("_")
    return f"_{text}" if not text or text[0].isdigit() else text

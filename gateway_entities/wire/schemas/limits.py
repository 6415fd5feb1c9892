"""Value limits of fields as data, so that the rules of two schemas can be compared."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sized
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from gateway_entities.errors import Code, GatewayError


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of one field.

    Attributes:
        min: the minimum: a number, or the length of text (characters), bytes, lists and maps (elements). None: no limit.
        max: the maximum, in the same unit.
        pattern: a regular expression that the whole text must match.
        required: whether the field must be present.
    """

    min: float | None = None
    max: float | None = None
    pattern: str | None = None
    required: bool = False

    def allows(self, value: object) -> bool:
        """Return whether a present value is within the limit. A value that has no length or number always is."""
        measure = len(value) if isinstance(value, Sized) else value
        if isinstance(measure, int | float):
            if self.min is not None and measure < self.min:
                return False
            if self.max is not None and measure > self.max:
                return False
        return self.pattern is None or not isinstance(value, str) or re.fullmatch(self.pattern, value) is not None

    def __str__(self) -> str:
        parts = [f"{name} {value}" for name, value in asdict(self).items() if value is not None and value is not False]
        return ", ".join(parts).replace("required True", "required") or "no limit"


Limits = Mapping[str, Limit]
"""Limits by full field name, such as ``gatewayentities.v1.FallbackConfig.max_attempts``."""


def read_limits(path: Path) -> dict[str, Limit]:
    """Read limits from a JSON file: ``{"package.Message.field": {"min": 1, "max": 255, "pattern": "[a-z]+"}}``.

    Raises:
        GatewayError: INVALID_ARGUMENT if the file cannot be read or has another format.
    """
    try:
        content: object = json.loads(path.read_bytes())
        limits = {name: _limit(row) for name, row in _object(content).items()}
    except (OSError, ValueError, TypeError, re.error) as error:
        form = '{"package.Message.field": {"min": 1, "max": 255, "pattern": "[a-z]+", "required": true}}'
        raise GatewayError(Code.INVALID_ARGUMENT, f"{path} is not a file of limits such as {form}: {error}") from error
    return limits


def limits_json(limits: Limits) -> str:
    """Return limits as JSON text for ``read_limits``."""
    rows = {
        name: {k: v for k, v in asdict(limits[name]).items() if v is not None and v is not False} for name in sorted(limits)
    }
    return json.dumps(rows, indent=1) + "\n"


def _limit(row: object) -> Limit:
    values = _object(row)
    for bound in (values.get("min"), values.get("max")):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float)):
            raise TypeError(f"{bound!r} is not a number")
    limit = Limit(**values)
    re.compile(limit.pattern or "")
    return limit


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{json.dumps(value)[:40]} is not an object")
    return cast("dict[str, Any]", value)

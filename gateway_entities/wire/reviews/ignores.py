"""Differences that are accepted on purpose: a TOML file with a reason and an end for each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, cast

from gateway_entities.errors import Code, GatewayError
from gateway_entities.wire.schemas.report import Difference, DifferenceLevel, Direction

DIRECTIONS: Final[Mapping[str, Direction]] = {"backward": Direction.NEW_READS_OLD, "forward": Direction.OLD_READS_NEW}
"""The directions by the compatibility that a break of them ends."""
MAX_IGNORES: Final = 10_000
"""The number of entries in one file."""

_EXAMPLE: Final = '[[ignore]] with subject = "acme.v1.Order.total", reason = "no reader is left" and expires = 2027-03-31'
_KEYS: Final = {"subject", "rule", "level", "direction", "reason", "expires"}


@dataclass(frozen=True, slots=True)
class Ignore:
    """One entry.

    Attributes:
        subject: the full name of the field, message, enum value or RPC; ``*`` stands for any text.
        rule: the id of the rule, such as ``field-lost``; ``*`` stands for any text.
        level: the level; None for every level.
        direction: the direction; None for both.
        reason: why the difference is accepted.
        expires: the last day on which it is.
        line: its number in the file, from 1, for messages.
    """

    subject: str
    rule: str
    level: DifferenceLevel | None
    direction: Direction | None
    reason: str
    expires: date
    line: int

    def matches(self, difference: Difference) -> bool:
        """Return whether it is about a difference, on whichever day."""
        return (
            fnmatchcase(difference.subject, self.subject)
            and fnmatchcase(difference.rule, self.rule)
            and self.level in (None, difference.level)
            and self.direction in (None, difference.direction)
        )

    def __str__(self) -> str:
        return f"entry {self.line} ({self.subject})"


def read_ignores(path: Path) -> list[Ignore]:
    """Read a file of entries.

    Raises:
        GatewayError: INVALID_ARGUMENT if it cannot be read, or an entry lacks its subject, its reason or its end.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong(path, str(error)) from error
    rows = content.get("ignore", [])
    if content.keys() - {"ignore"} or not isinstance(rows, list):
        raise _wrong(path, f"it has other tables than {_EXAMPLE}")
    entries = cast("list[object]", rows)
    if len(entries) > MAX_IGNORES:
        raise _wrong(path, f"it has more than {MAX_IGNORES} entries")
    return [_entry(path, number, row) for number, row in enumerate(entries, 1)]


def _entry(path: Path, number: int, row: object) -> Ignore:
    where = f"entry {number}"
    if not isinstance(row, dict):
        raise _wrong(path, f"{where} is no table; write {_EXAMPLE}")
    values = cast("dict[str, Any]", row)
    if unknown := sorted(values.keys() - _KEYS):
        raise _wrong(path, f"{where} has {', '.join(unknown)}, which is no key; the keys are {', '.join(sorted(_KEYS))}")
    for key in ("subject", "reason"):
        if not isinstance(values.get(key), str) or not values[key].strip():
            raise _wrong(path, f"{where} lacks its {key}; write {_EXAMPLE}")
    expires = values.get("expires")
    if isinstance(expires, datetime) or not isinstance(expires, date):
        raise _wrong(path, f"{where} lacks the day on which it ends; write expires = 2027-03-31, without quotes")
    rule = values.get("rule", "*")
    if not isinstance(rule, str):
        raise _wrong(path, f'{where} has a rule that is no text; write rule = "field-lost"')
    levels = {level.value: level for level in DifferenceLevel}
    level = _choice(path, where, "level", values, levels)
    direction = _choice(path, where, "direction", values, DIRECTIONS)
    return Ignore(values["subject"], rule, level, direction, values["reason"].strip(), expires, number)


def _choice(path: Path, where: str, key: str, values: dict[str, Any], choices: Mapping[str, Any]) -> Any:
    value = values.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or value not in choices:
        raise _wrong(path, f"{where} has a {key} that does not exist; valid: {', '.join(choices)}")
    return choices[value]


def _wrong(path: Path, reason: str) -> GatewayError:
    return GatewayError(Code.INVALID_ARGUMENT, f"cannot read the ignore file {path}: {reason}", reason="IGNORES_UNREADABLE")

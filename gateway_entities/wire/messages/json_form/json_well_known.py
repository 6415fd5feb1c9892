"""The well-known types that have a JSON form of their own.

Each check raises ValueError with what the value must be, never with the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway_entities.wire.messages.json_form.json_values import kind_of, text_of

WRAPPERS: Final = frozenset(
    f"google.protobuf.{name}Value"
    for name in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)
"""Messages whose JSON is that of their one field."""
ANY: Final = "google.protobuf.Any"
STRUCT: Final = "google.protobuf.Struct"
LIST: Final = "google.protobuf.ListValue"
VALUE: Final = "google.protobuf.Value"

_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))", re.ASCII
)
_DURATION: Final = re.compile(r"-?(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)
_LONGEST: Final = 315_576_000_000
_PATH: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*)*")


def _check_time(value: object) -> None:
    found = _TIME.fullmatch(text_of(value))
    wrong = "must be an RFC 3339 time from year 1 to 9999, such as 2024-05-01T12:30:00.5Z"
    if found is None:
        raise ValueError(wrong)
    try:
        year, month, day, hour, minute, second = (int(found[part]) for part in range(1, 7))
        time = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        if found[7]:
            offset = timedelta(hours=int(found[8]), minutes=int(found[9]))
            _ = time - offset if found[7] == "+" else time + offset
    except (ValueError, OverflowError):
        raise ValueError(wrong) from None


def _check_duration(value: object) -> None:
    found = _DURATION.fullmatch(text_of(value))
    if found is None or int(found[1]) > _LONGEST:
        raise ValueError("must be seconds with an s, at most 9 decimals and 315576000000, such as 1.5s")


def _check_mask(value: object) -> None:
    mask = text_of(value)
    if mask and not all(map(_PATH.fullmatch, mask.split(","))):
        raise ValueError("must be paths in lowerCamelCase with commas between them, such as name,createdAt")


def _check_kind(kind: type, words: str) -> Callable[[object], None]:
    def check(value: object) -> None:
        if not isinstance(value, kind):
            raise ValueError(f"must be {words}, not {kind_of(value)}")

    return check


def _check_value(value: object) -> None:
    """Accept every JSON value."""


CHECKS: Final[Mapping[str, Callable[[object], None]]] = {
    "google.protobuf.Timestamp": _check_time,
    "google.protobuf.Duration": _check_duration,
    "google.protobuf.FieldMask": _check_mask,
    STRUCT: _check_kind(dict, "an object"),
    LIST: _check_kind(list, "an array"),
    VALUE: _check_value,
}
"""The checks of the types that have no fields in JSON, by full name. The values in a Struct or a ListValue can be any."""

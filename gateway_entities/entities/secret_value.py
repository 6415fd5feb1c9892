"""Values of credentials, which nothing shows by mistake."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NoReturn, Self, cast

from gateway_entities.errors import WireError

MASK: Final = "***"
"""Shown in place of a value."""


class SecretValue:
    """The value of a credential: its keys, each with a text. Immutable.

    ``reveal`` is the only way to the texts. ``repr``, ``str`` and formats are ``***``; a pickle and JSON are refused with
    TypeError; a copy is the same object. It is neither a text nor a mapping, so it has no length, no keys and no items.

    Two values are equal if their keys and texts are. The comparison takes the same time wherever they differ.

    Args:
        entries: the keys and their texts.

    Raises:
        WireError: the entries are not a mapping of text to text that UTF-8 can encode. It shows none of them.
    """

    __slots__ = ("__entries",)

    def __init__(self, entries: Mapping[str, str] | None = None) -> None:
        if not _is_mapping_of_text({} if entries is None else entries):
            raise WireError("SecretValue", "must be a mapping of text to text that UTF-8 can encode")
        self.__entries = dict(entries or {})

    def reveal(self) -> dict[str, str]:
        """Return the keys with their texts, as a new dict."""
        return dict(self.__entries)

    def __repr__(self) -> str:
        return MASK

    def __format__(self, specification: str) -> str:
        return format(MASK, specification)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretValue):
            return NotImplemented
        from hmac import compare_digest

        return compare_digest(self.__encoded(), other.__encoded())

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType] - a hash would tell equal ones.

    def __encoded(self) -> bytes:
        import json

        return json.dumps(sorted(self.__entries.items())).encode()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        # dataclasses.asdict makes such copies.
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a SecretValue is not pickled: the value would be readable")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a SecretValue has no state to copy: the value would be readable")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> object:
        """Return how pydantic writes a value, as ``***``, and checks one: a mask is no value, so it reads none."""
        from pydantic_core import core_schema

        text = core_schema.str_schema(pattern=f"^{re.escape(MASK)}$")
        written = core_schema.plain_serializer_function_ser_schema(str, return_schema=text)
        read = core_schema.no_info_after_validator_function(_refuse_mask, text)
        return core_schema.json_or_python_schema(read, core_schema.is_instance_schema(cls), serialization=written)


def _refuse_mask(text: str) -> NoReturn:
    raise ValueError(f"{text} is a mask, which stands for a value and is none")


def _is_mapping_of_text(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    return all(_is_text(key) and _is_text(text) for key, text in cast("Mapping[object, object]", value).items())


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True

"""The extension: entities to and from bytes. See ``codec.h``."""

from collections.abc import Callable
from typing import Any, TypeVar

E = TypeVar("E")

SOURCES: str
"""Digest of the sources from which the module was compiled."""

INTERFACE: int
"""Version of what Python passes to these functions."""

class Table:
    def __new__(
        cls,
        kind: type[Any],
        unknown_fields: object,
        fields: tuple[tuple[int, int, bool, object, object, object], ...],
        /,
    ) -> Table: ...

def decode(kind: type[E], data: object, /) -> E | None: ...
def encode(entity: object, /) -> bytes | None: ...
def decode_in(kind: type[E], number: int, data: object, /) -> tuple[list[E], bytes] | None: ...
def encode_in(kind: type[Any], number: int, entities: object, /) -> bytes | None: ...
def set_up(
    make_table: Callable[[type[Any]], Table | None],
    is_original: Callable[[type[Any]], bool],
    shortest_decimal: Callable[[Any], Any],
    /,
) -> None: ...
def register(kind: type[Any], /) -> None: ...

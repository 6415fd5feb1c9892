"""The classes that the native codec converts."""

from __future__ import annotations

from operator import is_
from typing import Any, Final

from gateway_entities.entities._native import extension

_CONVERTERS: Final = (
    *("_read", "_write", "to_proto", "from_proto", "_message", "_unknown_fields"),
    *("__new__", "__setattr__", "__getattribute__", "__delattr__"),
)
_ORIGINALS: Final[dict[type[Any], list[object]]] = {}


def register(*kinds: type[Any]) -> None:
    """Have the extension, if there is one, convert entities of exactly these classes.

    Their tables are made on their first use, so that they cost no import anything. A class whose converters or slots are
    replaced later is converted by these.
    """
    if extension is None:
        return
    extension.set_up(_make_table, _is_original, _shortest_decimal)
    for kind in kinds:
        _ORIGINALS[kind] = _converters(kind)
        extension.register(kind)


def _make_table(kind: type[Any]) -> object:
    from gateway_entities.entities._native import tables

    return tables.table(kind)


def _is_original(kind: type[Any]) -> bool:
    return all(map(is_, _converters(kind), _ORIGINALS[kind]))


def _converters(kind: type[Any]) -> list[object]:
    """Return what converts entities of a class, as it is in the class or its bases: no code of it runs."""
    found: dict[str, object] = {}
    for each in reversed(kind.__mro__):
        found.update(vars(each))
    return [found.get(name) for name in (*_CONVERTERS, *kind.__dataclass_fields__)]


def _shortest_decimal(weight: float) -> object:
    from gateway_entities.entities import weights

    return weights.shortest_decimal(weight)

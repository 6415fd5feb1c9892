"""The classes that the native codec converts."""

from __future__ import annotations

from typing import Any

from gateway_entities.entities._native import extension


def register(*kinds: type[Any]) -> None:
    """Have the extension, if there is one, convert entities of exactly these classes.

    Their tables are made on their first use, so that they cost no import anything.
    """
    if extension is None:
        return
    extension.set_up(_make_table, _shortest_decimal)
    for kind in kinds:
        extension.register(kind)


def _make_table(kind: type[Any]) -> object:
    from gateway_entities.entities._native import tables

    return tables.table(kind)


def _shortest_decimal(weight: float) -> object:
    from gateway_entities.entities import weights

    return weights.shortest_decimal(weight)

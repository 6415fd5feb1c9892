"""Lists of entities with the revision of the configuration that they show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Entity = TypeVar("Entity")

Merge = Callable[[Entity, Entity], bool]
"""Adds the second of two successive entities to the first if it is a further part of it; returns whether it is."""


class EntityList(list[Entity]):
    """A list, or a page of one, with the revision of the configuration that it shows. It compares like any other list.

    Attributes:
        revision: the revision, which every page of a list shares; None for a list that has none (accesses to secrets, the
            windows of budgets) and from servers of MLflow.
    """

    __slots__ = ("revision",)

    def __init__(self, entities: Iterable[Entity] = (), revision: int | None = None) -> None:
        super().__init__(entities)
        self.revision = revision


def merged(entities: Iterable[Entity], merge: Merge[Entity]) -> list[Entity]:
    """Return entities with their further parts added to them."""
    found: list[Entity] = []
    for entity in entities:
        if not (found and merge(found[-1], entity)):
            found.append(entity)
    return found

"""Owners of resources: the configurations that have applied them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import resource_owners

_own = resource_owners.c
_ALL: Final = select(_own.noun, _own.id, _own.owner)
_GET: Final = select(_own.owner).where(_own.noun == bindparam("of_noun"), _own.id == bindparam("of_id"))
_ADD: Final = insert(resource_owners)
_REMOVE: Final = delete(resource_owners).where(_own.noun == bindparam("of_noun"), _own.id == bindparam("of_id"))


class Owners:
    """The owners of resources within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> dict[tuple[str, str], str]:
        """Return the owners by noun and id."""
        return {(noun, identifier): owner for noun, identifier, owner in execute.rows(self._connection, _ALL)}

    def get(self, noun: str, identifier: str) -> str | None:
        """Return the owner of a resource; None if it has none."""
        row = execute.row(self._connection, _GET, {"of_noun": noun, "of_id": identifier})
        return None if row is None else str(row[0])

    def set(self, noun: str, identifier: str, owner: str | None) -> None:
        """Set the owner of a resource; None removes it."""
        execute.run(self._connection, _REMOVE, {"of_noun": noun, "of_id": identifier})
        if owner is not None:
            execute.run(self._connection, _ADD, {"noun": noun, "id": identifier, "owner": owner})

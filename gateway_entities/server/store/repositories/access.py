"""Accesses to secret values: who received the value of which secret."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select

from gateway_entities.server.store.sql import execute, paging
from gateway_entities.server.store.sql.schema import secret_accesses

_own = secret_accesses.c

_ADD: Final = insert(secret_accesses)
_LIST: Final = select(_own.access_id, _own.secret_id, _own.endpoint_id, _own.actor, _own.accessed_at)
_OLDEST: Final = (
    select(_own.access_id).where(_own.accessed_at <= bindparam("until")).order_by(_own.accessed_at).limit(bindparam("limit"))
)
_PRUNE: Final = delete(secret_accesses).where(_own.access_id.in_(_OLDEST))
_CONDITIONS: Final = {
    "secret_id": _own.secret_id == bindparam("secret_id"),
    "endpoint_id": _own.endpoint_id == bindparam("endpoint_id"),
    "actor": _own.actor == bindparam("actor"),
    "since": _own.accessed_at >= bindparam("since"),
    "before": _own.access_id < bindparam("before"),
}


@cache
def _list(names: frozenset[str]) -> paging.Query:
    conditions = [_CONDITIONS[name] for name in sorted(names)]
    return _LIST.where(*conditions).order_by(_own.access_id.desc()).limit(bindparam("limit"))


class Access(NamedTuple):
    """An access to a secret value.

    Attributes:
        secret_id: the secret.
        endpoint_id: the endpoint that was resolved.
        actor: the name of the caller's token.
        accessed_at: milliseconds since the Unix epoch, UTC.
    """

    secret_id: str
    endpoint_id: str
    actor: str
    accessed_at: int


class StoredAccess(NamedTuple):
    """An access with its number, which increases in the order of recording."""

    access_id: int
    access: Access


class SecretAccesses:
    """The recorded accesses within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, accesses: Sequence[Access]) -> None:
        """Record one or more accesses."""
        execute.run_each(self._connection, _ADD, [access._asdict() for access in accesses])

    def list(
        self,
        *,
        secret_id: str | None = None,
        endpoint_id: str | None = None,
        actor: str | None = None,
        since: int | None = None,
        before: int | None = None,
        limit: int,
    ) -> builtins.list[StoredAccess]:
        """Return accesses, latest first.

        Args:
            secret_id: filter; None for all, like the following.
            endpoint_id: filter.
            actor: filter.
            since: only those at or after this time.
            before: only those with a lower number.
            limit: the maximum number.
        """
        given = {"secret_id": secret_id, "endpoint_id": endpoint_id, "actor": actor, "since": since, "before": before}
        filters = {name: value for name, value in given.items() if value is not None}
        found = execute.rows(self._connection, _list(frozenset(filters)), {**filters, "limit": limit})
        return [StoredAccess(row[0], Access(*row[1:])) for row in found]

    def prune(self, until: int, limit: int) -> int:
        """Delete the oldest accesses at or before a time, up to ``limit``; return their number."""
        return execute.run(self._connection, _PRUNE, {"until": until, "limit": limit})

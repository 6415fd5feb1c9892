"""The state of the store itself: its identity, its last revision, and whether it has had a token."""

from __future__ import annotations

import uuid
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, update

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import CHANNEL, changes, store_state, tokens

_own = store_state.c

_GET: Final = select(_own.store_id, _own.last_revision, _own.has_had_token)
_LAST_CHANGE: Final = select(func.coalesce(func.max(changes.c.revision), 0))
_COUNT_TOKENS: Final = select(func.count()).select_from(tokens)
_SET_REVISION: Final = update(store_state).values(last_revision=bindparam("revision"))
# In the same statement, which costs no more time. The commit sends it.
_SET_REVISION_AND_NOTIFY: Final = _SET_REVISION.returning(func.pg_notify(CHANNEL, ""))
_SET_TOKEN: Final = update(store_state).values(has_had_token=True)
_SET_ID: Final = update(store_state).values(store_id=bindparam("new_id"))


class State(NamedTuple):
    """The state of a store.

    Attributes:
        store_id: its id: random, new when the store is created and when a backup is restored into it.
        last_revision: the revision of the last mutation; 0 in a new store.
        has_had_token: whether a token was ever created in it.
    """

    store_id: str
    last_revision: int
    has_had_token: bool


class StoreState:
    """The state of the store within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self) -> State:
        """Return the state.

        Raises:
            GatewayError: DATA_LOSS; the row was deleted, or there are several.
        """
        rows = execute.rows(self._connection, _GET)
        if len(rows) != 1:
            raise GatewayError(
                Code.DATA_LOSS,
                f"the table store_state has {len(rows)} rows in place of one; restore the database from a backup",
                reason="STORE_DAMAGED",
            )
        store_id, last_revision, has_had_token = rows[0]
        return State(store_id, last_revision, bool(has_had_token))

    def set_revision(self, revision: int) -> None:
        """Set the last revision. On PostgreSQL the commit notifies the servers that listen."""
        notifies = self._connection.dialect.name == "postgresql"
        execute.run(self._connection, _SET_REVISION_AND_NOTIFY if notifies else _SET_REVISION, {"revision": revision})

    def record_token(self) -> None:
        """Record that the store has had a token."""
        execute.run(self._connection, _SET_TOKEN, {})

    def problems(self) -> list[str]:
        """Return what of the row disagrees with other tables, one clause each."""
        try:
            state = self.get()
        except GatewayError as error:
            return [error.message]
        found: list[str] = []
        if self._last_change() > state.last_revision:
            found.append("the change log has later revisions than last_revision")
        if self._has_token() and not state.has_had_token:
            found.append("has_had_token is false, but there are tokens: servers accept every caller")
        return found

    def repair(self) -> None:
        """Correct what ``problems`` reports of a row."""
        state = self.get()
        self.set_revision(max(state.last_revision, self._last_change()))
        if self._has_token():
            self.record_token()

    def renew_id(self) -> None:
        """Replace the store's id."""
        execute.run(self._connection, _SET_ID, {"new_id": uuid.uuid4().hex})

    def _last_change(self) -> int:
        found: int = self._connection.execute(_LAST_CHANGE).scalar_one()
        return found

    def _has_token(self) -> bool:
        return self._connection.execute(_COUNT_TOKENS).scalar_one() > 0

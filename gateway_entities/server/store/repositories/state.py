"""The state of the store itself: its identity, its last revision, and whether it has had a token."""

from __future__ import annotations

import uuid
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import store_state

_own = store_state.c

_GET: Final = select(_own.store_id, _own.last_revision, _own.has_had_token)
_SET_REVISION: Final = update(store_state).values(last_revision=bindparam("revision"))
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
                f"its table store_state has {len(rows)} rows in place of one; restore the database from a backup",
                reason="STORE_DAMAGED",
            )
        store_id, last_revision, has_had_token = rows[0]
        return State(store_id, last_revision, bool(has_had_token))

    def set_revision(self, revision: int) -> None:
        """Set the last revision."""
        execute.run(self._connection, _SET_REVISION, {"revision": revision})

    def record_token(self) -> None:
        """Record that the store has had a token."""
        execute.run(self._connection, _SET_TOKEN, {})

    def renew_id(self) -> None:
        """Replace the store's id."""
        execute.run(self._connection, _SET_ID, {"new_id": uuid.uuid4().hex})

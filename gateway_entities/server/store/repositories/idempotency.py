"""Stored responses: the response to each request with a request_id, returned again when the request is repeated."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select

from gateway_entities.server.store.crypto.envelope import Cipher
from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import stored_responses

_own = stored_responses.c

_GET: Final = select(_own.content, _own.response, _own.answered_at).where(_own.request_id == bindparam("request_id"))
_ADD: Final = insert(stored_responses)
_REMOVE: Final = delete(stored_responses).where(_own.request_id == bindparam("request_id"))
_OLDEST: Final = (
    select(_own.request_id)
    .where(_own.answered_at <= bindparam("until"))
    .order_by(_own.answered_at)
    .limit(bindparam("limit"))
)
_PRUNE: Final = delete(stored_responses).where(_own.request_id.in_(_OLDEST))


class StoredResponse(NamedTuple):
    """A stored response.

    Attributes:
        matches: whether its request had the same content.
        response: the encoded response message.
    """

    matches: bool
    response: bytes


class StoredResponses:
    """The stored responses within one transaction."""

    __slots__ = ("_cipher", "_connection")

    def __init__(self, connection: Connection, cipher: Cipher) -> None:
        self._connection = connection
        self._cipher = cipher

    def get(self, request_id: str, content: bytes, until: int) -> StoredResponse | None:
        """Return the stored response for a request_id, or None.

        Args:
            request_id: the idempotency key.
            content: the content of the request. It may contain a secret; only a keyed digest of it is stored.
            until: a response stored at or before this time has expired and is deleted.
        """
        row = execute.row(self._connection, _GET, {"request_id": request_id})
        if row is None:
            return None
        digest, response, answered_at = row
        if answered_at <= until:
            # prune may not have reached it yet, and the request_id is free to be used again.
            execute.run(self._connection, _REMOVE, {"request_id": request_id})
            return None
        return StoredResponse(digest == self._cipher.digest(content), response)

    def add(self, request_id: str, content: bytes, response: bytes, answered_at: int) -> None:
        """Store a response.

        Args:
            request_id: the idempotency key; no response is stored for it.
            content: as in ``get``.
            response: the encoded response message, which contains no secret.
            answered_at: the time, in milliseconds since the Unix epoch, UTC.
        """
        row = {
            "request_id": request_id,
            "content": self._cipher.digest(content),
            "response": response,
            "answered_at": answered_at,
        }
        execute.run(self._connection, _ADD, row)

    def prune(self, until: int, limit: int) -> int:
        """Delete the oldest responses stored at or before a time, up to ``limit``; return their number."""
        return execute.run(self._connection, _PRUNE, {"until": until, "limit": limit})

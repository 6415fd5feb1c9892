"""Answers that were given to requests with a name, so that a repeat is answered alike and does nothing."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select

from gateway_entities.server.store.crypto.envelope import Cipher
from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import answers

_own = answers.c

_GET: Final = select(_own.content, _own.response, _own.answered_at).where(_own.request_id == bindparam("request_id"))
_ADD: Final = insert(answers)
_REMOVE: Final = delete(answers).where(_own.request_id == bindparam("request_id"))
_OLDEST: Final = (
    select(_own.request_id).where(_own.answered_at <= bindparam("until")).order_by(_own.answered_at).limit(bindparam("most"))
)
_FORGET: Final = delete(answers).where(_own.request_id.in_(_OLDEST))


class Answer(NamedTuple):
    """An answer.

    Attributes:
        same: whether it was given to a request of the same content.
        response: the response message's bytes.
    """

    same: bool
    response: bytes


class Answers:
    """The answers of one transaction."""

    __slots__ = ("_cipher", "_connection")

    def __init__(self, connection: Connection, cipher: Cipher) -> None:
        self._connection = connection
        self._cipher = cipher

    def get(self, request_id: str, content: bytes, until: int) -> Answer | None:
        """Return the answer that was given to the request of this name; None when there was none.

        Args:
            request_id: the request's name.
            content: all that the request says. It may hold a secret: of what is stored, nobody can guess it.
            until: an answer that was given at this time or earlier is forgotten instead.
        """
        row = execute.row(self._connection, _GET, {"request_id": request_id})
        if row is None:
            return None
        stored, response, answered_at = row
        if answered_at <= until:
            # There may be more of such than ``forget`` has come to, and the name is free again now.
            execute.run(self._connection, _REMOVE, {"request_id": request_id})
            return None
        return Answer(stored == self._cipher.digest(content), response)

    def add(self, request_id: str, content: bytes, response: bytes, answered_at: int) -> None:
        """Keep an answer.

        Args:
            request_id: the name of the request, which has no answer yet.
            content: as in ``get``.
            response: the response message's bytes, which hold no secret.
            answered_at: the time, in milliseconds since the Unix epoch, UTC.
        """
        row = {
            "request_id": request_id,
            "content": self._cipher.digest(content),
            "response": response,
            "answered_at": answered_at,
        }
        execute.run(self._connection, _ADD, row)

    def forget(self, until: int, most: int) -> None:
        """Forget the oldest of the answers that were given at this time or earlier, ``most`` at most."""
        execute.run(self._connection, _FORGET, {"until": until, "most": most})

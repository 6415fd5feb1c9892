"""Resume tokens: store, revision and alert after which a stream continues, with a keyed digest as of page tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.server.service.lists.page_token import GivenToken, Position
from gateway_entities.server.store.repositories.state import State

if TYPE_CHECKING:
    from gateway_entities.server.store import Store

_STREAM: Final = "watch"


def create(store: Store, store_id: str, revision: int, alert_id: int) -> str:
    """Return the token of a revision and the last alert before it."""
    return Position(store_id, _STREAM, revision, (alert_id,)).token(store)


class ResumeToken:
    """A token of a request.

    Attributes:
        store_id: the id of its store. Neither is verified yet.
        revision: its revision.
        alert_id: the last alert before it.
    """

    __slots__ = ("_given", "alert_id", "revision", "store_id")

    def __init__(self, text: str) -> None:
        """Parse a token.

        Raises:
            GatewayError: INVALID_ARGUMENT; it cannot be read.
        """
        try:
            self._given = GivenToken(_STREAM, 0, text)
        except GatewayError:
            raise _unreadable() from None
        self.store_id = self._given.position.store_id
        self.revision = self._given.position.revision
        self.alert_id = int(self._given.position.key[0])

    def verify(self, store: Store, state: State) -> None:
        """Check that the token is of this store.

        Raises:
            GatewayError: INVALID_ARGUMENT (no server of the store created it) or OUT_OF_RANGE (it is of another store, or of
                a state that this one has never had).
        """
        check_state(self.store_id, self.revision, state)
        try:
            self._given.verify(store, state)
        except GatewayError:
            raise _unreadable() from None


def check_state(store_id: str, revision: int, state: State) -> None:
    """Check that a store has been at a revision.

    Raises:
        GatewayError: OUT_OF_RANGE, reason STORE_CHANGED; it has another id, or has not been.
    """
    if store_id != state.store_id or revision > state.last_revision:
        raise store_changed()


def store_changed() -> GatewayError:
    """Return the error of streams whose store has been replaced."""
    return GatewayError(
        Code.OUT_OF_RANGE,
        "the store is another one than before, or an earlier state of it; watch again without a resume_token",
        reason="STORE_CHANGED",
    )


def _unreadable() -> GatewayError:
    return GatewayError.invalid([FieldViolation("resume_token", "must be an unchanged resume_token of this stream")])

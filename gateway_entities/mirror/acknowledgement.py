"""Acknowledging what a mirror has applied, and refusing it."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway_entities.errors import Code, FieldViolation, GatewayError

if TYPE_CHECKING:
    from gateway_entities.client import AsyncGatewayClient, GatewayClient
    from gateway_entities.mirror.core import MirrorCore

REPEAT_S: Final = 8.0
"""Seconds until an acknowledgement is repeated: the server wants one every 10 seconds."""
INTERVAL_S: Final = 2.0
"""Seconds, at least, between two acknowledgements: a thousand mirrors must not answer each of a hundred changes a second."""
_RETRY_S: Final = 1.0
_DENIED_S: Final = 20.0
"""Seconds until the next try where the server takes no acknowledgements of this caller: fewer than until a node leaves."""
_DENIALS: Final = frozenset({Code.PERMISSION_DENIED, Code.UNAUTHENTICATED, Code.FAILED_PRECONDITION, Code.UNIMPLEMENTED})
_MAX_REASON: Final = 1000
_MAX_INSTANCE: Final = 255

_log = logging.getLogger(__name__)


class RevisionRefused(Exception):  # noqa: N818 - says what happens.
    """Raised by a subscriber of a mirror that cannot work with an update: the server learns that this node refuses it.

    The mirror's state is the new one all the same; the node refuses until a later update that its subscribers accept.

    Attributes:
        reason: why, for people; without secrets. The first 1000 characters are sent.
    """

    def __init__(self, reason: object) -> None:
        """Create it; ``reason`` as the attribute, or what has such a text, like another exception."""
        super().__init__(reason)
        # Names of files may have what is no Unicode text.
        self.reason = str(reason).encode("utf-8", "replace").decode()


class Acknowledgement(NamedTuple):
    """What is said of a revision.

    Attributes:
        store_id: the store.
        revision: the revision.
        digest: the digest of the mirror's state.
        reason: why it is refused; None if it has been applied.
    """

    store_id: str
    revision: int
    digest: str
    reason: str | None


class BaseAcknowledger(ABC):
    """What both acknowledgers share: the latest acknowledgement, and what follows an error."""

    def __init__(self, instance: str | None, *, acknowledges: bool) -> None:
        if instance is not None and not _is_instance(instance):
            description = f"must be text of at most {_MAX_INSTANCE} characters, without NUL"
            raise GatewayError.invalid([FieldViolation("instance", description)])
        self.instance = instance or f"{socket.gethostname()[:200]}-{os.getpid()}-{secrets.token_hex(2)}"
        self._acknowledges = acknowledges
        self._latest: Acknowledgement | None = None
        self._reason: str | None = None
        self._denied_until = 0.0

    def note(self, core: MirrorCore, *, is_changed: bool, reason: str | None) -> None:
        """Note that the mirror has completed an update.

        Args:
            core: the mirror's core, in the thread that applies.
            is_changed: whether the update has changed something; otherwise what was refused still is.
            reason: why it is refused; None if it is not.
        """
        if is_changed:
            self._reason = None if reason is None else (reason.replace("\0", " ")[:_MAX_REASON] or "no reason was given")
        state = core.state
        if not self._acknowledges or state.store_id is None or time.monotonic() < self._denied_until:
            return
        latest = self._latest
        latest_key = None if latest is None else (latest.store_id, latest.revision, latest.reason)
        if latest_key != (state.store_id, state.revision, self._reason):
            self._latest = Acknowledgement(state.store_id, state.revision, core.digest(), self._reason)
            self._wake()

    @abstractmethod
    def _wake(self) -> None:
        """Have the latest acknowledgement sent."""

    def _pause_after(self, error: GatewayError) -> float:
        if error.code not in _DENIALS:
            _log.debug("the mirror's revision was not acknowledged: %s", error.message)
            return _RETRY_S
        if not self._denied_until:
            _log.info("this mirror acknowledges no revisions: %s", error.message)
        self._denied_until = time.monotonic() + _DENIED_S
        # The state may be another one then.
        self._latest = None
        return _DENIED_S


def _is_instance(value: object) -> bool:
    if not isinstance(value, str) or len(value) > _MAX_INSTANCE or "\0" in value:
        return False
    return value.encode("utf-8", "replace").decode() == value


class Acknowledger(BaseAcknowledger):
    """Acknowledges for a mirror with threads; ``run`` is a thread's."""

    def __init__(self, client: GatewayClient, instance: str | None, *, acknowledges: bool = True) -> None:
        super().__init__(instance, acknowledges=acknowledges)
        self._client = client
        self._changed = threading.Event()
        self._closing = threading.Event()

    def run(self) -> None:
        """Acknowledge until it is closed."""
        while not self._closing.is_set():
            self._changed.wait(REPEAT_S)
            self._changed.clear()
            latest = self._latest
            if latest is None or self._closing.is_set():
                continue
            try:
                self._send(latest)
                pause = INTERVAL_S
            except GatewayError as error:
                pause = self._pause_after(error)
                self._changed.set()
            self._closing.wait(pause)

    def close(self) -> None:
        """End; the thread may still wait for a response, for 5 seconds at most."""
        self._closing.set()
        self._changed.set()

    def _wake(self) -> None:
        self._changed.set()

    def _send(self, latest: Acknowledgement) -> None:
        if latest.reason is None:
            self._client.acknowledge_revision(
                latest.store_id, latest.revision, latest.digest, instance=self.instance, timeout=5
            )
        else:
            self._client.refuse_revision(latest.store_id, latest.revision, latest.reason, instance=self.instance, timeout=5)


class AsyncAcknowledger(BaseAcknowledger):
    """Acknowledges for a mirror of asyncio; ``run`` is a task's, and ends when that is cancelled."""

    def __init__(self, client: AsyncGatewayClient, instance: str | None, *, acknowledges: bool = True) -> None:
        super().__init__(instance, acknowledges=acknowledges)
        self._client = client
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Acknowledge."""
        while True:
            try:
                async with asyncio.timeout(REPEAT_S):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            latest = self._latest
            if latest is None:
                continue
            try:
                await self._send(latest)
                pause = INTERVAL_S
            except GatewayError as error:
                pause = self._pause_after(error)
                self._changed.set()
            await asyncio.sleep(pause)

    def _wake(self) -> None:
        self._changed.set()

    async def _send(self, latest: Acknowledgement) -> None:
        if latest.reason is None:
            await self._client.acknowledge_revision(
                latest.store_id, latest.revision, latest.digest, instance=self.instance, timeout=5
            )
        else:
            await self._client.refuse_revision(
                latest.store_id, latest.revision, latest.reason, instance=self.instance, timeout=5
            )

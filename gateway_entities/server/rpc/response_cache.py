"""Answers that are known already: what was read of the configuration, for as long as nothing was changed since.

Before each use the store is asked for its revision, so an answer is never older than the store was when the call came.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor_pb2 import MethodOptions

from gateway_entities.errors import GatewayError
from gateway_entities.methods import METHODS, Method
from gateway_entities.server.rpc.auth import Credentials, Principal, needed_for

Key = tuple[str, str, bytes]
"""The path of an RPC, the name of a codec, and the request in that form."""

_MOST_BYTES: Final = 64 * 1024 * 1024
_LONGEST_REQUEST: Final = 4096


def _tells_revision(method: Method[Any, Any]) -> bool:
    descriptor = method.request_type.DESCRIPTOR.file.services_by_name[method.service.rpartition(".")[2]]
    level = descriptor.methods_by_name[method.name].GetOptions().idempotency_level
    return level == MethodOptions.NO_SIDE_EFFECTS and "revision" in method.response_type.DESCRIPTOR.fields_by_name


_READS: Final = frozenset(method.path for method in METHODS if _tells_revision(method))
"""The RPCs whose answers depend on the request and the revision alone."""


class _Answer(NamedTuple):
    revision: int
    data: bytes


class ResponseCache:
    """Answers of one store. ``find`` is for the event loop; ``keep`` may be called from any thread."""

    def __init__(
        self,
        revision: Callable[[], int | None],
        admit: Callable[[Credentials, Any], Principal | None],
        *,
        ask: Callable[[], Awaitable[int | None] | None] | None = None,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        """Say what the answers depend on.

        Args:
            revision: returns the store's revision at once; None when it cannot be told. The store may be another one when
                it can be told again, so what is kept is forgotten then.
            admit: decides about a caller at once; None when that would take a while. It raises GatewayError.
            ask: in place of ``revision`` where that would take a while: returns what to await for it on the event loop.
            most_bytes: how much to keep; beyond that, what was used longest ago goes first.
        """
        self._revision = revision
        self._admit = admit
        self._ask = ask
        self._most_bytes = most_bytes
        self._bytes = 0
        self._answers: OrderedDict[Key, _Answer] = OrderedDict()
        self._lock = threading.Lock()

    async def find(
        self, key: Key, method: Method[Any, Any], credentials: Credentials, timeout: float | None = None
    ) -> tuple[Principal, bytes] | None:
        """Return the caller's name and the answer, in the form that was asked for; None when it is to be found out.

        Also None for a caller who is not admitted: whoever finds it out says so.

        Args:
            key: of the request.
            method: the RPC.
            credentials: what the caller shows of who it is.
            timeout: how many seconds the store has to tell its revision, None for no limit.
        """
        if self._ask is None:
            return self.find_at_once(key, method, credentials)
        admitted = self._admitted(key, method, credentials)
        if admitted is None:
            return None
        asked = self._ask()
        if asked is None:
            self._forget_all()
            return None
        try:
            async with asyncio.timeout(timeout):
                return self._at(await asked, key, admitted)
        except TimeoutError:
            return None

    def find_at_once(self, key: Key, method: Method[Any, Any], credentials: Credentials) -> tuple[Principal, bytes] | None:
        """Return the same where the revision is told at once; elsewhere None."""
        if self._ask is not None:
            return None
        admitted = self._admitted(key, method, credentials)
        if admitted is None:
            return None
        revision = self._revision()
        if revision is None:
            self._forget_all()
        return self._at(revision, key, admitted)

    def _admitted(self, key: Key, method: Method[Any, Any], credentials: Credentials) -> Principal | None:
        if key not in self._answers:
            return None
        try:
            return self._admit(credentials, needed_for(method))
        except GatewayError:
            return None

    def _at(self, revision: int | None, key: Key, admitted: Principal) -> tuple[Principal, bytes] | None:
        with self._lock:
            # It may have been replaced since somebody looked.
            answer = self._answers.get(key)
            if answer is None or answer.revision != revision:
                return None
            self._answers.move_to_end(key)
        return admitted, answer.data

    def _forget_all(self) -> None:
        with self._lock:
            self._answers.clear()
            self._bytes = 0

    def keep(self, key: Key, response: Any, data: bytes) -> None:
        """Keep an answer, if it is one that can be known.

        Args:
            key: of the request.
            response: the response message.
            data: the same in the form that was asked for.
        """
        if key[0] not in _READS or len(key[2]) > _LONGEST_REQUEST or len(data) > self._most_bytes:
            return
        with self._lock:
            self._forget(key)
            self._answers[key] = _Answer(response.revision, data)
            self._bytes += _size(key, data)
            while self._bytes > self._most_bytes:
                self._forget(next(iter(self._answers)))

    def _forget(self, key: Key) -> None:
        answer = self._answers.pop(key, None)
        if answer is not None:
            self._bytes -= _size(key, answer.data)


def _size(key: Key, data: bytes) -> int:
    # The objects around the bytes cost about as much as a short answer.
    return len(key[2]) + len(data) + 512

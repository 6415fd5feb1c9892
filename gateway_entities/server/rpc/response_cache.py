"""In-memory cache of read responses, valid while the store's revision is unchanged.

Every look-up compares revisions, so a response is never older than the store was when the request came. Responses of other
revisions, such as later pages of a list, are not kept.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from gateway_entities.errors import GatewayError
from gateway_entities.methods import LIST_GATEWAY_NODES, Method
from gateway_entities.server.rpc.auth import Credentials, Principal, required_scope
from gateway_entities.server.rpc.lane import READ_METHODS

Key = tuple[str, str, bytes]
"""The path of an RPC, the name of a codec, and the encoded request."""

_MAX_BYTES: Final = 64 * 1024 * 1024
_MAX_REQUEST_BYTES: Final = 4096


CACHEABLE_METHODS: Final = frozenset(
    method
    for method in READ_METHODS
    if "revision" in method.response_type.DESCRIPTOR.fields_by_name
    and not method.server_streaming
    # Nodes come, go and acknowledge at one revision.
    and method is not LIST_GATEWAY_NODES
)
"""The RPCs whose responses depend on the request and the revision alone."""

_PATHS: Final = frozenset(method.path for method in CACHEABLE_METHODS)


class _Entry(NamedTuple):
    revision: int
    data: bytes


class ResponseCache:
    """Encoded responses of one store. ``get`` and ``revalidate`` are for the event loop, ``put`` is for any thread.

    Attributes:
        probe: asks for the store's revision where that takes a round trip; None where ``get`` can read it.
    """

    def __init__(
        self,
        revision: Callable[[], int | None],
        authenticate: Callable[[Credentials, Any], Principal | None],
        *,
        probe: Callable[[], Awaitable[int | None] | None] | None = None,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        """Create a response cache for one store.

        Args:
            revision: returns the store's revision without blocking; None if it is not available. The cache is cleared
                then, because the store may be another one when it is available again.
            authenticate: authenticates without reading the store; None if that is not possible. Raises GatewayError.
            probe: replaces ``revision`` where it would block: returns an awaitable of the revision, or None.
            max_bytes: size limit; the least recently used responses are evicted first.
        """
        self.probe = probe
        self._revision = revision
        self._authenticate = authenticate
        self._max_bytes = max_bytes
        self._bytes = 0
        self._current_revision: int | None = None
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, method: Method[Any, Any], credentials: Credentials) -> tuple[Principal, bytes] | None:
        """Return the caller and the encoded response if it is current; None if the service has to compute it.

        Also None for a caller who is refused (the service reports the error), and always with a ``probe``.
        """
        if self.probe is not None or key not in self._entries:
            return None
        principal = self._principal(method, credentials)
        if principal is None:
            return None
        revision = self._revision()
        if revision is None:
            self._clear()
        return self._current(revision, key, principal)

    async def revalidate(
        self, key: Key, method: Method[Any, Any], credentials: Credentials, timeout: float | None = None
    ) -> tuple[Principal, bytes] | None:
        """Do as ``get``; with a ``probe``, wait for the revision for at most ``timeout`` seconds (None: no limit)."""
        if self.probe is None or key not in self._entries:
            return self.get(key, method, credentials)
        principal = self._principal(method, credentials)
        if principal is None:
            return None
        revision = self.probe()
        if revision is None:
            self._clear()
            return None
        try:
            async with asyncio.timeout(timeout):
                return self._current(await revision, key, principal)
        except TimeoutError:
            return None

    def has(self, key: Key) -> bool:
        """Whether there is a response for a request, current or not."""
        return key in self._entries

    def authenticates(self, method: Method[Any, Any], credentials: Credentials) -> bool:
        """Whether the caller may make a call, as far as that is known without reading the store."""
        return self._principal(method, credentials) is not None

    def authenticate(self, method: Method[Any, Any], credentials: Credentials) -> bool:
        """Authenticate a caller; return False if the store has to be read for that.

        Raises:
            GatewayError: UNAUTHENTICATED or PERMISSION_DENIED.
        """
        return self._authenticate(credentials, required_scope(method)) is not None

    def _principal(self, method: Method[Any, Any], credentials: Credentials) -> Principal | None:
        try:
            return self._authenticate(credentials, required_scope(method))
        except GatewayError:
            return None

    def _current(self, revision: int | None, key: Key, principal: Principal) -> tuple[Principal, bytes] | None:
        with self._lock:
            self._current_revision = revision
            # Another thread may have replaced or evicted it.
            entry = self._entries.get(key)
            if entry is None or revision is None:
                return None
            if entry.revision != revision:
                # One that is newer than this look-up may be current.
                if entry.revision < revision:
                    self._evict(key)
                return None
            self._entries.move_to_end(key)
        return principal, entry.data

    def _clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def put(self, key: Key, response: Any, data: bytes) -> None:
        """Store a response of a cacheable method; ignore any other, one that is too large, and one of a former revision.

        Args:
            key: of the request.
            response: the response message, which has the revision that it was read at.
            data: the encoded response.
        """
        if key[0] not in _PATHS or len(key[2]) > _MAX_REQUEST_BYTES or len(data) > self._max_bytes:
            return
        # Where it takes a round trip, the revision of the last look-up.
        current = self._revision() if self.probe is None else self._current_revision
        if current is not None and response.revision < current:
            return
        with self._lock:
            self._evict(key)
            self._entries[key] = _Entry(response.revision, data)
            self._bytes += _size(key, data)
            while self._bytes > self._max_bytes:
                self._evict(next(iter(self._entries)))

    def _evict(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= _size(key, entry.data)


def _size(key: Key, data: bytes) -> int:
    # The objects around the bytes cost about as much as a short response.
    return len(key[2]) + len(data) + 512

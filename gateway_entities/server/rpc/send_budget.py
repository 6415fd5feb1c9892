"""Memory of responses that clients have not received yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.byte_budget import OVERLOADED

_CONNECTION_SHARE: Final = 4


class SendBudget:
    """Bytes of responses in flight, in all and by connection. Use it on one event loop."""

    def __init__(self, max_bytes: int) -> None:
        """Create a budget.

        Args:
            max_bytes: of all responses. A connection may have a quarter of it, so that a client that receives nothing does
                not stop the others.
        """
        self._max_bytes = max_bytes
        self._bytes = 0
        self._by_connection: Counter[str] = Counter()

    def check(self, connection: Callable[[], str]) -> None:
        """Check, before a call is executed, that its connection has room for a response.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED if the client has to receive other responses first.
        """
        if self._bytes and self._by_connection.get(connection(), 0) > self._max_bytes // _CONNECTION_SHARE:
            raise _overloaded()

    def add(self, connection: str, size: int, *, required: bool) -> Callable[[], None]:
        """Count a response, and return the function that ends that.

        Args:
            connection: the name of its connection.
            size: its bytes.
            required: whether the response must be sent, because the call had an effect.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED if it does not fit and is not required.
        """
        if not required and self._bytes and self._bytes + size > self._max_bytes:
            raise _overloaded()
        self._bytes += size
        self._by_connection[connection] += size

        def release() -> None:
            self._bytes -= size
            self._by_connection[connection] -= size
            if not self._by_connection[connection]:
                del self._by_connection[connection]

        return release


def _overloaded() -> GatewayError:
    return GatewayError(
        Code.RESOURCE_EXHAUSTED,
        "too many responses wait for clients to receive them; try again later",
        reason=OVERLOADED,
    )

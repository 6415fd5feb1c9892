"""The open HTTP connections: how many there are, of whom, and which of them has waited longest for a request."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Protocol

from gateway_entities.server.rpc.limits import Limits


class OpenConnection(Protocol):
    """One connection, as far as its limits go."""

    deadline: float
    """The time on the loop's clock when it has waited too long for its peer."""

    def waits_for_request(self) -> bool:
        """Whether it waits for a request, with none in flight."""
        ...

    def waits_for_peer(self) -> bool:
        """Whether it waits for its peer to send or to read; then it may be in the middle of a request."""
        ...

    def time_out(self) -> None:
        """End it, because its deadline has passed."""
        ...


class Connections:
    """The open connections of one listener. For the event loop."""

    def __init__(self, limits: Limits, descriptors: int) -> None:
        """Create an empty set.

        Args:
            limits: the maximum, in all and of a peer.
            descriptors: how many descriptors connections may use; the maximum is not above that.
        """
        self._most = min(limits.http_connections, descriptors)
        self._most_per_peer = limits.http_connections_per_peer
        self._peers: dict[OpenConnection, str] = {}
        # Those of each peer, in the order in which they began to wait.
        self._by_peer: dict[str, OrderedDict[OpenConnection, None]] = {}

    def __len__(self) -> int:
        return len(self._peers)

    def make_room(self, peer: str, evict: Callable[[OpenConnection], None]) -> bool:
        """Make room for a new connection, by ending one if necessary; return whether there is room.

        Args:
            peer: the peer of the new connection, from ``peer_of``.
            evict: ends the connection.
        """
        if len(self._by_peer.get(peer, ())) >= self._most_per_peer:
            crowd = peer
        elif len(self._peers) >= self._most:
            crowd = self._largest_peer()
        else:
            return True
        return self._evict_from(crowd, evict)

    def evict(self, evict: Callable[[OpenConnection], None]) -> bool:
        """End the connection that has waited longest of the peer with the most; return whether there was one."""
        return bool(self._peers) and self._evict_from(self._largest_peer(), evict)

    def add(self, connection: OpenConnection, peer: str) -> None:
        """Count a connection."""
        self._peers[connection] = peer
        self._by_peer.setdefault(peer, OrderedDict())[connection] = None

    def discard(self, connection: OpenConnection) -> None:
        """Count a connection no longer; ignore one that is not counted."""
        peer = self._peers.pop(connection, None)
        if peer is not None:
            own = self._by_peer[peer]
            del own[connection]
            if not own:
                del self._by_peer[peer]

    def begin_waiting(self, connection: OpenConnection) -> None:
        """Note that a connection waits for a request from now on."""
        peer = self._peers.get(connection)
        if peer is not None:
            self._by_peer[peer].move_to_end(connection)

    def time_out(self, now: float) -> None:
        """End the connections whose deadline has passed.

        Args:
            now: the time on the loop's clock.
        """
        for connection in [each for each in self._peers if each.deadline <= now]:
            connection.deadline = math.inf
            connection.time_out()

    def _largest_peer(self) -> str:
        return max(self._by_peer, key=lambda peer: len(self._by_peer[peer]))

    def _evict_from(self, peer: str, evict: Callable[[OpenConnection], None]) -> bool:
        own = self._by_peer[peer]
        oldest = next((each for each in own if each.waits_for_request()), None)
        # An upload that does not go on.
        oldest = oldest or next((each for each in own if each.waits_for_peer()), None)
        if oldest is None:
            return False
        self.discard(oldest)
        evict(oldest)
        return True


def peer_of(host: str) -> str:
    """Return the peer that an address counts for: an IPv4 address, or the first 64 bits of an IPv6 address.

    A site has a network of 64 bits at least, and every address in it.
    """
    if ":" not in host:
        return host
    address = IPv6Address(host.partition("%")[0])
    # A listener of both families has IPv4 peers in this form.
    return str(address.ipv4_mapped or address.packed[:8].hex())

"""The route of a pool's connections: to the server or to its proxy, and in which order the addresses are tried."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from itertools import count, zip_longest

from gateway_entities.transports.http1.proxy import Proxy, proxy_for
from gateway_entities.transports.http1.request import HttpRequest
from gateway_entities.transports.http1.response import HttpResponse
from gateway_entities.transports.target import Target

AddressInfo = tuple[int, int, int, str, object]
"""An address as ``socket.getaddrinfo`` returns it: family, type, protocol, name, address."""


class Route:
    """The route to one server.

    Attributes:
        target: the server.
        proxy: the proxy in between; None for none.
    """

    def __init__(self, target: Target) -> None:
        """Find the route to a target.

        Raises:
            GatewayError: FAILED_PRECONDITION for a proxy that cannot be used.
        """
        self.target = target
        self.proxy: Proxy | None = proxy_for(target, os.environ)
        self.reset_after_fork()

    def __str__(self) -> str:
        return str(self.target) if self.proxy is None else f"{self.target} through the proxy {self.proxy}"

    @property
    def host(self) -> str:
        """The host to connect to."""
        return self.target.host if self.proxy is None else self.proxy.host

    @property
    def port(self) -> int:
        """The port to connect to."""
        return self.target.port if self.proxy is None else self.proxy.port

    @property
    def tunnel(self) -> Proxy | None:
        """The proxy that has to open a tunnel first, since the connection is encrypted; None for none."""
        return self.proxy if self.target.secure else None

    def encode(self, request: HttpRequest) -> bytes:
        """Return the bytes of a request as the peer, the server or a proxy, expects them.

        Raises:
            GatewayError: INTERNAL as in :meth:`HttpRequest.encode`.
        """
        if self.proxy is not None and self.tunnel is None:
            request = self.proxy.forward(request, self.target)
        return request.encode()

    def check(self, response: HttpResponse) -> HttpResponse:
        """Return a response of the server.

        Raises:
            GatewayError: FAILED_PRECONDITION if it is the proxy's, which wants other credentials.
        """
        self.check_status(response.status)
        return response

    def check_status(self, status: int) -> None:
        """Do as ``check`` with the status alone."""
        if self.proxy is not None:
            self.proxy.check(status)

    def order(self, addresses: Sequence[AddressInfo]) -> list[AddressInfo]:
        """Return the addresses in the order in which the next connection tries them.

        Connections begin with the addresses in turn. Families alternate, the resolver's preferred one first (RFC 8305,
        section 4).
        """
        families: dict[int, list[AddressInfo]] = {}
        for address in dict.fromkeys(addresses):
            families.setdefault(address[0], []).append(address)
        turn = next(self._turns)
        rotated: list[list[AddressInfo]] = []
        for family in families.values():
            first = turn % len(family)
            rotated.append(family[first:] + family[:first])
        return [address for tier in zip_longest(*rotated) for address in tier if address is not None]

    def reset_after_fork(self) -> None:
        """Begin with an address at random: otherwise the children of one process all begin with the same."""
        self._turns = count(random.randrange(1 << 16))  # noqa: S311 - Nobody gains by guessing it.

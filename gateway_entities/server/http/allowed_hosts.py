"""Which host names an HTTP request may have been sent to.

A web page can give its own name this machine's address (DNS rebinding). A browser then takes the gateway for the page's own
server and lets the page read the answers; but its requests still name the page's host. Over TLS a browser finds that the
certificate is not for that name, so there the check is needed only to be strict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.http.asgi import send_reply
from gateway_entities.server.http.connect import HttpResponse

_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"


def check_hosts(names: Sequence[str]) -> tuple[str, ...]:
    """Return the host names in the one form in which they are compared.

    Raises:
        GatewayError: INVALID_ARGUMENT for one that is neither a host's name nor an IP address, such as ``*``, or that has a
            port.
    """
    found: list[str] = []
    for name in names:
        bare = _bare(name.encode(errors="replace"))
        if not re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", bare) and not _is_address(bare):
            raise GatewayError(
                Code.INVALID_ARGUMENT,
                f"{name!r} is not a host; valid forms are gateway.example, 192.0.2.1 and 2001:db8::1, without a port",
                reason="BAD_HOST",
            )
        found.append(bare)
    return tuple(found)


class AllowedHosts:
    """The host names that requests may have been sent to: loopback's, and some others."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the others, checked."""
        self._names = frozenset(names)
        # Callers differ little in what they call it.
        self._is_known = lru_cache(maxsize=64)(self._is_name_known)

    def include(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Tell whether a request's headers, names in lower case, name such a host, or none."""
        return all(self._is_known(value) for name, value in headers if name == b"host")

    def _is_name_known(self, host: bytes) -> bool:
        name = _bare(re.sub(b":[0-9]*$", b"", host))
        return name in self._names or name == "localhost" or _is_loopback(name)


LOOPBACK_ONLY: Final = AllowedHosts(())


class AllowedHostsMiddleware:
    """Answers what was sent to known host names, and refuses the rest."""

    def __init__(self, app: ASGIApp, names: AllowedHosts, refusal: Callable[[str, GatewayError], HttpResponse]) -> None:
        """Wrap an app.

        Args:
            app: what answers.
            names: the names.
            refusal: returns an error in the form of the dialect that is spoken at a path.
        """
        self._app = app
        self._names = names
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._names.include(scope["headers"]):
            await self._app(scope, receive, send)
            return
        error = GatewayError(
            Code.PERMISSION_DENIED,
            "the Host header names another host; this server answers to localhost, loopback addresses, and what its "
            "operator allows with --allowed-host",
            reason="FOREIGN_HOST",
        )
        await send_reply(self._refusal(scope["path"], error), send)


def _bare(host: bytes) -> str:
    return host.decode("latin-1").lower().removeprefix("[").removesuffix("]").removesuffix(".")


def _is_loopback(name: str) -> bool:
    return _is_address(name) and ip_address(name).is_loopback


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True

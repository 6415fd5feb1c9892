"""Host header check, against DNS rebinding.

A web page can resolve its own name to this machine's address. A browser then takes the gateway for the page's own server and
lets the page read the responses; but its requests still name the page's host. Over TLS the certificate does not match that
name, so the check is optional there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.http.asgi import HttpResponse, parse_once, send_response

_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"


def check_hosts(names: Sequence[str]) -> tuple[str, ...]:
    """Return the host names in canonical form.

    Raises:
        GatewayError: INVALID_ARGUMENT for one that is neither a host name nor an IP address, such as ``*``, or has a port.
    """
    hosts: list[str] = []
    for name in names:
        bare = _bare(name.encode(errors="replace"))
        if not re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", bare) and not _is_address(bare):
            raise GatewayError(
                Code.INVALID_ARGUMENT,
                f"{name!r} is not a host; valid forms are gateway.example, 192.0.2.1 and 2001:db8::1, without a port",
                reason="BAD_HOST",
            )
        hosts.append(bare)
    return tuple(hosts)


class AllowedHosts:
    """The host names of loopback, and those that the operator allows."""

    def __init__(self, names: Sequence[str]) -> None:
        """Allow loopback and ``names``, which ``check_hosts`` has returned."""
        self._names = frozenset(names)
        # Most callers use the same few names.
        self._is_allowed = lru_cache(maxsize=64)(self._is_name_allowed)

    def includes(self, scope: Scope) -> bool:
        """Whether every Host header of a request has an allowed name; true without one."""
        return all(self._is_allowed(value) for name, value in scope["headers"] if name == b"host")

    def _is_name_allowed(self, host: bytes) -> bool:
        name = _bare(re.sub(b":[0-9]*$", b"", host))
        return name in self._names or name == "localhost" or _is_loopback(name)


LOOPBACK_ONLY: Final = AllowedHosts(())


class AllowedHostsMiddleware:
    """Refuses requests to other host names."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: AllowedHosts,
        error_response: Callable[[str, GatewayError], HttpResponse],
        open_paths: frozenset[str] = frozenset(),
    ) -> None:
        """Wrap an app.

        Args:
            app: the app.
            hosts: the allowed host names.
            error_response: returns the response for an error in the protocol of a path.
            open_paths: paths that any host name may be used for.
        """
        self._app = app
        self._hosts = hosts
        self._error_response = error_response
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["path"] in self._open_paths or parse_once(scope, self._hosts.includes):
            await self._app(scope, receive, send)
            return
        error = GatewayError(
            Code.PERMISSION_DENIED,
            "the Host header names another host; this server allows localhost, loopback addresses, and the names that its "
            "operator gives with --allowed-host",
            reason="FOREIGN_HOST",
        )
        await send_response(self._error_response(scope["path"], error), send)


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

"""HTTP proxies, by the usual environment variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports.http1.request import HttpRequest
from gateway_entities.transports.target import Target

_URL = re.compile(r"(?:(?i:http)://)?(?:([^/]*)@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,255})(?::([0-9]{1,5}))?/?")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r?\n")
_MAX_HEAD_BYTES = 16 * 1024
_AUTHENTICATION_REQUIRED = 407


class Proxy(NamedTuple):
    """An HTTP proxy.

    Attributes:
        host: a name or an address; an IPv6 address without its brackets.
        port: the TCP port.
        authorization: the value of the proxy-authorization header, a secret; None for none.
    """

    host: str
    port: int
    authorization: str | None

    def __repr__(self) -> str:
        return f"<Proxy {self}>"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def connect_request(self, target: Target) -> bytes:
        """Return the request for a tunnel to a target."""
        headers = [("host", target.authority), *self._headers()]
        lines = [f"CONNECT {target.authority} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    def is_tunnel_open(self, received: bytes) -> bool:
        """Return whether the proxy has opened a tunnel; False while its response is incomplete.

        Raises:
            GatewayError: FAILED_PRECONDITION if the proxy refuses.
            ConnectionError: the proxy cannot reach the target, or its response is not HTTP.
        """
        head, end, rest = received.partition(b"\r\n\r\n")
        if not end and len(received) <= _MAX_HEAD_BYTES:
            return False
        match = _STATUS_LINE.match(head + b"\r\n")
        # The client is the first to send over TLS, so nothing may follow.
        if match is None or rest or not end:
            raise ConnectionError(f"the response of the proxy {self} to CONNECT is not valid HTTP")
        status = int(match[1])
        if 200 <= status < 300:
            return True
        if status >= 500:
            raise ConnectionError(f"the proxy {self} answered CONNECT with HTTP status {status}")
        raise self._refused(status)

    def forward(self, request: HttpRequest, target: Target) -> HttpRequest:
        """Return a request for a target without TLS as the proxy expects it."""
        url = f"http://{target.authority}{request.path}"
        return request._replace(path=url, headers=[*request.headers, *self._headers()])

    def check(self, status: int) -> None:
        """Check the status of the response to a forwarded request.

        Raises:
            GatewayError: FAILED_PRECONDITION if the proxy wants other credentials.
        """
        if status == _AUTHENTICATION_REQUIRED:
            raise self._refused(status)

    def _headers(self) -> list[tuple[str, str]]:
        return [] if self.authorization is None else [("proxy-authorization", self.authorization)]

    def _refused(self, status: int) -> GatewayError:
        why = "it requires other credentials: " if status == _AUTHENTICATION_REQUIRED else ""
        return GatewayError(
            Code.FAILED_PRECONDITION,
            f"the proxy {self} refuses the connection: {why}HTTP status {status}",
            reason="PROXY_REFUSED",
        )


def proxy_for(target: Target, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a target; None for none.

    It is in ``https_proxy`` or ``http_proxy``, by the target's TLS, or in ``all_proxy``. ``no_proxy`` lists exceptions. The
    names may be in capitals; those in small letters win. Loopback and Unix sockets have no proxy.

    Raises:
        GatewayError: FAILED_PRECONDITION for the URL of a proxy that cannot be used. It names the variable, not the value,
            which may have a password.
    """
    if target.is_loopback:
        return None
    names = ["https_proxy", "HTTPS_PROXY"] if target.secure else ["http_proxy", "HTTP_PROXY"]
    if "REQUEST_METHOD" in environment and "HTTP_PROXY" in names:
        # In a CGI program a caller sets it, with the header Proxy.
        names.remove("HTTP_PROXY")
    # An empty value means none.
    name = next((name for name in (*names, "all_proxy", "ALL_PROXY") if name in environment), None)
    if name is None or not environment[name] or _is_exempt(target, environment):
        return None
    return _parse(name, environment[name])


def _parse(name: str, url: str) -> Proxy:
    match = _URL.fullmatch(url)
    port = int(match[3] or 80) if match else 0
    if match is None or not 1 <= port <= 65535:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"the environment variable {name} is not http://[USER:PASSWORD@]HOST[:PORT]; proxies over TLS and SOCKS are not "
            "supported. NO_PROXY lists hosts to call without a proxy",
            reason="BAD_PROXY",
        )
    return Proxy(match[2].strip("[]"), port, _basic(match[1]) if match[1] else None)


def _basic(userinfo: str) -> str:
    from base64 import b64encode
    from urllib.parse import unquote

    user, _, password = userinfo.partition(":")
    # As the environment is decoded: bytes that are not UTF-8 stay as they are.
    decoded = ":".join(unquote(part, errors="surrogateescape") for part in (user, password))
    credentials = decoded.encode(errors="surrogateescape")
    return "Basic " + b64encode(credentials).decode("ascii")


def _is_exempt(target: Target, environment: Mapping[str, str]) -> bool:
    listed = environment.get("no_proxy", environment.get("NO_PROXY", ""))
    return any(_covers(entry, target) for entry in re.split(r"[,\s]+", listed) if entry)


def _covers(entry: str, target: Target) -> bool:
    """Return whether an entry of NO_PROXY covers a target: ``*``, a network, ``ADDRESS[:PORT]`` or ``DOMAIN[:PORT]``."""
    if entry == "*":
        return True
    address = _address(target.host)
    if "/" in entry:
        try:
            return address is not None and address in ip_network(entry, strict=False)
        except ValueError:
            return False
    name, colon, port = entry.rpartition(":")
    # A colon also is part of an IPv6 address without brackets.
    if colon and port.isdecimal() and (":" not in name or name.startswith("[")):
        if int(port) != target.port:
            return False
        entry = name
    if address is not None:
        return address == _address(entry.strip("[]"))
    domain = entry.lower().removeprefix("*").strip(".")
    host = target.host.lower().rstrip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # An IPv4 address in the form of IPv6 is that IPv4 address.
    return getattr(address, "ipv4_mapped", None) or address

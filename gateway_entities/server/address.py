"""Addresses to listen on."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from typing import Final, NamedTuple

from gateway_entities.errors import Code, GatewayError

_LOCALHOST: Final = "localhost"
_UNIX: Final = "unix://"
_MAX_PATH_BYTES: Final = 107
"""The longest path of a Unix socket that Linux has room for."""


class Address(NamedTuple):
    """An IP address and a port, or a Unix socket.

    Attributes:
        host: an IP address, without brackets, or ``localhost``; empty for a Unix socket.
        port: 0 to 65535; 0 asks for a free one.
        path: the absolute path of a Unix socket; empty for TCP.
    """

    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{_UNIX}{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is reachable from this machine only."""
        return bool(self.path) or self.host == _LOCALHOST or ipaddress.ip_address(self.host).is_loopback

    @property
    def hosts(self) -> tuple[str, ...]:
        """The IP addresses to listen on: for ``localhost`` 127.0.0.1, and ::1 if this machine has it."""
        if self.host != _LOCALHOST:
            return (self.host,)
        return ("127.0.0.1", "::1") if _has_ipv6_loopback() else ("127.0.0.1",)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Parse ``unix:///PATH``, or ``HOST:PORT``, where HOST is an IP address (IPv6 in brackets) or ``localhost``.

        Raises:
            GatewayError: INVALID_ARGUMENT if it is malformed.
        """
        if text.startswith(_UNIX):
            path = text.removeprefix(_UNIX)
            if not re.fullmatch(r"/[^\x00-\x1f\x7f,]*[^\x00-\x1f\x7f,/]", path) or len(os.fsencode(path)) > _MAX_PATH_BYTES:
                raise _malformed(text)
            return cls("", 0, path)
        host, colon, port = text.rpartition(":")
        if not colon or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
            raise _malformed(text)
        if host == _LOCALHOST:
            return cls(host, int(port))
        bracketed = host.startswith("[") and host.endswith("]")
        try:
            ip = ipaddress.ip_address(host[1:-1] if bracketed else host)
        except ValueError:
            # Names are not resolved: the result may change between the check and the use.
            raise _malformed(text) from None
        if bracketed != (ip.version == 6):
            raise _malformed(text)
        return cls(str(ip), int(port))


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _malformed(text: str) -> GatewayError:
    return GatewayError(
        Code.INVALID_ARGUMENT,
        f"{text!r} is not an address to listen on; valid forms are 127.0.0.1:50051, [::1]:50051, localhost:50051 and "
        f"unix:///run/gateway.sock, with a path of at most {_MAX_PATH_BYTES} bytes",
    )


def address_unavailable(
    address: Address, protocol: str, why: str = "the address is in use, or not one of this machine"
) -> GatewayError:
    """Return the error of an address that cannot be listened on."""
    return GatewayError(Code.UNAVAILABLE, f"cannot listen on {address} for {protocol}: {why}", reason="ADDRESS_UNAVAILABLE")

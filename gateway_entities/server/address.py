"""Addresses to listen on."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from gateway_entities.errors import Code, GatewayError


class Address(NamedTuple):
    """An IP address and a port.

    Attributes:
        host: an IP address, without brackets.
        port: 0 to 65535; 0 asks for a free one.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is reachable from this machine only."""
        return ipaddress.ip_address(self.host).is_loopback

    @classmethod
    def parse(cls, text: str) -> Address:
        """Parse ``HOST:PORT``, where HOST is an IP address (IPv6 in brackets) or ``localhost``, which means 127.0.0.1.

        Raises:
            GatewayError: INVALID_ARGUMENT if it is malformed.
        """
        host, colon, port = text.rpartition(":")
        if not colon or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
            raise _malformed(text)
        if host == "localhost":
            host = "127.0.0.1"
        bracketed = host.startswith("[") and host.endswith("]")
        try:
            ip = ipaddress.ip_address(host[1:-1] if bracketed else host)
        except ValueError:
            # Names are not resolved: the result may change between the check and the use.
            raise _malformed(text) from None
        if bracketed != (ip.version == 6):
            raise _malformed(text)
        return cls(str(ip), int(port))


def _malformed(text: str) -> GatewayError:
    return GatewayError(
        Code.INVALID_ARGUMENT,
        f"{text!r} is not an address to listen on; valid forms are 127.0.0.1:50051, [::1]:50051 and localhost:50051",
    )


def address_unavailable(address: Address, protocol: str) -> GatewayError:
    """Return the error of an address that cannot be listened on."""
    return GatewayError(
        Code.UNAVAILABLE,
        f"cannot listen on {address} for {protocol}: the address is in use, or not one of this machine",
        reason="ADDRESS_UNAVAILABLE",
    )

"""Rules of provider addresses: https and a public host.

The host name is not resolved. Its owner can change its addresses right after the check, the server may run where names
cannot be resolved, and the validity of a write must not depend on DNS. The client that connects to the provider has to check
the resolved addresses. The rule refuses what the text alone shows: an address that is not public, in every spelling that
some resolver accepts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from gateway_entities.rules.violation import Violation

# The whole of IPv6 that is handed out for global use, and the prefix under which NAT64 embeds IPv4 addresses.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
# Labels as in DNS, with the underscores that occur in practice. Other alphabets are written in punycode, because parsers
# differ in how they map them.
_HOST_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?")
# Resolvers read a name that ends in a number as an IPv4 address, however short, octal or hexadecimal.
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")


def public_https(url: str, path: str) -> Iterator[Violation]:
    """An https URL of a public host, without user information. The violation never shows the URL."""
    fault = _fault(url)
    if fault is not None:
        yield Violation("rules/address", path, fault)


def _fault(url: str) -> str | None:
    if not url.isprintable() or " " in url or "\\" in url:
        return "must not contain spaces, backslashes or control characters"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "must be a well-formed https address"
    if parts.scheme != "https":
        return "must be an https address, such as https://api.example.com/v1"
    if "@" in parts.netloc:
        return "must not contain a user name or password"
    if not parts.hostname:
        return "must name a host"
    return _host_fault(parts.hostname)


def _host_fault(host: str) -> str | None:
    if ":" in host or _ENDS_IN_NUMBER.fullmatch(host):
        try:
            address = ip_address(host)
        except ValueError:
            return "must spell an IP address in its canonical form, such as 192.0.2.1 or [2001:db8::1]"
        return None if _is_public(address) else "must not name an address that is not public"
    if len(host) > 253 or not _HOST_NAME.fullmatch(host):
        return "must name a host in letters, digits, hyphens and dots"
    if host.removesuffix(".").rsplit(".", 1)[-1] == "localhost":
        return "must not name an address that is not public"
    return None


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        # These forms carry an IPv4 address, and that is where the packets go.
        embedded = address.ipv4_mapped or address.sixtofour
        if embedded is None and address in _NAT64:
            embedded = IPv4Address(int(address) & 0xFFFFFFFF)
        if embedded is not None:
            return _is_public(embedded)
        if address.scope_id is not None or address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast

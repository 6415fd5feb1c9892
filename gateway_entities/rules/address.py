"""Rules of provider addresses: https and a public host, or one that the operator of a server allows.

The host name is not resolved. Its owner can change its addresses right after the check, the server may run where names
cannot be resolved, and the validity of a write must not depend on DNS. The client that connects to the provider has to check
the resolved addresses. The rule refuses what the text alone shows: an address that is not public, in every spelling that
some resolver accepts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from gateway_entities.errors import Code, GatewayError
from gateway_entities.rules.violation import Violation

RULE: Final = "rules/address"

# The whole of IPv6 that is handed out for global use, and the prefix under which NAT64 embeds IPv4 addresses.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
# Labels as in DNS, with the underscores that occur in practice. Other alphabets are written in punycode, because parsers
# differ in how they map them.
_HOST_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?")
# Resolvers read a name that ends in a number as an IPv4 address, however short, octal or hexadecimal.
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")


_ENTRY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[0-9]{1,5}))?")
_PORTS = {"http": 80, "https": 443}
_UNLESS = ", unless the server is started with --allow-api-base for its host"


class AllowedAddresses:
    """The hosts of providers to which neither https nor a public address is required. Immutable.

    Names and addresses match as they are written in a URL, but for upper case and a final dot. Names are not resolved.
    """

    def __init__(self, entries: Iterable[str] = (), *, every: bool = False) -> None:
        """Allow hosts.

        Args:
            entries: ``HOST``, for all its ports, or ``HOST:PORT``. HOST is a name or an IP address, IPv6 in brackets.
            every: allow every host.

        Raises:
            GatewayError: INVALID_ARGUMENT; an entry has another form, such as that of a URL.
        """
        self._entries = frozenset(_parse_entry(entry) for entry in entries)
        self._every = every

    def __contains__(self, address: tuple[str, int]) -> bool:
        """Whether a valid host and a port are allowed."""
        host, port = address
        name = _comparable(host)
        return self._every or (name, None) in self._entries or (name, port) in self._entries


NONE_ALLOWED: Final = AllowedAddresses()
"""What a server allows by default: nothing but public https."""
EVERY_ALLOWED: Final = AllowedAddresses(every=True)
"""For a client, which leaves the decision to its server."""


def provider_address(url: str, path: str, allowed: AllowedAddresses = NONE_ALLOWED) -> Iterator[Violation]:
    """An https URL of a public host, or an http or https URL of an allowed one, without user information.

    The violation never shows the URL.
    """
    fault = _fault(url, allowed)
    if fault is not None:
        yield Violation(RULE, path, fault)


def _fault(url: str, allowed: AllowedAddresses) -> str | None:
    if not url.isprintable() or " " in url or "\\" in url:
        return "must not contain spaces, backslashes or control characters"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "must be a well-formed https address"
    if (fault := _parts_fault(parts)) is not None:
        return fault
    host = parts.hostname or ""
    if (host, _PORTS[parts.scheme] if port is None else port) in allowed:
        return None
    if parts.scheme != "https":
        return f"must be an https address, such as https://api.example.com/v1{_UNLESS}"
    return None if _is_public_host(host) else f"must not name an address that is not public{_UNLESS}"


def _parts_fault(parts: SplitResult) -> str | None:
    """Return what is wrong with an address, whatever a server allows."""
    if parts.scheme not in _PORTS:
        return "must be an https address, such as https://api.example.com/v1"
    if "@" in parts.netloc:
        return "must not contain a user name or password"
    return _form_fault(parts.hostname) if parts.hostname else "must name a host"


def _form_fault(host: str) -> str | None:
    if _is_literal(host):
        try:
            ip_address(host)
        except ValueError:
            return "must spell an IP address in its canonical form, such as 192.0.2.1 or [2001:db8::1]"
        return None
    if len(host) > 253 or not _HOST_NAME.fullmatch(host):
        return "must name a host in letters, digits, hyphens and dots"
    return None


def _is_literal(host: str) -> bool:
    return ":" in host or _ENDS_IN_NUMBER.fullmatch(host) is not None


def _is_public_host(host: str) -> bool:
    if _is_literal(host):
        return _is_public(ip_address(host))
    return host.removesuffix(".").rsplit(".", 1)[-1] != "localhost"


def _comparable(host: str) -> str:
    return str(ip_address(host)) if _is_literal(host) else host.lower().removesuffix(".")


def _parse_entry(entry: str) -> tuple[str, int | None]:
    found = _ENTRY.fullmatch(entry)
    host = "" if found is None else found["host"].lower()
    port = None if found is None or found["port"] is None else int(found["port"])
    bare = host.removeprefix("[").removesuffix("]")
    if host.startswith("[") != (":" in bare) or _form_fault(bare) is not None or (port is not None and not 0 < port < 65536):
        raise GatewayError(
            Code.INVALID_ARGUMENT,
            f"{entry!r} is not a host that a provider's address can be allowed for; valid forms are localhost, "
            "vllm.models.svc:8000, 10.0.0.7 and [fd00::7]:8000, without a scheme and a path",
            reason="BAD_API_BASE",
        )
    return _comparable(bare), port


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

"""Targets: which server to call, and over which protocol."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from gateway_entities.errors import Code, GatewayError

TARGET_FORMS = (
    "grpc://HOST:PORT, grpcs://HOST:PORT, grpc+unix:///PATH, http://HOST[:PORT][/PREFIX], https://HOST[:PORT][/PREFIX], "
    "unix:///PATH, mlflow+http://HOST[:PORT][/PREFIX], mlflow+https://HOST[:PORT][/PREFIX]"
)
"""The targets that :func:`~gateway_entities.transports.open.open_transport` accepts."""

UNTRUSTED_CERTIFICATE = "UNTRUSTED_CERTIFICATE"
"""The reason of the error of a call to a server whose certificate is not trusted. Repeating it does not help."""

_LABEL = r"[A-Za-z0-9_-]{1,63}"
# Neither "." nor "..", escaped or not, which servers and proxies resolve in different ways, and no escaped slash, backslash
# or control character. No "@": what is before one may be a password.
_SEGMENT = r"(?!(?:\.|%2[Ee]){1,2}(?:/|$))(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%(?!2[Ff]|5[Cc]|[01]|7[Ff])[0-9A-Fa-f]{2})+"
_TARGET = re.compile(
    rf"(grpcs?|https?|mlflow\+https?)://(\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::([0-9]{{1,5}}))?((?:/{_SEGMENT})*)/?"
)
# No comma: gRPC takes it for the end of an address.
_UNIX_TARGET = re.compile(r"(unix|grpc\+unix)://(/[^\x00-\x1f\x7f,]*[^\x00-\x1f\x7f,/])")
_DEFAULT_PORTS = {"http": 80, "https": 443, "mlflow+http": 80, "mlflow+https": 443}
# The longest that Linux has room for.
_MAX_SOCKET_PATH_BYTES = 107


class Target(NamedTuple):
    """Address and protocol of a gateway.

    Attributes:
        scheme: grpc, grpcs, grpc+unix, http, https, unix (Connect over a Unix socket), mlflow+http or mlflow+https.
        host: a name or an address; an IPv6 address without its brackets. ``localhost`` for a Unix socket.
        port: the TCP port, 1 to 65535; 0 for a Unix socket.
        prefix: the base path of HTTP requests, such as ``/llm``; empty for none.
        socket_path: the absolute path of a Unix socket; empty for TCP.
    """

    scheme: str
    host: str
    port: int
    prefix: str = ""
    socket_path: str = ""

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted with TLS."""
        return self.scheme in {"grpcs", "https", "mlflow+https"}

    @property
    def is_loopback(self) -> bool:
        """Whether the address is loopback, or a Unix socket, so that no network can read the traffic."""
        from ipaddress import ip_address

        if self.host.lower().rstrip(".") == "localhost":
            return True
        try:
            address = ip_address(self.host)
        except ValueError:
            return False
        # Before Python 3.13 an IPv4 address in the form of IPv6 is none.
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback

    @property
    def authority(self) -> str:
        """Host and port as in a URL."""
        if self.socket_path:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.socket_path or self.authority + self.prefix}"

    @classmethod
    def parse(cls, target: str) -> Target:
        """Read a target.

        Raises:
            GatewayError: INVALID_ARGUMENT, naming the valid forms.
        """
        if isinstance(target, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            found = cls._parse_unix(target) or cls._parse_tcp(target)
            if found is not None:
                return found
        # The text before an @ may be a password.
        shown = repr(str(target).rpartition("@")[2])
        raise GatewayError(Code.INVALID_ARGUMENT, f"{shown} is not a target; valid are {TARGET_FORMS}", reason="BAD_TARGET")

    @classmethod
    def _parse_tcp(cls, target: str) -> Target | None:
        match = _TARGET.fullmatch(target)
        if match is None:
            return None
        scheme, host, digits, prefix = match.groups()
        port = int(digits) if digits else _DEFAULT_PORTS.get(scheme, 0)
        # gRPC has no base path.
        if not 1 <= port <= 65535 or (prefix and scheme.startswith("grpc")):
            return None
        if host.startswith("[") and not _is_ipv6(host[1:-1]):
            return None
        return cls(scheme, host.strip("[]"), port, prefix)

    @classmethod
    def _parse_unix(cls, target: str) -> Target | None:
        match = _UNIX_TARGET.fullmatch(target)
        if match is None or len(os.fsencode(match[2])) > _MAX_SOCKET_PATH_BYTES:
            return None
        return cls(match[1], "localhost", 0, socket_path=match[2])


def _is_ipv6(text: str) -> bool:
    from ipaddress import IPv6Address

    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


class TlsFiles(NamedTuple):
    """TLS files of a client.

    Attributes:
        ca_file: trusted certificate authorities, PEM; None for those of the system.
        cert_file: the client's certificate chain, PEM; None for none.
        key_file: its private key, PEM, without a passphrase; None if cert_file holds it.
    """

    ca_file: str | os.PathLike[str] | None = None
    cert_file: str | os.PathLike[str] | None = None
    key_file: str | os.PathLike[str] | None = None


NO_TLS_FILES = TlsFiles()

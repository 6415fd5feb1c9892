"""Targets: which server to call, and over which protocol."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from gateway_entities.errors import Code, GatewayError

TARGET_FORMS = (
    "grpc://HOST:PORT, grpcs://HOST:PORT, http://HOST[:PORT], https://HOST[:PORT], "
    "mlflow+http://HOST[:PORT], mlflow+https://HOST[:PORT]"
)
"""The targets that :func:`~gateway_entities.transports.open.open_transport` accepts."""

UNTRUSTED_CERTIFICATE = "UNTRUSTED_CERTIFICATE"
"""The reason of the error of a call to a server whose certificate is not trusted. Repeating it does not help."""

_LABEL = r"[A-Za-z0-9_-]{1,63}"
_TARGET = re.compile(
    rf"(grpcs?|https?|mlflow\+https?)://(\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::([0-9]{{1,5}}))?/?"
)
_DEFAULT_PORTS = {"http": 80, "https": 443, "mlflow+http": 80, "mlflow+https": 443}


class Target(NamedTuple):
    """Address and protocol of a gateway.

    Attributes:
        scheme: grpc, grpcs, http, https, mlflow+http or mlflow+https.
        host: a name or an address; an IPv6 address without its brackets.
        port: the TCP port, 1 to 65535.
    """

    scheme: str
    host: str
    port: int

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted with TLS."""
        return self.scheme in {"grpcs", "https", "mlflow+https"}

    @property
    def is_loopback(self) -> bool:
        """Whether the address is loopback, so that no network can read the traffic."""
        from ipaddress import ip_address

        try:
            return self.host.lower() == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def authority(self) -> str:
        """Host and port as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @classmethod
    def parse(cls, target: str) -> Target:
        """Read a target.

        Raises:
            GatewayError: INVALID_ARGUMENT, naming the valid forms.
        """
        match = _TARGET.fullmatch(target) if isinstance(target, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
        if match is not None:
            scheme, host, digits = match.groups()
            port = int(digits) if digits else _DEFAULT_PORTS.get(scheme, 0)
            if 1 <= port <= 65535:
                return cls(scheme, host.strip("[]"), port)
        # The text before an @ may be a password.
        shown = repr(str(target).rpartition("@")[2])
        raise GatewayError(Code.INVALID_ARGUMENT, f"{shown} is not a target; valid are {TARGET_FORMS}", reason="BAD_TARGET")


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

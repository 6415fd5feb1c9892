"""TLS for both ports: the server's certificate, and the CA of its clients' certificates."""

from __future__ import annotations

import os
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.text import refuse_mark


class LoadedTls(NamedTuple):
    """Loaded TLS files.

    Attributes:
        certificate: the server's certificate chain, PEM.
        key: its private key, PEM.
        client_ca: the CAs of the clients' certificates, PEM; None if clients need none.
        context: the same as an SSL context.
    """

    certificate: bytes
    key: bytes
    client_ca: bytes | None
    context: ssl.SSLContext

    def __repr__(self) -> str:
        return f"<LoadedTls {'with' if self.client_ca else 'without'} client certificates>"


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS 1.2 or later, on both ports. The files are read when the server starts.

    Attributes:
        cert_file: the server's certificate chain, PEM, its own certificate first.
        key_file: its private key, PEM, without a passphrase, in a file that only its owner can access.
        client_ca_file: CAs, PEM; every client then needs a certificate of one of them. None: clients need none.
    """

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None

    def load(self) -> LoadedTls:
        """Read the files.

        Raises:
            GatewayError: FAILED_PRECONDITION for a file that cannot be used; the message says why, without its content.
        """
        certificate = _read(self.cert_file, "certificate")
        key = _read(self.key_file, "private key", private=True)
        client_ca = None if self.client_ca_file is None else _read(self.client_ca_file, "client CA")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # OpenSSL would prompt for a passphrase on the terminal.
            context.load_cert_chain(self.cert_file, self.key_file, password=lambda: "")
        except (ssl.SSLError, ValueError):
            raise _unusable(
                f"{self.cert_file} and {self.key_file} are not a certificate and its key, in PEM and without a passphrase"
            ) from None
        if client_ca is not None:
            try:
                context.load_verify_locations(cadata=client_ca.decode("ascii"))
            except (ssl.SSLError, ValueError):
                raise _unusable(f"{self.client_ca_file} contains no certificates in PEM") from None
            context.verify_mode = ssl.CERT_REQUIRED
        return LoadedTls(certificate, key, client_ca, context)


def _read(path: Path, what: str, *, private: bool = False) -> bytes:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read()
        refuse_mark(content)
    except OSError as error:
        raise _unusable(f"the {what} {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise _unusable(f"the {what} {path} {error}") from None
    if private and mode & 0o077:
        raise _unusable(
            f"the {what} {path} is accessible to others than its owner (mode {mode:04o}); run: chmod 600 {path} - and if "
            "others may have read it, replace it and its certificate"
        )
    return content


def _unusable(problem: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, f"TLS cannot be used: {problem}", reason="TLS_FILE")

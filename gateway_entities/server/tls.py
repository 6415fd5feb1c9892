"""TLS for both ports: the server's certificate, and the CA of its clients' certificates."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509

from gateway_entities.errors import Code, GatewayError
from gateway_entities.files import NotRegularError, access_problem, open_regular
from gateway_entities.text import refuse_mark

_READS: Final = 5
"""Maximum readings of files that change meanwhile."""
_MAX_BYTES: Final = 4 * 1024 * 1024


class TlsContents(NamedTuple):
    """The contents of the TLS files.

    Attributes:
        certificate: the server's certificate chain, PEM.
        key: its private key, PEM.
        client_ca: the CAs of the clients' certificates, PEM; None if clients need none.
    """

    certificate: bytes
    key: bytes
    client_ca: bytes | None

    def __repr__(self) -> str:
        return f"<TlsContents {'with' if self.client_ca else 'without'} client certificates>"


class LoadedTls(NamedTuple):
    """Loaded TLS files.

    Attributes:
        contents: what the files contain.
        context: the same as an SSL context.
        expires_at: the time after which the server's certificate is not valid.
    """

    contents: TlsContents
    context: ssl.SSLContext
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS 1.2 or later, on both ports. The files are read when the server starts, and again when they change.

    Attributes:
        cert_file: the server's certificate chain, PEM, its own certificate first.
        key_file: its private key, PEM, without a passphrase, in a private file:
            see :func:`gateway_entities.files.access_problem`.
        client_ca_file: CAs, PEM; every client then needs a certificate of one of them. None: clients need none.
    """

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None

    def read(self) -> TlsContents:
        """Read the files, without a check of their content.

        Raises:
            GatewayError: FAILED_PRECONDITION for a file that cannot be read, or a key that is not private.
        """
        return TlsContents(
            _read(self.cert_file, "certificate"),
            _read(self.key_file, "private key", private=True),
            None if self.client_ca_file is None else _read(self.client_ca_file, "client CA"),
        )

    def load(self) -> LoadedTls:
        """Read and check the files. Files that are replaced meanwhile are read again, so that they belong together.

        Raises:
            GatewayError: FAILED_PRECONDITION for a file that cannot be used; the message says why, without its content.
        """
        contents = self.read()
        for _ in range(_READS):
            problem: GatewayError | None = None
            try:
                loaded = self._load(contents)
            except GatewayError as error:
                problem, loaded = error, None
            # OpenSSL reads the certificate and the key by their paths.
            before, contents = contents, self.read()
            if contents == before:
                if problem is not None:
                    raise problem
                assert loaded is not None  # noqa: S101 - there was no problem.
                return loaded
        raise _unusable("the files change while they are read")

    def _load(self, contents: TlsContents) -> LoadedTls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # OpenSSL would prompt for a passphrase on the terminal.
            context.load_cert_chain(self.cert_file, self.key_file, password=lambda: "")
            expires_at = x509.load_pem_x509_certificate(contents.certificate).not_valid_after_utc
        except (OSError, ValueError):
            raise _unusable(
                f"{self.cert_file} and {self.key_file} are not a certificate and its key, in PEM and without a passphrase"
            ) from None
        if contents.client_ca is not None:
            try:
                context.load_verify_locations(cadata=contents.client_ca.decode("ascii"))
            except (ssl.SSLError, ValueError):
                raise _unusable(f"{self.client_ca_file} contains no certificates in PEM") from None
            context.verify_mode = ssl.CERT_REQUIRED
        return LoadedTls(contents, context, expires_at)


def _read(path: Path, what: str, *, private: bool = False) -> bytes:
    try:
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            content = file.read(_MAX_BYTES + 1)
        problem = access_problem(path, status) if private else None
        refuse_mark(content)
    except NotRegularError:
        raise _unusable(f"the {what} {path} is not a regular file") from None
    except OSError as error:
        raise _unusable(f"the {what} {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise _unusable(f"the {what} {path} {error}") from None
    if len(content) > _MAX_BYTES:
        raise _unusable(f"the {what} {path} is larger than {_MAX_BYTES} bytes")
    if problem is not None:
        raise _unusable(f"the {what} {path} {problem} - and if others may have read it, replace it and its certificate")
    return content


def _unusable(problem: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, f"TLS cannot be used: {problem}", reason="TLS_FILE")

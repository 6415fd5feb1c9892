"""TLS of the clients: whom they trust, and the certificate that they show."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports.target import Target, TlsFiles


class Tls(NamedTuple):
    """What a connection with TLS takes beside the target.

    Attributes:
        ca: the authorities that are trusted, PEM; None for those of the system.
        certificate: the client's certificate and those between it and its authority, PEM; None for none.
        key: its private key, PEM; None for none.
        files: where these are from.
    """

    ca: bytes | None
    certificate: bytes | None
    key: bytes | None
    files: TlsFiles

    def __repr__(self) -> str:
        return f"<Tls {self.files}>"

    @classmethod
    def load(cls, target: Target, files: TlsFiles) -> Tls | None:
        """Read the files; None when there is nothing to read.

        Raises:
            GatewayError: INVALID_ARGUMENT when a target without TLS is given files, or a key comes without its certificate;
                FAILED_PRECONDITION for a file that cannot be used. The message shows nothing of it.
        """
        if files == TlsFiles():
            return None
        if not target.secure:
            raise GatewayError(
                Code.INVALID_ARGUMENT,
                f"{target} is without TLS and has no use for certificates; with TLS it is {target.scheme}s://",
                reason="BAD_TARGET",
            )
        if files.key_file is not None and files.cert_file is None:
            raise GatewayError(Code.INVALID_ARGUMENT, "a private key comes with its certificate", reason="BAD_TLS_FILES")
        certificate = _read(files.cert_file)
        tls = cls(_read(files.ca_file), certificate, _read(files.key_file) or certificate, files)
        # Whichever library makes the connection: the files are looked at now.
        tls.context()
        return tls

    def context(self, system: ssl.SSLContext | None = None) -> ssl.SSLContext:
        """Return the same for Python's TLS.

        Args:
            system: what trusts the system's authorities; it is taken if no others are given.

        Raises:
            GatewayError: FAILED_PRECONDITION for a file that does not hold what it should.
        """
        context = system or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca is not None:
            # Not ssl.create_default_context: for an empty file it would trust the system's authorities.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            try:
                context.load_verify_locations(cadata=self.ca.decode("ascii"))
            except (ssl.SSLError, ValueError):
                raise _unusable(f"{self.files.ca_file} holds no certificates in PEM") from None
        if self.files.cert_file is not None:
            try:
                # A passphrase would be asked for on the terminal.
                context.load_cert_chain(self.files.cert_file, self.files.key_file, password=lambda: "")
            except (OSError, ValueError):
                where = f"{self.files.cert_file} and {self.files.key_file or 'itself'}"
                raise _unusable(f"{where} are not a certificate and its key, in PEM and without passphrase") from None
        return context


def _read(path: str | os.PathLike[str] | None) -> bytes | None:
    if path is None:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _unusable(f"{path} cannot be read: {error.strerror}") from None


def _unusable(wrong: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, f"TLS cannot be used: {wrong}", reason="TLS_FILE")

"""TLS of the clients: trusted authorities and the client certificate."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Final, NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.text import refuse_mark
from gateway_entities.transports.target import Target, TlsFiles

_MAX_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of a file. The system's authorities have less than a megabyte."""


class Tls(NamedTuple):
    """TLS configuration of a client, loaded from files.

    Attributes:
        ca: trusted certificate authorities, PEM; None for those of the system.
        certificate: the client's certificate chain, PEM; None for none.
        key: its private key, PEM; None for none.
        files: the source files.
    """

    ca: bytes | None
    certificate: bytes | None
    key: bytes | None
    files: TlsFiles

    def __repr__(self) -> str:
        return f"<Tls {self.files}>"

    @classmethod
    def load(cls, target: Target, files: TlsFiles) -> Tls | None:
        """Read the files; return None if there are none.

        Raises:
            GatewayError: INVALID_ARGUMENT for files with a target without TLS, or a key without a certificate;
                FAILED_PRECONDITION for an unusable file. The message shows none of its content.
        """
        if files == TlsFiles():
            return None
        if not target.secure:
            instead = "" if target.socket_path else f"; use {target.scheme}s://"
            raise GatewayError(
                Code.INVALID_ARGUMENT,
                f"{target} does not use TLS, so it accepts no certificates{instead}",
                reason="BAD_TARGET",
            )
        if files.key_file is not None and files.cert_file is None:
            raise GatewayError(Code.INVALID_ARGUMENT, "a private key requires a certificate", reason="BAD_TLS_FILES")
        certificate = _read(files.cert_file)
        tls = cls(_read(files.ca_file), certificate, _read(files.key_file) or certificate, files)
        # Validate the files now, for gRPC too.
        tls.context()
        return tls

    def context(self, system: ssl.SSLContext | None = None) -> ssl.SSLContext:
        """Return an SSL context.

        Args:
            system: a context that trusts the system's authorities; used unless ``ca`` is set.

        Raises:
            GatewayError: FAILED_PRECONDITION for an invalid file.
        """
        context = system or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca is not None:
            # Not ssl.create_default_context: with an empty file it trusts the system's authorities.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            try:
                context.load_verify_locations(cadata=self.ca.decode("ascii"))
            except (ssl.SSLError, ValueError):
                raise _unusable(f"{self.files.ca_file} contains no PEM certificates") from None
        if self.files.cert_file is not None:
            try:
                # Without a password callback, OpenSSL prompts for a passphrase on the terminal.
                context.load_cert_chain(self.files.cert_file, self.files.key_file, password=lambda: "")
            except (OSError, ValueError):
                where = f"{self.files.cert_file} and {self.files.key_file or 'itself'}"
                raise _unusable(f"{where} are not a certificate and its key in PEM, without a passphrase") from None
        return context


def _read(path: str | os.PathLike[str] | None) -> bytes | None:
    if path is None:
        return None
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise ValueError(f"has more than {_MAX_BYTES} bytes")
        refuse_mark(content)
    except OSError as error:
        raise _unusable(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise _unusable(f"{path} {error}") from None
    return content


def _unusable(wrong: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, f"TLS cannot be used: {wrong}", reason="TLS_FILE")

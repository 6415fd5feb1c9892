"""The certificate authorities of the system, for gRPC: the same ones that ``ssl`` trusts by default."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

from gateway_entities.errors import Code, GatewayError

_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""The names by which OpenSSL finds certificates in a folder."""


def system_authorities() -> bytes:
    """Return the certificate authorities of the system, PEM.

    They are those of OpenSSL's default file and folders, or of the variables SSL_CERT_FILE and SSL_CERT_DIR; on Windows
    those of its store.

    Raises:
        GatewayError: FAILED_PRECONDITION if there are none.
    """
    found = b"\n".join(_certificates())
    if b"-----BEGIN CERTIFICATE-----" not in found and b"-----BEGIN TRUSTED CERTIFICATE-----" not in found:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            "TLS cannot be used: this machine has no certificate authorities. Install them (on Debian and Alpine the "
            "package ca-certificates), or name a file of them with ca_file or the variable SSL_CERT_FILE",
            reason="NO_AUTHORITIES",
        )
    return found


def _certificates() -> Iterator[bytes]:
    if os.name == "nt":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_default_certs()
        for certificate in context.get_ca_certs(binary_form=True):
            yield ssl.DER_cert_to_PEM_cert(certificate).encode()
        return
    defaults = ssl.get_default_verify_paths()
    yield _content(Path(os.environ.get(defaults.openssl_cafile_env, defaults.openssl_cafile)))
    folders = os.environ.get(defaults.openssl_capath_env, defaults.openssl_capath)
    for folder in folders.split(os.pathsep):
        try:
            names = sorted(name for name in os.listdir(folder) if _HASHED_NAME.fullmatch(name))
        except OSError:
            continue
        for name in names:
            yield _content(Path(folder, name))


def _content(path: Path) -> bytes:
    # OpenSSL ignores what it cannot read.
    try:
        return path.read_bytes()
    except OSError:
        return b""

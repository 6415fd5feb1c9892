"""What every transport is, and the choice of one by its target."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from google.protobuf.message import DecodeError

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method, Request, Response

if TYPE_CHECKING:
    import asyncio

    from gateway_entities.transports.tls import Tls

TARGET_FORMS = (
    "grpc://HOST:PORT, grpcs://HOST:PORT, http://HOST[:PORT], https://HOST[:PORT], "
    "mlflow+http://HOST[:PORT], mlflow+https://HOST[:PORT]"
)
"""The targets that :func:`open_transport` takes."""

# Connect writes a timeout in ten digits of milliseconds at most, 115 days. Nobody waits so long: more means for ever.
_LONGEST_S = 9_999_999_999 / 1000

_LABEL = r"[A-Za-z0-9_-]{1,63}"
_TARGET = re.compile(
    rf"(grpcs?|https?|mlflow\+https?)://(\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::([0-9]{{1,5}}))?/?"
)
_DEFAULT_PORTS = {"http": 80, "https": 443, "mlflow+http": 80, "mlflow+https": 443}

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_METADATA_KEY = re.compile(r"[a-z0-9_.-]+")
_METADATA_VALUE = re.compile(r"[\x20-\x7e]*")
# The headers that a transport writes itself, and those that would change how a message is read.
_RESERVED_KEYS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "te",
        "trailer",
    }
    | {"transfer-encoding", "upgrade"}
)
_RESERVED_PREFIXES = ("grpc-", "connect-")


class Transport(Protocol):
    """Carries one request to a gateway and its response back. Threads may share one."""

    @property
    def deduplicates(self) -> bool:
        """Whether the server tells a repeat by the request's request_id and does nothing twice."""
        ...

    def call(
        self,
        method: Method[Request, Response],
        request: Request,
        *,
        timeout: float | None,
        metadata: Mapping[str, str] | None,
    ) -> Response:
        """Make one call.

        Args:
            method: the RPC.
            request: its request message.
            timeout: seconds until the call fails with DEADLINE_EXCEEDED, everything included; None waits for ever.
            metadata: sent beside the request: ASCII text by lower-case key.

        Raises:
            GatewayError: what the server answered; UNAVAILABLE when it cannot be reached or is lost in mid-call;
                DEADLINE_EXCEEDED; CANCELLED when the transport is closed, before the call or during it.
        """
        ...

    def close(self) -> None:
        """Let go of every connection. Calls in flight in other threads end with CANCELLED. A second close does nothing."""
        ...


class AsyncTransport(Protocol):
    """The same with coroutines. One serves one event loop, that of its first call."""

    @property
    def deduplicates(self) -> bool:
        """As in :class:`Transport`."""
        ...

    async def call(
        self,
        method: Method[Request, Response],
        request: Request,
        *,
        timeout: float | None,
        metadata: Mapping[str, str] | None,
    ) -> Response:
        """Make one call. Arguments and errors are those of :meth:`Transport.call`; cancelling the task ends the call."""
        ...

    async def close(self) -> None:
        """Let go of every connection. Calls in flight end with CANCELLED. A second close does nothing."""
        ...


class Target(NamedTuple):
    """Where a gateway listens, and what it speaks there.

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
        """Whether the server is on this machine, so that nobody in between can read along."""
        from ipaddress import ip_address

        try:
            return self.host.lower() == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def authority(self) -> str:
        """The host and port as they stand in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @classmethod
    def parse(cls, target: str) -> Target:
        """Read a target.

        Raises:
            GatewayError: INVALID_ARGUMENT, naming the valid forms.
        """
        match = _match(_TARGET, target)
        if match is not None:
            scheme, host, digits = match.groups()
            port = int(digits) if digits else _DEFAULT_PORTS.get(scheme, 0)
            if 1 <= port <= 65535:
                return cls(scheme, host.strip("[]"), port)
        # What stands before an @ may be a password.
        shown = repr(str(target).rpartition("@")[2])
        raise GatewayError(Code.INVALID_ARGUMENT, f"{shown} is not a target; valid are {TARGET_FORMS}", reason="BAD_TARGET")


class TlsFiles(NamedTuple):
    """What a target with TLS may have beside it.

    Attributes:
        ca_file: the authorities that are trusted, PEM; None for those of the system.
        cert_file: the client's certificate, PEM, followed by those between it and its authority; None for none.
        key_file: its private key, PEM, without a passphrase; None when it is in the same file.
    """

    ca_file: str | os.PathLike[str] | None = None
    cert_file: str | os.PathLike[str] | None = None
    key_file: str | os.PathLike[str] | None = None


NO_TLS_FILES = TlsFiles()


def open_transport(target: str, files: TlsFiles = NO_TLS_FILES) -> Transport:
    """Return the transport for a target. Nothing is connected before the first call.

    Raises:
        GatewayError: INVALID_ARGUMENT for a target of no known form, or files for one without TLS; FAILED_PRECONDITION for a
            file that cannot be used.
    """
    parsed, tls = _parse(target, files)
    if parsed.scheme.startswith("grpc"):
        from gateway_entities.transports.grpc import GrpcTransport

        return GrpcTransport(parsed, tls)
    if parsed.scheme.startswith("mlflow"):
        from gateway_entities.transports.mlflow_rest import MlflowTransport

        return MlflowTransport(parsed, tls)
    from gateway_entities.transports.http import HttpTransport

    return HttpTransport(parsed, tls=tls)


def open_async_transport(target: str, files: TlsFiles = NO_TLS_FILES) -> AsyncTransport:
    """Return the asyncio transport for a target; see :func:`open_transport`."""
    parsed, tls = _parse(target, files)
    if parsed.scheme.startswith("grpc"):
        from gateway_entities.transports.grpc import AsyncGrpcTransport

        return AsyncGrpcTransport(parsed, tls)
    if parsed.scheme.startswith("mlflow"):
        from gateway_entities.transports.mlflow_rest import AsyncMlflowTransport

        return AsyncMlflowTransport(parsed, tls)
    from gateway_entities.transports.http import AsyncHttpTransport

    return AsyncHttpTransport(parsed, tls=tls)


def _parse(target: str, files: TlsFiles) -> tuple[Target, Tls | None]:
    parsed = Target.parse(target)
    if files == NO_TLS_FILES:
        return parsed, None
    from gateway_entities.transports.tls import Tls

    return parsed, Tls.load(parsed, files)


def bearer(target: str, token: str) -> str:
    """Return the authorization header of a token.

    Raises:
        GatewayError: INVALID_ARGUMENT for a text that no token has; FAILED_PRECONDITION when it would cross a network in
            clear. Neither shows the token.
    """
    if not _match(_TOKEN, token):
        raise GatewayError(
            Code.INVALID_ARGUMENT, "a token is letters, digits, and the signs - . _ ~ + / =", reason="BAD_TOKEN"
        )
    parsed = Target.parse(target)
    if not parsed.secure and not parsed.is_loopback:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"refusing to send a token to {parsed}, over a network and without TLS; use {parsed.scheme}s://",
            reason="INSECURE_TOKEN",
        )
    return f"Bearer {token}"


class Deadline:
    """A moment by which something has to be done.

    Attributes:
        at: the moment on the monotonic clock, in seconds; None means never.
    """

    __slots__ = ("at",)

    def __init__(self, timeout: float | None) -> None:
        """Set the deadline ``timeout`` seconds from now; None means never.

        Raises:
            GatewayError: INVALID_ARGUMENT when it is not a number.
        """
        number = isinstance(timeout, (int, float))
        if timeout is not None and (not number or math.isnan(timeout)):
            raise GatewayError(Code.INVALID_ARGUMENT, "timeout must be a number of seconds or None", reason="BAD_TIMEOUT")
        self.at = None if timeout is None or timeout > _LONGEST_S else time.monotonic() + timeout

    def remaining(self) -> float | None:
        """Return the seconds that are left, more than 0; None means no end.

        Raises:
            GatewayError: DEADLINE_EXCEEDED when none are.
        """
        if self.at is None:
            return None
        left = self.at - time.monotonic()
        if left <= 0:
            raise deadline_exceeded()
        return left


class LoopAffinity:
    """Holds an async transport to the event loop of its first call: connections cannot change loops."""

    __slots__ = ("_loop",)

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def check(self) -> None:
        """Raise GatewayError FAILED_PRECONDITION in any other loop."""
        import asyncio

        running = asyncio.get_running_loop()
        self._loop = self._loop or running
        if self._loop is not running:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                "the client is in use in another event loop; make one client for each loop",
                reason="OTHER_EVENT_LOOP",
            )


def decode(method: Method[Request, Response], data: bytes) -> Response:
    """Read a response message.

    Raises:
        GatewayError: INTERNAL for bytes that are no such message.
    """
    try:
        return method.response_type.FromString(data)
    except DecodeError:
        raise GatewayError(Code.INTERNAL, f"the server's answer is not a {method.name}Response") from None


def headers(metadata: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """Return metadata as headers that both protocols can carry.

    Raises:
        GatewayError: INVALID_ARGUMENT naming the key at fault, never its value, which may be a token.
    """
    if not metadata:
        return ()
    for key, value in metadata.items():
        if not _match(_METADATA_KEY, key) or key.endswith("-bin"):
            problem = "a key is lower-case letters, digits, and the signs - _ . and does not end in -bin"
        elif key in _RESERVED_KEYS or key.startswith(_RESERVED_PREFIXES):
            problem = "the transport writes this key itself"
        elif not _match(_METADATA_VALUE, value):
            problem = "a value is printable ASCII"
        else:
            continue
        raise GatewayError(Code.INVALID_ARGUMENT, f"metadata[{key!r}]: {problem}", reason="BAD_METADATA")
    return tuple(metadata.items())


def deadline_exceeded() -> GatewayError:
    """Return the error of a call whose time is up."""
    return GatewayError(Code.DEADLINE_EXCEEDED, "the deadline passed before the answer came")


def closed() -> GatewayError:
    """Return the error of a call on a transport that was closed."""
    return GatewayError(Code.CANCELLED, "the client is closed", reason="CLIENT_CLOSED")


def _match(pattern: re.Pattern[str], value: object) -> re.Match[str] | None:
    return pattern.fullmatch(value) if isinstance(value, str) else None

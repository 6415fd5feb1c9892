"""The Connect protocol for unary calls, https://connectrpc.com/docs/protocol: what its headers and bodies say.

Not spoken here, because the protocol leaves them to the server: compressed responses, and GET in place of POST.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Final, NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.codec import JSON, PROTO, Codec
from gateway_entities.server.rpc.limits import MAX_REQUEST_BYTES

Headers = tuple[tuple[bytes, bytes], ...]

_CODECS: Final = {b"application/proto": PROTO, b"application/json": JSON}
_JSON_TYPE: Final = (b"content-type", b"application/json")


class HttpResponse(NamedTuple):
    """An HTTP response.

    Attributes:
        status: the HTTP status.
        headers: all headers but content-length, names in lower case.
        body: the content.
    """

    status: int
    headers: Headers
    body: bytes


class BadCallError(Exception):
    """A request that is not a Connect call at all; ``reply`` answers it."""

    def __init__(self, reply: HttpResponse) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Call(NamedTuple):
    """What the headers of a call say.

    Attributes:
        codec: the form of both bodies.
        content_type: the media type of that form.
        gzipped: whether the request's body is compressed.
        timeout: seconds the caller waits, from when it sent the call; None for no limit.
    """

    codec: Codec
    content_type: bytes
    gzipped: bool
    timeout: float | None


def read_headers(headers: list[tuple[bytes, bytes]]) -> Call:
    """Read the headers of a POST, names in lower case.

    Raises:
        BadCallError: the content type is not one of Connect's.
        GatewayError: a header that Connect defines has a value that it does not.
    """
    given = dict(headers)
    content_type, codec = _codec(given.get(b"content-type", b""))
    if given.get(b"connect-protocol-version", b"1") != b"1":
        raise GatewayError(Code.INVALID_ARGUMENT, "connect-protocol-version must be 1")
    encoding = given.get(b"content-encoding", b"identity").lower()
    if encoding not in (b"identity", b"gzip"):
        error = GatewayError(Code.UNIMPLEMENTED, "the content-encoding is not supported; gzip and identity are")
        raise BadCallError(error_reply(error, headers=((b"accept-encoding", b"gzip, identity"),)))
    length = given.get(b"content-length", b"0")
    if length.isdigit() and int(length[:20]) > MAX_REQUEST_BYTES:
        raise too_large()
    timeout = given.get(b"connect-timeout-ms")
    return Call(codec, content_type, encoding == b"gzip", None if timeout is None else _seconds(timeout))


def _codec(header: bytes) -> tuple[bytes, Codec]:
    media_type, _, parameter = (part.strip() for part in header.lower().partition(b";"))
    codec = _CODECS.get(media_type)
    if codec is None or parameter.replace(b'"', b"") not in (b"", b"charset=utf-8"):
        # There is no code for this; UNKNOWN is what Connect's clients make of a bare 415.
        error = GatewayError(Code.UNKNOWN, "the content-type must be application/proto or application/json")
        raise BadCallError(
            error_reply(error, status=415, headers=((b"accept-post", b"application/proto, application/json"),))
        )
    return media_type, codec


def _seconds(timeout: bytes) -> float:
    if not timeout.isdigit() or len(timeout) > 10:
        raise GatewayError(Code.INVALID_ARGUMENT, "connect-timeout-ms must be a whole number of at most 10 digits")
    return int(timeout) / 1000


def too_large() -> GatewayError:
    """Return the error of a request over the limit."""
    return GatewayError(Code.RESOURCE_EXHAUSTED, f"the request is larger than {MAX_REQUEST_BYTES} bytes")


def decompress(body: bytes) -> bytes:
    """Return what was compressed with gzip.

    Raises:
        GatewayError: INVALID_ARGUMENT, if it is not one whole gzip stream; RESOURCE_EXHAUSTED, if there is more in it than a
            request may have. The rest is not decompressed then.
    """
    if not body:
        return body
    stream = zlib.decompressobj(wbits=31)
    try:
        data = stream.decompress(body, MAX_REQUEST_BYTES + 1)
    except zlib.error:
        data = b""
    if len(data) > MAX_REQUEST_BYTES:
        raise too_large()
    if not stream.eof or stream.unused_data:
        raise GatewayError(Code.INVALID_ARGUMENT, "the body is not one whole gzip stream", reason="WIRE_FORMAT")
    return data


def error_reply(error: GatewayError, *, status: int | None = None, headers: Headers = ()) -> HttpResponse:
    """Return an error in Connect's form, with the HTTP status of its code unless another is given."""
    content: dict[str, object] = {"code": error.code.connect, "message": error.message}
    details = [
        {"type": each.TypeName(), "value": base64.b64encode(each.value).rstrip(b"=").decode()} for each in error.details()
    ]
    if details:
        content["details"] = details
    return HttpResponse(status or error.code.http_status, (_JSON_TYPE, *headers), json.dumps(content).encode())

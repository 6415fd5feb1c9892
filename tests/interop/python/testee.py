"""The testee in Python: the testee protocol (see testee.proto) over protobuf's library and this project's own transports.

python -m tests.interop.python.testee
"""

from __future__ import annotations

import functools
import hashlib
import sys
from typing import Any

from google.protobuf import json_format, proto
from google.protobuf.message import DecodeError, Message

from gateway_entities.errors import GatewayError
from gateway_entities.methods import METHODS, WATCH_GATEWAY, Method
from gateway_entities.mirror.core import MirrorCore
from gateway_entities.transports import Transport, open_transport
from gateway_entities.transports.base import MessageStream
from gateway_entities.wire import MESSAGE_TYPES
from tests.interop.proto.testee_pb2 import Call, CallError, TesteeRequest, TesteeResponse

TYPES = {kind.DESCRIPTOR.full_name: kind for kind in MESSAGE_TYPES.values()}
PATHS = {method.path: method for method in METHODS}


def answer(request: TesteeRequest) -> TesteeResponse:
    operation = request.WhichOneof("operation")
    if operation == "call":
        return call(request.call)
    if operation in ("stream", "next", "cancel"):
        return STREAM.answer(operation, request.stream)
    if operation == "mirror":
        mirror = MirrorCore()
        for message in request.mirror.messages:
            mirror.apply(message)
        return TesteeResponse(digest=mirror.digest())
    kind = TYPES.get(request.message_type)
    if kind is None:
        return TesteeResponse(unsupported=f"message type {request.message_type!r}")
    try:
        return work(operation, request, kind)
    # The pure-Python runtime raises UnicodeDecodeError for malformed UTF-8.
    except (DecodeError, UnicodeDecodeError, json_format.Error) as error:
        return TesteeResponse(parse_error=str(error) or type(error).__name__)


def work(operation: str | None, request: TesteeRequest, kind: type[Message]) -> TesteeResponse:
    if operation == "decode":
        return TesteeResponse(proto=kind.FromString(request.decode).SerializeToString())
    if operation == "to_json":
        message = kind.FromString(request.to_json)
        return TesteeResponse(json=json_format.MessageToJson(message, preserving_proto_field_name=True))
    if operation == "from_json":
        message = json_format.Parse(request.from_json, kind(), ignore_unknown_fields=True)
        return TesteeResponse(proto=message.SerializeToString())
    if operation == "digest":
        data = kind.FromString(request.digest).SerializeToString(deterministic=True)
        return TesteeResponse(digest=hashlib.sha256(data).hexdigest())
    return TesteeResponse(unsupported=f"operation {operation}")


@functools.cache
def transport(target: str) -> Transport:
    return open_transport(target)


def call(parameters: Call) -> TesteeResponse:
    method = PATHS.get(parameters.path)
    if method is None or parameters.json:
        return TesteeResponse(unsupported="JSON in calls" if parameters.json else f"method {parameters.path!r}")
    try:
        response = transport(parameters.target).call(method, **arguments(method, parameters))
    except GatewayError as error:
        return failed(error)
    return TesteeResponse(proto=method.response_type.FromString(response).SerializeToString())


def arguments(method: Method[Any, Any], parameters: Call) -> dict[str, Any]:
    return {
        # The request as encoded by the library.
        "request": method.request_type.FromString(parameters.request).SerializeToString(),
        "timeout": parameters.timeout_ms / 1000 if parameters.HasField("timeout_ms") else None,
        "metadata": dict(parameters.metadata),
    }


def failed(error: GatewayError) -> TesteeResponse:
    told = CallError(code=error.code.number, message=error.message, details=error.details())
    return TesteeResponse(call_error=told)


class Stream:
    """The current stream."""

    def __init__(self) -> None:
        self._opened: MessageStream | None = None
        self._method: Method[Any, Any] = WATCH_GATEWAY

    def answer(self, operation: str, parameters: Call) -> TesteeResponse:
        if operation != "next" and self._opened is not None:
            self._opened.close()
            self._opened = None
        if operation == "stream":
            self._method = PATHS[parameters.path]
            self._opened = transport(parameters.target).stream(self._method, **arguments(self._method, parameters))
        if self._opened is None:
            return TesteeResponse(ended=True)
        try:
            message = next(self._opened, None)
        except GatewayError as error:
            return failed(error)
        if message is None:
            return TesteeResponse(ended=True)
        return TesteeResponse(proto=self._method.response_type.FromString(message).SerializeToString())


STREAM = Stream()


def main() -> None:
    while (request := proto.parse_length_prefixed(TesteeRequest, sys.stdin.buffer)) is not None:
        proto.serialize_length_prefixed(answer(request), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

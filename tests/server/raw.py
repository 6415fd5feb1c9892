"""Calls without this project's client."""

from __future__ import annotations

import base64
import http.client
import json
import sqlite3
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from gateway_entities.methods import Method


class HttpResponse(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[str, str]:
        assert self.headers["content-type"] == "application/json"
        return self.json["code"], self.json["message"]


def request(
    target: str, verb: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    with closing(http.client.HTTPConnection(target.removeprefix("http://"), timeout=30)) as connection:
        connection.request(verb, path, body, dict(headers or {}))
        response = connection.getresponse()
        return HttpResponse(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def post_json(target: str, method: Method[Any, Any], body: object, **headers: str) -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return request(target, "POST", method.path, data, {"content-type": "application/json"} | names)


def post_proto(target: str, method: Method[Any, Any], message: Message | bytes, **headers: str) -> HttpResponse:
    data = message if isinstance(message, bytes) else message.SerializeToString()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return request(target, "POST", method.path, data, {"content-type": "application/proto"} | names)


def stream_failure(target: str, method: Method[Any, Any], *, json_codec: bool = False, **headers: str) -> Failure | None:
    """Begin a Connect stream with an empty request; return its error, None if a message or the end comes first."""
    data = b"{}" if json_codec else b""
    sent = {"content-type": "application/connect+json" if json_codec else "application/connect+proto", **headers}
    with closing(http.client.HTTPConnection(target.removeprefix("http://"), timeout=30)) as connection:
        connection.request("POST", method.path, struct.pack(">BI", 0, len(data)) + data, sent)
        response = connection.getresponse()
        assert response.status == 200
        flags, length = struct.unpack(">BI", response.read(5))
        content = json.loads(response.read(length)) if flags == 2 else {}
    error = content.get("error")
    return None if error is None else _described(error["code"], error["message"], error.get("details", []))


@contextmanager
def channel(target: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(target.removeprefix("grpc://")) as opened:
        yield opened


def call(opened: grpc.Channel, method: Method[Any, Any], message: Message | bytes, timeout: float | None = 30) -> Any:
    data = message if isinstance(message, bytes) else message.SerializeToString()
    return opened.unary_unary(method.path, response_deserializer=method.response_type.FromString)(data, timeout=timeout)


class Failure(NamedTuple):
    """An error of either server."""

    code: str
    message: str
    reason: str | None
    violations: list[tuple[str, str]]


def grpc_failure(error: grpc.RpcError) -> Failure:
    status = Status()
    for name, value in error.trailing_metadata():
        if name == "grpc-status-details-bin":
            status.MergeFromString(value)
    assert (status.code, status.message) == (error.code().value[0], error.details())
    details = [(each.TypeName(), each.value) for each in status.details]
    return _failure(error.code().value[1].replace(" ", "_"), error.details(), details)


def http_failure(response: HttpResponse) -> Failure:
    code, message = response.error
    return _described(code, message, response.json.get("details", []))


def _described(code: str, message: str, listed: list[dict[str, str]]) -> Failure:
    details = []
    for detail in listed:
        assert "=" not in detail["value"]
        details.append((detail["type"], base64.b64decode(detail["value"] + "==")))
    return _failure(code, message, details)


def _failure(code: str, message: str, details: list[tuple[str, bytes]]) -> Failure:
    reason: str | None = None
    violations: list[tuple[str, str]] = []
    for name, value in details:
        if name == "google.rpc.ErrorInfo":
            reason = ErrorInfo.FromString(value).reason
        elif name == "google.rpc.BadRequest":
            violations += [(each.field, each.description) for each in BadRequest.FromString(value).field_violations]
    return Failure(code, message, reason, violations)


@contextmanager
def write_lock(store_path: Path) -> Iterator[None]:
    """Hold the store's write lock, so that writes wait."""
    with closing(sqlite3.connect(store_path, timeout=10, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


def worker_threads() -> set[threading.Thread]:
    """The worker threads of every server in this process."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("gateway-call")}

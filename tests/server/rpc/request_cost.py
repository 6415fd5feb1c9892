"""Measures the cost of rejecting large requests. A program: a process's own peak memory never goes down.

It prints a JSON list: for each request its name, the code of its error, the seconds of processor time and the peak of
memory so far in MiB, of which the first entry is the process before any request.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway_entities import methods, rules
from gateway_entities.errors import GatewayError
from gateway_entities.server.http.mlflow_rest import read_request
from gateway_entities.server.rpc.codec import JSON, PROTO
from gateway_entities.server.rpc.errors import truncate_error

SIZE = 4 * 1024 * 1024
ENDPOINT, UPDATE = methods.CREATE_GATEWAY_ENDPOINT, methods.UPDATE_GATEWAY_ENDPOINT
SECRET, GET = methods.CREATE_GATEWAY_SECRET, methods.GET_GATEWAY_ENDPOINT


def field(number: int, content: bytes) -> bytes:
    def varint(value: int) -> bytes:
        return bytes([value & 0x7F | 0x80]) + varint(value >> 7) if value > 0x7F else bytes([value])

    return varint(number << 3 | 2) + varint(len(content)) + content


def repeated(head: bytes, one: bytes, tail: bytes) -> bytes:
    return head + one * ((SIZE - len(head) - len(tail) - 9) // len(one)) + tail


def entries(head: bytes, value: bytes) -> bytes:
    return head + b",".join(b'"%d":%s' % (i, value) for i in range(SIZE // (12 + len(value)))) + b"}}"


MODELS, SETTINGS = b'{"name":"q","modelConfigs":[', b'{"secretName":"q","secretValue":{"a":"b"},"authConfig":{'
REQUESTS: dict[str, tuple[Callable[[bytes, Any], Any], Any, Callable[[], bytes]]] = {
    "JSON, empty models": (JSON.decode, ENDPOINT, lambda: repeated(MODELS, b"{},", b"{}]}")),
    "JSON, wrong weights": (JSON.decode, ENDPOINT, lambda: repeated(MODELS, b'{"weight":"x"},', b"{}]}")),
    "JSON, wrong secret": (JSON.decode, SECRET, lambda: entries(b'{"secretName":"q","secretValue":{', b"1")),
    "JSON, many settings": (JSON.decode, SECRET, lambda: entries(SETTINGS, b'"1"')),
    "JSON, mask": (JSON.decode, UPDATE, lambda: repeated(b'{"endpointId":"e","updateMask":"', b"nope,", b'x"}')),
    "JSON, one path": (JSON.decode, UPDATE, lambda: repeated(b'{"endpointId":"e","updateMask":"', b"x", b'"}')),
    "JSON, unknown fields": (JSON.decode, SECRET, lambda: entries(b'{"x":{', b"1")),
    "JSON, brackets in a text": (JSON.decode, SECRET, lambda: repeated(b'{"secretName":"', b"[{,", b'"}')),
    "JSON, at the limit": (JSON.decode, ENDPOINT, lambda: MODELS + b",".join([b'{"weight":1}'] * 4990) + b"]}"),
    "JSON, nearly all wrong": (JSON.decode, SECRET, lambda: entries(b'{"secretName":"q","secretValue":{', b"1" * 430)),
    "REST, empty models": (None, ENDPOINT, lambda: repeated(b'{"name":"q","model_configs":[', b"{},", b"{}]}")),
    "REST, wrong pairs": (None, SECRET, lambda: repeated(b'{"secret_value":[', b'{"key":"a","value":1},', b"{}]}")),
    "REST, mask": (None, UPDATE, lambda: repeated(b'{"endpoint_id":"e","update_mask":"', b"nope,", b'x"}')),
    "REST, encoded twice": (None, ENDPOINT, lambda: json.dumps('{"model_configs":[' + "{}," * 1_300_000 + "{}]}").encode()),
    "protobuf, empty models": (PROTO.decode, ENDPOINT, lambda: repeated(b"\x0a\x01q", b"\x12\x00", b"")),
    "protobuf, mask": (PROTO.decode, UPDATE, lambda: field(1, b"e") + field(1002, b"\x0a\x01n" * 1_300_000)),
    "protobuf, empty paths": (PROTO.decode, UPDATE, lambda: field(1, b"e") + field(1002, b"\x0a\x00" * 2_000_000)),
    "protobuf, small masks": (PROTO.decode, UPDATE, lambda: field(1, b"e") + field(1002, b"\x0a\x00" * 9) * 180_000),
    "protobuf, unknown fields": (PROTO.decode, ENDPOINT, lambda: b"\xf0\x7f\x00" * 1_300_000),
    "protobuf, large settings": (PROTO.decode, SECRET, lambda: field(1, b"q") + field(2, field(2, b"v" * 4_000_000))),
    "protobuf, long id": (PROTO.decode, GET, lambda: field(1, b"q" * 4_100_000)),
}


def peak() -> float:
    # Not ru_maxrss, which a new process inherits from its parent.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure(name: str) -> tuple[str, str, float, float]:
    decode, method, make = REQUESTS[name]
    body = make()
    start = time.process_time()
    code = "valid"
    try:
        message = read_request(method, "POST", b"", body) if decode is None else decode(body, method.request_type)
        rules.validate(message)
    except GatewayError as error:
        code = truncate_error(error).code.name
        error.details()
    return name, code, time.process_time() - start, peak()


if __name__ == "__main__":
    before = ("before", "", 0.0, peak())
    print(json.dumps([before, *map(measure, REQUESTS)]))

"""Marked secrets, and a driver that sends them to a server and collects all that comes out of it."""

from __future__ import annotations

import base64
import io
import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from gateway_entities.methods import Method
from gateway_entities.mlflow_rest.routes import PREFIXES, ROUTES
from tests.server.raw import request

MARK = f"Canary{secrets.token_hex(9)}"
COMMAND = [sys.executable, "-m", "gateway_entities.cli"]


def canary(number: int = 0) -> str:
    """A secret with the mark within it, so that no masking leaves it whole."""
    return f"sk-{number:04}-{MARK}-{secrets.token_hex(4)}"


def needles(mark: str) -> dict[str, bytes]:
    """The encodings of a text, whatever surrounds it."""
    data = mark.encode()
    found = {
        "clear": data,
        "hexadecimal": data.hex().encode(),
        "hexadecimal in capitals": data.hex().upper().encode(),
        "percent-encoded": "".join(f"%{byte:02X}" for byte in data).encode(),
        "JSON's escapes": "".join(f"\\u{byte:04x}" for byte in data).encode(),
        "UTF-16": mark.encode("utf-16-le"),
        "reversed": data[::-1],
    }
    for shift in range(3):
        # The first and the last characters have bits of the surrounding bytes.
        encoded = base64.b64encode(b"\0" * shift + data)[4 if shift else 0 : -4]
        found[f"base64, moved by {shift}"] = encoded
        found[f"base64 of URLs, moved by {shift}"] = encoded.replace(b"+", b"-").replace(b"/", b"_")
    return found


class Seen:
    """Everything that could be read."""

    def __init__(self) -> None:
        self._parts: list[tuple[str, bytes]] = []

    def add(self, where: str, what: bytes | str) -> None:
        self._parts.append((where, what.encode("utf-8", "surrogateescape") if isinstance(what, str) else what))

    def leaks(self, *marks: str) -> list[str]:
        return [
            f"{form} in {where}"
            for mark in marks
            for form, needle in needles(mark).items()
            for where, what in self._parts
            if needle in what or needle.lower() in what.lower()
        ]

    def count(self, where: str) -> int:
        return sum(name == where for name, _ in self._parts)


class Driver:
    """Calls one server and collects its output."""

    def __init__(self, folder: Path, grpc_target: str, http_target: str, token: str, seen: Seen) -> None:
        self.store_path = folder / "gateway.sqlite"
        self.grpc_target, self.http_target, self.token, self.seen = grpc_target, http_target, token, seen
        self._folder = folder
        self._channel = grpc.insecure_channel(grpc_target.removeprefix("grpc://"))

    def close(self) -> None:
        self._channel.close()

    def grpc(self, method: Method[Any, Any], body: bytes, token: str | None = None, timeout: float = 30) -> None:
        metadata = (("authorization", f"Bearer {token or self.token}"),)
        try:
            self.seen.add(
                "a gRPC response", self._channel.unary_unary(method.path)(body, metadata=metadata, timeout=timeout)
            )
        except grpc.RpcError as error:
            parts = (error.details(), error.debug_error_string(), error.trailing_metadata(), error)
            self.seen.add("a gRPC error", repr(parts))
            for _, value in error.trailing_metadata():
                self.seen.add("a gRPC trailer", value)

    def http(self, verb: str, path: str, body: bytes, token: str | None = None, kind: str = "application/json") -> None:
        headers = {"authorization": f"Bearer {token or self.token}", "content-type": kind, "connect-timeout-ms": "30000"}
        response = request(self.http_target, verb, path, body, headers)
        self.seen.add("an HTTP response", response.body)
        self.seen.add("HTTP headers", repr(response.headers))

    def everywhere(self, method: Method[Any, Any], message: Any, token: str | None = None) -> None:
        """Make a call over each transport, with the same message."""
        from google.protobuf.json_format import MessageToJson

        route = next(route for route in ROUTES if route.method is method)
        self.grpc(method, message.SerializeToString(), token)
        self.http("POST", method.path, message.SerializeToString(), token, "application/proto")
        self.http("POST", method.path, MessageToJson(message).encode(), token)
        snake = MessageToJson(message, preserving_proto_field_name=True).encode()
        self.http(route.verb, PREFIXES[0] + route.path, snake, token)

    def command(self, *arguments: str, stdin: str = "", code: int | None = 0, token: str | None = None) -> None:
        own = {"GATEWAY_ENTITIES_TARGET": self.grpc_target, "GATEWAY_ENTITIES_TOKEN": token or self.token}
        environment = {**os.environ, **own}
        done = subprocess.run(
            [*COMMAND, *arguments],
            input=stdin,
            env=environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert code is None or done.returncode == code, done.stderr
        self.seen.add("a command's output", done.stdout)
        self.seen.add("a command's errors", done.stderr)


@contextmanager
def serving(folder: Path, seen: Seen) -> Iterator[Driver]:
    """Run a server at the level debug, which prints its spans, with a token in its store."""
    made = subprocess.run(
        [*COMMAND, "token", "create", "driver", "--scope", "admin"], cwd=folder, capture_output=True, text=True, check=True
    )
    token = made.stdout.strip()
    seen.add("a command's errors", made.stderr)
    command = [*COMMAND, "serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log-level", "debug"]
    debugging = {"PYTHONASYNCIODEBUG": "1", "GRPC_VERBOSITY": "DEBUG"}
    environment = {**os.environ, **debugging, "OTEL_TRACES_EXPORTER": "console"}
    log = folder / "serve.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    driver = Driver(folder, process.stdout.readline().strip(), process.stdout.readline().strip(), token, seen)
    output: list[str] = []
    # The server would wait for a reader of its spans.
    reader = threading.Thread(target=output.extend, args=(process.stdout,))
    reader.start()
    try:
        yield driver
    finally:
        driver.close()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        reader.join()
        process.stdout.close()
    assert process.returncode == 0
    seen.add("the server's spans", "".join(output))
    seen.add("the server's log", log.read_bytes())


def gateway_token_of(folder: Path) -> str:
    made = subprocess.run(
        [*COMMAND, "token", "create", "gateway", "--gateway"], cwd=folder, capture_output=True, text=True, check=True
    )
    return made.stdout.strip()


@contextmanager
def logged(seen: Seen) -> Iterator[None]:
    """Collect the log of the clients in this process and their libraries."""
    lines = io.StringIO()
    handler, root = logging.StreamHandler(lines), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    seen.add("this process's log", lines.getvalue())

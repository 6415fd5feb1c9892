"""Marked secrets and tokens, sent through every call, error, command and log: none leaks.

Looked for are the mark in clear, in hexadecimal, percent-encoded, in JSON's escapes, and in base64 at each of the three
places that it may have there; looked through is all that leaves the process, and all that is on disk, the key file aside.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest

from gateway_entities import methods
from gateway_entities.client import GatewayClient
from gateway_entities.entities import GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.errors import GatewayError
from gateway_entities.methods import METHODS, Method
from gateway_entities.mlflow_rest.routes import PREFIXES, ROUTES
from gatewayentities.v1 import secret_pb2
from tests import profiles
from tests.server.raw import request, write_lock

CREATE, UPDATE = methods.CREATE_GATEWAY_SECRET, methods.UPDATE_GATEWAY_SECRET
RESOLVE = methods.RESOLVE_GATEWAY_ENDPOINT
CANARIES = profiles.count(1000, 24)
GONE = profiles.whole(480, 200)
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
    """Run a server at the level debug, with a token in its store."""
    made = subprocess.run(
        [*COMMAND, "token", "create", "driver", "--scope", "admin"], cwd=folder, capture_output=True, text=True, check=True
    )
    token = made.stdout.strip()
    seen.add("a command's errors", made.stderr)
    command = [*COMMAND, "serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log-level", "debug"]
    environment = {**os.environ, "PYTHONASYNCIODEBUG": "1", "GRPC_VERBOSITY": "DEBUG"}
    log = folder / "serve.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    driver = Driver(folder, process.stdout.readline().strip(), process.stdout.readline().strip(), token, seen)
    try:
        yield driver
    finally:
        driver.close()
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    seen.add("the server's output", output)
    seen.add("the server's log", log.read_bytes())


def create(number: int, **fields: Any) -> secret_pb2.CreateGatewaySecretRequest:
    given = {"secret_name": f"secret {number}", "secret_value": {"api_key": canary(number)}} | fields
    return secret_pb2.CreateGatewaySecretRequest(**given)


def drive_what_is_stored(driver: Driver) -> None:
    with (
        GatewayClient(driver.grpc_target, token=driver.token) as one,
        GatewayClient(driver.http_target, token=driver.token) as two,
    ):
        for number in range(CANARIES):
            client = (one, two)[number % 2]
            value = {"api_key": canary(number), "second": canary(number)}
            made = client.create_secret(f"stored {number}", value, provider="openai")
            driver.seen.add("a client's entity", repr(made))
            if number % 3 == 0:
                changed = client.update_secret(made.secret_id, secret_value={"api_key": canary(number)})
                driver.seen.add("a client's entity", repr(changed))
            if number % 5 == 0:
                with suppress(GatewayError):
                    client.create_secret(f"stored {number}", value)
        assert len(one.list_secrets()) == CANARIES
        driver.seen.add("a client's entities", repr(one.list_secrets()))
        driver.seen.add("a client's changes", repr(two.list_changes()))


def drive_errors(driver: Driver) -> None:
    value = {"api_key": canary()}
    messages = [
        create(1),
        create(1, created_by="x" * 300),
        create(2, secret_name=""),
        create(3, secret_value={}),
        create(3, secret_value={"": canary()}),
        create(3, secret_value={"api_key": canary() + "\0"}),
        create(3, secret_value={"api_key": canary() * 3000}),
        create(3, provider="p" * 100),
        create(4, request_id="one"),
        create(4, request_id="one", created_by="another"),
    ]
    for message in messages:
        driver.everywhere(CREATE, message)
    for update in (
        secret_pb2.UpdateGatewaySecretRequest(secret_id="s-none", secret_value=value),
        secret_pb2.UpdateGatewaySecretRequest(secret_value=value),
        secret_pb2.UpdateGatewaySecretRequest(secret_id="s-none", secret_value=value, etag="stale"),
        secret_pb2.UpdateGatewaySecretRequest(secret_id="s-none", secret_value=value, updated_by="x" * 300),
    ):
        driver.everywhere(UPDATE, update)


def drive_what_cannot_be_read(driver: Driver) -> None:
    text = canary()
    bodies = [
        f'{{"secretName": "a", "secretValue": {{"api_key": "{text}"',
        f'{{"secretName": "a", "secretValue": "{text}"}}',
        f'{{"secretName": "a", "secretValue": ["{text}"]}}',
        f'{{"secretName": "a", "secretValue": [{{"key": "k", "value": ["{text}"]}}]}}',
        f'{{"secretName": "a", "secretValue": {{"api_key": ["{text}"]}}}}',
        f'{{"secretName": "a", "secretValue": {{"api_key": {{"{text}": 1}}}}}}',
        f'{{"secretName": "a", "secretValue": {{"api_key": "{text}", "api_key": "{text}"}}}}',
        f'{{"secretName": {{"{text}": 1}}, "secretValue": {{"api_key": "{text}"}}}}',
        f'{{"secret_name": "a", "secret_value": {{"api_key": {text}}}}}',
        f'"{text}"',
        text,
    ]
    route = next(route for route in ROUTES if route.method is CREATE)
    for body in (
        *bodies,
        *(body.replace("secretValue", "secret_value").replace("secretName", "secret_name") for body in bodies),
    ):
        driver.http("POST", CREATE.path, body.encode())
        driver.http("POST", PREFIXES[0] + route.path, body.encode())
        driver.grpc(CREATE, body.encode())
        driver.http("POST", CREATE.path, body.encode(), kind="application/proto")
        driver.http("POST", CREATE.path, body.encode(), kind="text/plain")
        driver.http("PUT", CREATE.path, body.encode())
    whole = create(1).SerializeToString()
    for end in range(0, len(whole), 7):
        driver.grpc(CREATE, whole[:end])
        driver.http("POST", CREATE.path, whole[:end], kind="application/proto")
    driver.http("POST", CREATE.path, gzip.compress(whole)[:-3], kind="application/proto")


def drive_resolution(driver: Driver, gateway_token: str) -> None:
    """Resolve secrets: their values are in the responses of that, which are looked at here, and nowhere else."""
    with GatewayClient(driver.grpc_target, token=driver.token) as client:
        secret = client.create_secret("resolved", {"api_key": canary(), "second": canary()}, provider="openai")
        model = client.create_model_definition("m", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
        config = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)
        client.create_endpoint("chat", [config])
    wanted, none = (RESOLVE.request_type(names=[name]).SerializeToString() for name in ("chat", "nope"))
    gateway = {"authorization": f"Bearer {gateway_token}", "content-type": "application/proto"}
    for kind, body in (("proto", wanted), ("json", b'{"names": ["chat"]}')):
        headers = gateway | {"content-type": f"application/{kind}"}
        response = request(driver.http_target, "POST", RESOLVE.path, body, headers)
        assert response.body.count(MARK.encode()) == 2
        driver.seen.add("HTTP headers", repr(response.headers))
        # Callers without the scope, and a message that is cut off.
        driver.http("POST", RESOLVE.path, body, kind=f"application/{kind}")
        driver.http("POST", RESOLVE.path, body[:-2], gateway_token, kind=f"application/{kind}")
    driver.http("GET", f"{RESOLVE.path}?encoding=json&message=%7B%22names%22:[%22chat%22]%7D", b"", gateway_token)
    for path in ("endpoints/resolve?name=chat", "endpoints/get?name=chat", "secrets/get?secret_name=resolved"):
        driver.http("GET", f"{PREFIXES[0]}/{path}", b"", gateway_token)
    driver.grpc(RESOLVE, wanted)
    driver.grpc(RESOLVE, none, gateway_token)
    for timeout in (0.001, 0.002, 0.004):
        with suppress(GatewayError), GatewayClient(driver.http_target, token=gateway_token) as client:
            client.resolve_endpoint(name="chat", timeout=timeout)
    for method in METHODS:
        if method is not RESOLVE:
            driver.grpc(method, b"", timeout=2)
    for target in (driver.grpc_target, driver.http_target):
        with GatewayClient(target, token=gateway_token) as client:
            resolved = client.resolve_endpoint(name="chat")
        assert MARK in resolved.models[0].secret_value.reveal()["api_key"]
        driver.seen.add("a resolved entity", repr((resolved, str(resolved), resolved.to_dict(), resolved.to_json())))
    with GatewayClient(driver.http_target, token=driver.token) as client:
        driver.seen.add("the accesses", repr(client.list_secret_accesses()))
    driver.command("endpoint", "resolve", "chat", token=gateway_token)
    driver.command("endpoint", "resolve", "chat", "--json", token=gateway_token)
    driver.command("endpoint", "resolve", "chat", "--show-values", token=gateway_token, code=2)
    driver.command("endpoint", "resolve", "chat", code=1)
    driver.command("secret", "accesses", "--json")
    driver.http("GET", "/metrics", b"")


def drive_tokens(driver: Driver, bad: str) -> None:
    for method in METHODS:
        driver.grpc(method, b"", bad)
        driver.http("POST", method.path, b"{}", bad)
    driver.everywhere(CREATE, create(9), bad)
    driver.command("token", "list")
    driver.command("token", "list", "--format", "json")
    driver.command("token", "create", "driver", "--scope", "read", code=2)
    driver.command("token", "revoke", "nobody", code=2)


def drive_commands(driver: Driver, folder: Path, bad: str) -> None:
    values = folder / "values.json"
    values.write_text(json.dumps({"api_key": canary()}))
    broken = folder / "broken.json"
    broken.write_text(f'{{"api_key": "{canary()}"')
    file = folder / "token"
    file.write_text(bad)
    file.chmod(0o600)
    driver.command("secret", "create", "by command", "--value-file", "api_key=-", stdin=canary())
    driver.command("secret", "create", "by command", "--value-file", "api_key=-", stdin=canary(), code=1)
    driver.command("secret", "create", "by file", "--values-file", str(values), "--json")
    driver.command("secret", "update", "by file", "--values-file", str(values))
    driver.command("secret", "create", "broken", "--values-file", str(broken), code=2)
    driver.command("secret", "create", "", "--values-file", str(values), code=1)
    driver.command("secret", "list", "--json")
    driver.command("secret", "list", "--token-file", str(file), code=1)
    driver.command("secret", "list", "--target", "grpc://192.0.2.1:1", code=1)
    driver.command("keys", "check")
    driver.command("keys", "rotate")
    driver.command("db", "check")
    driver.command("db", "backup", "gateway.backup")
    for made in (values, broken, file):
        made.unlink()


def drive_faults(driver: Driver) -> None:
    with write_lock(driver.store_path):
        driver.grpc(CREATE, create(7).SerializeToString(), timeout=0.3)
        # Some of these callers are gone just when their response is to be sent.
        with ThreadPoolExecutor(24) as callers:
            body = create(7).SerializeToString()
            list(callers.map(lambda count: driver.grpc(CREATE, body, timeout=0.2 + 0.0005 * (count % 200)), range(GONE)))
    with closing(sqlite3.connect(driver.store_path)) as connection:
        # An unexpected error, which no call of ours causes.
        connection.execute("ALTER TABLE secrets RENAME TO gone")
        connection.commit()
        driver.everywhere(CREATE, create(8))
        connection.execute("ALTER TABLE gone RENAME TO secrets")
        connection.commit()


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


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Seen, tuple[str, ...]]:
    """The collected output, and the marks that must not be in it."""
    folder = tmp_path_factory.mktemp("canaries")
    seen = Seen()
    bad = f"gwe_{secrets.token_hex(8)}_{MARK.ljust(43, '0')}"
    with logged(seen), serving(folder, seen) as driver:
        drive_what_is_stored(driver)
        drive_errors(driver)
        drive_what_cannot_be_read(driver)
        drive_resolution(driver, gateway_token := gateway_token_of(folder))
        drive_tokens(driver, bad)
        drive_commands(driver, folder, bad)
        drive_faults(driver)
        # While it runs, some content is in the files beside the database only.
        for path in folder.glob("gateway.sqlite*"):
            seen.add(f"the file {path.name}", path.read_bytes())
    for path in folder.rglob("*"):
        seen.add(f"the file {path.name} at the end", path.read_bytes())
    seen.add("the backup's lines", gzip.decompress((folder / "gateway.backup").read_bytes()))
    return seen, (MARK, driver.token.rpartition("_")[2], gateway_token.rpartition("_")[2])


def test_neither_a_secret_nor_a_token_leaks(seen):
    everything, marks = seen
    assert everything.leaks(*marks) == []


def test_the_canaries_were_sent(seen):
    everything, _ = seen
    for where, least in (
        *(("a gRPC response", 1), ("a gRPC error", 40), ("an HTTP response", 200), ("a command's output", 15)),
        *(("a client's entity", CANARIES), ("the file gateway.sqlite", 1), ("the backup's lines", 1)),
        *(("a resolved entity", 2), ("the accesses", 1)),
    ):
        assert everything.count(where) >= least, where
    # What is not secret is there: names, log lines, and the rows of the backup.
    assert everything.leaks("stored 1")
    log = b"".join(what for where, what in everything._parts if where == "the server's log")
    assert log.count(b"CreateGatewaySecret") > CANARIES
    assert b"internal error" in log
    assert not re.search(rb"Traceback \(most recent call last\)", log)


@pytest.mark.parametrize("form", sorted(needles("x" * 24)))
@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_each_encoding_would_be_found(form, before):
    text = f"{before}{MARK}after"
    data = text.encode()
    written = {
        "clear": data,
        "hexadecimal": data.hex().encode(),
        "hexadecimal in capitals": data.hex().upper().encode(),
        "percent-encoded": "".join(f"%{byte:02x}" for byte in data).encode(),
        "JSON's escapes": "".join(f"\\u{byte:04X}" for byte in data).encode(),
        "UTF-16": text.encode("utf-16-le"),
        "reversed": data[::-1],
    }.get(form, base64.b64encode(data) if "URLs" not in form else base64.urlsafe_b64encode(data))
    seen = Seen()
    seen.add("a place", b"before " + written)
    assert seen.leaks(MARK)

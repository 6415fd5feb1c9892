"""Marked secrets and tokens, sent through every call, error, command and log: none leaks.

Looked for are the mark in clear, in hexadecimal, percent-encoded, in JSON's escapes, and in base64 at each of the three
places that it may have there; looked through is all that leaves the process, and all that is on disk, the key file aside.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from gateway_entities import methods
from gateway_entities.client import GatewayClient
from gateway_entities.entities import GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.errors import GatewayError
from gateway_entities.methods import METHODS
from gateway_entities.mirror import GatewayMirror, MirrorUpdate
from gateway_entities.mlflow_rest.routes import PREFIXES, ROUTES
from gatewayentities.v1 import change_pb2, secret_pb2
from tests import profiles
from tests.documentation import block
from tests.mirror.mirrors import eventually
from tests.server.canaries import MARK, Driver, Seen, canary, gateway_token_of, logged, needles, serving
from tests.server.raw import request, write_lock

CREATE, UPDATE = methods.CREATE_GATEWAY_SECRET, methods.UPDATE_GATEWAY_SECRET
RESOLVE = methods.RESOLVE_GATEWAY_ENDPOINT
CANARIES = profiles.count(1000, 24)
GONE = profiles.whole(480, 200)


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


def create_endpoints_of_all(driver: Driver) -> list[str]:
    """Create endpoints that use every secret that is stored, and return their names."""
    names: list[str] = []
    with GatewayClient(driver.grpc_target, token=driver.token) as client:
        secrets_ = [each for each in client.iter_secrets() if each.secret_name.startswith("stored ")]
        models = [
            client.create_model_definition(each.secret_name, secret_id=each.secret_id, provider="openai", model_name="m")
            for each in secrets_
        ]
        for start in range(0, len(models), 100):
            configs = [
                GatewayEndpointModelConfig(each.model_definition_id, GatewayModelLinkageType.PRIMARY)
                for each in models[start : start + 100]
            ]
            names.append(f"all-{start}")
            client.create_endpoint(names[-1], configs)
    return names


def drive_mirrors(driver: Driver, folder: Path, gateway_token: str) -> None:
    """Have mirrors resolve all values and follow a rotation, and the gateway of the guide use one and crash."""
    names = create_endpoints_of_all(driver)
    for number, target in enumerate((driver.grpc_target, driver.http_target)):
        with (
            GatewayClient(target, token=gateway_token) as client,
            GatewayMirror(client, file=folder / f"mirror-{number}", resolve_jitter=0) as mirror,
            GatewayClient(target, token=driver.token) as admin,
        ):
            updates: list[MirrorUpdate] = []
            mirror.subscribe(updates.append)
            values = [model.secret_value for each in mirror.resolve_all(names) for model in each.models]
            assert sum(MARK in value.reveal()["api_key"] for value in values) == CANARIES
            resolved = mirror.resolve("chat")
            admin.update_secret(resolved.models[0].secret_id, secret_value={"api_key": canary(), "second": canary()})
            eventually(lambda mirror=mirror, resolved=resolved: mirror.resolve("chat") is not resolved, "it is rotated")
            with suppress(GatewayError):
                mirror.resolve("nope")
            driver.seen.add("a mirror", repr((mirror, vars(mirror), mirror.state, vars(mirror._core), values, updates)))
            driver.seen.add("a mirror", repr([[(event, event.after) for event in update.events] for update in updates]))
        with GatewayClient(target, token=gateway_token) as client, client.watch() as stream:
            # The last part of the snapshot is the one with a token.
            for message in stream:
                driver.seen.add("a stream", message)
                if change_pb2.WatchGatewayResponse.FromString(message).resume_token:
                    break
    drive_the_gateway_of_the_guide(driver, folder, gateway_token)


def drive_the_gateway_of_the_guide(driver: Driver, folder: Path, gateway_token: str) -> None:
    (folder / "guide.py").write_text(block("docs/guides/gateway.md", "A gateway in one screen", "python"))
    own = {"GATEWAY_ENTITIES_TARGET": driver.http_target, "GATEWAY_ENTITIES_TOKEN": gateway_token}
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-X", "faulthandler", "guide.py", "0"],
        cwd=folder,
        env={**os.environ, **own, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    target = process.stdout.readline().strip().removesuffix("/v1")
    # The endpoint has no address of a provider.
    headers = {"content-type": "application/json"}
    assert request(target, "POST", "/v1/chat/completions", b'{"model": "chat"}', headers).status == 502
    process.send_signal(signal.SIGABRT)
    output, errors = process.communicate(timeout=30)
    assert "Fatal Python error: Aborted" in errors
    driver.seen.add("a crash report", output + errors)


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
        drive_mirrors(driver, folder, gateway_token)
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
        *(("a resolved entity", 2), ("the accesses", 1), ("a mirror", 4), ("a stream", 2), ("a crash report", 1)),
        *(("the file mirror-0 at the end", 1), ("the file gateway.mirror at the end", 1)),
    ):
        assert everything.count(where) >= least, where
    # What is not secret is there: names, log lines, and the rows of the backup.
    assert everything.leaks("stored 1")
    log = b"".join(what for where, what in everything._parts if where == "the server's log")
    assert log.count(b"CreateGatewaySecret") > CANARIES
    assert b"internal error" in log
    spans = b"".join(what for where, what in everything._parts if where == "the server's spans")
    assert spans.count(b"ResolveGatewayEndpoint") >= 10
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

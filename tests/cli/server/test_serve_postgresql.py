"""Servers that share one PostgreSQL database, with outages of the database."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from gateway_entities.client import GatewayClient
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.crypto.key_sources import KeyFile
from tests.postgresql import ESCAPED_PASSWORD, PASSWORD
from tests.stores import Place

COMMAND = [sys.executable, "-m", "gateway_entities.cli", "serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]


@contextmanager
def serving(place: Place, folder: Path, *arguments: str) -> Iterator[tuple[str, str]]:
    """Run a server that appends its log to ``server.log`` in the folder."""
    env = {**os.environ, "GATEWAY_ENTITIES_STORE": place.url}
    with (
        (folder / "server.log").open("ab") as log,
        subprocess.Popen(
            [*COMMAND, *arguments], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def key_file(postgresql_place: Place) -> str:
    (source,) = postgresql_place.keys
    assert isinstance(source, KeyFile)
    return str(source.path)


def ready(http_target: str) -> int:
    connection = http.client.HTTPConnection(http_target.removeprefix("http://"), timeout=30)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    finally:
        connection.close()


def test_two_servers_of_one_database_see_each_others_writes(postgresql_place: Place, key_file: str, tmp_path: Path) -> None:
    with ExitStack() as undo:
        started = [undo.enter_context(serving(postgresql_place, tmp_path, "--key-file", key_file)) for _ in range(2)]
        one, other = (undo.enter_context(GatewayClient(grpc)) for grpc, _ in started)
        secret = one.create_secret("shared", {"api_key": "sk-0123456789abcdef"})
        assert other.get_secret(secret_name="shared") == secret
        with pytest.raises(GatewayError) as caught:
            other.create_secret("shared", {"api_key": "sk-0123456789abcdef"})
        assert caught.value.code is Code.ALREADY_EXISTS


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_server_outlives_its_database(postgresql_place: Place, key_file: str, tmp_path: Path, end: str) -> None:
    database = postgresql_place.server
    with ExitStack() as undo:
        grpc, http_target = undo.enter_context(serving(postgresql_place, tmp_path, "--key-file", key_file))
        # Retries end before the deadline, so the error is the server's.
        with GatewayClient(grpc, timeout=20, retry_timeout=2) as client:
            secret = client.create_secret("kept", {"api_key": "sk-0123456789abcdef"})
            assert ready(http_target) == 200
            getattr(database, end)()
            try:
                assert ready(http_target) == 503
                with pytest.raises(GatewayError) as caught:
                    client.get_secret(secret_name="kept")
                assert caught.value.code is Code.UNAVAILABLE
            finally:
                database.start()
            assert ready(http_target) == 200
            assert client.get_secret(secret_name="kept") == secret
            client.create_secret("written after", {"api_key": "sk-0123456789abcdef"})
    log = (tmp_path / "server.log").read_text()
    assert "Traceback" not in log
    assert PASSWORD not in log
    assert ESCAPED_PASSWORD not in log


def test_without_a_key_it_does_not_start(postgresql_place: Place, tmp_path: Path) -> None:
    with serving(postgresql_place, tmp_path) as addresses:
        assert addresses == ("", "")
    log = (tmp_path / "server.log").read_text()
    assert log.count("\n") == 1
    assert "needs a key" in log
    assert ESCAPED_PASSWORD not in log

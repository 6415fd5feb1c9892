"""Servers whose store is behind PgBouncer in transaction mode: each transaction may run in another session."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from gateway_entities.client import GatewayClient
from gateway_entities.errors import GatewayError
from gateway_entities.server.store.admin.backup import write_backup
from gateway_entities.server.store.open import find_database, open_store
from gateway_entities.server.store.sql.database import StatementTimeouts
from tests.server.raw import request
from tests.stores import Place, postgresql_place, serving

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")

THREADS = 12
ROUNDS = 8
"""A driver that prepares does so with the sixth execution of a statement."""


@pytest.fixture(scope="module")
def pooler(postgresql: Any) -> Iterator[Any]:
    from tests.pgbouncer import INSTALL, find_program, running_pgbouncer

    program = find_program()
    if program is None:
        pytest.skip(f"PgBouncer is not installed: {INSTALL}")
    with running_pgbouncer(program, postgresql) as pooler:
        yield pooler


@pytest.fixture
def place(pooler: Any, postgresql: Any, tmp_path: Path) -> Iterator[Place]:
    with postgresql_place(postgresql, tmp_path / "key") as place:
        yield Place(pooler.url(place.url), place.keys, server=place.server)


class Editor:
    """Changes a secret of its own over one server, and reads it over the other."""

    def __init__(self, number: int, targets: list[tuple[str, str]]) -> None:
        writer, reader = targets[:: 1 if number % 2 else -1]
        self._writer = GatewayClient(writer[number % 3 == 0], timeout=60)
        self._reader = GatewayClient(reader[number % 3 != 0], timeout=60)
        self._name = f"secret-{number}"

    def edit(self, rounds: int) -> None:
        created = self._writer.create_secret(self._name, {"k": "v"}) if not self._found() else self._found()[0]
        for number in range(rounds):
            settings = {"round": str(number)}
            self._writer.update_secret(created.secret_id, auth_config=settings)
            assert self._reader.get_secret(secret_name=self._name).auth_config == settings
            assert [each.auth_config for each in self._found()] == [settings]

    def _found(self) -> list[Any]:
        return [each for each in self._reader.list_secrets() if each.secret_name == self._name]

    def close(self) -> None:
        self._writer.close()
        self._reader.close()


def is_ready(target: str) -> bool:
    return request(target, "GET", "/readyz").status == 200


def until_ready(targets: list[tuple[str, str]]) -> None:
    deadline = time.monotonic() + 20
    while not all(is_ready(http) for _, http in targets):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_servers_read_and_write_through_a_small_pool_and_its_restart(place: Place, pooler: Any) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(place)) for _ in range(2)]
        targets = [(server.grpc_target, server.http_target) for server in servers]
        editors = [Editor(number, targets) for number in range(THREADS)]
        for editor in editors:
            stack.callback(editor.close)
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(Editor.edit, editors, itertools.repeat(ROUNDS)))
            assert all(is_ready(http) for _, http in targets)
            # Clients retry while there is no pooler.
            edits = [pool.submit(editor.edit, ROUNDS) for editor in editors]
            pooler.stop()
            time.sleep(0.3)
            pooler.start()
            for edit in edits:
                edit.result(60)
        until_ready(targets)


def test_readiness_tells_and_recovers(place: Place, pooler: Any) -> None:
    with serving(place) as server, GatewayClient(server.http_target, timeout=30) as client:
        until_ready([(server.grpc_target, server.http_target)])
        pooler.stop()
        try:
            assert not is_ready(server.http_target)
            with pytest.raises(GatewayError):
                client.create_secret("s", {"k": "v"}, timeout=0.5)
        finally:
            pooler.start()
        until_ready([(server.grpc_target, server.http_target)])
        client.create_secret("s", {"k": "v"})
        assert [each.secret_name for each in client.list_secrets()] == ["s"]


def test_timeouts_are_of_their_transaction_and_reach_no_other_client(place: Place) -> None:
    database = find_database(place.url, timeouts=StatementTimeouts(3, 7))
    try:
        for transaction in (database.read, database.write):
            with transaction() as connection:
                shown = connection.execute(text("SELECT current_setting('statement_timeout')")).scalar_one()
                lock = connection.execute(text("SELECT current_setting('lock_timeout')")).scalar_one()
            assert (shown, lock) == ("7s", "3s")
        with ExitStack() as stack:
            # One for each session of the pool.
            for _ in range(5):
                connection = stack.enter_context(psycopg.connect(place.url))
                settings = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
                assert connection.execute(settings).fetchone() == ("0", "0")
    finally:
        database.dispose()


def test_only_direct_connections_prepare_statements(place: Place, postgresql: Any) -> None:
    def names(url: str) -> set[str]:
        database = find_database(url, timeouts=StatementTimeouts(3, 7))
        try:
            for _ in range(ROUNDS):
                with database.read() as connection:
                    connection.execute(text("SELECT 1"))
            with database.read() as connection:
                return set(connection.execute(text("SELECT statement FROM pg_prepared_statements")).scalars())
        finally:
            database.dispose()

    assert names(place.url) == set()
    assert names(postgresql.url()) == {"SELECT 1"}


def test_a_backup_is_read_through_it(place: Place, tmp_path: Path) -> None:
    place.open().close()
    database = find_database(place.url)
    try:
        write_backup(database, tmp_path / "backup", lambda _done, _total: None)
    finally:
        database.dispose()
    assert (tmp_path / "backup").stat().st_size > 0


def test_a_parameter_that_it_refuses_is_named(place: Place) -> None:
    with pytest.raises(GatewayError, match="unsupported startup parameter: options"):
        open_store(f"{place.url}?options=-csearch_path%3Dgateway", keys=place.keys)

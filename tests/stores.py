"""Places of test stores: a new SQLite file, or a new database of a real PostgreSQL server; and a gateway on it."""

from __future__ import annotations

import asyncio
import functools
import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Connection, Row, create_engine, text
from sqlalchemy.pool import NullPool

from gateway_entities.server.server import Server
from gateway_entities.server.store import Store, open_store
from gateway_entities.server.store.crypto.key_sources import KeyFile, KeySource
from gateway_entities.server.store.open import find_database, upgrade_database

KINDS = ("sqlite", "postgresql")


class Place:
    """A place for a store, which does not exist before it is opened.

    Attributes:
        url: the store's URL.
        keys: its keys, as arguments of open_store; none for SQLite, which creates a key file.
        path: the SQLite file; None on PostgreSQL.
        server: the PostgreSQL server, a tests.postgresql.PostgreSQL; None on SQLite.
    """

    def __init__(self, url: str, keys: Sequence[KeySource] = (), *, path: Path | None = None, server: Any = None) -> None:
        self.url = url
        self.keys = keys
        self.path = path
        self.server = server

    @property
    def kind(self) -> str:
        return "sqlite" if self.path is not None else "postgresql"

    def open(self, **options: Any) -> Store:
        return open_store(self.url, **{"keys": self.keys, **options})

    @contextmanager
    def connected(self) -> Generator[Connection]:
        """A connection of another program, in a transaction that is committed when the block ends."""
        driver = "sqlite" if self.path is not None else "postgresql+psycopg"
        engine = create_engine(f"{driver}://{self.url.partition('://')[2]}", poolclass=NullPool)
        with engine.begin() as connection:
            yield connection

    def execute(self, statement: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row[Any]]:
        """Run a statement of another program; return the rows that it gives."""
        with self.connected() as connection:
            result: sqlalchemy.CursorResult[Any] = connection.execute(text(statement), parameters)
            return result.all() if result.returns_rows else []


def sqlite_place(path: Path, *, with_tables: bool = False) -> Place:
    """Return the place of a SQLite file; with tables for tests that do not test their creation."""
    if with_tables:
        path.write_bytes(_file_with_tables())
        path.chmod(0o600)
    return Place(f"sqlite:///{path}", path=path)


@contextmanager
def one_place(request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Generator[Place]:
    """Return the place of a fixture of any scope that is parametrized with KINDS."""
    folder = folders.mktemp("store")
    if request.param == "sqlite":
        yield sqlite_place(folder / "gateway.sqlite")
    else:
        with postgresql_place(request.getfixturevalue("postgresql"), folder / "gateway.key") as place:
            yield place


@contextmanager
def postgresql_place(server: Any, key_file: Path, *, with_tables: bool = False) -> Generator[Place]:
    """Create a database for the block, and a key file if there is none.

    With tables it is much faster, for tests that do not test their creation.
    """
    if not key_file.exists():
        KeyFile(key_file).create()
    name = server.create_database(_with_tables(server)) if with_tables else server.create_database()
    try:
        yield Place(server.url(name), [KeyFile(key_file)], server=server)
    finally:
        server.drop_database(name)


@contextmanager
def serving(place: Place, **options: Any) -> Generator[Server]:
    """Run a server on an event loop in a separate thread, with further arguments of Server."""
    server = Server(place.url, **({"grpc": "127.0.0.1:0", "http": "127.0.0.1:0", "keys": place.keys} | options))
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(server.start(), loop).result(60)
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(1), loop).result(60)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


@functools.cache
def _file_with_tables() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.sqlite"
        database = find_database(f"sqlite:///{path}")
        upgrade_database(database)
        database.dispose()
        return path.read_bytes()


_TEMPLATES: dict[Any, str] = {}


def _with_tables(server: Any) -> str:
    """Return the name of a database with the empty tables of a store."""
    if server not in _TEMPLATES:
        name = server.create_database()
        database = find_database(server.url(name))
        upgrade_database(database)
        database.dispose()
        _TEMPLATES[server] = name
    return _TEMPLATES[server]

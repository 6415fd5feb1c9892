"""Opening a store: its file, its tables and its key, each refused with a reason when it cannot be used."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store import faults, migrations, schema
from gateway_entities.server.store.encryption import Cipher
from gateway_entities.server.store.engines import Engines, open_engines, use_write_ahead_log
from gateway_entities.server.store.keys import create_key, read_key
from gateway_entities.server.store.store import Store

_FILE_MODE: Final = 0o600
_SQLITE_MAGIC: Final = b"SQLite format 3\0"
_WHAT_IS_WRONG: Final = {
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_READONLY: "it, or its folder, cannot be written to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened for reading and writing",
}


def open_store(url: str, *, key_file: Path | None = None, busy_timeout: float = 10.0) -> Store:
    """Open the store in a SQLite file, making the file, its tables and its key where they do not exist yet.

    New files have mode 0600. Several processes may open one new store at the same time.

    Args:
        url: where the store is, such as ``sqlite:///gateway.sqlite`` (relative) or ``sqlite:////var/lib/gateway.sqlite``.
            Its folder must exist. The path is taken as it is, without escapes.
        key_file: the file of the key that secrets are encrypted with. None means the file beside the database that is
            called as it is, with ``.key`` added; only that one is made when it does not exist.
        busy_timeout: the longest wait for another writer, in seconds.

    Returns:
        The store, its tables at the newest revision.

    Raises:
        GatewayError: INVALID_ARGUMENT (a URL of another form), FAILED_PRECONDITION (the folder, the file, the tables or the
            key cannot be used; the message says why and what to do) or UNAVAILABLE (another process holds the file's lock).
    """
    path = _database_path(url)
    given_key = None if key_file is None else read_key(key_file)
    _make_file(path)
    engines = open_engines(path, busy_timeout)
    try:
        with _opening(path):
            _prepare(engines, busy_timeout)
            with engines.write() as connection:
                migrations.upgrade(connection)
                # Within the write lock, so that of several processes only one makes the key.
                key = _default_key(connection, path) if given_key is None else given_key
                cipher = Cipher(key)
                _check_key(connection, cipher, key_file or default_key_file(path))
        return Store(path, engines, cipher)
    except BaseException:
        engines.dispose()
        raise


def default_key_file(database: Path) -> Path:
    """Return the key file that goes with a database when no other is named."""
    return database.with_name(database.name + ".key")


def _database_path(url: str) -> Path:
    kind, separator, place = url.partition(":///")
    # Nothing of the URL is repeated in the message: one of another kind may hold a password.
    if kind != "sqlite" or not separator:
        raise _wrong_url("The store's URL is not that of a SQLite file")
    if place in {"", ":memory:"} or "?" in place:
        raise _wrong_url("The store's URL needs a file, and no parameters")
    # Absolute, so that a later change of the working folder changes nothing.
    return Path(place).absolute()


def _make_file(path: Path) -> None:
    if not path.parent.is_dir():
        raise _unusable(path, f"the folder {path.parent} does not exist; make it first")
    if path.is_dir():
        raise _unusable(path, "it is a folder")
    try:
        # SQLite gives the files it makes beside this one the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE_MODE))
    except FileExistsError:
        _check_file(path)
    except OSError as error:
        raise _unusable(path, f"it cannot be made: {error.strerror}") from error


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(len(_SQLITE_MAGIC))
    except OSError as error:
        raise _unusable(path, f"it cannot be read: {error.strerror}") from error
    # SQLite itself would take a short file of any content for an empty database, and overwrite it.
    if start not in {b"", _SQLITE_MAGIC}:
        raise _unusable(path, "it is not a SQLite database")


def _prepare(engines: Engines, busy_timeout: float) -> None:
    # A database of another program is told apart before anything is written to it.
    with engines.read() as connection:
        migrations.revision(connection)
    if not use_write_ahead_log(engines.writer, busy_timeout):
        raise GatewayError(
            Code.FAILED_PRECONDITION, "its file system cannot hold a write-ahead log; use a local one", reason="STORE_FILE"
        )


def _default_key(connection: Connection, path: Path) -> bytes:
    key_file = default_key_file(path)
    if os.path.lexists(key_file):
        return read_key(key_file)
    if (key_id := connection.execute(select(schema.secrets.c.key_id).limit(1)).scalar()) is not None:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"its secrets are encrypted with key {key_id}, and the key file {key_file} does not exist; restore it, or name "
            "the file that holds this key",
            reason="KEY_FILE",
        )
    return create_key(key_file)


def _check_key(connection: Connection, cipher: Cipher, key_file: Path) -> None:
    column = schema.secrets.c.key_id
    other = connection.execute(select(column).where(column != cipher.key_id).limit(1)).scalar()
    if other is not None:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"its secrets are encrypted with key {other}, and the key file {key_file} holds key {cipher.key_id}; name the "
            "file that holds the first",
            reason="KEY_FILE",
        )


@contextmanager
def _opening(path: Path) -> Generator[None]:
    """Name the store in every error."""
    try:
        yield
    except GatewayError as error:
        raise GatewayError(error.code, f"The store {path} cannot be used: {error.message}", reason=error.reason) from error
    except (DBAPIError, sqlite3.Error) as error:
        wrong = _WHAT_IS_WRONG.get(faults.result_code(error) & 0xFF)
        if wrong is not None:
            raise _unusable(path, wrong) from error
        meaning = faults.translate(error)
        if meaning is None:
            raise
        raise GatewayError(meaning.code, f"{meaning.message} ({path})", reason=meaning.reason) from error


def _unusable(path: Path, wrong: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, f"The store {path} cannot be used: {wrong}", reason="STORE_FILE")


def _wrong_url(wrong: str) -> GatewayError:
    return GatewayError(
        Code.INVALID_ARGUMENT, f"{wrong}; it is sqlite:/// and a path, such as sqlite:///gateway.sqlite", reason="STORE_URL"
    )

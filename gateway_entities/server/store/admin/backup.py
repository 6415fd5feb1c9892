"""Backups: a consistent snapshot of a store in one file, independent of the database.

The file is gzip-compressed UTF-8 text with one JSON value per line:

- the header: ``{"format": "gateway-entities backup", "version": 2, "schema": "0007", "created_at": MILLISECONDS,
  "sealed_by": KEY ID or null}``;
- for each table, referenced tables first:
  ``{"table": NAME, "columns": [NAME, ...], "rows": COUNT}``, with ``"last": NUMBER`` for generated ids,
  followed by one array for each row, ordered by primary key;
- the trailer: ``{"rows": COUNT, "sha256": HEX, "seal": HEX}``, the digest of all lines before it, and their HMAC-SHA256 with
  a key derived from the key-encryption key of the header; there is no seal if no key was configured.

Bytes are ``{"base64": TEXT}``. Secret values are encrypted as in the store; the key is not in the backup. The digest detects
damage, the seal tampering. Backups of version 1 have no seal.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Boolean, ColumnClause, Connection, MetaData, Table, column, func, select, table

from gateway_entities.errors import Code, GatewayError
from gateway_entities.files import sync_folder
from gateway_entities.server.store.crypto.keyring import Key, KeyRing
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.errors import map_db_errors

FORMAT: Final = "gateway-entities backup"
VERSION: Final = 2
BATCH_ROWS: Final = 500

_FILE_MODE: Final = 0o600

Progress: TypeAlias = Callable[[int, int], None]
"""Called repeatedly with the number of processed rows and the total."""


class RowCounter:
    """Counts processed rows and reports progress once per batch."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def add(self, rows: int = 1) -> None:
        """Add processed rows."""
        before, self._done = self._done, self._done + rows
        if before // BATCH_ROWS != self._done // BATCH_ROWS or self._done == self._total:
            self._progress(self._done, self._total)


class BackupSummary(NamedTuple):
    """Summary of a backup.

    Attributes:
        schema: the revision of the tables.
        rows: the number of rows in each table.
        key_ids: the ids of the keys that it is encrypted with.
        sealed_by: the id of the key of its seal, after a restore only if the seal was verified; None without a seal.
    """

    schema: str
    rows: Mapping[str, int]
    key_ids: Sequence[str]
    sealed_by: str | None = None


def write_backup(database: Database, path: Path, progress: Progress, keys: KeyRing | None = None) -> BackupSummary:
    """Write a backup of a store; concurrent reads and writes are allowed.

    The file has mode 0600 and is renamed into place once it is complete and durable.

    Args:
        database: the store's open database.
        path: the file; it must not exist.
        progress: the progress callback.
        keys: the first key seals the backup; None for a backup without a seal.

    Raises:
        GatewayError: FAILED_PRECONDITION (the file exists or cannot be written, or the database has no store) or
            UNAVAILABLE (the database cannot be read).
    """
    with _new_file(path) as file, map_db_errors(), database.read() as connection:
        schema = migrations.revision(connection)
        if schema is None:
            raise GatewayError(Code.FAILED_PRECONDITION, f"There is no store in {database.location}", reason="STORE_SCHEMA")
        tables = store_tables(connection)
        rows = {each.name: count_rows(connection, each) for each in tables}
        done = RowCounter(progress, sum(rows.values()))
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
            seal = None if keys is None else keys.first
            lines = _Lines(packed, seal)
            sealed_by = None if seal is None else seal.id
            now = time.time_ns() // 1_000_000
            lines.write({"format": FORMAT, "version": VERSION, "schema": schema, "created_at": now, "sealed_by": sealed_by})
            last = database.sequences(connection)
            for each in tables:
                header = {"table": each.name, "columns": list(each.columns.keys()), "rows": rows[each.name]}
                lines.write(header | ({"last": last[each.name]} if each.name in last else {}))
                _write_rows(lines, connection, each, done)
            lines.end(sum(rows.values()))
        return BackupSummary(schema, rows, key_ids(connection, tables), sealed_by)


def store_tables(connection: Connection) -> list[Table]:
    """Return a store's tables, reflected from the database, referenced tables first."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [each for each in metadata.sorted_tables if each.name != migrations.VERSION_TABLE]


def count_rows(connection: Connection, of: Table) -> int:
    """Return the number of rows in a table."""
    return connection.execute(select(func.count()).select_from(of)).scalar_one()


def stored_rows(connection: Connection, of: Table) -> Iterator[Sequence[Any]]:
    """Yield the rows of a table, ordered by primary key, with unconverted values."""
    # Without types, because conversion by SQLAlchemy fails on a value of the wrong type.
    columns: list[ColumnClause[Any]] = [column(each.name) for each in of.columns]
    plain = table(of.name, *columns)
    statement = select(*plain.columns).order_by(*(plain.c[each.name] for each in of.primary_key.columns))
    yield from connection.execute(statement, execution_options={"yield_per": BATCH_ROWS})


def key_ids(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """Return the ids of the keys that these tables are encrypted with."""
    found: set[str] = set()
    for each in tables:
        if "key_id" in each.columns:
            found.update(connection.execute(select(each.c.key_id).distinct()).scalars())
    return sorted(found)


class _Lines:
    """Writes and digests the lines of a backup."""

    def __init__(self, file: gzip.GzipFile, seal: Key | None) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._seal = None if seal is None else seal.seal()

    def write(self, value: object) -> None:
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._digest.update(line)
        if self._seal is not None:
            self._seal.update(line)
        self._file.write(line)

    def end(self, rows: int) -> None:
        trailer = {"rows": rows, "sha256": self._digest.hexdigest()}
        self.write(trailer if self._seal is None else {**trailer, "seal": self._seal.hexdigest()})


def _write_rows(lines: _Lines, connection: Connection, of: Table, done: RowCounter) -> None:
    booleans = [isinstance(each.type, Boolean) for each in of.columns]
    for row in stored_rows(connection, of):
        lines.write([_to_json(value, boolean=boolean) for value, boolean in zip(row, booleans, strict=True)])
        done.add()


def _to_json(value: object, *, boolean: bool) -> object:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    # SQLite stores booleans as integers.
    return bool(value) if boolean and value is not None else value


@contextmanager
def _new_file(path: Path) -> Generator[IO[bytes]]:
    """Open a temporary file that is renamed to the path at the end of the block, or deleted after an exception."""
    if os.path.lexists(path):
        raise GatewayError(Code.FAILED_PRECONDITION, f"{path} already exists; use a new file", reason="BACKUP_FILE")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        cause = error.strerror or "unknown error"
        raise GatewayError(Code.FAILED_PRECONDITION, f"{path} cannot be written: {cause}", reason="BACKUP_FILE") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()

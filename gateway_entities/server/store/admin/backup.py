"""Backups: all that a store holds in one file, of one moment, the same from every database.

The file is UTF-8 text, one JSON value a line, compressed with gzip; ``zcat FILE`` shows it. Its lines are

- the header: ``{"format": "gateway-entities backup", "version": 1, "schema": "0004", "created_at": MILLISECONDS}``;
- for each table, those that are referred to before those that refer:
  ``{"table": NAME, "columns": [NAME, ...], "rows": COUNT}``, with ``"last": NUMBER`` where the database numbers the rows,
  followed by as many arrays, one for each row in the order of the primary key;
- the trailer: ``{"rows": COUNT, "sha256": HEX}``, the digest of every line before it.

Bytes are ``{"base64": TEXT}``. Values of secrets are encrypted as in the store, and the key is not in the backup. The digest
finds damage; it does not prove who wrote the file.
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
from typing import IO, Any, Final, NamedTuple, TypeAlias, cast

from sqlalchemy import Boolean, ColumnClause, Connection, MetaData, Table, column, func, select, table

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.errors import map_db_errors

FORMAT: Final = "gateway-entities backup"
VERSION: Final = 1
ROWS_AT_ONCE: Final = 500

_FILE_MODE: Final = 0o600

Progress: TypeAlias = Callable[[int, int], None]
"""Is told now and then how many rows are done, and how many there are."""


class RowsDone:
    """Counts the rows that are done, and tells it."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def add(self, rows: int = 1) -> None:
        """Count rows."""
        before, self._done = self._done, self._done + rows
        if before // ROWS_AT_ONCE != self._done // ROWS_AT_ONCE or self._done == self._total:
            self._progress(self._done, self._total)


class Saved(NamedTuple):
    """What is in a backup.

    Attributes:
        schema: the revision of the tables.
        rows: the number of rows of each table.
        key_ids: the keys that its secrets are encrypted with.
    """

    schema: str
    rows: Mapping[str, int]
    key_ids: Sequence[str]


def write_backup(database: Database, path: Path, progress: Progress) -> Saved:
    """Write a backup of a store; others may read and write it meanwhile.

    The file has mode 0600 and gets its name when it is complete and on disk.

    Args:
        database: the store's, open.
        path: the file, which must not exist yet.
        progress: see Progress.

    Raises:
        GatewayError: FAILED_PRECONDITION when the file exists or cannot be written, or there is no store; UNAVAILABLE when
            the database cannot be read.
    """
    with _new_file(path) as file, map_db_errors(), database.read() as connection:
        schema = migrations.revision(connection)
        if schema is None:
            raise GatewayError(Code.FAILED_PRECONDITION, f"There is no store in {database.place}", reason="STORE_SCHEMA")
        tables = store_tables(connection)
        rows = {each.name: count_rows(connection, each) for each in tables}
        done = RowsDone(progress, sum(rows.values()))
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
            lines = _Lines(packed)
            lines.write({"format": FORMAT, "version": VERSION, "schema": schema, "created_at": time.time_ns() // 1_000_000})
            last = database.sequences(connection)
            for each in tables:
                header = {"table": each.name, "columns": list(each.columns.keys()), "rows": rows[each.name]}
                lines.write(header | ({"last": last[each.name]} if each.name in last else {}))
                _write_rows(lines, connection, each, done)
            lines.end(sum(rows.values()))
        return Saved(schema, rows, key_ids(connection, tables))


def store_tables(connection: Connection) -> list[Table]:
    """Return the tables of a store as they are in the database, those that are referred to before those that refer."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [each for each in metadata.sorted_tables if each.name != migrations.VERSION_TABLE]


def count_rows(connection: Connection, of: Table) -> int:
    """Return how many rows a table has."""
    return connection.execute(select(func.count()).select_from(of)).scalar_one()


def stored_rows(connection: Connection, of: Table) -> Iterator[Sequence[Any]]:
    """Yield the rows of a table in the order of its primary key, each value as the driver gives it."""
    # Without types: SQLAlchemy would fail on a value that is not of its column's.
    columns: list[ColumnClause[Any]] = [column(each.name) for each in of.columns]
    plain = table(of.name, *columns)
    statement = select(*plain.columns).order_by(*(plain.c[each.name] for each in of.primary_key.columns))
    yield from connection.execute(statement, execution_options={"yield_per": ROWS_AT_ONCE})


def key_ids(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """Return the keys that something in these tables is encrypted with."""
    found: set[str] = set()
    for each in tables:
        if "key_id" in each.columns:
            found.update(connection.execute(select(each.c.key_id).distinct()).scalars())
    return sorted(found)


def from_json(value: object) -> object:
    """Return the value of a column that a backup holds.

    Raises:
        ValueError: it is of no such form.
    """
    if isinstance(value, dict):
        return base64.b64decode(cast("dict[str, str]", value)["base64"], validate=True)
    if isinstance(value, list):
        raise ValueError("a list is no value")
    return value


class _Lines:
    """Writes the lines of a backup, and digests them."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def write(self, value: object) -> None:
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._digest.update(line)
        self._file.write(line)

    def end(self, rows: int) -> None:
        self.write({"rows": rows, "sha256": self._digest.hexdigest()})


def _write_rows(lines: _Lines, connection: Connection, of: Table, done: RowsDone) -> None:
    truths = [isinstance(each.type, Boolean) for each in of.columns]
    for row in stored_rows(connection, of):
        lines.write([_to_json(value, truth=truth) for value, truth in zip(row, truths, strict=True)])
        done.add()


def _to_json(value: object, *, truth: bool) -> object:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    # SQLite has no truth values of its own.
    return bool(value) if truth and value is not None else value


@contextmanager
def _new_file(path: Path) -> Generator[IO[bytes]]:
    """Open a file under another name, and give it its own at the end of the block; after an exception there is none."""
    if os.path.lexists(path):
        raise GatewayError(Code.FAILED_PRECONDITION, f"{path} exists already; name a new file", reason="BACKUP_FILE")
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        why = error.strerror or "it cannot be written"
        raise GatewayError(Code.FAILED_PRECONDITION, f"{path} cannot be written: {why}", reason="BACKUP_FILE") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def _sync_folder(folder: Path) -> None:
    # A new file's name is on disk only once its folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

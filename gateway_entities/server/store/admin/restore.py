"""Restoring: what a backup holds, into a database of either kind that holds nothing yet."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Connection, MetaData, insert

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.admin.backup import (
    FORMAT,
    ROWS_AT_ONCE,
    VERSION,
    Progress,
    RowsDone,
    Saved,
    count_rows,
    from_json,
    key_ids,
    store_tables,
)
from gateway_entities.server.store.open import open_database
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.errors import map_db_errors

_NO_TABLE: Final = "it has another number of rows than it says"


class _Part(NamedTuple):
    """What a backup says of one table."""

    table: str
    columns: Sequence[str]
    rows: int
    last: int | None


def restore_backup(database: Database, path: Path, progress: Progress) -> Saved:
    """Fill an empty database from a backup, and bring its tables to the newest revision. After an error it is empty still.

    Args:
        database: the database; it is opened here, and made if it is a SQLite file, once the backup is known to be whole.
        path: the backup.
        progress: see Progress.

    Raises:
        GatewayError: FAILED_PRECONDITION when the backup cannot be read or is of a newer release, or the database holds
            something; DATA_LOSS when the backup is damaged; what open_database raises.
    """
    total = _verify(path)
    open_database(database, create=True)
    with _reading(path) as lines, map_db_errors(), database.migrate() as connection:
        schema = str(_object(next(lines))["schema"])
        _require_empty(connection, database)
        _remake(connection, schema)
        _fill(database, connection, lines, RowsDone(progress, total))
        migrations.upgrade(connection)
        tables = store_tables(connection)
        return Saved(schema, {each.name: count_rows(connection, each) for each in tables}, key_ids(connection, tables))


def _verify(path: Path) -> int:
    """Check that a backup is whole, and one that this release can read; return how many rows it has."""
    with _reading(path) as lines:
        first = next(lines, b"")
        _check_header(path, first)
        digest, rows, last = hashlib.sha256(first), 0, first
        for line in lines:
            if last is not first:
                digest.update(last)
                rows += last.startswith(b"[")
            last = line
        if last is first or _object(last) != {"rows": rows, "sha256": digest.hexdigest()}:
            raise _damaged(path, "its end is missing, or its digest is not that of its content")
        return rows


def _check_header(path: Path, line: bytes) -> None:
    try:
        header = _object(line)
    except ValueError:
        raise _unusable(path, "it is not a backup of a gateway") from None
    if header.get("format") != FORMAT:
        raise _unusable(path, "it is not a backup of a gateway")
    if not isinstance(header.get("version"), int) or header["version"] > VERSION:
        raise _unusable(path, f"its format is newer (version {header.get('version')}) than this release knows ({VERSION})")
    try:
        migrations.require_known(str(header.get("schema")))
    except GatewayError as error:
        raise _unusable(path, error.message) from error


def _require_empty(connection: Connection, database: Database) -> None:
    for each in store_tables(connection):
        if (rows := count_rows(connection, each)) > 0:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                f"The store {database.place} is not empty: {each.name} has {rows} rows; a backup is restored into a new one",
                reason="STORE_NOT_EMPTY",
            )


def _remake(connection: Connection, schema: str) -> None:
    """Make the tables as they were when the backup was written."""
    if migrations.revision(connection) not in {None, schema}:
        metadata = MetaData()
        metadata.reflect(connection)
        metadata.drop_all(connection)
    migrations.upgrade(connection, schema)


def _fill(database: Database, connection: Connection, lines: Iterator[bytes], done: RowsDone) -> None:
    tables = {each.name: each for each in store_tables(connection)}
    for line in lines:
        header = _object(line)
        if "sha256" in header:
            break
        part = _Part(header["table"], header["columns"], header["rows"], header.get("last"))
        into = tables.pop(part.table)
        if set(part.columns) != set(into.columns.keys()):
            raise ValueError(part.table)
        for rows in _batches(lines, part):
            connection.execute(insert(into), rows)
            done.add(len(rows))
        if part.last is not None:
            database.set_sequence(connection, part.table, part.last)
    if tables:
        raise ValueError(next(iter(tables)))


def _batches(lines: Iterator[bytes], part: _Part) -> Iterator[list[dict[str, object]]]:
    left = part.rows
    while left > 0:
        batch = [_row(line, part) for line in islice(lines, min(left, ROWS_AT_ONCE))]
        if not batch:
            raise ValueError(_NO_TABLE)
        left -= len(batch)
        yield batch


def _row(line: bytes, part: _Part) -> dict[str, object]:
    values = cast("list[object]", json.loads(line))
    return {name: from_json(value) for name, value in zip(part.columns, values, strict=True)}


def _object(line: bytes) -> Mapping[str, Any]:
    value: object = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return cast("dict[str, Any]", value)


@contextmanager
def _reading(path: Path) -> Generator[Iterator[bytes]]:
    """Open a backup and turn what is wrong with it into errors."""
    try:
        with path.open("rb") as file, gzip.GzipFile(fileobj=file) as unpacked:
            yield iter(unpacked)
    except gzip.BadGzipFile as error:
        # Raised at the begin of a file of another kind, and where the checksum of gzip does not fit.
        raise _damaged(path, "it is not a backup of a gateway, or not a whole one") from error
    except (EOFError, zlib.error) as error:
        raise _damaged(path, "it ends too early, or was altered") from error
    except OSError as error:
        raise _unusable(path, error.strerror or "an error of the disk") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, "its content is not what a backup holds") from error


def _damaged(path: Path, wrong: str) -> GatewayError:
    return GatewayError(Code.DATA_LOSS, f"The backup {path} is damaged: {wrong}", reason="BACKUP_DAMAGED")


def _unusable(path: Path, wrong: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, f"The backup {path} cannot be restored: {wrong}", reason="BACKUP_FILE")

"""Restore of a backup into an empty database of either kind."""

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
    BATCH_ROWS,
    FORMAT,
    VERSION,
    BackupSummary,
    Progress,
    RowCounter,
    count_rows,
    from_json,
    key_ids,
    store_tables,
)
from gateway_entities.server.store.open import error_context, open_database
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.errors import map_db_errors

_WRONG_COUNT: Final = "the number of rows differs from the header"


class _TableHeader(NamedTuple):
    """The header of a table in a backup."""

    table: str
    columns: Sequence[str]
    rows: int
    last: int | None


def restore_backup(database: Database, path: Path, progress: Progress) -> BackupSummary:
    """Restore a backup into an empty database and upgrade its tables to the latest revision, in one transaction.

    Args:
        database: the unopened database; a SQLite file is created if it is missing, after the backup has been verified.
        path: the backup.
        progress: the progress callback.

    Raises:
        GatewayError: FAILED_PRECONDITION (the backup is unreadable or of a newer release, or the database is not empty or a
            server uses the deleted one),
            DATA_LOSS (the backup is damaged), and as ``open_database``.
    """
    total = _verify(path)
    with error_context(database):
        database.require_unused()
    # The key file of the lost store is the one that the backup needs.
    open_database(database, create=True, new_store=True)
    with _reading(path) as lines, map_db_errors(), database.migrate() as connection:
        schema = str(_object(next(lines))["schema"])
        _require_empty(connection, database)
        _create_tables(connection, schema)
        _fill(database, connection, lines, RowCounter(progress, total))
        migrations.upgrade(connection)
        tables = store_tables(connection)
        return BackupSummary(
            schema, {each.name: count_rows(connection, each) for each in tables}, key_ids(connection, tables)
        )


def _verify(path: Path) -> int:
    """Check that a backup is complete and supported by this release; return its number of rows."""
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
            raise _damaged(path, "its end is missing, or its digest does not match its content")
        return rows


def _check_header(path: Path, line: bytes) -> None:
    try:
        header = _object(line)
    except ValueError:
        raise _unusable(path, "it is not a backup of a gateway") from None
    if header.get("format") != FORMAT:
        raise _unusable(path, "it is not a backup of a gateway")
    if not isinstance(header.get("version"), int) or header["version"] > VERSION:
        raise _unusable(path, f"its format version {header.get('version')} is newer than that of this release ({VERSION})")
    try:
        migrations.require_known(str(header.get("schema")))
    except GatewayError as error:
        raise _unusable(path, error.message) from error


def _require_empty(connection: Connection, database: Database) -> None:
    for each in store_tables(connection):
        if (rows := count_rows(connection, each)) > 0:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                f"The store {database.location} is not empty: {each.name} has {rows} rows; restore into a new one, "
                "with servers stopped",
                reason="STORE_NOT_EMPTY",
            )


def _create_tables(connection: Connection, schema: str) -> None:
    """Create the tables at the revision of the backup."""
    if migrations.revision(connection) not in {None, schema}:
        metadata = MetaData()
        metadata.reflect(connection)
        metadata.drop_all(connection)
    migrations.upgrade(connection, schema)


def _fill(database: Database, connection: Connection, lines: Iterator[bytes], done: RowCounter) -> None:
    tables = {each.name: each for each in store_tables(connection)}
    for line in lines:
        fields = _object(line)
        if "sha256" in fields:
            break
        header = _TableHeader(fields["table"], fields["columns"], fields["rows"], fields.get("last"))
        into = tables.pop(header.table)
        if set(header.columns) != set(into.columns.keys()):
            raise ValueError(header.table)
        for rows in _batches(lines, header):
            connection.execute(insert(into), rows)
            done.add(len(rows))
        if header.last is not None:
            database.set_sequence(connection, header.table, header.last)
    if tables:
        raise ValueError(next(iter(tables)))


def _batches(lines: Iterator[bytes], header: _TableHeader) -> Iterator[list[dict[str, object]]]:
    remaining = header.rows
    while remaining > 0:
        batch = [_row(line, header) for line in islice(lines, min(remaining, BATCH_ROWS))]
        if not batch:
            raise ValueError(_WRONG_COUNT)
        remaining -= len(batch)
        yield batch


def _row(line: bytes, header: _TableHeader) -> dict[str, object]:
    values = cast("list[object]", json.loads(line))
    return {name: from_json(value) for name, value in zip(header.columns, values, strict=True)}


def _object(line: bytes) -> Mapping[str, Any]:
    value: object = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return cast("dict[str, Any]", value)


@contextmanager
def _reading(path: Path) -> Generator[Iterator[bytes]]:
    """Open a backup; convert errors of its content to GatewayErrors."""
    try:
        with path.open("rb") as file, gzip.GzipFile(fileobj=file) as unpacked:
            yield iter(unpacked)
    except gzip.BadGzipFile as error:
        # Raised for other file formats, and for a wrong checksum.
        raise _damaged(path, "it is not a backup of a gateway, or incomplete") from error
    except (EOFError, zlib.error) as error:
        raise _damaged(path, "it is truncated, or was altered") from error
    except OSError as error:
        raise _unusable(path, error.strerror or "a disk error") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, "its content is malformed") from error


def _damaged(path: Path, cause: str) -> GatewayError:
    return GatewayError(Code.DATA_LOSS, f"The backup {path} is damaged: {cause}", reason="BACKUP_DAMAGED")


def _unusable(path: Path, cause: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, f"The backup {path} cannot be restored: {cause}", reason="BACKUP_FILE")

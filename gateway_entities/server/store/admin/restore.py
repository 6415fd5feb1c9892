"""Restore of a backup into an empty database of either kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeGuard, cast

from sqlalchemy import Connection, MetaData, Table, delete, insert
from sqlalchemy.exc import DataError, IntegrityError

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.admin.backup import (
    BATCH_ROWS,
    BackupSummary,
    Progress,
    RowCounter,
    count_rows,
    key_ids,
    store_tables,
)
from gateway_entities.server.store.admin.backup_lines import MAX_LINE_BYTES, BackupLines, Line, damaged, open_backup
from gateway_entities.server.store.admin.backup_rows import RowReader
from gateway_entities.server.store.crypto.keyring import KeyRing
from gateway_entities.server.store.open import error_context, open_database
from gateway_entities.server.store.repositories.state import StoreState
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.errors import map_db_errors
from gateway_entities.server.store.sql.schema import store_state

_BATCH_BYTES: Final = 4 * 1024 * 1024


class _TableHeader(NamedTuple):
    """The header of a table in a backup."""

    table: str
    columns: list[str]
    rows: int
    last: int | None


def restore_backup(
    database: Database,
    path: Path,
    progress: Progress,
    keys: KeyRing | None = None,
    *,
    accept_unsealed: bool = False,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> BackupSummary:
    """Restore a backup into an empty database and upgrade its tables to the latest revision, in one transaction.

    The store gets a new id.

    Args:
        database: the unopened database; a SQLite file is created if it is missing, after the backup has been verified.
        path: the backup.
        progress: the progress callback.
        keys: the keys that may have sealed it; None for none.
        accept_unsealed: restore a backup without a seal, or with one of another key.
        max_line_bytes: the maximum size of a line.

    Raises:
        GatewayError: FAILED_PRECONDITION (the backup is unreadable, not sealed with one of the keys, or of a newer release,
            or the database is not empty or a server uses the deleted one), DATA_LOSS (the backup is damaged or was altered),
            and as ``open_database``.
    """
    with open_backup(path, keys, max_line_bytes) as lines:
        total = sum(line.content.startswith(b"[") for line in lines.content())
        if not accept_unsealed:
            lines.require_seal(keys)
    with error_context(database):
        database.require_unused()
    # The key file of the lost store is the one that the backup needs.
    open_database(database, create=True, new_store=True)
    # Verified again, because the file may have been changed meanwhile.
    with (
        open_backup(path, keys, max_line_bytes) as lines,
        map_db_errors(),
        database.migrate() as connection,
    ):
        if not accept_unsealed:
            lines.require_seal(keys)
        _require_empty(connection, database)
        _create_tables(connection, lines.schema)
        _Filler(database, connection, path, lines, RowCounter(progress, total)).fill()
        migrations.upgrade(connection)
        _renew_state(connection, path)
        tables = store_tables(connection)
        rows = {each.name: count_rows(connection, each) for each in tables}
        return BackupSummary(lines.schema, rows, key_ids(connection, tables), lines.sealed_by)


def _require_empty(connection: Connection, database: Database) -> None:
    for each in store_tables(connection):
        if each.name == store_state.name:
            state = StoreState(connection).get()
            used = state.last_revision > 0 or state.has_had_token
            cause = "it has been used" if used else ""
        else:
            rows = count_rows(connection, each)
            cause = f"{each.name} has {rows} rows" if rows else ""
        if cause:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                f"The store {database.location} is not empty: {cause}; restore into a new one, with servers stopped",
                reason="STORE_NOT_EMPTY",
            )


def _create_tables(connection: Connection, schema: str) -> None:
    """Create the tables at the revision of the backup."""
    if migrations.revision(connection) not in {None, schema}:
        metadata = MetaData()
        metadata.reflect(connection)
        metadata.drop_all(connection)
    migrations.upgrade(connection, schema)


def _renew_state(connection: Connection, path: Path) -> None:
    """Give the store a new id; close it and count its revision on if the backup's row disagrees with its content."""
    state = StoreState(connection)
    try:
        state.get()
    except GatewayError:
        raise damaged(path, f"it has not one row of {store_state.name}") from None
    state.renew_id()
    state.repair()


class _Filler:
    """Fills the tables of a new store from the lines of a backup."""

    def __init__(self, database: Database, connection: Connection, path: Path, lines: BackupLines, done: RowCounter) -> None:
        self._database = database
        self._connection = connection
        self._path = path
        self._lines = lines
        self._done = done
        self._tables = {each.name: each for each in store_tables(connection)}

    def fill(self) -> None:
        if store_state.name in self._tables:
            # The row of the new store.
            self._connection.execute(delete(store_state))
        content = self._lines.content()
        for line in content:
            header = self._header(line)
            self._fill_table(self._tables.pop(header.table), header, content, line.number)
        if self._tables:
            raise damaged(self._path, f"the table {next(iter(self._tables))} is missing")

    def _header(self, line: Line) -> _TableHeader:
        fields = self._lines.parse_object(line)
        table, columns, rows, last = (fields.get(name) for name in ("table", "columns", "rows", "last"))
        if not isinstance(table, str) or table not in self._tables:
            raise self._lines.malformed(line.number, "it is not the header of a table of the store that is still to come")
        names = list(self._tables[table].columns.keys())
        if not isinstance(columns, list) or sorted(map(str, cast("list[object]", columns))) != sorted(names):
            raise self._lines.malformed(line.number, f"its columns are not those of the table {table}")
        if not _is_count(rows) or not (last is None or _is_count(last)):
            raise self._lines.malformed(line.number, "its number of rows or its last id is not a number of 63 bits")
        return _TableHeader(table, cast("list[str]", columns), rows, last)

    def _fill_table(self, into: Table, header: _TableHeader, content: Iterator[Line], number: int) -> None:
        reader = RowReader(into, header.columns, self._connection.dialect.name)
        remaining = header.rows
        while remaining:
            first, rows, size = number + 1, list[dict[str, object]](), 0
            while len(rows) < min(remaining, BATCH_ROWS) and size < _BATCH_BYTES:
                line = next(content, None)
                if line is None:
                    raise self._lines.malformed(number, f"the table {header.table} ends before its number of rows")
                number, size = line.number, size + len(line.content)
                rows.append(self._row(reader, line))
            self._insert(into, rows, first, number)
            remaining -= len(rows)
            self._done.add(len(rows))
        if header.last is not None:
            self._set_sequence(header, number)

    def _row(self, reader: RowReader, line: Line) -> dict[str, object]:
        try:
            return reader.row(self._lines.parse_array(line))
        except ValueError as error:
            raise self._lines.malformed(line.number, str(error)) from None

    def _insert(self, into: Table, rows: list[dict[str, object]], first: int, last: int) -> None:
        try:
            self._connection.execute(insert(into), rows)
        except (IntegrityError, DataError):
            # Without a cause, because the driver's message contains values.
            raise damaged(
                self._path,
                f"lines {first} to {last}: a row of {into.name} is there twice, or refers to one that is not there",
            ) from None

    def _set_sequence(self, header: _TableHeader, number: int) -> None:
        if header.table not in self._database.sequences(self._connection):
            raise self._lines.malformed(number, f"the table {header.table} has no generated ids")
        self._database.set_sequence(self._connection, header.table, header.last or 0)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63

"""Fills the tables of an older version, migrates them, and compares the result with schema.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Integer,
    LargeBinary,
    Text,
    delete,
    insert,
    inspect,
    text,
)
from sqlalchemy.types import TypeEngine

from gateway_entities.server.store.admin.backup import store_tables, stored_rows
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.database import Database

Rows: TypeAlias = dict[str, list[dict[str, Any]]]
"""The rows of each table as dicts, ordered by primary key."""


Change: TypeAlias = Callable[[Rows, Rows], None]
"""Converts the rows before a migration; the rows after it show what the migration drew at random."""


def _to_nanos(rows: Rows, _found: Rows) -> None:
    for row in rows.get("budget_windows", []):
        row["spend_nanos"] = min(row.pop("spend_micros") * 1000, 2**63 - 1)


def _with_state(rows: Rows, found: Rows) -> None:
    last = max((row["revision"] for row in rows.get("changes", [])), default=0)
    store_id = found["store_state"][0]["store_id"]
    rows["store_state"] = [{"store_id": store_id, "last_revision": last, "has_had_token": bool(rows.get("tokens"))}]


def _to_sets_of_scopes(rows: Rows, _found: Rows) -> None:
    for row in rows.get("tokens", []):
        row["scope"] = {2: 3, 3: 7}.get(row["scope"], row["scope"])


def _with_limits(rows: Rows, _found: Rows) -> None:
    amounts = {row["budget_policy_id"]: row["budget_amount"] for row in rows.get("budget_policies", [])}
    for row in rows.get("budget_windows", []):
        # The amounts have one decimal.
        row["limit_nanos"] = round(amounts[row["budget_policy_id"]] * 10) * 10**8
        row["overrun_record"] = max(row["spend_nanos"] - row["limit_nanos"], 0)


CHANGES: Mapping[str, Change] = {
    "0006": _to_nanos,
    "0007": _with_state,
    "0010": _to_sets_of_scopes,
    "0014": _with_limits,
}
"""Conversions of stored values by migrations, keyed by revision. Added columns have their defaults."""

# The id of a deleted row, greater than those of all rows.
_LAST = 2**62
# What SQLAlchemy does not reflect.
_DETAILS = {
    "sqlite": "SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT table_name || '.' || column_name, collation_name FROM information_schema.columns "
    "WHERE table_schema = current_schema()",
}


def revisions() -> list[str]:
    """Return all revisions, oldest first."""
    config = Config()
    config.set_main_option("script_location", migrations.SCRIPTS)
    return [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def upgrade_problems(
    database: Database,
    start: str,
    fresh: Connection,
    changes: Mapping[str, Change] = CHANGES,
    transaction: Callable[[], AbstractContextManager[Connection]] | None = None,
) -> list[str]:
    """Return the problems after an upgrade to the latest version, one clause for each table or column.

    Args:
        database: an empty, prepared database.
        start: the version of the filled tables.
        fresh: a connection to empty tables of schema.py.
        changes: as CHANGES.
        transaction: opens the transaction of the migrations; ``database.migrate`` by default.
    """
    with database.write() as connection:
        migrations.upgrade(connection, start)
        _fill(database, connection)
    with (transaction or database.migrate)() as connection:
        expected, numbered = _read(connection), database.sequences(connection)
        problems: list[str] = []
        for step in revisions()[revisions().index(start) + 1 :]:
            migrations.upgrade(connection, step)
            found = _read(connection)
            if step in changes:
                changes[step](expected, found)
            problems += (f"migration {step}: {wrong}" for wrong in _lost(expected, found))
    with database.read() as connection:
        problems += _other_tables(connection, fresh)
        if not problems:
            _insert(fresh, expected)
            problems += (f"after {start}: {wrong}" for wrong in _lost(_read(fresh), _read(connection)))
        numbers = database.sequences(connection)
        problems += (f"{table} counts on from {numbers.get(table)}" for table in numbered if numbers.get(table) != _LAST)
    return problems


def _fill(database: Database, connection: Connection) -> None:
    """Insert two rows into every table; all nullable columns of the second are NULL."""
    for table in store_tables(connection):
        rows = [{column.name: _value(column, number) for column in table.columns} for number in (1, 2)]
        # A migration may have added rows.
        connection.execute(delete(table))
        connection.execute(insert(table), rows)
        if table.name in database.sequences(connection):
            database.set_sequence(connection, table.name, _LAST)


def _value(column: Column[Any], number: int) -> object:
    """Return the value of a column in a row, unique for each row."""
    if column.nullable and number == 2:
        return None
    for reference in column.foreign_keys:
        return _value(reference.column, number)
    values: Sequence[tuple[type[Any], object]] = [
        (Boolean, number == 1),
        # Neither value is a double.
        (BigInteger, 2**53 + 1 if number == 1 else 2**61 + 1),
        (Integer, number),
        (Double, number + 0.1),
        (LargeBinary, bytes([0, 255, number])),
        (Text, f"{column} {number} é"),
    ]
    return next(value for kind, value in values if isinstance(column.type, kind))


def _read(connection: Connection) -> Rows:
    found: Rows = {}
    for table in store_tables(connection):
        names = list(table.columns.keys())
        found[table.name] = [dict(zip(names, row, strict=True)) for row in stored_rows(connection, table)]
    return found


def _insert(connection: Connection, rows: Rows) -> None:
    for table in store_tables(connection):
        if rows.get(table.name):
            connection.execute(insert(table), rows[table.name])


def _lost(expected: Rows, found: Rows) -> Iterator[str]:
    """Yield the differences of stored rows from the expected ones; additional columns and tables are allowed."""
    for table, rows in expected.items():
        if len(found.get(table, [])) != len(rows):
            yield f"{table} has {len(found.get(table, []))} rows in place of {len(rows)}"
            continue
        for column in rows[0] if rows else ():
            values = [row[column] for row in rows]
            if (now := [row.get(column, "no column") for row in found[table]]) != values:
                yield f"{table}.{column} is {now} in place of {values}"


def _other_tables(migrated: Connection, fresh: Connection) -> Iterator[str]:
    """Yield the differences of migrated tables from new ones, regardless of the order of columns and constraints."""
    found, expected = _tables(migrated), _tables(fresh)
    for name in sorted({*found, *expected}):
        if (is_now := found.get(name, "absent")) != (should_be := expected.get(name, "absent")):
            yield f"{name} is {is_now} in place of {should_be}"


def _tables(connection: Connection) -> dict[str, str]:
    inspector = inspect(connection)
    reflected: Mapping[str, Mapping[Any, Any]] = {
        "column": inspector.get_multi_columns(),
        "primary key": inspector.get_multi_pk_constraint(),
        "foreign key": inspector.get_multi_foreign_keys(),
        "unique constraint": inspector.get_multi_unique_constraints(),
        "check constraint": inspector.get_multi_check_constraints(),
        "index": inspector.get_multi_indexes(),
    }
    found: dict[str, str] = {}
    for kind, tables in reflected.items():
        for (_, table), items in tables.items():
            for item in items if isinstance(items, list) else [items]:
                found[f"{kind} {table}.{item['name']}"] = _shown(item)
    found |= {
        f"detail of {name}": str(detail) for name, detail in connection.execute(text(_DETAILS[connection.dialect.name]))
    }
    return {name: shown for name, shown in found.items() if migrations.VERSION_TABLE not in name and "sqlite_" not in name}


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return f"({', '.join(f'{name} {_shown(part)}' for name, part in sorted(value.items()))})"
    # The repr of a type includes the collation, its text does not; expressions have no stable repr.
    return repr(value) if isinstance(value, TypeEngine) else str(value)

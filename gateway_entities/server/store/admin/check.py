"""Checking a store: its tables, what the database says of itself, every reference and every row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Boolean, Connection, Float, Integer, LargeBinary, String, Table, and_, select
from sqlalchemy.exc import DBAPIError

from gateway_entities.errors import GatewayError
from gateway_entities.server.store.admin.backup import Progress, RowsDone, count_rows, store_tables, stored_rows
from gateway_entities.server.store.crypto.envelope import Cipher
from gateway_entities.server.store.crypto.keyring import KeyRing, generate_key
from gateway_entities.server.store.sql import errors, migrations
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.store import Transaction

Reader: TypeAlias = Callable[[Transaction, tuple[Any, ...]], object]


class Problem(NamedTuple):
    """One thing that is wrong.

    Attributes:
        table: the table; None where it is none in particular.
        key: the primary key of the row; None where it is none in particular.
        wrong: what is wrong, as a clause; it holds no stored value.
    """

    table: str | None
    key: tuple[object, ...] | None
    wrong: str


class Report(NamedTuple):
    """What a check found.

    Attributes:
        place: where the store is.
        schema: the revision of its tables; None when there are none.
        newest: the newest revision that this release knows.
        rows: the number of rows of each table.
        problems: what is wrong.
    """

    place: str
    schema: str | None
    newest: str
    rows: Mapping[str, int]
    problems: Sequence[Problem]


def check(database: Database, progress: Progress) -> Report:
    """Check a store that is open; others may read and write it meanwhile. Secret values are not decrypted.

    Args:
        database: the store's.
        progress: see Progress.

    Raises:
        GatewayError: FAILED_PRECONDITION when the tables are of a newer release; UNAVAILABLE or DATA_LOSS when the database
            cannot be read.
    """
    with errors.map_db_errors(), database.read() as connection:
        schema = migrations.revision(connection)
        migrations.require_known(schema)
        tables = store_tables(connection)
        rows = {each.name: count_rows(connection, each) for each in tables}
        problems = [Problem(None, None, wrong) for wrong in database.damages(connection)]
        if schema != migrations.HEAD:
            older = f"the tables are at revision {schema}, not {migrations.HEAD}: gateway-entities db upgrade changes that"
            problems.append(Problem(None, None, "there are no tables" if schema is None else older))
        else:
            problems += [Problem(None, None, wrong) for wrong in migrations.differences(connection)]
        problems += [problem for each in tables for problem in _dangling(connection, each)]
        done = RowsDone(progress, sum(rows.values()))
        problems += _check_rows(connection, tables, _READERS if schema == migrations.HEAD else {}, done)
        return Report(database.place, schema, migrations.HEAD, rows, problems)


def _dangling(connection: Connection, child: Table) -> Iterator[Problem]:
    """Yield the rows that refer to nothing; the databases see to that themselves, unless somebody told them not to."""
    for reference in child.foreign_key_constraints:
        parent = reference.referred_table.alias()
        pairs = [(child.c[each.parent.name], parent.c[each.column.name]) for each in reference.elements]
        statement = (
            select(*child.primary_key.columns)
            .select_from(child.outerjoin(parent, and_(*(own == other for own, other in pairs))))
            .where(*(own.is_not(None) for own, _ in pairs), pairs[0][1].is_(None))
            .order_by(*child.primary_key.columns)
        )
        for row in connection.execute(statement):
            yield Problem(child.name, tuple(row), f"it refers to one of {reference.referred_table.name} that does not exist")


def _check_rows(
    connection: Connection, tables: Sequence[Table], readers: Mapping[str, Reader], done: RowsDone
) -> Iterator[Problem]:
    # No key is at hand, and none is needed for what is not encrypted.
    transaction = Transaction(connection, Cipher(KeyRing([generate_key()[0]])))
    for each in tables:
        read = readers.get(each.name)
        names = [column.name for column in each.columns]
        places = [names.index(column.name) for column in each.primary_key.columns]
        try:
            for row in stored_rows(connection, each):
                key = tuple(row[place] for place in places)
                wrong = list(_misfits(each, row))
                if not wrong and read is not None:
                    wrong = list(_unreadable(transaction, read, key))
                yield from (Problem(each.name, key, what) for what in wrong)
                done.add()
        except DBAPIError as error:
            if errors.translate(error) is not None:
                raise
            yield Problem(each.name, None, "it cannot be read to its end; a text in it may be none")


def _misfits(of: Table, row: Sequence[object]) -> Iterator[str]:
    """Yield the columns whose value is of another type; SQLite stores any value in any column."""
    for column, value in zip(of.columns, row, strict=True):
        if value is None:
            if not column.nullable:
                yield f"{column.name} is missing"
        elif not any(isinstance(column.type, kind) and fits(value) for kind, fits in _TYPES):
            yield f"{column.name} is of the wrong type ({type(value).__name__})"


def _unreadable(transaction: Transaction, read: Reader, key: tuple[Any, ...]) -> Iterator[str]:
    try:
        read(transaction, key)
    except DBAPIError:
        raise
    except GatewayError as error:
        yield error.message
    except Exception as error:
        # Its text may hold a stored value.
        yield f"it cannot be read ({type(error).__name__})"


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: Final[Sequence[tuple[type[Any], Callable[[object], bool]]]] = (
    (Boolean, lambda value: isinstance(value, bool | int) and value in {0, 1}),
    (Float, lambda value: isinstance(value, float) or _is_int(value)),
    (Integer, _is_int),
    (LargeBinary, lambda value: isinstance(value, bytes)),
    (String, lambda value: isinstance(value, str)),
)

# How the row of a primary key is read. The rows of other tables are read with those of these.
_READERS: Final[Mapping[str, Reader]] = {
    "secrets": lambda t, key: _encoded(t.secrets.get(*key)),
    "model_definitions": lambda t, key: _encoded(t.model_definitions.get(*key)),
    "endpoints": lambda t, key: _encoded(t.endpoints.get(*key)),
    "bindings": lambda t, key: _encoded(t.bindings.get(*key)),
    "budget_policies": lambda t, key: _encoded(t.budget_policies.get(*key)),
    "budget_windows": lambda t, key: t.budget_spend.of_windows(key),
    "budget_charges": lambda t, key: t.budget_charges.get(*key),
}


def _encoded(entity: Any) -> bytes:
    # What cannot be put on the wire is no entity, whatever its fields hold. None was removed since; nobody misses it.
    return b"" if entity is None else entity.to_bytes()

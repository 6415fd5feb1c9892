"""Integrity check of a store: schema, database structure, foreign keys and all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Boolean, Connection, Float, Integer, LargeBinary, String, Table, and_, select
from sqlalchemy.exc import DBAPIError

from gateway_entities.errors import GatewayError
from gateway_entities.server.store.admin.backup import Progress, RowCounter, count_rows, store_tables, stored_rows
from gateway_entities.server.store.crypto.envelope import Cipher
from gateway_entities.server.store.crypto.keyring import KeyRing, generate_key
from gateway_entities.server.store.repositories.state import StoreState
from gateway_entities.server.store.sql import errors, migrations
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.schema import store_state
from gateway_entities.server.store.store import Transaction

Reader: TypeAlias = Callable[[Transaction, tuple[Any, ...]], object]


class Problem(NamedTuple):
    """A problem.

    Attributes:
        table: its table; None for the whole database.
        key: the primary key of its row; None for a whole table.
        description: the problem as a clause, without stored values.
    """

    table: str | None
    key: tuple[object, ...] | None
    description: str


class Report(NamedTuple):
    """Result of a check.

    Attributes:
        location: the store's location.
        schema: the revision of its tables; None without tables.
        newest: the latest revision that this release knows.
        rows: the number of rows in each table.
        problems: the problems.
        decrypted: whether the values of secrets were decrypted.
    """

    location: str
    schema: str | None
    newest: str
    rows: Mapping[str, int]
    problems: Sequence[Problem]
    decrypted: bool = False


def check(database: Database, progress: Progress, keys: KeyRing | None = None) -> Report:
    """Check a store; concurrent reads and writes are allowed.

    Args:
        database: the store's open database.
        progress: the progress callback.
        keys: the keys to decrypt secret values with; None to leave them out.

    Raises:
        GatewayError: FAILED_PRECONDITION (the tables belong to a newer release), UNAVAILABLE or DATA_LOSS (the database
            cannot be read).
    """
    with errors.map_db_errors(), database.read() as connection:
        schema = migrations.revision(connection)
        migrations.require_known(schema)
        tables = store_tables(connection)
        rows = {each.name: count_rows(connection, each) for each in tables}
        problems = [Problem(None, None, error) for error in database.integrity_errors(connection)]
        if schema != migrations.HEAD:
            older = f"the tables are at revision {schema}, not {migrations.HEAD}: run: gateway-entities db upgrade"
            problems.append(Problem(None, None, "there are no tables" if schema is None else older))
        else:
            problems += [Problem(None, None, difference) for difference in migrations.differences(connection)]
            problems += [Problem(store_state.name, None, wrong) for wrong in StoreState(connection).problems()]
        problems += [problem for each in tables for problem in _dangling(connection, each)]
        done = RowCounter(progress, sum(rows.values()))
        readers: Mapping[str, Reader] = _READERS if keys is None else {**_READERS, "secrets": _decrypted}
        if schema != migrations.HEAD:
            readers = {}
        # Without keys nothing is decrypted, so a random one suffices.
        cipher = Cipher(keys or KeyRing([generate_key()[0]]))
        problems += _check_rows(Transaction(connection, cipher, database.clock), connection, tables, readers, done)
        decrypted = keys is not None and schema == migrations.HEAD
        return Report(database.location, schema, migrations.HEAD, rows, problems, decrypted)


def _dangling(connection: Connection, child: Table) -> Iterator[Problem]:
    """Yield rows with dangling foreign keys, which another program may leave by disabling enforcement."""
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
            yield Problem(child.name, tuple(row), f"it refers to a missing row of {reference.referred_table.name}")


def _check_rows(
    transaction: Transaction,
    connection: Connection,
    tables: Sequence[Table],
    readers: Mapping[str, Reader],
    done: RowCounter,
) -> Iterator[Problem]:
    for each in tables:
        read = readers.get(each.name)
        names = [column.name for column in each.columns]
        positions = [names.index(column.name) for column in each.primary_key.columns]
        try:
            for row in stored_rows(connection, each):
                key = tuple(row[position] for position in positions)
                found = list(_type_errors(each, row))
                if not found and read is not None:
                    found = list(_unreadable(transaction, read, key))
                yield from (Problem(each.name, key, description) for description in found)
                done.add()
        except DBAPIError as error:
            if errors.to_gateway_error(error) is not None:
                raise
            yield Problem(each.name, None, "it cannot be read to its end; it may contain invalid text")


def _type_errors(of: Table, row: Sequence[object]) -> Iterator[str]:
    """Yield errors for values that do not fit the type of their column, which SQLite does not enforce."""
    for column, value in zip(of.columns, row, strict=True):
        if value is None:
            if not column.nullable:
                yield f"{column.name} is missing"
        elif not any(isinstance(column.type, kind) and fits(value) for kind, fits in _TYPES):
            yield f"{column.name} has the wrong type ({type(value).__name__})"


def _unreadable(transaction: Transaction, read: Reader, key: tuple[Any, ...]) -> Iterator[str]:
    try:
        read(transaction, key)
    except DBAPIError:
        raise
    except GatewayError as error:
        yield error.message
    except Exception as error:
        # Its message may contain a stored value.
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

# Reads the row of a primary key. Rows of other tables are read with these.
_READERS: Final[Mapping[str, Reader]] = {
    "secrets": lambda t, key: _encoded(t.secrets.get(*key)),
    "model_definitions": lambda t, key: _encoded(t.model_definitions.get(*key)),
    "endpoints": lambda t, key: _encoded(t.endpoints.get(*key)),
    "bindings": lambda t, key: _encoded(t.bindings.get(*key)),
    "budget_policies": lambda t, key: _encoded(t.budget_policies.get(*key)),
    "guardrails": lambda t, key: _encoded(t.guardrails.get(*key)),
    "guardrail_configs": lambda t, key: _encoded(t.guardrail_configs.get(*key)),
    "budget_windows": lambda t, key: t.budget_spend.of_windows(key),
    "budget_charges": lambda t, key: t.budget_charges.get(*key),
}


def _decrypted(transaction: Transaction, key: tuple[Any, ...]) -> None:
    _encoded(transaction.secrets.get(*key))
    transaction.secrets.reveal(*key)


def _encoded(entity: Any) -> bytes:
    # Encoding validates the fields. None means that the row was deleted since.
    return b"" if entity is None else entity.to_bytes()

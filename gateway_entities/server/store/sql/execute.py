"""Execution of SQLAlchemy statements by the driver, several times faster than by SQLAlchemy.

A statement is compiled once for each dialect and cached forever, so it must be a module constant or come from a cache.
Expanding IN is not supported. Errors are the same as SQLAlchemy's. Values are not converted: booleans of SQLite are 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import Connection, Delete, Insert, Select, Update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
Statement: TypeAlias = "Select[*tuple[Any, ...]] | Insert | Update | Delete"
Parameters: TypeAlias = Mapping[str, Any]
Row: TypeAlias = tuple[Any, ...]

_NO_PARAMETERS: Final[Parameters] = {}


class _Sql(NamedTuple):
    text: str
    # Literal values of the statement.
    constants: Parameters


_compiled: Final[dict[tuple[str, Statement, tuple[str, ...]], _Sql]] = {}


def rows(connection: Connection, statement: Statement, parameters: Parameters = _NO_PARAMETERS) -> list[Row]:
    """Return the rows that a statement selects."""
    sql = _sql(connection, statement, parameters)
    return _run(connection, lambda cursor: cursor.execute(sql.text, {**sql.constants, **parameters}), _all)


def row(connection: Connection, statement: Statement, parameters: Parameters = _NO_PARAMETERS) -> Row | None:
    """Return the only row that a statement selects, or None."""
    found = rows(connection, statement, parameters)
    return found[0] if found else None


def run(connection: Connection, statement: Statement, parameters: Parameters) -> int:
    """Execute an INSERT, UPDATE or DELETE; return the number of affected rows.

    Args:
        connection: the connection.
        statement: the statement. An INSERT or UPDATE without values sets the columns in the parameters.
        parameters: the parameters, by name.
    """
    sql = _sql(connection, statement, parameters)
    return _run(connection, lambda cursor: cursor.execute(sql.text, {**sql.constants, **parameters}), _count)


def run_each(connection: Connection, statement: Statement, parameters: Sequence[Parameters]) -> None:
    """Execute a statement once for each of one or more sets of parameters, all with the same names."""
    if len(parameters) == 1:
        # executemany of psycopg has a set-up cost that a single set does not repay.
        run(connection, statement, parameters[0])
        return
    sql = _sql(connection, statement, parameters[0])
    _run(connection, lambda cursor: cursor.executemany(sql.text, [{**sql.constants, **each} for each in parameters]), _count)


def _sql(connection: Connection, statement: Statement, parameters: Parameters) -> _Sql:
    key = connection.dialect.name, statement, tuple(parameters)
    found = _compiled.get(key)
    if found is None:
        compiled = statement.compile(dialect=connection.dialect, column_keys=list(parameters))
        constants = {name: value for name, value in compiled.params.items() if not compiled.binds[name].required}
        # Concurrent threads compile equal results, so no lock is needed.
        found = _compiled[key] = _Sql(str(compiled), constants)
    return found


def _run(connection: Connection, execute: Callable[[DBAPICursor], object], result: Callable[[DBAPICursor], T]) -> T:
    try:
        cursor = connection.connection.cursor()
        try:
            execute(cursor)
            return result(cursor)
        finally:
            cursor.close()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrap_error(connection, error) from error


def _all(cursor: DBAPICursor) -> list[Row]:
    return list(cursor.fetchall())


def _count(cursor: DBAPICursor) -> int:
    return cursor.rowcount


def _wrap_error(connection: Connection, error: Exception) -> BaseException:
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
    if lost:
        # Removes it from the pool.
        connection.invalidate(error)
    return DBAPIError.instance(
        None, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )

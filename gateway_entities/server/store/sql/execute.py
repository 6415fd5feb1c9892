"""Statements that the driver runs by itself.

SQLAlchemy writes a statement's SQL, once for each kind of database, and is not asked again: running it through SQLAlchemy
takes several times as long as SQLite does. An error is raised as SQLAlchemy raises it.

Values go to the driver as they are given, and come back as it gives them. SQLite has no truth values: they are 0 or 1.
A statement is a constant of its module, or comes out of a cache, because its SQL is kept for good. One whose length depends
on its parameters, an expanding IN, cannot be run here.
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
    # Values that stand in the statement itself.
    constants: Parameters


_known: Final[dict[tuple[str, Statement, tuple[str, ...]], _Sql]] = {}


def rows(connection: Connection, statement: Statement, parameters: Parameters = _NO_PARAMETERS) -> list[Row]:
    """Return the rows that a statement selects."""
    sql = _sql(connection, statement, parameters)
    return _run(connection, lambda cursor: cursor.execute(sql.text, {**sql.constants, **parameters}), _all)


def row(connection: Connection, statement: Statement, parameters: Parameters = _NO_PARAMETERS) -> Row | None:
    """Return the row that a statement selects; None when it selects none. It must not select more."""
    found = rows(connection, statement, parameters)
    return found[0] if found else None


def run(connection: Connection, statement: Statement, parameters: Parameters) -> int:
    """Run a statement that changes something; return how many rows it has changed.

    Args:
        connection: where to run it.
        statement: what to run. An INSERT or UPDATE without values of its own sets the columns that are among the parameters.
        parameters: the values by their names.
    """
    sql = _sql(connection, statement, parameters)
    return _run(connection, lambda cursor: cursor.execute(sql.text, {**sql.constants, **parameters}), _count)


def run_each(connection: Connection, statement: Statement, parameters: Sequence[Parameters]) -> None:
    """Run a statement as ``run`` does, once for each of one or more sets of parameters, all of the same names."""
    if len(parameters) == 1:
        # PostgreSQL's driver prepares for many, whatever there is.
        run(connection, statement, parameters[0])
        return
    sql = _sql(connection, statement, parameters[0])
    _run(connection, lambda cursor: cursor.executemany(sql.text, [{**sql.constants, **each} for each in parameters]), _count)


def _sql(connection: Connection, statement: Statement, parameters: Parameters) -> _Sql:
    key = connection.dialect.name, statement, tuple(parameters)
    found = _known.get(key)
    if found is None:
        compiled = statement.compile(dialect=connection.dialect, column_keys=list(parameters))
        constants = {name: value for name, value in compiled.params.items() if not compiled.binds[name].required}
        # Threads that come here at once find the same.
        found = _known[key] = _Sql(str(compiled), constants)
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
        raise _as_sqlalchemy_raises(connection, error) from error


def _all(cursor: DBAPICursor) -> list[Row]:
    return list(cursor.fetchall())


def _count(cursor: DBAPICursor) -> int:
    return cursor.rowcount


def _as_sqlalchemy_raises(connection: Connection, error: Exception) -> BaseException:
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
    if lost:
        # Otherwise the pool would lend it to the next transaction.
        connection.invalidate(error)
    return DBAPIError.instance(
        None, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )

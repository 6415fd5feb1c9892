"""The statements that reach a database, whoever sends them: noted by the driver's own connections."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, event

# How a writer's transaction is opened on PostgreSQL.
_OPENING = ("SELECT set_config(", "SELECT pg_advisory_xact_lock(")


def noted(engine: Engine) -> list[tuple[str, Mapping[str, Any] | None]]:
    """Return a list that grows with every statement from now on that reads or writes rows, with its parameters.

    Of SQLite the parameters stand in the statement. A statement that is run for many sets of parameters is one on PostgreSQL
    and many on SQLite.
    """
    sent: list[tuple[str, Mapping[str, Any] | None]] = []

    def note(statement: Any, parameters: Any = None) -> None:
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) and not statement.startswith(_OPENING):
            sent.append((statement, parameters))

    def listen(connection: Any, *_: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(note)
        else:
            connection.cursor_factory = _noting(note)

    event.listen(engine, "checkout", listen)
    return sent


def _noting(note: Any) -> type[Any]:
    import psycopg

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            note(query, params)
            return super().execute(query, params, **options)

        def executemany(self, query: Any, params_seq: Any, **options: Any) -> Any:
            note(query, params_seq)
            return super().executemany(query, params_seq, **options)

    return Cursor

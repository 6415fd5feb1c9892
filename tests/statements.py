"""Recording of the SQL statements that the driver sends."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, event

# The start of a write transaction on PostgreSQL.
_WRITE_PREAMBLE = ("SELECT set_config(", "SELECT pg_advisory_xact_lock(")


def record_statements(engine: Engine) -> list[tuple[str, Mapping[str, Any] | None]]:
    """Record every later SELECT, INSERT, UPDATE and DELETE with its parameters in the returned list.

    SQLite has the parameters within the statement. An executemany is one entry on PostgreSQL and many on SQLite.
    """
    sent: list[tuple[str, Mapping[str, Any] | None]] = []

    def record(statement: Any, parameters: Any = None) -> None:
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) and not statement.startswith(_WRITE_PREAMBLE):
            sent.append((statement, parameters))

    def listen(connection: Any, *_: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(record)
        else:
            connection.cursor_factory = _recording_cursor(record)

    event.listen(engine, "checkout", listen)
    return sent


def _recording_cursor(record: Any) -> type[Any]:
    import psycopg

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            record(query, params)
            return super().execute(query, params, **options)

        def executemany(self, query: Any, params_seq: Any, **options: Any) -> Any:
            record(query, params_seq)
            return super().executemany(query, params_seq, **options)

    return Cursor

"""PostgreSQL: URLs, connections and errors.

A write transaction holds one advisory lock, so that there is one at a time across all processes, as in SQLite. Reads use a
snapshot and never wait for writers. A lost connection is detected at the start of a transaction and replaced.

Nothing depends on the session between two transactions, because a pooler such as PgBouncer may give each transaction another
one: settings are local to their transaction, the lock ends with it, and statements are prepared on direct connections only.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, PrimaryKeyConstraint, UniqueConstraint, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from gateway_entities.errors import Code, GatewayError
from gateway_entities.extras import not_installed
from gateway_entities.server.store.sql.database import (
    BUSY,
    FOREIGN_KEY_VIOLATION,
    FULL,
    IO_ERROR,
    READ_ONLY,
    UNIQUE_VIOLATION,
    UNREACHABLE,
    Database,
    DbError,
    StatementTimeouts,
    StoreSize,
)
from gateway_entities.server.store.sql.database_clock import LOCKED_AT, NOW_MS, DatabaseClock

if TYPE_CHECKING:
    import psycopg

    from gateway_entities.server.store.sql.revision_listener import RevisionListener
    from gateway_entities.server.store.sql.revision_probe import RevisionProbe

# Those above the pool size are closed after use. The maximum is more than the worker threads of reads and the resolutions
# that read at the same time, so that the check of tokens and the readiness never wait for a connection.
_READER_POOL_SIZE: Final = 4
_MAX_READERS: Final = 24

_BEGIN_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Explicit, because the default isolation level is configurable.
_BEGIN_WRITE: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"

# An arbitrary constant, the same in every release.
_WRITE_LOCK: Final = 0x6761746577617973
_SETTINGS: Final = text(
    "SELECT set_config('lock_timeout', :wait, true), set_config('synchronous_commit', "
    # A response implies durability, even if the database is configured for asynchronous commits.
    "CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)"
)
_TRY_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(:lock)")
_PROBE_TIMEOUT_S: Final = 1.0
# Computed in this order: the wait for other writers may be long, but a writer that waits for another program holds them up.
# The time is that after the wait.
_TAKE_LOCK: Final = text(f"SELECT pg_advisory_xact_lock(:lock), set_config('lock_timeout', :wait, true), {NOW_MS}")

_NO_RESOURCES: Final = DbError(Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's database has no room for this call")
_DAMAGED: Final = DbError(Code.DATA_LOSS, "STORE_DAMAGED", "The store's database is damaged")
# Keyed by SQLSTATE, or by a prefix of two or three characters:
# https://www.postgresql.org/docs/current/errcodes-appendix.html.
_ERRORS: Final[Mapping[str, DbError]] = {
    "23505": UNIQUE_VIOLATION,
    "23503": FOREIGN_KEY_VIOLATION,
    "23001": FOREIGN_KEY_VIOLATION,
    "40001": BUSY,
    "40P01": BUSY,
    "55P03": BUSY,
    "57014": BUSY,
    "25006": READ_ONLY,
    "53100": FULL,
    "53": _NO_RESOURCES,
    "58": IO_ERROR,
    "08": UNREACHABLE,
    "28": UNREACHABLE,
    "3D000": UNREACHABLE,
    "57P": UNREACHABLE,
    "25P03": UNREACHABLE,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
_OPEN_ERRORS: Final[Mapping[str, str]] = {
    "42501": "its user lacks a privilege that a store needs; make the user the owner of the schema",
    "25006": "it cannot be written to",
}


def classify(error: BaseException | None) -> DbError | None:
    """Return the class of a driver error; None for one that a bug in this package causes."""
    code = _sqlstate(error)
    if code is not None:
        return _ERRORS.get(code) or _ERRORS.get(code[:3]) or _ERRORS.get(code[:2])
    import psycopg

    # Errors without SQLSTATE come from the driver: connecting failed, or the connection was lost.
    return UNREACHABLE if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) else None


def is_violation_of(error: BaseException | None, constraint: UniqueConstraint | PrimaryKeyConstraint) -> bool:
    """Return whether a driver error is a violation of this constraint."""
    import psycopg

    return isinstance(error, psycopg.Error) and error.diag.constraint_name == constraint.name


class PostgresqlDatabase(Database):
    """A PostgreSQL database; its tables are in the current schema of its connections."""

    def __init__(self, url: str, busy_timeout: float, timeouts: StatementTimeouts | None = None) -> None:
        """Create an unopened database.

        Args:
            url: a libpq URI; libpq's environment variables and files supply what it omits.
            busy_timeout: the maximum wait for another writer, in seconds.
            timeouts: the limits of statements; None for those of the database.

        Raises:
            GatewayError: INVALID_ARGUMENT (a malformed URL) or FAILED_PRECONDITION (the driver is not installed).
        """
        given = _parameters(url)
        password = str(given.get("password") or "")
        # A closure, so that a dump of the attributes does not show the password.
        self._contains_password: Callable[[str], bool] = lambda text: password != "" and password in text
        self.location = _location(given)
        self.key_file = None
        self._wait = _milliseconds(busy_timeout)
        self._lock_wait = self._wait if timeouts is None else _milliseconds(timeouts.lock)
        self.clock = DatabaseClock()
        defaults = {
            "connect_timeout": max(2, math.ceil(busy_timeout)),
            # Milliseconds until an unresponsive server is detected; the default is hours.
            "tcp_user_timeout": 30_000,
            "fallback_application_name": "gateway-entities",
        }
        options = {name: value for name, value in defaults.items() if name not in given} | {"client_encoding": "UTF8"}
        self._connect_async = _async_connector(url, options)

        self.reader = _engine(url, options, busy_timeout, _READER_POOL_SIZE, _MAX_READERS)
        self.writer = _engine(url, options, busy_timeout, 1, 1)
        self.reporter = _engine(url, options, busy_timeout, 1, 1)
        self._new_prober: Callable[[], Engine] = lambda: _engine(url, options, busy_timeout, 1, 1)
        self._begin_read = _begin_with(_BEGIN_READ, timeouts)
        self._begin_write = _begin_with(_BEGIN_WRITE, timeouts)

    def prepare(self, *, create: bool, new: bool = False) -> None:  # noqa: ARG002 - databases are created by an administrator.
        """Check that it is reachable and encoded in UTF-8."""
        with self.read() as connection:
            encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
        if encoding != "UTF8":
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                f"its encoding is {encoding}, which cannot store all text; create it with ENCODING 'UTF8'",
                reason="STORE_DATABASE",
            )

    def initialize(self) -> None:
        """Do nothing: no option persists."""

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Open a read-only transaction on the snapshot of its first query."""
        with _transaction(self.reader, self._begin_read) as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """Open a transaction that holds the write lock."""
        with _transaction(self.writer, self._begin_write) as connection:
            connection.execute(_SETTINGS, {"wait": self._wait})
            taken = connection.execute(_TAKE_LOCK, {"lock": _WRITE_LOCK, "wait": self._lock_wait})
            connection.info[LOCKED_AT] = taken.one()[2]
            yield connection

    @contextmanager
    def report(self) -> Generator[Connection]:
        """Open a transaction without the write lock, over a connection of its own."""
        with _transaction(self.reporter, self._begin_write) as connection:
            yield connection

    @contextmanager
    def migrate(self) -> Generator[Connection]:
        """Open a write transaction whose statements may take any time."""
        with self.write() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            yield connection

    def probe_write(self, version_table: str) -> None:
        """Commit a row that replaces an equal one."""
        engine = self._new_prober()
        begin = _begin_with(_BEGIN_WRITE, StatementTimeouts(_PROBE_TIMEOUT_S, _PROBE_TIMEOUT_S))
        try:
            with _transaction(engine, begin) as connection:
                if not connection.execute(_TRY_LOCK, {"lock": _WRITE_LOCK}).scalar_one():
                    raise BUSY.error()
                connection.execute(text(f"UPDATE {version_table} SET version_num = version_num"))  # noqa: S608 - a constant.
        finally:
            engine.dispose()

    def dispose(self) -> None:
        """Close all idle connections."""
        self.reader.dispose()
        self.writer.dispose()
        self.reporter.dispose()

    def revision_probe(self) -> RevisionProbe:
        """Return a probe with a separate connection."""
        from gateway_entities.server.store.sql.revision_probe import RevisionProbe

        return RevisionProbe(self._connect_async)

    def revision_listener(self, notify: Callable[[], None]) -> RevisionListener:
        """Listen over a separate connection."""
        from gateway_entities.server.store.sql.revision_listener import RevisionListener

        return RevisionListener(self._connect_async, notify)

    def explain_open_error(self, error: Exception) -> GatewayError | None:
        """Return the cause of an error while opening; None for an unrelated error."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        reason = _OPEN_ERRORS.get(_sqlstate(cause) or "")
        if reason is not None:
            return GatewayError(Code.FAILED_PRECONDITION, reason, reason="STORE_DATABASE")
        if isinstance(error, OperationalError) and _sqlstate(cause) is None:
            # libpq's message distinguishes a wrong password from a wrong address. It does not contain the password.
            message = " ".join(str(cause).split())
            details = "" if self._contains_password(message) else f": {message}"
            return GatewayError(Code.UNAVAILABLE, f"it cannot be reached{details}", reason="STORE_UNAVAILABLE")
        return None

    def sequences(self, connection: Connection) -> Mapping[str, int]:
        """Return the last generated id of each table with a sequence."""
        last: dict[str, int] = {}
        for table, sequence in connection.execute(_SEQUENCES).all():
            last_value, is_called = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608 - quoted by the database.
            last[table] = last_value if is_called else last_value - 1
        return last

    def set_sequence(self, connection: Connection, table: str, last: int) -> None:
        """Set the last generated id of a table."""
        (sequence,) = (found for name, found in connection.execute(_SEQUENCES).all() if name == table)
        connection.execute(text("SELECT setval(:sequence, :next, false)"), {"sequence": sequence, "next": last + 1})

    def size(self, connection: Connection) -> StoreSize:
        """Return the size of the tables of the schema with their indexes."""
        return StoreSize(int(connection.execute(_SIZE).scalar_one()), 0)

    def release(self, max_bytes: int) -> int:  # noqa: ARG002 - autovacuum does it.
        """Do nothing."""
        return 0

    def vacuum(self) -> None:
        """Rewrite each table."""
        with self.writer.connect() as connection:
            for table in connection.execute(_TABLES).scalars().all():
                connection.exec_driver_sql(f"VACUUM FULL {table}")

    def ensure_present(self) -> None:
        """Do nothing: a connection proves that the database exists."""

    def require_unused(self) -> None:
        """Do nothing: a database that a server has used is not empty."""

    def integrity_errors(self, connection: Connection) -> Iterator[str]:
        """Yield invalid indexes and constraints. Reading all rows, which verifies page checksums, is done by ``check``."""
        for kind, name in connection.execute(_INVALID).all():
            yield f"the {kind} {name} is not valid"


_SEQUENCES: Final = text("""
    SELECT c.relname, pg_get_serial_sequence(quote_ident(c.relname), a.attname) AS sequence
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL
    ORDER BY c.relname
""")
_OWN_TABLES: Final = "FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
# pg_total_relation_size waits for a table that another program has locked; the catalog's size of it is of its last vacuum.
_SIZE: Final = text(f"""
    SELECT coalesce(sum(
        CASE WHEN EXISTS (
            SELECT FROM pg_locks
            WHERE relation = pg_class.oid AND mode = 'AccessExclusiveLock' AND pid <> pg_backend_pid()
        )
        THEN relpages::bigint * current_setting('block_size')::bigint
        ELSE pg_total_relation_size(oid) END
    ), 0) {_OWN_TABLES}
""")  # noqa: S608 - constants.
_TABLES: Final = text(f"SELECT quote_ident(relname) {_OWN_TABLES} ORDER BY relname")
_INVALID: Final = text("""
    SELECT 'index', c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT i.indisvalid
    UNION ALL
    SELECT 'constraint', conname FROM pg_constraint
    WHERE connamespace = current_schema()::regnamespace AND NOT convalidated
""")


def _sqlstate(error: BaseException | None) -> str | None:
    code = getattr(error, "sqlstate", None)
    return code if isinstance(code, str) else None


def _parameters(url: str) -> Mapping[str, Any]:
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise not_installed(
            "The driver of PostgreSQL is not installed", "server", "postgresql", reason="STORE_DATABASE"
        ) from error
    _, _, rest = url.partition("://")
    authority = rest.partition("?")[0].partition("/")[0]
    # With an unescaped @ in the password, libpq takes part of it for the host and shows that in its errors.
    if rest.count("@") > 1 or ("@" in rest and "@" not in authority):
        raise _wrong_url()
    try:
        return conninfo_to_dict(url)
    except ProgrammingError:
        # Without a cause, because the driver's message contains a part of the URL.
        raise _wrong_url() from None


def _location(given: Mapping[str, Any]) -> str:
    if "service" in given:
        return f"postgresql:///?service={given['service']}"
    hosts = str(given.get("host", "")).split(",")
    ports = str(given.get("port", "")).split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    addresses = [f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=False)]
    return f"postgresql://{','.join(addresses)}/{given.get('dbname', '')}"


@contextmanager
def _transaction(engine: Engine, begin: str) -> Generator[Connection]:
    with _begin_with_retry(engine, begin) as connection:
        yield connection
        connection.commit()


def _begin_with_retry(engine: Engine, begin: str) -> Connection:
    """Return a connection with a begun transaction; retry once if the pooled connection was lost."""
    try:
        return _begin(engine, begin)
    except DBAPIError as error:
        # The pool has discarded all connections as old as the lost one.
        if not error.connection_invalidated:
            raise
    return _begin(engine, begin)


def _begin(engine: Engine, begin: str) -> Connection:
    connection = engine.connect()
    try:
        connection.exec_driver_sql(begin)
    except BaseException:
        connection.close()
        raise
    return connection


def _begin_with(begin: str, timeouts: StatementTimeouts | None) -> str:
    """Return the statements that begin a transaction with its timeouts, in one message to the server."""
    if timeouts is None:
        return begin
    lock, statement = map(_milliseconds, timeouts)
    return f"{begin}; SET LOCAL lock_timeout = '{lock}'; SET LOCAL statement_timeout = '{statement}'"


def _milliseconds(seconds: float) -> str:
    return f"{math.ceil(1000 * seconds)}ms"


def _engine(url: str, options: Mapping[str, Any], busy_timeout: float, pool_size: int, max_size: int) -> Engine:
    import psycopg

    def connect() -> psycopg.Connection[Any]:
        # The driver does not begin transactions in this mode, but it ends them.
        connection = psycopg.connect(url, autocommit=True, **options)
        try:
            if not is_direct(connection):
                connection.prepare_threshold = None
        except BaseException:
            connection.close()
            raise
        return connection

    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        use_native_hstore=False,
        pool_size=pool_size,
        max_overflow=max_size - pool_size,
        pool_timeout=busy_timeout,
        pool_use_lifo=True,
        hide_parameters=True,
    )


def is_direct(connection: psycopg.Connection[Any]) -> bool:
    """Return whether a new connection leads to one session of the database, and not to a pooler such as PgBouncer.

    A pooler gives its clients process ids of its own for the cancellation of statements.
    """
    row = connection.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    return row is not None and row[0] == connection.info.backend_pid


def _async_connector(url: str, options: Mapping[str, Any]) -> Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]:
    def connect() -> Awaitable[psycopg.AsyncConnection[Any]]:
        import psycopg

        return psycopg.AsyncConnection.connect(url, autocommit=True, **options)

    return connect


def _wrong_url() -> GatewayError:
    return GatewayError(
        Code.INVALID_ARGUMENT,
        "The store's URL is not a valid PostgreSQL URL; it is postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with "
        "@ / ? : % in the user and the password written as %40 %2F %3F %3A %25",
        reason="STORE_URL",
    )

"""A store in a PostgreSQL database: its URL, its two ways in, and what its reports mean.

Writers, of this process and of others, take one advisory lock at the start of their transaction and keep it to its end:
there is one at a time, as in SQLite. Readers see one snapshot and wait for nobody. A connection that was lost is noticed
when a transaction is to begin on it, and replaced.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, PrimaryKeyConstraint, UniqueConstraint, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql.database import (
    BUSY,
    FOREIGN_KEY_VIOLATION,
    FULL,
    IO_ERROR,
    READ_ONLY,
    UNIQUE_VIOLATION,
    UNREACHABLE,
    Database,
    Fault,
)

if TYPE_CHECKING:
    from gateway_entities.server.store.sql.revision_probe import RevisionProbe

# As many as the server has worker threads; those beyond the first few are closed again after use.
_READERS_KEPT: Final = 4
_MOST_READERS: Final = 16

_BEGIN_TO_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# So that each statement sees what others have written by then, whatever the database's default is.
_BEGIN_TO_WRITE: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"

# Any number will do, as long as every release has the same.
_WRITERS_LOCK: Final = 0x6761746577617973
_SETTINGS: Final = text(
    "SELECT set_config('lock_timeout', :wait, true), set_config('synchronous_commit', "
    # What is answered must be on disk, also where the database is set up to answer sooner.
    "CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)"
)
_TAKE_LOCK: Final = text("SELECT pg_advisory_xact_lock(:lock)")

_UNAVAILABLE: Final = Fault(Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's database has no room for this call")
_DAMAGED: Final = Fault(Code.DATA_LOSS, "STORE_DAMAGED", "The store's database is damaged")
# Keyed by SQLSTATE or by its first three or two characters, which several have in common:
# https://www.postgresql.org/docs/current/errcodes-appendix.html.
_FAULTS: Final[Mapping[str, Fault]] = {
    "23505": UNIQUE_VIOLATION,
    "23503": FOREIGN_KEY_VIOLATION,
    "23001": FOREIGN_KEY_VIOLATION,
    "40001": BUSY,
    "40P01": BUSY,
    "55P03": BUSY,
    "57014": BUSY,
    "25006": READ_ONLY,
    "53100": FULL,
    "53": _UNAVAILABLE,
    "58": IO_ERROR,
    "08": UNREACHABLE,
    "28": UNREACHABLE,
    "3D000": UNREACHABLE,
    "57P": UNREACHABLE,
    "25P03": UNREACHABLE,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
_WHY_NOT_OPEN: Final[Mapping[str, str]] = {
    "42501": "its user may not do what a store needs; let the user own the schema of the database",
    "25006": "it cannot be written to",
}


def fault(error: BaseException | None) -> Fault | None:
    """Return what an error of the driver means to a caller; None for a mistake in this package."""
    code = _sqlstate(error)
    if code is not None:
        return _FAULTS.get(code) or _FAULTS.get(code[:3]) or _FAULTS.get(code[:2])
    import psycopg

    # Without a code it comes from the driver: the database could not be reached, or went away.
    return UNREACHABLE if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) else None


def names(error: BaseException | None, constraint: UniqueConstraint | PrimaryKeyConstraint) -> bool:
    """Tell whether an error of the driver is about this constraint."""
    import psycopg

    return isinstance(error, psycopg.Error) and error.diag.constraint_name == constraint.name


class PostgresqlDatabase(Database):
    """A database of a PostgreSQL server, and in it the schema that its connections start in."""

    def __init__(self, url: str, busy_timeout: float) -> None:
        """Say which; nothing is opened yet.

        Args:
            url: as libpq takes it; what it leaves out comes from libpq's environment variables and files.
            busy_timeout: the longest wait for another writer, in seconds.

        Raises:
            GatewayError: INVALID_ARGUMENT for a URL of another form; FAILED_PRECONDITION when the driver is not installed.
        """
        given = _parameters(url)
        password = str(given.get("password") or "")
        # A function, so that nothing that shows an object's attributes shows the password.
        self._shows_password: Callable[[str], bool] = lambda text: password != "" and password in text
        self.place = _place(given)
        self.key_file = None
        self._wait = f"{math.ceil(1000 * busy_timeout)}ms"
        defaults = {
            "connect_timeout": max(2, math.ceil(busy_timeout)),
            # A server that vanished without a word is noticed after so many milliseconds, not after hours.
            "tcp_user_timeout": 30_000,
            "fallback_application_name": "gateway-entities",
        }
        options = {name: value for name, value in defaults.items() if name not in given} | {"client_encoding": "UTF8"}
        self._new_live_revision: Callable[[], RevisionProbe] = lambda: _live_revision(url, options)
        self.reader = _engine(url, options, busy_timeout, pool_size=_READERS_KEPT, most=_MOST_READERS)
        self.writer = _engine(url, options, busy_timeout, pool_size=1, most=1)

    def prepare(self, *, create: bool) -> None:  # noqa: ARG002 - a database is made by its administrator.
        """Check that it can be reached and holds any text."""
        with self.read() as connection:
            encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
        if encoding != "UTF8":
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                f"its encoding is {encoding}, which cannot hold every text; make it with ENCODING 'UTF8'",
                reason="STORE_DATABASE",
            )

    def settle(self) -> None:
        """Do nothing: it is written to as it is."""

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Open a transaction that sees one state of the database, that of its first query."""
        with _transaction(self.reader, _BEGIN_TO_READ) as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """Open the transaction that has the lock of the writers."""
        with _transaction(self.writer, _BEGIN_TO_WRITE) as connection:
            connection.execute(_SETTINGS, {"wait": self._wait})
            connection.execute(_TAKE_LOCK, {"lock": _WRITERS_LOCK})
            yield connection

    def dispose(self) -> None:
        """Close every connection that is not in use."""
        self.reader.dispose()
        self.writer.dispose()

    def revision_probe(self) -> RevisionProbe:
        """Return what asks for the revision, over a connection of its own."""
        return self._new_live_revision()

    def explain(self, error: Exception) -> GatewayError | None:
        """Return why the database cannot be reached or used, if that is what it is."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        wrong = _WHY_NOT_OPEN.get(_sqlstate(cause) or "")
        if wrong is not None:
            return GatewayError(Code.FAILED_PRECONDITION, wrong, reason="STORE_DATABASE")
        if isinstance(error, OperationalError) and _sqlstate(cause) is None:
            # What libpq says tells a wrong password from a wrong address. It never shows the password itself.
            said = " ".join(str(cause).split())
            why = "" if self._shows_password(said) else f": {said}"
            return GatewayError(Code.UNAVAILABLE, f"it cannot be reached{why}", reason="STORE_UNAVAILABLE")
        return None

    def sequences(self, connection: Connection) -> Mapping[str, int]:
        """Return the last number of each table that has a sequence of its own."""
        last: dict[str, int] = {}
        for table, sequence in connection.execute(_SEQUENCES).all():
            last_value, is_called = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608 - quoted by the database.
            last[table] = last_value if is_called else last_value - 1
        return last

    def set_sequence(self, connection: Connection, table: str, last: int) -> None:
        """Let the next row of a table get a number above this one."""
        (sequence,) = (found for name, found in connection.execute(_SEQUENCES).all() if name == table)
        connection.execute(text("SELECT setval(:sequence, :next, false)"), {"sequence": sequence, "next": last + 1})

    def ensure_present(self) -> None:
        """Do nothing: a connection to a database that is not there is no connection."""

    def damages(self, connection: Connection) -> Iterator[str]:
        """Yield the indexes and constraints that do not hold; every row is read elsewhere, which checks its checksum."""
        for kind, name in connection.execute(_NOT_HELD).all():
            yield f"the {kind} {name} is not valid"


_SEQUENCES: Final = text("""
    SELECT c.relname, pg_get_serial_sequence(quote_ident(c.relname), a.attname) AS sequence
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL
    ORDER BY c.relname
""")
_NOT_HELD: Final = text("""
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
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            "The driver of PostgreSQL is not installed; pip install 'gateway-entities[server,postgresql]' installs it",
            reason="STORE_DATABASE",
        ) from error
    _, _, rest = url.partition("://")
    authority = rest.partition("?")[0].partition("/")[0]
    # With such a sign in the password libpq would take a part of it for the host, and name that in its errors.
    if rest.count("@") > 1 or ("@" in rest and "@" not in authority):
        raise _wrong_url()
    try:
        return conninfo_to_dict(url)
    except ProgrammingError:
        # Not even as its cause: the driver's message shows a part of the URL.
        raise _wrong_url() from None


def _place(given: Mapping[str, Any]) -> str:
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
    with _begun(engine, begin) as connection:
        yield connection
        connection.commit()


def _begun(engine: Engine, begin: str) -> Connection:
    """Return a connection on which a transaction has begun, a new one in place of one that was lost."""
    try:
        return _begin(engine, begin)
    except DBAPIError as error:
        # By now the pool gives no connection that is as old as the lost one.
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


def _engine(url: str, options: Mapping[str, Any], busy_timeout: float, *, pool_size: int, most: int) -> Engine:
    import psycopg

    return create_engine(
        "postgresql+psycopg://",
        # The driver itself begins nothing, and ends what was begun.
        creator=lambda: psycopg.connect(url, autocommit=True, **options),
        use_native_hstore=False,
        pool_size=pool_size,
        max_overflow=most - pool_size,
        pool_timeout=busy_timeout,
        pool_use_lifo=True,
        hide_parameters=True,
    )


def _live_revision(url: str, options: Mapping[str, Any]) -> RevisionProbe:
    import psycopg

    from gateway_entities.server.store.sql.revision_probe import RevisionProbe

    return RevisionProbe(lambda: psycopg.AsyncConnection.connect(url, **options))


def _wrong_url() -> GatewayError:
    return GatewayError(
        Code.INVALID_ARGUMENT,
        "The store's URL is not one that PostgreSQL takes; it is postgresql://USER:PASSWORD@HOST:PORT/DATABASE, and "
        "the signs @ / ? : % in the user's name and the password are written %40 %2F %3F %3A %25",
        reason="STORE_URL",
    )

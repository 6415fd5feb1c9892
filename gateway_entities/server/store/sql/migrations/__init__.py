"""The steps from one version of the tables to the next, run by Alembic when a store is opened.

To change the tables: change schema.py and its REVISION, and add a module to versions/ whose ``down_revision`` is the
revision before.
An empty database gets the tables of schema.py directly, and the row of ``store_state``: a step that adds rows has to be
repeated in ``_create``. Otherwise all steps run in one transaction, on SQLite without foreign keys (``Database.migrate``). A
crash leaves the store as it was. There are no steps back.

- Add a column: ``op.add_column("endpoints", sa.Column("note", sa.Text))``. If it is NOT NULL it needs a ``server_default``,
  in schema.py too. In schema.py it may stand anywhere: the order of columns is not compared.
- Rename a column: ``op.alter_column("endpoints", "note", new_column_name="remark")``.
- Change constraints, types or NOT NULL, or drop a column: ``with op.batch_alter_table("endpoints") as batch:``. On SQLite it
  copies the table. One with numbered rows needs ``table_kwargs={"sqlite_autoincrement": True}``.

tests/server/store/sql/upgrade_check.py fills the tables of each version, upgrades them, and compares tables and rows with
those of schema.py. A step that changes stored values is described there.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, text

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql import schema

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = schema.REVISION
"""The latest revision, which a store must have to be used."""

VERSION_TABLE: Final = "alembic_version"

# Alembic has the current migration in module globals.
_alembic = threading.Lock()

SCRIPTS: Final = __name__.replace(".migrations", ":migrations")
"""Location of env.py and versions/, in Alembic's package:folder form."""


def revision(connection: Connection) -> str | None:
    """Return the revision of a database; None if it is empty.

    Raises:
        GatewayError: FAILED_PRECONDITION; the database belongs to another program.
    """
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE in tables:
        found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608  # a constant
        return found
    if tables:
        raise GatewayError(Code.FAILED_PRECONDITION, "it belongs to another program", reason="STORE_SCHEMA")
    return None


def upgrade(connection: Connection, to: str | None = None) -> None:
    """Upgrade a database to a revision, by default the latest, within the connection's transaction.

    Raises:
        GatewayError: FAILED_PRECONDITION; this release does not know the database's revision.
    """
    # Not a default argument, so that tests can simulate an older release.
    to = HEAD if to is None else to
    if (found := revision(connection)) == to:
        return
    if found is None and to == schema.REVISION:
        _create(connection)
        return
    require_known(found)
    # Importing Alembic takes longer than opening a store.
    from alembic import command

    with _alembic:
        command.upgrade(_config(connection), to)


def _create(connection: Connection) -> None:
    """Create the tables of an empty database as all migrations together leave them, in a tenth of the time."""
    schema.metadata.create_all(connection, checkfirst=False)
    state = {"store_id": uuid.uuid4().hex, "last_revision": 0, "has_had_token": False}
    connection.execute(insert(schema.store_state).values(state))
    version = Table(
        VERSION_TABLE,
        MetaData(),
        Column("version_num", String(32), nullable=False),
        PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
    )
    version.create(connection)
    connection.execute(insert(version).values(version_num=schema.REVISION))


def require_known(found: str | None) -> None:
    """Check that this release knows a revision, or that it is None, that of an empty database.

    Raises:
        GatewayError: FAILED_PRECONDITION; it does not.
    """
    from alembic.script import ScriptDirectory

    if found not in {None, *(step.revision for step in ScriptDirectory.from_config(_config(None)).walk_revisions())}:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"its tables are at revision {found}, which this release does not know (its newest is {HEAD}); "
            "use the release that wrote it, or a later one",
            reason="STORE_SCHEMA",
        )


def differences(connection: Connection) -> list[str]:
    """Return the differences of a database at the latest revision from schema.py, one clause each."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [_difference(found) for found in _flat(compare_metadata(context, schema.metadata))]


def _flat(found: Iterable[Any]) -> Iterator[Sequence[Any]]:
    for each in found:
        # Differences of columns come in nested lists.
        yield from each if isinstance(each, list) else [each]


def _difference(found: Sequence[Any]) -> str:
    """Describe a difference; what Alembic would add is missing."""
    verb, _, noun = str(found[0]).partition("_")
    wrong = {"add": "is missing", "remove": "does not belong here"}.get(verb, "is not as it should be")
    # For a column, the names of its schema and table come before its own.
    named = [str(getattr(part, "name", part)) for part in found[1:] if isinstance(part, str) or hasattr(part, "name")]
    return f"{noun.replace('_', ' ')} {'.'.join(named)} {wrong}"


def _config(connection: Connection | None) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", SCRIPTS)
    return config

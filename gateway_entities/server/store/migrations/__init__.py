"""The steps from one version of the tables to the next, run by Alembic when a store is opened.

To change the tables: change schema.py, add a module to versions/ whose ``down_revision`` is the current head, and set HEAD.
A test compares the tables that the steps make with schema.py. There are no steps back.
"""

from __future__ import annotations

import threading
from typing import Final

from sqlalchemy import Connection, inspect, text

from gateway_entities.errors import Code, GatewayError

HEAD: Final = "0002"
"""The newest revision: what a store must be at to be used."""

VERSION_TABLE: Final = "alembic_version"

# Alembic keeps the migration that is under way in module variables, one for the whole process.
_alembic = threading.Lock()


def revision(connection: Connection) -> str | None:
    """Return the revision that a database is at; None for an empty one.

    Raises:
        GatewayError: FAILED_PRECONDITION when the database is in use for something else.
    """
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE in tables:
        found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608  # a constant
        return found
    if tables:
        raise GatewayError(Code.FAILED_PRECONDITION, "it belongs to another program", reason="STORE_SCHEMA")
    return None


def upgrade(connection: Connection) -> None:
    """Bring a database to the newest revision, within the transaction that the connection is in.

    Raises:
        GatewayError: FAILED_PRECONDITION when the database is at a revision that this release does not know.
    """
    if (found := revision(connection)) == HEAD:
        return
    # Alembic takes longer to import than a store takes to open.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", __name__.replace(".migrations", ":migrations"))
    if found not in {None, *(step.revision for step in ScriptDirectory.from_config(config).walk_revisions())}:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"its tables are at revision {found}, which this release does not know (its newest is {HEAD}); "
            "use the release that wrote it, or a later one",
            reason="STORE_SCHEMA",
        )
    with _alembic:
        command.upgrade(config, HEAD)

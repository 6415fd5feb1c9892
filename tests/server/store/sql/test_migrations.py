"""Upgrades of every earlier version keep all rows, and mistakes in a migration are reported."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, Text, UniqueConstraint, create_engine
from sqlalchemy.pool import NullPool

from gateway_entities.entities import GatewayEndpointTag
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.open import find_database, open_database
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.schema import metadata
from tests import profiles
from tests.server.store.sql.upgrade_check import revisions, upgrade_problems
from tests.stores import sqlite_place

STEP = 'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "next"\ndown_revision = "{head}"\n\ndef upgrade():\n'


@contextmanager
def opened(place):
    database = find_database(place.url)
    open_database(database, create=True)
    try:
        yield database
    finally:
        database.dispose()


@pytest.fixture
def database(place):
    with opened(place) as database:
        yield database


@pytest.fixture
def next_step(tmp_path, monkeypatch):
    """A function that adds a migration to a copy of the others; it returns the metadata with parts added to endpoints."""
    scripts = tmp_path / "scripts"
    shutil.copytree(Path(migrations.__file__).parent, scripts, ignore=shutil.ignore_patterns("__pycache__"))

    def add(statements, *parts):
        body = "".join(f"    {statement}\n" for statement in statements)
        (scripts / "versions" / "next.py").write_text(STEP.format(head=migrations.HEAD) + body)
        monkeypatch.setattr(migrations, "SCRIPTS", str(scripts))
        monkeypatch.setattr(migrations, "HEAD", "next")
        schema = MetaData()
        for table in metadata.sorted_tables:
            table.to_metadata(schema)
        for part in parts:
            endpoints = schema.tables["endpoints"]
            (endpoints.append_column if isinstance(part, Column) else endpoints.append_constraint)(part)
        return schema

    return add


@contextmanager
def fresh_tables(place, schema=metadata):
    """Yield a connection to new tables of a schema, in a database of the same kind."""
    address = "sqlite://" if place.server is None else place.server.url().replace("postgresql", "postgresql+psycopg", 1)
    with create_engine(address, poolclass=NullPool).connect() as connection:
        schema.create_all(connection)
        yield connection
        connection.rollback()


# A run by default starts at the oldest, at the newest, and at one between.
STARTS = revisions() if profiles.PROFILE.share is not None else [*revisions()[:: len(revisions()) // 2][:2], revisions()[-1]]


@pytest.mark.parametrize("start", STARTS)
def test_upgrades_from_each_version_keep_all_rows(database, place, start):
    with fresh_tables(place) as fresh:
        assert upgrade_problems(database, start, fresh) == []
    with database.read() as connection:
        assert migrations.differences(connection) == []


ADDED = 'op.add_column("endpoints", sa.Column("note", sa.Text))'
REBUILT = [
    'with op.batch_alter_table("endpoints") as batch:',
    '    batch.alter_column("experiment_id", nullable=True, existing_type=sa.Text)',
]
NUMBERED = 'with op.batch_alter_table("budget_windows", table_kwargs={"sqlite_autoincrement": True}) as batch:'
GOOD = {
    "a column": ([ADDED], lambda: [Column("note", Text)]),
    "a column with a default": (
        ['op.add_column("endpoints", sa.Column("note", sa.Text, nullable=False, server_default="none"))'],
        lambda: [Column("note", Text, nullable=False, server_default="none")],
    ),
    "a rebuilt parent": (
        [
            ADDED,
            'with op.batch_alter_table("endpoints") as batch:',
            '    batch.create_unique_constraint("uq_endpoints_note", ["note"])',
        ],
        lambda: [Column("note", Text), UniqueConstraint("note", name="uq_endpoints_note")],
    ),
    "a rebuilt numbered table": (
        [
            line
            for nullable in (True, False)
            for line in (NUMBERED, f'    batch.alter_column("window_end", nullable={nullable}, existing_type=sa.BigInteger)')
        ],
        list,
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_columns_can_be_added_and_tables_rebuilt(database, place, next_step, name):
    statements, parts = GOOD[name]
    schema = next_step(statements, *parts())
    with fresh_tables(place, schema) as fresh:
        assert upgrade_problems(database, revisions()[-2], fresh) == []


BAD = {
    "a forgotten column": (["pass"], lambda: [Column("note", Text)], "column endpoints.note is absent"),
    "another type": (
        ['op.add_column("endpoints", sa.Column("note", sa.Integer))'],
        lambda: [Column("note", Text)],
        "column endpoints.note is",
    ),
    "a wrong default": (
        ['op.add_column("endpoints", sa.Column("note", sa.Text, server_default="red"))'],
        lambda: [Column("note", Text, server_default="blue")],
        "column endpoints.note is",
    ),
    "a wrong value of a new column": (
        [ADDED, "op.execute(\"UPDATE endpoints SET note = 'red'\")"],
        lambda: [Column("note", Text)],
        "endpoints.note is ['red', 'red'] in place of [None, None]",
    ),
    "lost values": (
        ['op.execute("UPDATE bindings SET display_name = NULL")'],
        list,
        "migration next: bindings.display_name is [None, None] in place of",
    ),
    "lost rows": (
        ['op.execute("DELETE FROM endpoint_tags WHERE position = 1")'],
        list,
        "migration next: endpoint_tags has 1 rows in place of 2",
    ),
    "a column by another name": (
        ['op.alter_column("endpoints", "experiment_id", new_column_name="note")'],
        list,
        "migration next: endpoints.experiment_id is ['no column', 'no column'] in place of",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_mistakes_in_a_migration_are_reported(database, place, next_step, name):
    statements, parts, problem = BAD[name]
    schema = next_step(statements, *parts())
    with fresh_tables(place, schema) as fresh:
        found = upgrade_problems(database, revisions()[-2], fresh)
    assert [each for each in found if problem in each], found


def test_rows_deleted_by_a_cascade_are_reported(database, place, next_step):
    """A rebuild of a parent table in an ordinary write transaction; on PostgreSQL a manual one."""
    by_hand = [
        f"op.execute('{statement}')"
        for statement in (
            "CREATE TABLE copy AS SELECT * FROM endpoints",
            "DELETE FROM endpoints",
            "INSERT INTO endpoints SELECT * FROM copy",
            "DROP TABLE copy",
        )
    ]
    next_step(REBUILT if place.server is None else by_hand)
    with fresh_tables(place) as fresh:
        found = upgrade_problems(database, revisions()[-2], fresh, transaction=database.write)
    for child in ("bindings", "budget_policies", "budget_windows", "endpoint_mappings", "endpoint_tags"):
        assert [each for each in found if each.startswith(f"migration next: {child} has ")], child


def test_a_lost_autoincrement_is_reported(tmp_path, next_step):
    place = sqlite_place(tmp_path / "gateway.sqlite")
    next_step([NUMBERED.replace("True", "False"), '    batch.alter_column("window_end", existing_type=sa.BigInteger)'])
    with opened(place) as database, fresh_tables(place) as fresh:
        found = upgrade_problems(database, revisions()[-2], fresh)
    assert "detail of budget_windows is 0 in place of 1" in found


@pytest.fixture
def with_children(place, make):
    """A store with an endpoint that has a tag and a binding."""
    store = place.open()
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint(tags=[GatewayEndpointTag("k", "v")]))
        transaction.bindings.add(make.binding())
    store.close()
    return place


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(with_children, next_step):
    next_step([ADDED, *REBUILT])
    with_children.open().close()
    assert with_children.execute("SELECT note FROM endpoints") == [(None,)]
    assert with_children.execute("SELECT key FROM endpoint_tags") == [("k",)]
    with_children.execute("DELETE FROM bindings")
    store = with_children.open()
    with store.write() as transaction:
        assert transaction.endpoints.remove("e-0001")
    store.close()
    assert with_children.execute("SELECT key FROM endpoint_tags") == [], "foreign keys are enforced again"


def test_a_migration_that_leaves_dangling_rows_is_rolled_back(sqlite_store, path, make, next_step):
    with sqlite_store.write() as transaction:
        transaction.endpoints.add(make.endpoint(tags=[GatewayEndpointTag("k", "v")]))
    sqlite_store.close()
    next_step([ADDED, 'op.execute("DELETE FROM endpoints")'])
    place = sqlite_place(path)
    with pytest.raises(
        GatewayError, match="rows refer to rows that do not exist: 1 of endpoint_tags to endpoints"
    ) as caught:
        place.open()
    assert (caught.value.code, caught.value.reason) == (Code.DATA_LOSS, "STORE_DAMAGED")
    assert str(path) in caught.value.message
    assert place.execute("SELECT name FROM endpoints") == [("endpoint-1",)]
    assert place.execute("SELECT version_num FROM alembic_version") == [(revisions()[-2],)]


def test_a_crash_during_a_migration_rolls_back(with_children, next_step):
    """The process exits after tables and rows were changed, before the commit."""
    before = with_children.execute("SELECT * FROM endpoints")
    next_step([ADDED, *REBUILT, "op.execute(\"UPDATE endpoints SET note = 'x'\")", "import os", "os._exit(9)"])
    code = (
        "import sys\nfrom gateway_entities.server.store.open import find_database, upgrade_database\n"
        "from gateway_entities.server.store.sql import migrations\n"
        "migrations.SCRIPTS, migrations.HEAD, url = sys.argv[1:]\nupgrade_database(find_database(url))"
    )
    command = [sys.executable, "-c", code, migrations.SCRIPTS, migrations.HEAD, with_children.url]
    assert subprocess.run(command, timeout=60, check=False).returncode == 9
    assert with_children.execute("SELECT * FROM endpoints") == before
    assert with_children.execute("SELECT version_num FROM alembic_version") == [(revisions()[-2],)]

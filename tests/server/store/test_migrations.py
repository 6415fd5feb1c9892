from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable

from gateway_entities.server.store import migrations, open_store
from gateway_entities.server.store.schema import metadata


@pytest.fixture
def migrated(store, path):
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def test_the_migrated_tables_are_those_of_the_schema(migrated):
    context = MigrationContext.configure(migrated, opts={"compare_type": True, "compare_server_default": True})
    assert compare_metadata(context, metadata) == []


def test_the_migrated_tables_are_made_by_the_same_statements(migrated, tmp_path):
    """What Alembic does not compare, such as what a foreign key does on deletion, is in the statements."""
    statements = text("SELECT name, sql FROM sqlite_master WHERE tbl_name != 'alembic_version' ORDER BY name")
    engine = create_engine(f"sqlite:///{tmp_path / 'direct.sqlite'}", poolclass=NullPool)
    metadata.create_all(engine)
    with engine.connect() as connection:
        assert migrated.execute(statements).all() == connection.execute(statements).all()


def test_a_store_of_the_first_tables_is_brought_up_to_date(tmp_path, make, monkeypatch):
    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    monkeypatch.setattr(migrations, "HEAD", "0001")
    old = open_store(url)
    with old.write() as transaction:
        transaction.budget_policies.add(make.policy())
    old.close()
    monkeypatch.undo()
    store = open_store(url)
    with store.write() as transaction:
        number = transaction.budget_spend.open("bp-0001", 0, 10, 7)
        assert transaction.budget_spend.list(5) == [(make.policy(), (number, 0, 10, 7))]
    store.close()


def test_head_is_the_newest_revision_and_the_only_one():
    config = Config()
    config.set_main_option("script_location", "gateway_entities.server.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]


def test_every_constraint_and_index_has_a_name_that_both_databases_keep():
    for table in metadata.sorted_tables:
        for item in (*table.constraints, *table.indexes):
            assert item.name, (table.name, item)
            assert len(item.name) <= 63


@pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()], ids=["postgresql", "sqlite"])
def test_the_tables_can_be_written_for_both_databases(dialect):
    for table in metadata.sorted_tables:
        assert f"CREATE TABLE {table.name}" in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert "CREATE INDEX" in str(CreateIndex(index).compile(dialect=dialect))

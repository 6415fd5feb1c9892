from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from gateway_entities.server.store.open import find_database
from gateway_entities.server.store.repositories.budget import BudgetPolicies
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.schema import metadata

# What Alembic does not compare, such as what a foreign key does on deletion or how text is ordered.
DETAILS = {
    "sqlite": ["SELECT name, sql FROM sqlite_master WHERE tbl_name != 'alembic_version' ORDER BY name"],
    "postgresql": [
        "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name "
        "FROM information_schema.columns WHERE table_schema = 'public' AND table_name != 'alembic_version' ORDER BY 1, 2",
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE 'alembic%' ORDER BY 1",
        "SELECT indexname, indexdef FROM pg_indexes "
        "WHERE schemaname = 'public' AND tablename != 'alembic_version' ORDER BY 1",
    ],
}


def test_the_migrated_tables_are_those_of_the_schema(store, place):
    with place.connected() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrated_tables_are_made_by_the_same_statements(store, place, tmp_path, request):
    if place.path is not None:
        address = f"sqlite:///{tmp_path / 'direct.sqlite'}"
    else:
        address = place.server.url(place.server.create_database()).replace("postgresql", "postgresql+psycopg", 1)
    engine = create_engine(address, poolclass=NullPool)
    metadata.create_all(engine)
    with engine.connect() as direct, place.connected() as migrated:
        for statement in DETAILS[place.kind]:
            found = migrated.execute(text(statement)).all()
            assert len(found) > 5
            assert found == direct.execute(text(statement)).all()


def test_a_store_of_the_first_tables_is_brought_up_to_date(place, make):
    database = find_database(place.url)
    database.prepare(create=True)
    with database.write() as connection:
        migrations.upgrade(connection, "0001")
        BudgetPolicies(connection).add(make.policy())
    database.dispose()
    store = place.open()
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

from __future__ import annotations

import pytest
from sqlalchemy import text

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.admin.check import check
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.crypto.key_sources import KeyFile
from gateway_entities.server.store.open import available_keys, find_database, open_database
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.schema import metadata
from tests.server.store.admin.test_backup import fill


@pytest.fixture
def with_tables(request):
    """Of the tests that make no rows, some make the tables in their own way."""
    return "make" in request.fixturenames


@pytest.fixture
def problems(place):
    """Return the problems of the store as tuples."""

    def problems(place=place):
        return [(each.table, each.key, each.description) for each in report(place).problems]

    return problems


def report(place, keys=None):
    database = find_database(place.url)
    try:
        open_database(database, create=False)
        return check(database, lambda _done, _total: None, keys and available_keys(database, keys))
    finally:
        database.dispose()


def unguarded(place, *statements):
    """Execute statements without enforcement of foreign keys."""
    with place.connected() as connection:
        if place.path is None:
            connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))


def test_an_intact_store_has_no_problems(place, make, problems):
    fill(place, make)
    assert problems() == []
    found = report(place)
    assert (found.schema, found.newest) == (migrations.HEAD, migrations.HEAD)
    assert set(found.rows) == set(metadata.tables)
    assert found.rows["endpoints"] == 3
    assert str(place.path or place.server.port) in found.location


def test_dangling_references_are_found(place, make, problems):
    fill(place, make)
    unguarded(
        place,
        "DELETE FROM model_definitions WHERE model_definition_id = 'd-0001'",
        "DELETE FROM endpoints WHERE endpoint_id = 'e-0002'",
    )
    found = problems()
    assert ("endpoint_mappings", ("m-0001",), "it refers to a missing row of model_definitions") in found
    assert ("bindings", ("e-0002", "scorer", "resource 2"), "it refers to a missing row of endpoints") in found
    assert {table for table, _, _ in found} == {"endpoint_mappings", "endpoint_tags", "bindings"}


@pytest.mark.parametrize(
    ("change", "table", "key", "wrong"),
    [
        ("UPDATE secrets SET masked_values = 'canary' WHERE secret_id = 's-0001'", "secrets", "s-0001", "JSONDecodeError"),
        ("UPDATE secrets SET auth_config = '[1]' WHERE secret_id = 's-0001'", "secrets", "s-0001", "must be a dict"),
        ("UPDATE secrets SET auth_config = '{\"k\": 1}' WHERE secret_id = 's-0001'", "secrets", "s-0001", "auth_config"),
        ("UPDATE budget_charges SET window_ids = 'canary'", "budget_charges", "r 1", "JSONDecodeError"),
    ],
)
def test_invalid_rows_are_found_and_their_values_not_shown(place, make, problems, change, table, key, wrong):
    fill(place, make)
    place.execute(change)
    found = problems()
    assert [each[:2] for each in found] == [(table, (key,))]
    assert wrong in found[0][2]
    assert "canary" not in str(found)


def test_values_of_wrong_types_are_found(place, make, problems):
    """Only SQLite accepts them."""
    fill(place, make)
    if place.path is None:
        with pytest.raises(Exception, match="invalid input syntax"):
            place.execute("UPDATE endpoints SET created_at = 'canary'")
        return
    place.execute("UPDATE endpoints SET created_at = 'canary', fallback_config = 7 WHERE endpoint_id = 'e-0001'")
    place.execute("UPDATE budget_policies SET budget_amount = x'00' WHERE budget_policy_id = 'bp-0001'")
    place.execute("UPDATE secrets SET ciphertext = 'text' WHERE secret_id = 's-0001'")
    place.execute("UPDATE bindings SET display_name = CAST(x'ff' AS TEXT)")
    found = problems()
    assert "canary" not in str(found)
    assert ("endpoints", ("e-0001",), "created_at has the wrong type (str)") in found
    assert ("endpoints", ("e-0001",), "fallback_config has the wrong type (int)") in found
    assert ("budget_policies", ("bp-0001",), "budget_amount has the wrong type (bytes)") in found
    assert ("secrets", ("s-0001",), "ciphertext has the wrong type (str)") in found
    assert [each[:2] for each in found if each[0] == "bindings"] == [("bindings", None)]


def test_a_changed_address_of_a_secret_is_found_with_the_key(place, make, problems):
    fill(place, make)
    keys = place.keys or [KeyFile(place.path.with_name("gateway.sqlite.key"))]
    assert (report(place, keys).problems, report(place, keys).decrypted) == ([], True)
    evil = '{"api_base": "https://evil.example"}'
    place.execute("UPDATE secrets SET auth_config = :evil WHERE secret_id = 's-0001'", {"evil": evil})
    (problem,) = report(place, keys).problems
    assert problem[:2] == ("secrets", ("s-0001",))
    assert "api_base" in problem.description
    assert "evil" not in problem.description
    assert (problems(), report(place).decrypted) == ([], False), "without the key it cannot be known"


def test_a_wrong_row_of_the_store_is_found(place, make, problems):
    fill(place, make)
    with open_tokens(place.url) as manager:
        manager.create("alice", AccessScope.READ)
    place.execute("INSERT INTO changes (revision, position, changed_at, rpc, noun, id) VALUES (3, 0, 1, 'r', 'n', 'i')")
    place.execute("UPDATE store_state SET last_revision = 2, has_had_token = false")
    found = [wrong for table, _, wrong in problems() if table == "store_state"]
    assert [part in wrong for part, wrong in zip(("last_revision", "has_had_token"), found, strict=True)] == [True, True]
    for change in ("INSERT INTO store_state VALUES ('other', 1, false)", "DELETE FROM store_state"):
        place.execute(change)
        assert any("store_state has" in wrong for _, _, wrong in problems())
        with pytest.raises(GatewayError, match="store_state has") as caught:
            place.open()
        assert caught.value.code is Code.DATA_LOSS


def test_altered_tables_are_found(place, make, problems):
    fill(place, make)
    place.execute("DROP INDEX ix_endpoints_created")
    place.execute("ALTER TABLE secrets ADD COLUMN extra integer")
    found = [wrong for _, _, wrong in problems()]
    assert "index ix_endpoints_created is missing" in found
    assert any("extra" in wrong and "does not belong here" in wrong for wrong in found)


def test_a_damaged_index_is_found(place, make, problems):
    fill(place, make)
    if place.path is None:
        place.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_bindings_created'::regclass")
        assert problems() == [(None, None, "the index ix_bindings_created is not valid")]
        return
    with place.connected() as connection:
        root = connection.execute(text("SELECT rootpage FROM sqlite_master WHERE name = 'ix_bindings_created'")).scalar_one()
        size = connection.execute(text("PRAGMA page_size")).scalar_one()
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(place.path.read_bytes())
    start = (root - 1) * size
    # An index page without entries.
    content[start + 3 : start + 5] = b"\x00\x00"
    place.path.write_bytes(content)
    assert any("ix_bindings_created" in wrong for _, _, wrong in problems())


def test_an_older_schema_is_reported(place, problems):
    database = find_database(place.url)
    open_database(database, create=True)
    assert problems() == [(None, None, "there are no tables")]
    with database.write() as connection:
        migrations.upgrade(connection, "0001")
    database.dispose()
    assert [wrong for _, _, wrong in problems()] == [
        f"the tables are at revision 0001, not {migrations.HEAD}: run: gateway-entities db upgrade"
    ]


def test_a_newer_schema_and_a_missing_store_are_errors(place, tmp_path):
    place.open().close()
    place.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(GatewayError, match="9999"):
        report(place)
    if place.path is not None:
        place.path.unlink()
        with pytest.raises(GatewayError, match="does not exist"):
            report(place)
        assert not place.path.exists()

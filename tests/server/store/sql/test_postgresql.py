"""Behaviour specific to PostgreSQL: URLs, errors and lost connections."""

from __future__ import annotations

import logging
import os
import traceback

import pytest
from sqlalchemy.exc import ProgrammingError

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store import open_store
from gateway_entities.server.store.crypto.key_sources import KeyFile
from tests.postgresql import ESCAPED_PASSWORD, PASSWORD


@pytest.fixture
def place(postgresql_place):
    return postgresql_place


def refused(url, keys=()):
    with pytest.raises(GatewayError) as caught:
        open_store(url, keys=keys, busy_timeout=2)
    printed = "".join(traceback.format_exception(caught.value))
    for secret in ("hunter2", "unter2", PASSWORD, ESCAPED_PASSWORD):
        assert secret not in printed
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter2%zz@127.0.0.1/db",
        "postgresql://user:hunter2@127.0.0.1/db?no_such_option=1",
        "postgresql://user:h@unter2@127.0.0.1/db",
        "postgresql://user:h/unter2@127.0.0.1/db",
        "postgresql://user:h?unter2@127.0.0.1/db",
        "postgresql://user:hunter2@[::1/db",
    ],
)
def test_malformed_urls_are_rejected_without_showing_the_password(url):
    error = refused(url)
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, "STORE_URL")
    assert "%40" in error.message


@pytest.mark.parametrize("url", ["postgresql://user:hunter2@127.0.0.1:1/db", "postgres://user:hunter2@127.0.0.1:1/db"])
def test_a_refused_connection_is_unavailable(url, place):
    error = refused(url, place.keys)
    assert error.code is Code.UNAVAILABLE
    assert "postgresql://127.0.0.1:1/db" in error.message
    assert "refused" in error.message


@pytest.mark.parametrize(
    "url", ["postgresql://u:hunter2@127.0.0.1:port/db", "postgresql://u:hunter2@no.such.host.invalid/db"]
)
def test_an_unknown_host_is_unavailable(url, place):
    assert refused(url, place.keys).code is Code.UNAVAILABLE


def test_a_wrong_password_is_reported_without_showing_it(place):
    error = refused(place.url.replace(ESCAPED_PASSWORD, "hunter2"), place.keys)
    assert error.code is Code.UNAVAILABLE
    assert "password authentication failed" in error.message


def test_a_missing_database_is_reported(place):
    error = refused(place.server.url("absent"), place.keys)
    assert error.code is Code.UNAVAILABLE
    assert '"absent" does not exist' in error.message


def test_passwords_from_the_environment_and_from_pgpass(place, tmp_path, monkeypatch):
    url = place.server.url(place.url.rpartition("/")[2], password=False)
    assert refused(url, place.keys).code is Code.UNAVAILABLE
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    open_store(url, keys=place.keys).close()
    monkeypatch.delenv("PGPASSWORD")
    escaped = PASSWORD.replace(":", r"\:")
    (tmp_path / "pgpass").write_text(f"127.0.0.1:*:*:*:{escaped}\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    open_store(url, keys=place.keys).close()


def test_a_service_file(place, tmp_path, monkeypatch):
    database = place.url.rpartition("/")[2]
    lines = [
        "[gw]",
        "host=127.0.0.1",
        f"port={place.server.port}",
        f"dbname={database}",
        "user=gateway",
        f"password={PASSWORD}",
    ]
    (tmp_path / "services").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    store = open_store("postgresql:///?service=gw", keys=place.keys)
    store.ping()
    assert repr(store) == "<Store postgresql:///?service=gw>"
    store.close()


def test_a_key_is_required_and_no_file_created(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(os.listdir(tmp_path))
    error = refused(place.url)
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "KEY_FILE")
    assert sorted(os.listdir(tmp_path)) == before
    assert place.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == [], "nothing is created without a key"


def test_another_programs_database_is_rejected_unchanged(place):
    place.execute("CREATE TABLE theirs (a int)")
    error = refused(place.url, place.keys)
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "STORE_SCHEMA")
    assert place.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("theirs",)]


def test_a_separate_schema_isolates_it_from_other_programs(place, make):
    place.execute("CREATE TABLE theirs (a int)")
    place.execute("CREATE SCHEMA gateway")
    url = f"{place.url}?options=-csearch_path%3Dgateway"
    for _ in range(2):
        store = open_store(url, keys=place.keys)
        with store.write() as transaction:
            transaction.endpoints.remove("e-0001")
            transaction.endpoints.add(make.endpoint())
        store.close()
    assert place.execute("SELECT count(*) FROM gateway.endpoints") == [(1,)]


def test_a_newer_revision_is_rejected(place):
    place.open().close()
    place.execute("UPDATE alembic_version SET version_num = '9999'")
    error = refused(place.url, place.keys)
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "STORE_SCHEMA")
    assert "9999" in error.message


def test_other_encodings_than_utf8_are_rejected(place):
    place.server.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'")
    error = refused(place.server.url("latin"), place.keys)
    place.server.drop_database("latin")
    assert error.code is Code.FAILED_PRECONDITION
    assert "LATIN1" in error.message


def test_missing_privileges_are_reported(place):
    place.server.execute(f"CREATE ROLE poor LOGIN PASSWORD '{PASSWORD}'")
    error = refused(place.url.replace("gateway:", "poor:", 1), place.keys)
    place.server.execute("DROP ROLE poor")
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "STORE_DATABASE")
    assert "lacks a privilege" in error.message


def test_logs_errors_and_repr_contain_no_password(place, make, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy").setLevel(logging.DEBUG)
    logging.getLogger("psycopg").setLevel(logging.DEBUG)
    store = place.open()
    texts = [repr(store), repr(vars(store._database)), repr(store._database.reader.pool)]
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint())
    try:
        with store.write() as transaction:
            transaction.endpoints.add(make.endpoint())
    except GatewayError as error:
        texts += traceback.format_exception(error)
    place.server.stop()
    try:
        store.ping()
    except GatewayError as error:
        texts += traceback.format_exception(error)
    finally:
        place.server.start()
    store.close()
    for name in ("sqlalchemy", "psycopg"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    assert len(texts) > 10
    for text in (*texts, caplog.text):
        assert PASSWORD not in text
        assert ESCAPED_PASSWORD not in text


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_stopped_server_is_unavailable_until_it_restarts(place, make, end):
    store = place.open(busy_timeout=5)
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint(1))
    reads = [store.read() for _ in range(5)]
    for read in reads:
        read.__enter__().endpoints.list()
    for read in reads:
        read.__exit__(None, None, None)
    getattr(place.server, end)()
    try:
        for attempt in (store.ping, store.read().__enter__, store.write().__enter__):
            with pytest.raises(GatewayError) as caught:
                attempt()
            assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "STORE_UNAVAILABLE")
            assert str(place.server.port) not in caught.value.message
    finally:
        place.server.start()
    store.ping()
    with store.write() as transaction:
        assert transaction.endpoints.list() == [make.endpoint(1)]
        transaction.endpoints.add(make.endpoint(2))
    with store.read() as transaction:
        assert len(transaction.endpoints.list()) == 2
    store.close()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_server_stopped_within_a_block_rolls_back(place, make, end):
    store = place.open(busy_timeout=5)

    def write():
        with store.write() as transaction:
            transaction.endpoints.add(make.endpoint(1))
            getattr(place.server, end)()
            transaction.endpoints.add(make.endpoint(2))

    with pytest.raises(GatewayError) as caught:
        write()
    place.server.start()
    assert caught.value.code is Code.UNAVAILABLE
    with store.read() as transaction:
        assert transaction.endpoints.list() == []
    store.close()


def test_a_server_stopped_before_the_commit_rolls_back(place, make):
    store = place.open(busy_timeout=5)

    def write():
        with store.write() as transaction:
            transaction.endpoints.add(make.endpoint(1))
            place.server.kill()

    with pytest.raises(GatewayError) as caught:
        write()
    place.server.start()
    assert caught.value.code is Code.UNAVAILABLE
    with store.read() as transaction:
        assert transaction.endpoints.list() == []
    store.close()


def test_a_terminated_connection_is_replaced(place, make):
    store = place.open()

    def write():
        with store.write() as transaction:
            transaction.endpoints.add(make.endpoint(1))
            place.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid != pg_backend_pid()"
            )
            transaction.endpoints.add(make.endpoint(2))

    with pytest.raises(GatewayError) as caught:
        write()
    assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "STORE_UNAVAILABLE")
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint(1))
    store.close()


def test_terminated_idle_connections_are_replaced_without_errors(place, make):
    store = place.open()
    with store.read(), store.read(), store.write() as transaction:
        transaction.endpoints.add(make.endpoint(1))
    for number in (2, 3):
        place.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid != pg_backend_pid()"
        )
        with store.read() as transaction:
            assert len(transaction.endpoints.list()) == number - 1
        with store.write() as transaction:
            transaction.endpoints.add(make.endpoint(number))
        with store.read(), store.read() as transaction:
            assert len(transaction.endpoints.list()) == number
    store.close()


@pytest.mark.parametrize(
    ("sqlstate", "code", "reason", "message"),
    [
        ("53100", Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's disk is full"),
        ("53200", Code.UNAVAILABLE, "STORE_UNAVAILABLE", "no room"),
        ("53300", Code.UNAVAILABLE, "STORE_UNAVAILABLE", "no room"),
        ("58030", Code.UNAVAILABLE, "STORE_UNAVAILABLE", "disk"),
        ("25006", Code.UNAVAILABLE, "STORE_UNAVAILABLE", "cannot be written to"),
        ("40001", Code.UNAVAILABLE, "STORE_BUSY", "busy"),
        ("40P01", Code.UNAVAILABLE, "STORE_BUSY", "busy"),
        ("55P03", Code.UNAVAILABLE, "STORE_BUSY", "busy"),
        ("57014", Code.UNAVAILABLE, "STORE_BUSY", "busy"),
        ("57P03", Code.UNAVAILABLE, "STORE_UNAVAILABLE", "cannot be reached"),
        ("08006", Code.UNAVAILABLE, "STORE_UNAVAILABLE", "cannot be reached"),
        ("XX001", Code.DATA_LOSS, "STORE_DAMAGED", "damaged"),
        ("23505", Code.ALREADY_EXISTS, "ID_TAKEN", "already exists"),
        ("23503", Code.NOT_FOUND, "NOT_FOUND", "not found"),
    ],
)
def test_errors_of_the_server_are_mapped(place, make, sqlstate, code, reason, message):
    """A trigger raises the error."""
    store = place.open()
    place.execute(
        "CREATE FUNCTION report() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'theirs' USING ERRCODE = '{sqlstate}'; END $$"
    )
    place.execute("CREATE TRIGGER report BEFORE INSERT ON bindings FOR EACH ROW EXECUTE FUNCTION report()")

    def write():
        with store.write() as transaction:
            transaction.endpoints.add(make.endpoint())
            transaction.bindings.add(make.binding())

    with pytest.raises(GatewayError) as caught:
        write()
    assert (caught.value.code, caught.value.reason) == (code, reason)
    assert message in caught.value.message
    assert "theirs" not in caught.value.message
    with store.read() as transaction:
        assert transaction.endpoints.list() == []
    store.close()


def test_errors_caused_by_bugs_are_not_mapped(place, make):
    store = place.open()
    place.execute("DROP TABLE endpoint_tags")
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint())
    with pytest.raises(ProgrammingError, match="endpoint_tags"), store.read() as transaction:
        transaction.endpoints.list()
    store.close()


def test_a_read_only_database_can_be_read(place, make):
    store = place.open()
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint())
    store.close()
    store = open_store(f"{place.url}?options=-cdefault_transaction_read_only%3Don", keys=place.keys)
    with store.read() as transaction:
        assert transaction.endpoints.list() == [make.endpoint()]
    with pytest.raises(GatewayError) as caught, store.write() as transaction:
        transaction.endpoints.remove("e-0001")
    assert (caught.value.code, caught.value.message) == (Code.UNAVAILABLE, "The store cannot be written to")
    store.close()


def test_commits_are_synchronous_regardless_of_the_configuration(place):
    name = place.url.rpartition("/")[2]
    place.server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    place.server.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    store = place.open()
    settings = "SELECT current_setting('synchronous_commit'), current_setting('transaction_isolation')"
    with store._database.write() as connection:
        assert connection.exec_driver_sql(settings).one() == ("on", "read committed")
    with store._database.read() as connection:
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "repeatable read"
        assert connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on"
    store.close()


def test_text_is_ordered_by_code_point(place, make):
    names = ["B", "a", "b", "é", "Z", "\U0001f511", "\uffff"]
    store = place.open()
    with store.write() as transaction:
        for number, name in enumerate(names):
            transaction.endpoints.add(make.endpoint(number, endpoint_id=name, name=name, created_at=1))
    with store.read() as transaction:
        assert [endpoint.endpoint_id for endpoint in transaction.endpoints.list()] == sorted(names)
        after = transaction.endpoints.list(after=(1, "Z"))
        assert [endpoint.endpoint_id for endpoint in after] == sorted(name for name in names if name > "Z")
    assert place.execute("SELECT 'b' < 'B'") == [(True,)], "the database's own collation is English"
    store.close()


def test_reads_do_not_wait_for_a_writer(place, make):
    store, other = place.open(busy_timeout=1), place.open(busy_timeout=1)
    with other.write() as transaction:
        transaction.endpoints.add(make.endpoint())
        with store.read() as reader:
            assert reader.endpoints.list() == []
    for each in (store, other):
        each.close()


def test_another_key_is_rejected(place, make, tmp_path):
    other = tmp_path / "other.key"
    KeyFile(other).create()
    store = place.open()
    with store.write() as transaction:
        transaction.secrets.add(make.secret(), {"k": "v"})
    store.close()
    assert refused(place.url, [KeyFile(other)]).code is Code.FAILED_PRECONDITION

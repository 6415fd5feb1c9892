"""Backup and restore, across both databases."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import stat
import threading
from contextlib import contextmanager

import pytest

from gateway_entities.entities import GatewayEndpointTag
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.admin.backup import write_backup
from gateway_entities.server.store.admin.restore import restore_backup
from gateway_entities.server.store.open import available_keys, find_database, open_database
from gateway_entities.server.store.repositories.budget import BudgetPolicies
from gateway_entities.server.store.repositories.spending.spend import Counter
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.schema import metadata
from tests import profiles
from tests.server.store.conftest import open_files
from tests.stores import Place, postgresql_place, sqlite_place

CANARY = "canary-9d3e5f-value"


@pytest.fixture
def other_place(place, tmp_path, request):
    """An empty database of the other kind, with the same key."""
    if place.path is None:
        found = sqlite_place(tmp_path / "other.sqlite")
        found.keys = place.keys
        yield found
    else:
        with postgresql_place(request.getfixturevalue("postgresql"), tmp_path / "postgresql.key") as found:
            place.keys = found.keys
            yield found


def fill(place: Place, make, many: int = 3) -> None:
    store = place.open()
    with store.write() as transaction:
        for number in range(many):
            transaction.secrets.add(
                make.secret(number, secret_name=f"key {number} \U0001f511\u2028é", provider="" if number else None),
                {"api_key": CANARY},
            )
            transaction.model_definitions.add(make.definition(number, secret_id=f"s-{number:04}"))
            transaction.endpoints.add(
                make.endpoint(
                    number,
                    usage_tracking=(None, True, False)[number % 3],
                    model_mappings=[make.mapping(number, endpoint=number, definition=number, weight=0.1 + 0.2)],
                    tags=[GatewayEndpointTag("k", None), GatewayEndpointTag('"\n\\', "\x01")],
                )
            )
            transaction.bindings.add(make.binding(number, endpoint=number))
            transaction.budget_policies.add(make.policy(number, budget_amount=5e-324 if number else 1e308))
            transaction.budget_spend.open(f"bp-{number:04}", Counter(0, -(2**62), 2**62, 2**62))
        transaction.budget_charges.add("r 1", b"\x00\xff", [1, 2], 5)
        # So that the last generated id belongs to no row.
        transaction.budget_spend.remove(f"bp-{many - 1:04}")
    store.close()


def content(place: Place) -> list[object]:
    store = place.open()
    with store.read() as transaction:
        found = [
            *transaction.secrets.list(),
            *(transaction.secrets.reveal(secret.secret_id) for secret in transaction.secrets.list()),
            *transaction.model_definitions.list(),
            *transaction.endpoints.list(),
            *transaction.bindings.list(),
            *transaction.budget_policies.list(),
            *transaction.budget_spend.list(0),
            transaction.budget_charges.get("r 1"),
        ]
    store.close()
    return found


@contextmanager
def opened(place):
    database = find_database(place.url)
    with closing_database(database):
        open_database(database, create=False)
        yield database


@contextmanager
def closing_database(database):
    try:
        yield database
    finally:
        database.dispose()


def quiet(_done, _total):
    pass


def back_up(place, file):
    with opened(place) as database:
        return write_backup(database, file, quiet, available_keys(database, place.keys))


def restore(place, file, **options):
    with closing_database(find_database(place.url)) as database:
        return restore_backup(database, file, quiet, available_keys(database, place.keys), **options)


def refused(attempt, *arguments):
    with pytest.raises(GatewayError) as caught:
        attempt(*arguments)
    return caught.value


def lines(file):
    # Not splitlines, which also splits at characters such as U+2028.
    return [line + "\n" for line in gzip.decompress(file.read_bytes()).decode().removesuffix("\n").split("\n")]


def table_lines(file):
    """The lines of each table, except the clock of a machine and the row of the store itself, which gets a new id."""
    tables: dict[str, list[str]] = {}
    name = ""
    for line in lines(file)[1:-1]:
        name = json.loads(line)["table"] if line.startswith("{") else name
        tables.setdefault(name, []).append(line)
    del tables["clock"]
    del tables["store_state"][1:]
    return tables


def test_a_round_trip_through_the_other_database_is_lossless(place, other_place, make, tmp_path):
    fill(place, make)
    expected = content(place)
    assert len(expected) > 20
    there, back = tmp_path / "there", tmp_path / "back"
    saved = back_up(place, there)
    restored = restore(other_place, there)
    assert restored == saved
    assert content(other_place) == expected
    back_up(other_place, back)
    # All lines but the header, which contains the time, and those that differ between stores and machines.
    assert table_lines(back) == table_lines(there)


def test_ids_are_not_reused_after_a_restore(place, other_place, make, tmp_path):
    fill(place, make)
    back_up(place, tmp_path / "backup")
    restore(other_place, tmp_path / "backup")
    for each in (place, other_place):
        store = each.open()
        with store.write() as transaction:
            transaction.budget_policies.add(make.policy(77))
            assert transaction.budget_spend.open("bp-0077", Counter(0, 0, 1, 1)) == 4
        store.close()


def test_an_empty_store_can_be_restored(place, other_place, make, tmp_path):
    with closing_database(find_database(place.url)) as database:
        open_database(database, create=True)
        with database.write() as connection:
            migrations.upgrade(connection)
        saved = write_backup(database, tmp_path / "backup", quiet)
    assert saved.rows == dict.fromkeys(saved.rows, 0) | {"store_state": 1}
    assert restore(other_place, tmp_path / "backup", accept_unsealed=True).rows == saved.rows
    store = other_place.open()
    with store.write() as transaction:
        transaction.budget_policies.add(make.policy())
        assert transaction.budget_spend.open("bp-0001", Counter(0, 0, 1, 1)) == 1
    store.close()


def test_the_format_is_as_documented(place, make, tmp_path):
    fill(place, make)
    saved = back_up(place, tmp_path / "backup")
    header, *rest, trailer = lines(tmp_path / "backup")
    assert {**json.loads(header), "created_at": 0} == {
        "format": "gateway-entities backup",
        "version": 2,
        "schema": migrations.HEAD,
        "created_at": 0,
        "sealed_by": saved.sealed_by,
    }
    digest = hashlib.sha256("".join([header, *rest]).encode()).hexdigest()
    (key,) = find_keys(place)
    seal_key = hmac.digest(key, b"gateway-entities backup seal", "sha256")
    seal = hmac.digest(seal_key, "".join([header, *rest]).encode(), "sha256").hex()
    assert json.loads(trailer) == {"rows": sum(saved.rows.values()), "sha256": digest, "seal": seal}
    parts = [json.loads(line) for line in rest if line.startswith("{")]
    assert {part["table"] for part in parts} == set(metadata.tables), (
        "every table is included, without a list of tables in the code"
    )
    assert {part["table"]: part["rows"] for part in parts} == saved.rows
    assert [part.get("last") for part in parts if part["table"] == "budget_windows"] == [3]
    place_of_secrets = next(number for number, line in enumerate(rest) if '"table":"secrets"' in line)
    columns = json.loads(rest[place_of_secrets])["columns"]
    row = dict(zip(columns, json.loads(rest[place_of_secrets + 1]), strict=True))
    assert row["secret_id"] == "s-0000"
    assert len(base64.b64decode(row["ciphertext"]["base64"])) > 28
    assert saved.key_ids == [row["key_id"]]


def find_keys(place):
    path = place.path.with_name("gateway.sqlite.key") if place.path else place.keys[0].path
    return [base64.b64decode(line) for line in path.read_bytes().splitlines()]


def test_a_backup_contains_no_secret(place, make, tmp_path):
    fill(place, make)
    back_up(place, tmp_path / "backup")
    content = "".join(lines(tmp_path / "backup"))
    for form in (CANARY, CANARY.encode().hex(), base64.b64encode(CANARY.encode()).decode()[:-4]):
        assert form not in content
    key = place.path.with_name("gateway.sqlite.key") if place.path else place.keys[0].path
    assert key.read_text().strip() not in content


def test_the_file_has_mode_0600_and_no_leftovers(place, make, tmp_path):
    fill(place, make)
    folder = tmp_path / "backups"
    folder.mkdir()
    back_up(place, folder / "backup")
    assert [file.name for file in folder.iterdir()] == ["backup"]
    assert stat.S_IMODE((folder / "backup").stat().st_mode) == 0o600


def test_a_backup_is_durable_before_it_has_its_name(place, make, tmp_path, durable):
    fill(place, make)
    folder = tmp_path / "backups"
    folder.mkdir()
    before = open_files()
    back_up(place, folder / "backup")
    size = (folder / "backup").stat().st_size
    (part, *_) = (name for _, name, _ in durable.below(folder))
    assert part.endswith(".part")
    assert durable.below(folder) == [("sync", part, size), ("rename", part, size), ("sync", "backups", 0)]
    assert open_files() == before


def test_an_existing_file_is_not_overwritten(place, make, tmp_path):
    fill(place, make)
    (tmp_path / "backup").write_text("mine")
    error = refused(back_up, place, tmp_path / "backup")
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "BACKUP_FILE")
    assert (tmp_path / "backup").read_text() == "mine"
    assert refused(back_up, place, tmp_path / "absent" / "backup").code is Code.FAILED_PRECONDITION


def test_a_backup_is_a_consistent_snapshot(place, make, tmp_path):
    """Of concurrent writes, each transaction is in it completely or not at all."""
    fill(place, make)
    store = place.open(busy_timeout=60)
    stop = threading.Event()

    def write():
        number = 100
        while not stop.is_set():
            with store.write() as transaction:
                transaction.endpoints.add(make.endpoint(number))
                transaction.bindings.add(make.binding(number, endpoint=number))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = [back_up(place, tmp_path / f"backup {number}").rows for number in range(5)]
    finally:
        stop.set()
        writer.join()
        store.close()
    for rows in counts:
        assert rows["endpoints"] == rows["bindings"]


def test_restore_requires_an_empty_store(place, other_place, make, tmp_path):
    fill(place, make)
    back_up(place, tmp_path / "backup")
    store = other_place.open()
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint(9))
    error = refused(restore, other_place, tmp_path / "backup")
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "STORE_NOT_EMPTY")
    with store.read() as transaction:
        assert transaction.endpoints.list() == [make.endpoint(9)]
        assert transaction.secrets.list() == []
    store.close()


def test_restore_rejects_another_programs_database(place, other_place, make, tmp_path):
    fill(place, make)
    back_up(place, tmp_path / "backup")
    other_place.execute("CREATE TABLE theirs (a int)")
    assert refused(restore, other_place, tmp_path / "backup").reason == "STORE_SCHEMA"


def test_a_backup_of_an_older_release_is_upgraded(place, other_place, make, tmp_path):
    with closing_database(find_database(place.url)) as database:
        open_database(database, create=True)
        with database.write() as connection:
            migrations.upgrade(connection, "0002")
            BudgetPolicies(connection).add(make.policy())
        place.execute(
            "INSERT INTO endpoints (endpoint_id, name, created_at, last_updated_at, fallback_config) "
            "VALUES ('e-0001', 'endpoint-1', 3001, 3001, false)"
        )
        # At that revision spending was in millionths.
        place.execute("INSERT INTO budget_windows VALUES (7, 'bp-0001', 0, 10, 1500000)")
        saved = write_backup(database, tmp_path / "backup", quiet)
    assert saved.schema == "0002"
    # The tables already exist, and are empty.
    with closing_database(find_database(other_place.url)) as database:
        open_database(database, create=True)
        with database.write() as connection:
            migrations.upgrade(connection)
    restore(other_place, tmp_path / "backup", accept_unsealed=True)
    if other_place.path is not None:
        (other_place.path.with_name(other_place.path.name + ".key")).unlink(missing_ok=True)
    store = other_place.open()
    with store.read() as transaction:
        assert transaction.endpoints.list() == [make.endpoint(1)]
        assert transaction.budget_spend.list(5) == [(make.policy(), Counter(7, 0, 10, 1_500_000_000, limit=12_500_000_000))]
    store.close()


def test_damage_is_detected_before_anything_is_written(place, other_place, make, tmp_path):
    fill(place, make, many=1)
    back_up(place, tmp_path / "backup")
    whole = (tmp_path / "backup").read_bytes()
    damaged = tmp_path / "damaged"
    for position in range(0, len(whole), profiles.whole(7, 29)):
        altered = bytearray(whole)
        altered[position] ^= 0x10
        damaged.write_bytes(altered)
        try:
            unpacked = gzip.decompress(altered)
        except Exception:
            unpacked = b""
        if unpacked != gzip.decompress(whole):
            assert refused(restore, other_place, damaged).reason in {"BACKUP_DAMAGED", "BACKUP_FILE"}, position
    for length in range(0, len(whole), profiles.whole(11, 43)):
        damaged.write_bytes(whole[:length])
        assert refused(restore, other_place, damaged).reason in {"BACKUP_DAMAGED", "BACKUP_FILE"}, length
    if other_place.path is not None:
        assert not other_place.path.exists()
    else:
        assert other_place.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


def packed(*changed):
    return gzip.compress("".join(changed).encode())


def with_trailer(changed):
    text = "".join(changed)
    rows = sum(line.startswith("[") for line in changed)
    trailer = json.dumps({"rows": rows, "sha256": hashlib.sha256(text.encode()).hexdigest()}) + "\n"
    return gzip.compress((text + trailer).encode())


def unsealed(header):
    return json.dumps({**json.loads(header), "sealed_by": None}) + "\n"


def test_malformed_content_is_rejected(place, other_place, make, tmp_path):
    fill(place, make)
    back_up(place, tmp_path / "backup")
    header, *rest, trailer = lines(tmp_path / "backup")
    header = unsealed(header)
    first_row = next(number for number, line in enumerate(rest) if line.startswith("["))
    without_a_row = [*rest[:first_row], *rest[first_row + 1 :]]
    cases = {
        "no trailer": packed(header, *rest),
        "something after the end": packed(header, *rest, trailer, "[]\n"),
        "a row less": packed(header, *without_a_row, trailer),
        "a row less, and a digest that fits": with_trailer([header, *without_a_row]),
        "a table less": with_trailer([header, *rest[:-1]]) if rest[-1].startswith("{") else with_trailer([header]),
        "only a header": packed(header),
        "nothing": packed(),
        "not gzip": b"hello",
        "other JSON": packed('{"a": 1}\n'),
        "no JSON": packed("hello\n"),
        "an unknown table": with_trailer([header, *rest, '{"table":"x","columns":["a"],"rows":0}\n']),
        "an unknown column": with_trailer([header, *(line.replace('"auth_config"', '"auth\\"; DROP"') for line in rest)]),
    }
    for name, data in cases.items():
        (tmp_path / "bad").write_bytes(data)
        error = refused(lambda: restore(other_place, tmp_path / "bad", accept_unsealed=True))
        assert error.reason in {"BACKUP_DAMAGED", "BACKUP_FILE"}, name
        assert str(tmp_path / "bad") in error.message
    assert refused(restore, other_place, tmp_path / "absent").code is Code.FAILED_PRECONDITION
    assert refused(restore, other_place, tmp_path).code is Code.FAILED_PRECONDITION
    restore(other_place, tmp_path / "backup")


@pytest.mark.parametrize(("field", "value"), [("version", 3), ("version", None), ("schema", "9999")])
def test_a_backup_of_a_newer_release_is_rejected(place, other_place, make, tmp_path, field, value):
    fill(place, make)
    back_up(place, tmp_path / "backup")
    header, *rest, _ = lines(tmp_path / "backup")
    header = json.dumps({**json.loads(header), field: value}) + "\n"
    (tmp_path / "newer").write_bytes(with_trailer([header, *rest]))
    error = refused(restore, other_place, tmp_path / "newer")
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "BACKUP_FILE")
    assert str(value) in error.message


def test_a_restored_store_needs_its_key(place, other_place, make, tmp_path):
    fill(place, make)
    back_up(place, tmp_path / "backup")
    saved = restore(other_place, tmp_path / "backup")
    if other_place.path is not None:
        error = refused(lambda: sqlite_place(other_place.path).open())
        assert error.code is Code.FAILED_PRECONDITION
        assert saved.key_ids[0] in error.message
    store = other_place.open()
    with store.read() as transaction:
        assert transaction.secrets.reveal("s-0000") == {"api_key": CANARY}
    store.close()


def test_progress_ends_at_the_total(place, other_place, make, tmp_path):
    fill(place, make, many=200)
    calls = []
    with opened(place) as database:
        total = sum(write_backup(database, tmp_path / "backup", lambda *now: calls.append(now)).rows.values())
    assert calls[-1] == (total, total)
    assert len(calls) > 2
    assert calls == sorted(calls)
    calls.clear()
    with closing_database(find_database(other_place.url)) as database:
        restore_backup(database, tmp_path / "backup", lambda *now: calls.append(now), accept_unsealed=True)
    assert calls[-1] == (total, total)

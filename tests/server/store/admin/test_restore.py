"""Restores of backups that another program made or altered: seals, the new store's identity, memory, errors by line."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import subprocess
import sys
import zlib

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.admin import backup_lines
from gateway_entities.server.store.admin.backup import write_backup
from gateway_entities.server.store.admin.restore import restore_backup
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.crypto.key_sources import KeyFile, read_keys
from gateway_entities.server.store.open import find_database, open_database
from gateway_entities.server.store.repositories.change import Effect
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.server.store.sql.schema import metadata
from tests.stores import postgresql_place, sqlite_place

STATE = "SELECT store_id, last_revision, has_had_token FROM store_state"
HEADER = {"format": "gateway-entities backup", "version": 1, "schema": "0006", "created_at": 1}
SECRET = ["s-1", "n", None, "{}", "{}", {"base64": ""}, {"base64": ""}, "k", 1, 1, None, None]
SECRET_COLUMNS = [
    *("secret_id", "secret_name", "provider", "masked_values", "auth_config", "ciphertext", "wrapped_key", "key_id"),
    *("created_at", "last_updated_at", "created_by", "last_updated_by"),
]


def quiet(_done, _total):
    pass


@pytest.fixture
def key(tmp_path):
    """The key of every store of a test."""
    source = KeyFile(tmp_path / "the.key")
    source.create()
    return source


@pytest.fixture
def target(place, tmp_path, request):
    """An empty database of the same kind as the place."""
    if place.path is not None:
        yield sqlite_place(tmp_path / "target.sqlite")
    else:
        with postgresql_place(request.getfixturevalue("postgresql"), tmp_path / "unused.key") as found:
            yield found


@pytest.fixture
def backup(place, key, make, tmp_path):
    """A sealed backup of a store with a secret, a change and a token."""
    store = place.open(keys=[key])
    with store.write() as transaction:
        transaction.secrets.add(make.secret(auth_config={"api_base": "https://a.example"}), {"k": "v"})
        for number in (1, 2):
            transaction.changes.add("Create", None, number, [Effect("secret", "s", None, None, None)])
    store.close()
    with open_tokens(place.url) as manager:
        manager.create("alice", AccessScope.READ)
    return written(place, tmp_path / "backup", read_keys([key]))


def written(place, path, keys):
    database = find_database(place.url)
    open_database(database, create=False)
    write_backup(database, path, quiet, keys)
    database.dispose()
    return path


def restore(place, path, *sources, **options):
    database = find_database(place.url)
    try:
        return restore_backup(database, path, quiet, read_keys(sources), **options)
    finally:
        database.dispose()


def error_of(*arguments, **options):
    with pytest.raises(GatewayError) as caught:
        restore(*arguments, **options)
    return caught.value


def lines_of(path):
    return gzip.decompress(path.read_bytes()).decode().removesuffix("\n").split("\n")


def pack(path, lines, seal=None):
    """Write lines with a trailer whose digest is right, sealed with a key of 32 bytes if one is given."""
    content = "".join(f"{line}\n" for line in lines).encode()
    trailer = {"rows": sum(line.startswith("[") for line in lines), "sha256": hashlib.sha256(content).hexdigest()}
    if seal is not None:
        derived = hmac.digest(seal, b"gateway-entities backup seal", "sha256")
        trailer["seal"] = hmac.digest(derived, content, "sha256").hex()
    path.write_bytes(gzip.compress(content + json.dumps(trailer).encode() + b"\n"))
    return path


def test_a_sealed_backup_is_restored_with_its_key(backup, target, key):
    assert restore(target, backup, key).sealed_by == key.read()[0].id


def test_an_altered_backup_is_rejected_although_its_digest_is_right(backup, target, key, tmp_path):
    """One admin token more, and another address of a secret."""
    *lines, trailer = lines_of(backup)
    text = "\n".join(lines)
    altered = text.replace("https://a.example", "https://evil.example")
    assert altered != text
    seal = json.loads(trailer)["seal"]
    for given in ({}, {"seal": seal}, {"seal": "0" * 64}, {"seal": None}, {"seal": "é"}, {"seal": [1]}):
        path = pack(tmp_path / "altered", altered.split("\n"))
        *content, end = lines_of(path)
        path.write_bytes(gzip.compress("\n".join([*content, json.dumps({**json.loads(end), **given}), ""]).encode()))
        for accept in (False, True):
            error = error_of(target, path, key, accept_unsealed=accept)
            assert (error.code, error.reason) == (Code.DATA_LOSS, "BACKUP_DAMAGED")
            assert "seal" in error.message


def test_a_backup_without_a_seal_has_to_be_accepted(place, backup, target, key, tmp_path):
    path = written(place, tmp_path / "unsealed", None)
    stripped = pack(tmp_path / "stripped", [lines_of(path)[0], *lines_of(backup)[1:-1]])
    for each in (path, stripped):
        error = error_of(target, each, key)
        assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "BACKUP_UNSEALED")
        assert "--accept-unsealed" in error.message
    assert restore(target, path, key, accept_unsealed=True).sealed_by is None


def test_a_backup_of_the_first_version_has_no_seal(target, key, tmp_path):
    old = pack(tmp_path / "old", old_lines())
    assert error_of(target, old, key).reason == "BACKUP_UNSEALED"
    restore(target, old, key, accept_unsealed=True)


def test_a_backup_with_the_seal_of_another_key_has_to_be_accepted(backup, target, key, tmp_path):
    other = KeyFile(tmp_path / "other.key")
    other.create()
    for sources in ([], [other]):
        error = error_of(target, backup, *sources)
        assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "BACKUP_UNSEALED")
        assert key.read()[0].id in error.message
        assert "--accept-unsealed" in error.message
    assert restore(target, backup, other, accept_unsealed=True).sealed_by is None


def test_any_configured_key_may_have_sealed_it(backup, target, key, tmp_path):
    newer = KeyFile(tmp_path / "newer.key")
    newer.create()
    assert restore(target, backup, newer, key).sealed_by == key.read()[0].id


def test_a_restored_store_has_a_new_id_and_the_rest_of_its_state(place, backup, target, key):
    ((store_id, revision, has_had_token),) = place.execute(STATE)
    assert (revision, bool(has_had_token)) == (2, True)
    restore(target, backup, key)
    ((new_id, revision, has_had_token),) = target.execute(STATE)
    assert (revision, bool(has_had_token)) == (2, True)
    assert new_id != store_id
    assert len(new_id) == 32


def test_a_restored_store_of_an_earlier_release_has_a_state(target, key, tmp_path):
    token = ["0" * 16, "alice", 1, {"base64": ""}, 1, None, None]
    restore(target, pack(tmp_path / "old", old_lines(tokens=[token])), key, accept_unsealed=True)
    ((_, revision, has_had_token),) = target.execute(STATE)
    assert (revision, bool(has_had_token)) == (0, True)


def test_a_backup_cannot_reopen_a_store_with_tokens(place, backup, target, key, tmp_path):
    """Its row of the store may disagree with its content."""
    place.execute("UPDATE store_state SET has_had_token = false, last_revision = 1")
    path = written(place, tmp_path / "wrong", read_keys([key]))
    place.execute("INSERT INTO changes (revision, position, changed_at, rpc, noun, id) VALUES (9, 0, 1, 'r', 'n', 'i')")
    path = written(place, tmp_path / "wrong too", read_keys([key]))
    restore(target, path, key)
    ((_, revision, has_had_token),) = target.execute(STATE)
    assert (revision, bool(has_had_token)) == (9, True)


@pytest.mark.parametrize("rows", [0, 2])
def test_a_backup_needs_one_row_of_the_store(backup, target, key, tmp_path, rows):
    lines = lines_of(backup)[:-1]
    at = next(number for number, line in enumerate(lines) if '"store_state"' in line)
    lines[at] = lines[at].replace('"rows":1', f'"rows":{rows}')
    lines[at + 1 : at + 2] = [lines[at + 1], lines[at + 1].replace('["', '["0')][:rows]
    lines[0] = json.dumps({**json.loads(lines[0]), "sealed_by": None})
    error = error_of(target, pack(tmp_path / "bad", lines), key, accept_unsealed=True)
    assert (error.code, "store_state" in error.message) == (Code.DATA_LOSS, True)


def test_a_store_that_has_been_used_is_not_empty(backup, target, key):
    with open_tokens(target.url, create=True) as manager:
        manager.create("alice", AccessScope.READ)
        manager.revoke("alice")
        manager.prune(0)
    error = error_of(target, backup, key)
    assert (error.reason, "has been used" in error.message) == ("STORE_NOT_EMPTY", True)


LATER_TABLES = {
    *("store_state", "clock", "secret_accesses", "node_reports", "resource_owners", "guardrails", "guardrail_configs"),
    *("budget_reservations", "spend_alerts", "spend_days"),
}
LATER_COLUMNS = {
    "secrets": {"envelope_version"},
    "tokens": {"endpoints", "owners"},
    "changes": {"is_difference", "name", "fields", "owner_before", "owner_after", "spend_adjustment"},
    "budget_windows": {
        *("reserved_nanos", "limit_nanos", "alerted_percent"),
        *(f"overrun_{cause}" for cause in ("record", "commit", "reserve", "amount", "adjust")),
    },
}
"""What revision 0006 did not have."""


def old_lines(**rows):
    """Return the lines of a backup of revision 0006, empty but for these tables."""
    lines = [json.dumps(HEADER)]
    for table in metadata.sorted_tables:
        if table.name in LATER_TABLES:
            continue
        later = LATER_COLUMNS.get(table.name, set())
        columns = [name for name in table.columns.keys() if name not in later]  # noqa: SIM118 - a mapping of columns.
        given = rows.get(table.name, [])
        lines.append(json.dumps({"table": table.name, "columns": columns, "rows": len(given)}))
        lines += [row if isinstance(row, str) else json.dumps(row) for row in given]
    return lines


def secret(**fields):
    return [fields.get(name, value) for name, value in zip(SECRET_COLUMNS, SECRET, strict=True)]


BAD_ROWS = {
    "a missing value": (secret(created_at=None), "created_at is missing"),
    "a missing key": (secret(secret_id=None), "secret_id is missing"),
    "a number over 2^63": (secret(created_at=2**63), "created_at has a value"),
    "a huge number": (secret(created_at=10**400), "created_at has a value"),
    "more digits than Python reads": (json.dumps(secret()).replace(", 1, 1,", f", {'9' * 5000}, 1,"), "not valid JSON"),
    "a fraction": (secret(created_at=1.5), "created_at has a value"),
    "a text in place of a number": (secret(created_at="canary"), "created_at has a value"),
    "a boolean in place of a number": (secret(created_at=True), "created_at has a value"),
    "a number in place of a text": (secret(secret_name=7), "secret_name has a value"),
    "half of a surrogate pair": (secret(secret_name="\ud800"), "secret_name has a value"),
    "a text in place of bytes": (secret(ciphertext="canary"), "ciphertext has a value"),
    "no base64": (secret(ciphertext={"base64": "canary!"}), "ciphertext has a value"),
    "bytes without base64": (secret(ciphertext={}), "ciphertext has a value"),
    "a list": (secret(auth_config=[]), "auth_config has a value"),
    "a value less": (secret()[:-1], "it has 11 values in place of 12"),
    "no array": ('"canary"', "not a JSON array"),
    "no JSON": ("[canary", "not valid JSON"),
    "deep nesting": ("[" * 200_000, "not valid JSON"),
    "another encoding": ("[" + "\0" * 3, "not valid JSON"),
    "too many values": ("[" + "[]," * 400_000 + "[]]", "too many values"),
    "too many texts": ("[" + '"",' * 400_000 + '""]', "too many values"),
    "an unterminated text": ('["' + "\\\\" * 700_000, "too many values"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_is_an_error_with_its_line(target, tmp_path, name):
    row, problem = BAD_ROWS[name]
    lines = old_lines(secrets=[SECRET, row])
    number = lines.index(json.dumps(SECRET)) + 2
    error = error_of(target, pack(tmp_path / "bad", lines), accept_unsealed=True)
    assert (error.code, error.reason) == (Code.DATA_LOSS, "BACKUP_DAMAGED")
    assert f"line {number}: " in error.message
    assert problem in error.message
    assert "canary" not in error.message
    assert len(error.message) < 500


def test_numbers_are_checked_against_the_columns_of_the_database(target, tmp_path):
    """Also those that fit into 64 bits: PostgreSQL has shorter columns and no NUL."""
    cases = {"tokens": ["0" * 16, "alice", 2**40, {"base64": ""}, 1, None, None], "secrets": secret(secret_name="a\0b")}
    for table, row in cases.items():
        path = pack(tmp_path / table, old_lines(**{table: [row]}))
        if target.path is None:
            assert "has a value that its column cannot hold" in error_of(target, path, accept_unsealed=True).message
    policy = ["bp-1", 1, float("nan"), 1, 1, 1, 1, 1, 1, None, None, None, None]
    path = pack(tmp_path / "nan", old_lines(budget_policies=[policy]))
    assert "budget_amount has a value" in error_of(target, path, accept_unsealed=True).message


def test_a_duplicate_and_a_dangling_row_are_errors_with_their_lines(target, tmp_path):
    error = error_of(target, pack(tmp_path / "bad", old_lines(secrets=[SECRET, SECRET])), accept_unsealed=True)
    assert (error.code, "a row of secrets is there twice" in error.message) == (Code.DATA_LOSS, True)
    assert "lines " in error.message
    tag = ["e-1", "canary", None, 1]
    error = error_of(target, pack(tmp_path / "bad", old_lines(endpoint_tags=[tag])), accept_unsealed=True)
    assert (error.code, "endpoint_tags" in error.message) == (Code.DATA_LOSS, True)
    assert "canary" not in error.message


HEADERS = [
    {"table": "secrets", "columns": SECRET_COLUMNS, "rows": 2**63},
    {"table": "secrets", "columns": SECRET_COLUMNS, "rows": -1},
    {"table": "secrets", "columns": SECRET_COLUMNS, "rows": 1.0},
    {"table": "secrets", "columns": SECRET_COLUMNS, "rows": None},
    {"table": "secrets", "columns": SECRET_COLUMNS, "rows": 0, "last": "7"},
    {"table": "secrets", "columns": SECRET_COLUMNS, "rows": 0, "last": 7},
    {"table": "secrets", "columns": [], "rows": 0},
    {"table": "secrets", "columns": ["secret_id"] * 12, "rows": 0},
    {"table": "secrets", "columns": None, "rows": 0},
    {"table": ["secrets"], "columns": SECRET_COLUMNS, "rows": 0},
    {"table": None, "columns": SECRET_COLUMNS, "rows": 0},
    {},
]


@pytest.mark.parametrize("header", HEADERS, ids=map(str, range(len(HEADERS))))
def test_a_bad_header_of_a_table_is_an_error_with_its_line(target, tmp_path, header):
    lines = old_lines()
    at = next(number for number, line in enumerate(lines) if '"secrets"' in line)
    lines[at] = json.dumps(header)
    error = error_of(target, pack(tmp_path / "bad", lines), accept_unsealed=True)
    assert (error.code, f"line {at + 1}: " in error.message) == (Code.DATA_LOSS, True)


def test_a_long_line_is_rejected_unless_the_limit_is_raised(target, tmp_path):
    row = secret(auth_config=json.dumps({"k": "x" * 3_000_000}))
    path = pack(tmp_path / "long", old_lines(secrets=[row]))
    error = error_of(target, path, accept_unsealed=True, max_line_bytes=2_000_000)
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "BACKUP_FILE")
    assert "is longer than 2000000 bytes" in error.message
    assert restore(target, path, accept_unsealed=True).rows["secrets"] == 1


LIMITED = """
import resource, sys
from pathlib import Path
from gateway_entities.errors import GatewayError
from gateway_entities.server.store.admin.restore import restore_backup
from gateway_entities.server.store.open import find_database
resource.setrlimit(resource.RLIMIT_AS, (800 * 1024**2, 800 * 1024**2))
try:
    restore_backup(find_database(sys.argv[1]), Path(sys.argv[2]), lambda done, total: None, accept_unsealed=True)
except GatewayError as error:
    # Not ru_maxrss, which a new process inherits from its parent.
    peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(error.message, peak)
"""


@pytest.mark.parametrize("start", ["", "[", '["', '{"a": "'])
def test_a_line_of_more_than_a_gigabyte_takes_bounded_memory(tmp_path, start):
    """Compressed it has 1.5 MB."""
    packer = zlib.compressobj(wbits=31)
    block = packer.compress(b"x" * 2**24) + packer.flush()
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(json.dumps(HEADER).encode() + b"\n" + start.encode()) + block * 90)
    command = [sys.executable, "-c", LIMITED, f"sqlite:///{tmp_path / 'g.sqlite'}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    message, _, kilobytes = done.stdout.strip().rpartition(" ")
    assert f"line 2 is longer than {backup_lines.MAX_LINE_BYTES} bytes" in message, done.stderr[-2000:]
    assert int(kilobytes) < 300 * 1024
    assert not (tmp_path / "g.sqlite").exists()

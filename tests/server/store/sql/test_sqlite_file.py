"""The file of a SQLite store is the one that was opened, its owner's alone, and never made by mistake."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store import open_store
from gateway_entities.server.store.admin.backup import write_backup
from gateway_entities.server.store.admin.restore import restore_backup
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.crypto.key_sources import KeyFile
from gateway_entities.server.store.open import find_database, open_database, upgrade_database


def add(store, endpoint) -> None:
    with store.write() as transaction:
        transaction.endpoints.add(endpoint)


def refused(attempt, *arguments, **options) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        attempt(*arguments, **options)
    return caught.value


def names(path) -> list[str]:
    with_file = open_store(f"sqlite:///{path}")
    with with_file.read() as transaction:
        found = [endpoint.name for endpoint in transaction.endpoints.list()]
    with_file.close()
    return found


@pytest.fixture
def other(tmp_path, make):
    """Path of the closed store with one endpoint, which is moved over the first."""
    (tmp_path / "aside").mkdir()
    path = tmp_path / "aside" / "other.sqlite"
    store = open_store(f"sqlite:///{path}")
    add(store, make.endpoint(7))
    store.close()
    return path


def test_writes_to_a_replaced_file_are_refused_and_the_new_file_is_unchanged(sqlite_store, path, other, make):
    add(sqlite_store, make.endpoint(1))
    content = other.read_bytes()
    other.replace(path)
    for number in range(2, 20):
        error = refused(add, sqlite_store, make.endpoint(number))
        assert (error.code, error.reason) == (Code.UNAVAILABLE, "STORE_REPLACED")
        assert "Restart the server" in error.message
    assert refused(sqlite_store.ping).reason == "STORE_REPLACED"
    assert path.read_bytes() == content
    sqlite_store.close()
    assert names(path) == ["endpoint-7"]


def test_writes_to_a_deleted_file_are_refused_until_it_is_back(sqlite_store, path, make):
    add(sqlite_store, make.endpoint(1))
    aside = path.with_name("aside")
    path.rename(aside)
    error = refused(add, sqlite_store, make.endpoint(2))
    assert (error.code, error.reason) == (Code.UNAVAILABLE, "STORE_REPLACED")
    assert refused(sqlite_store.ping).reason == "STORE_REPLACED"
    aside.rename(path)
    sqlite_store.ping()
    add(sqlite_store, make.endpoint(2))
    sqlite_store.close()
    assert names(path) == ["endpoint-1", "endpoint-2"]


def test_a_file_replaced_within_a_transaction_is_not_written(sqlite_store, path, other, make):
    def replace_meanwhile() -> None:
        with sqlite_store.write() as transaction:
            transaction.endpoints.add(make.endpoint(1))
            other.replace(path)

    assert refused(replace_meanwhile).reason == "STORE_REPLACED"
    sqlite_store.close()
    assert names(path) == ["endpoint-7"]


@pytest.fixture
def large(sqlite_store, path):
    """The store with more in its file than its write-ahead log can hold."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE filler (data BLOB); INSERT INTO filler VALUES (zeroblob(8000000)); PRAGMA wal_checkpoint(TRUNCATE)"
        )
    return sqlite_store


def copy(source, target) -> None:
    """Copy into a file in place, in a process of its own: closing a file ends all locks that this process has on it."""
    subprocess.run(["cp", source, target], check=True)


@pytest.mark.parametrize("how", ["emptied", "truncated", "overwritten"])
def test_writes_to_a_file_that_was_truncated_or_overwritten_in_place_are_refused(large, path, other, make, how):
    add(large, make.endpoint(1))
    intact = path.with_name("intact")
    copy(path, intact)
    if how == "overwritten":
        copy(other, path)
    else:
        os.truncate(path, 0 if how == "emptied" else path.stat().st_size // 2)
    for _ in range(2):
        error = refused(add, large, make.endpoint(2))
        assert (error.code, error.reason) == (Code.UNAVAILABLE, "STORE_REPLACED")
        assert "truncated or overwritten" in error.message
        assert refused(large.ping).reason == "STORE_REPLACED"
    copy(intact, path)
    large.ping()
    add(large, make.endpoint(2))
    large.close()
    assert names(path) == ["endpoint-1", "endpoint-2"]


def test_a_small_file_that_was_emptied_is_noticed(sqlite_store, path, make):
    add(sqlite_store, make.endpoint(1))
    os.truncate(path, 0)
    assert refused(add, sqlite_store, make.endpoint(2)).reason == "STORE_REPLACED"
    assert refused(sqlite_store.ping).reason == "STORE_REPLACED"


def test_a_file_that_shrinks_and_grows_by_itself_is_not_refused(large, path, make):
    with closing(sqlite3.connect(path)) as connection:
        for number in range(1, 30):
            connection.execute("DELETE FROM filler")
            connection.commit()
            connection.executescript("PRAGMA incremental_vacuum")
            add(large, make.endpoint(number))
            large.ping()
            connection.execute("INSERT INTO filler VALUES (zeroblob(?))", (number * 200_000,))
            connection.commit()
            large.ping()
            if number % 3 == 0:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            add(large, make.endpoint(100 + number))


def test_no_new_connection_reads_the_new_file(sqlite_store, path, other, make):
    add(sqlite_store, make.endpoint(1))

    def read_twice() -> None:
        # A nested transaction needs a second connection.
        with sqlite_store.read(), sqlite_store.read():
            other.replace(path)
            with sqlite_store.read():
                pass

    assert refused(read_twice).reason == "STORE_REPLACED"


@pytest.mark.parametrize("leftover", [".key", "-wal"])
def test_no_new_store_is_made_beside_what_an_earlier_one_left(path, leftover):
    left = path.with_name(path.name + leftover)
    if leftover == ".key":
        KeyFile(left).create()
    else:
        left.write_bytes(b"wal")
    before = left.read_bytes()
    url = f"sqlite:///{path}"

    def first_token() -> None:
        with open_tokens(url, create=True):
            pass

    for attempt in (lambda: open_store(url), lambda: upgrade_database(find_database(url)), first_token):
        error = refused(attempt)
        assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "STORE_FILE")
        assert str(left) in error.message
        assert "--new-store" in error.message
        assert "db restore" in error.message
        assert not path.exists()
        assert left.read_bytes() == before
    open_store(url, new_store=True).close()
    assert path.exists()
    # It is not an earlier store's any more.
    open_store(url).close()


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
@pytest.mark.parametrize("part", ["", "-wal"])
def test_a_file_that_others_can_write_to_is_rejected(sqlite_store, path, make, mode, part):
    add(sqlite_store, make.endpoint())
    path.with_name(path.name + part).chmod(mode)
    error = refused(open_store, f"sqlite:///{path}")
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "STORE_FILE")
    assert f"mode {mode:04o}" in error.message
    assert f"chmod 600 {path}{part}" in error.message


def test_a_file_that_others_can_read_is_accepted(sqlite_store, path):
    sqlite_store.close()
    path.chmod(0o644)
    open_store(f"sqlite:///{path}").close()


def test_a_fifo_is_not_a_store(path):
    os.mkfifo(path)
    error = refused(open_store, f"sqlite:///{path}")
    assert (error.reason, "not a regular file" in error.message) == ("STORE_FILE", True)


def test_a_key_file_that_is_a_fifo_is_rejected_without_waiting(path, tmp_path):
    os.mkfifo(tmp_path / "fifo", 0o600)
    error = refused(open_store, f"sqlite:///{path}", keys=[KeyFile(tmp_path / "fifo")])
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "KEY_FILE")
    assert "not a regular file" in error.message
    assert "--key-command" in error.message
    assert not path.exists()


def test_a_default_key_file_that_is_a_fifo_is_rejected_without_waiting(sqlite_store, path):
    sqlite_store.close()
    key = path.with_name(path.name + ".key")
    key.unlink()
    os.mkfifo(key, 0o600)
    assert "not a regular file" in refused(open_store, f"sqlite:///{path}").message


@pytest.mark.parametrize("special", ["/dev/zero", "/dev/null", "/tmp"])
def test_a_device_or_a_folder_is_not_a_key_file(path, special):
    assert "not a regular file" in refused(open_store, f"sqlite:///{path}", keys=[KeyFile(Path(special))]).message


@pytest.fixture
def foreign_key_file(tmp_path, monkeypatch):
    """A key file of user 65534 in a folder of root."""
    if os.geteuid() == 0:
        key = KeyFile(tmp_path / "key")
        key.create()
        os.chown(key.path, 65534, 65534)
        yield key, 65534
        return
    # Only root can give a file away. Its folder has to be root's, and this process pretends to be of another user.
    with tempfile.TemporaryDirectory() as name:
        key = KeyFile(Path(name).parent / f"{Path(name).name}.key")
        key.create()
        own = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: own + 1)
        yield key, own
        key.path.unlink()


def test_a_key_file_of_another_user_is_rejected(path, foreign_key_file):
    key, owner = foreign_key_file
    error = refused(open_store, f"sqlite:///{path}", keys=[key])
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "KEY_FILE")
    assert f"belongs to user {owner}" in error.message
    assert not path.exists()


def test_a_key_file_of_its_folders_owner_is_accepted(path, tmp_path, monkeypatch):
    folder = tmp_path / "theirs"
    folder.mkdir()
    key = KeyFile(folder / "key")
    key.create()
    if os.geteuid() == 0:
        os.chown(key.path, 65534, 65534)
        os.chown(folder, 65534, 65534)
    else:
        own = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    open_store(f"sqlite:///{path}", keys=[key]).close()


@pytest.fixture
def backup(other, tmp_path):
    """A backup of the other store."""
    database = find_database(f"sqlite:///{other}")
    open_database(database, create=False)
    write_backup(database, tmp_path / "backup", lambda _done, _total: None)
    database.dispose()
    return tmp_path / "backup"


def restore(path, backup) -> None:
    database = find_database(f"sqlite:///{path}")
    try:
        restore_backup(database, backup, lambda _done, _total: None, accept_unsealed=True)
    finally:
        database.dispose()


def test_a_restore_beside_an_open_store_is_refused(sqlite_store, path, backup):
    assert refused(restore, path, backup).reason == "STORE_NOT_EMPTY"
    sqlite_store.ping()


def test_a_restore_beside_a_log_without_its_file_is_refused(sqlite_store, path, backup, make):
    add(sqlite_store, make.endpoint(1))
    path.unlink()
    error = refused(restore, path, backup)
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "STORE_FILE")
    assert f"{path}-wal" in error.message
    assert not path.exists()


def test_a_restore_beside_the_key_of_the_lost_store_is_accepted(sqlite_store, path, backup):
    sqlite_store.close()
    path.unlink()
    restore(path, backup)
    assert names(path) == ["endpoint-7"]

from __future__ import annotations

import base64
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store import open_store
from gateway_entities.server.store.crypto.key_sources import KeyFile
from tests.server.consistency.failing_server import PROCESSES
from tests.server.store.conftest import open_files


def url(path):
    return f"sqlite:///{path}"


def key_path(path):
    return path.with_name(path.name + ".key")


@pytest.fixture
def used(path, make):
    """Path of a closed store with one secret."""
    store = open_store(url(path))
    with store.write() as transaction:
        transaction.secrets.add(make.secret(), {"k": "v"})
    store.close()
    return path


def refused(address, **options):
    with pytest.raises(GatewayError) as caught:
        open_store(address, **options)
    assert "sqlite3" not in caught.value.message
    assert "SELECT" not in caught.value.message
    return caught.value


def test_data_survives_a_restart(used, make):
    store = open_store(url(used))
    with store.read() as transaction:
        assert transaction.secrets.list() == [make.secret()]
        assert transaction.secrets.reveal("s-0001") == {"k": "v"}
    store.close()


def test_new_files_have_mode_0600_for_any_umask(path, make):
    before = os.umask(0)
    try:
        store = open_store(url(path))
        with store.write() as transaction:
            transaction.secrets.add(make.secret(), {"k": "v"})
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert modes == dict.fromkeys((path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}.key"), 0o600)


def test_files_are_created_with_mode_0600(path, monkeypatch):
    """SQLite itself would create the database with mode 0644."""
    made = []
    real = os.open

    def spy(name, flags, mode=0o777, **options):
        if flags & os.O_CREAT:
            made.append((Path(name).name, mode, bool(flags & os.O_EXCL)))
        return real(name, flags, mode, **options)

    monkeypatch.setattr(os, "open", spy)
    open_store(url(path)).close()
    assert made == [(path.name, 0o600, True), (f"{path.name}.key", 0o600, True)]


def test_the_key_file_is_one_line_of_base64(path):
    open_store(url(path)).close()
    text = key_path(path).read_text()
    assert text.endswith("\n")
    assert text.count("\n") == 1
    assert len(base64.b64decode(text)) == 32


def test_a_configured_key_file_is_used_and_no_other_created(path, tmp_path, make):
    key = tmp_path / "given"
    key.write_bytes(base64.b64encode(bytes(range(32))))
    key.chmod(0o400)
    for _ in range(2):
        store = open_store(url(path), keys=[KeyFile(key)])
        with store.write() as transaction:
            transaction.secrets.remove("s-0001")
            transaction.secrets.add(make.secret(), {"k": "v"})
        store.close()
    assert not key_path(path).exists()


def test_a_configured_key_file_must_exist(path, tmp_path):
    error = refused(url(path), keys=[KeyFile(tmp_path / "absent")])
    assert error.code is Code.FAILED_PRECONDITION
    assert error.reason == "KEY_FILE"
    assert str(tmp_path / "absent") in error.message
    assert not path.exists(), "nothing is created before the key is read"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o610])
def test_a_key_file_accessible_to_others_is_rejected(used, mode):
    key_path(used).chmod(mode)
    error = refused(url(used))
    assert error.code is Code.FAILED_PRECONDITION
    assert "chmod 600" in error.message
    assert str(key_path(used)) in error.message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"not base64!",
        base64.b64encode(bytes(31)),
        base64.b64encode(bytes(33)),
        bytes(32),
        b"\xff" * 44,
        b"A" * 5000,
    ],
)
def test_a_malformed_key_file_is_rejected_unchanged(used, content):
    key_path(used).write_bytes(content)
    error = refused(url(used))
    assert error.code is Code.FAILED_PRECONDITION
    assert "does not hold a key" in error.message
    assert key_path(used).read_bytes() == content


def test_a_key_file_must_not_be_a_folder(used):
    key_path(used).unlink()
    key_path(used).mkdir(mode=0o700)
    assert refused(url(used)).reason == "KEY_FILE"


def test_a_missing_key_is_an_error_if_there_are_secrets(used):
    key_path(used).unlink()
    error = refused(url(used))
    assert error.code is Code.FAILED_PRECONDITION
    assert "restore it" in error.message
    assert stored_key_id(used) in error.message
    assert not key_path(used).exists()


def test_a_missing_key_is_replaced_if_there_are_no_secrets(path):
    open_store(url(path)).close()
    before = key_path(path).read_bytes()
    key_path(path).unlink()
    open_store(url(path)).close()
    assert key_path(path).read_bytes() != before


def test_another_key_is_rejected_naming_both(used, tmp_path, path):
    other = tmp_path / "other.sqlite"
    open_store(url(other)).close()
    error = refused(url(used), keys=[KeyFile(key_path(other))])
    assert error.code is Code.FAILED_PRECONDITION
    assert stored_key_id(used) in error.message
    assert "holds key" in error.message
    shutil.copy(key_path(other), key_path(used))
    assert refused(url(used)).message == error.message.replace(str(key_path(other)), str(key_path(used)))


def test_a_missing_folder_is_named(tmp_path):
    error = refused(url(tmp_path / "absent" / "gateway.sqlite"))
    assert error.code is Code.FAILED_PRECONDITION
    assert f"the folder {tmp_path / 'absent'} does not exist" in error.message


def test_a_folder_is_not_a_store(tmp_path):
    assert "it is a folder" in refused(url(tmp_path)).message


@pytest.mark.parametrize("content", [b"not a database" * 100, b"x", bytes(8192)])
def test_another_file_format_is_rejected_unchanged(path, content):
    path.write_bytes(content)
    error = refused(url(path))
    assert error.code is Code.FAILED_PRECONDITION
    assert str(path) in error.message
    assert "not a SQLite database" in error.message
    assert path.read_bytes() == content
    assert not key_path(path).exists()


def test_another_programs_database_is_rejected_unchanged(path):
    with connected(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    content = path.read_bytes()
    error = refused(url(path))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "STORE_SCHEMA")
    assert "belongs to another program" in error.message
    assert path.read_bytes() == content


def test_a_newer_revision_is_rejected(used):
    with connected(used) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    error = refused(url(used))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "STORE_SCHEMA")
    assert "9999" in error.message


def test_a_damaged_database_is_rejected(used):
    content = used.read_bytes()
    used.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    error = refused(url(used))
    assert error.code is Code.FAILED_PRECONDITION
    assert "damaged" in error.message


@pytest.mark.parametrize(
    "address",
    [
        "",
        "gateway.sqlite",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://host/gateway.sqlite",
        "sqlite:///gateway.sqlite?mode=memory",
        "sqlite+aiosqlite:///gateway.sqlite",
        "mysql://user:hunter2@host/db",
        "postgresql+psycopg://user:hunter2@host:port/db",
    ],
)
def test_malformed_urls_are_rejected_without_showing_the_password(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = refused(address)
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, "STORE_URL")
    assert "sqlite:///" in error.message
    assert "hunter2" not in error.message
    assert list(tmp_path.iterdir()) == []


def test_a_relative_path_is_resolved_on_opening(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///gateway.sqlite")
    monkeypatch.chdir("/")
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint())
    store.close()
    assert (tmp_path / "gateway.sqlite").exists()


@pytest.mark.parametrize("name", ["a b.sqlite", "a%20b.sqlite", "file:a.sqlite", "ä\U0001f511.sqlite", "a#b.sqlite"])
def test_special_characters_in_file_names(tmp_path, name, make):
    open_store(url(tmp_path / name)).close()
    assert {file.name for file in tmp_path.iterdir()} == {name, f"{name}.key"}


@contextmanager
def unprivileged() -> Iterator[Path]:
    """A folder that this process can only read."""
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    try:
        yield_folder = folder
        if root:
            folder.chmod(0o755)
            os.seteuid(65534)
        else:
            folder.chmod(0o555)
        yield yield_folder
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_read_only_folder_is_rejected():
    with unprivileged() as folder:
        error = refused(url(folder / "gateway.sqlite"))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "STORE_FILE")
    assert "Permission denied" in error.message


def test_a_read_only_file_is_rejected(tmp_path):
    open_store(url(tmp_path / "gateway.sqlite")).close()
    content = (tmp_path / "gateway.sqlite").read_bytes()
    with unprivileged() as folder:
        as_owner(lambda: (folder / "gateway.sqlite").write_bytes(content), folder)
        (folder / "gateway.sqlite").exists()
        error = refused(url(folder / "gateway.sqlite"))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "STORE_FILE")
    assert "cannot be written to" in error.message or "cannot be opened" in error.message


def as_owner(action, folder):
    effective = os.geteuid()
    os.seteuid(os.getuid())
    mode = stat.S_IMODE(folder.stat().st_mode)
    folder.chmod(0o755)
    action()
    folder.chmod(mode)
    os.seteuid(effective)


def test_threads_may_open_a_new_store_concurrently(path, make):
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(lambda _: open_store(url(path)), range(6)))
    with stores[0].write() as transaction:
        transaction.secrets.add(make.secret(), {"k": "v"})
    for store in stores:
        with store.read() as transaction:
            assert transaction.secrets.reveal("s-0001") == {"k": "v"}
        store.close()


def test_processes_may_open_a_new_store_concurrently(path, make):
    # Processes forked from this one would share its state.
    with PROCESSES.Pool(3) as pool:
        results = pool.map(open_and_close, [str(path)] * 6, chunksize=1)
        pool.close()
        pool.join()
    assert results == ["ok"] * 6
    store = open_store(url(path))
    with store.write() as transaction:
        transaction.secrets.add(make.secret(), {"k": "v"})
    store.close()


def open_and_close(path):
    try:
        open_store(url(path)).close()
    except GatewayError as error:
        return str(error)
    return "ok"


@contextmanager
def connected(path):
    connection = sqlite3.connect(path)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def stored_key_id(path):
    with connected(path) as connection:
        return connection.execute("SELECT key_id FROM secrets").fetchone()[0]


@pytest.mark.parametrize("broken", ["key", "tables", "no database"])
def test_a_store_that_does_not_open_leaves_no_file_open(used, tmp_path, broken):
    if broken == "key":
        key_path(used).unlink()
        KeyFile(key_path(used)).create()
    elif broken == "tables":
        with closing(sqlite3.connect(used)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'unknown'")
            connection.commit()
    else:
        used.write_bytes(b"no database" * 1000)
    before = open_files()
    with pytest.raises(GatewayError) as caught:
        open_store(url(used))
    # The error is still there, and with it the frames that would keep a forgotten connection alive.
    assert caught.value.__traceback__ is not None
    assert open_files() == before

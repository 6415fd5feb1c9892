"""Commands on media that cannot be written: those that only read work, the others name the cause."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway_entities.cli.app import cli
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store import open_store
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.server.store.sql.sqlite import SqliteDatabase
from gateway_entities.server.store.sql.sqlite_file import SqliteFile
from tests.users import USER, as_user, open_folder

FILES = ("gateway.sqlite", "gateway.sqlite.key", "gateway.sqlite-wal", "gateway.sqlite-shm")


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder and its files unwritable: by a read-only mount if this process may mount, otherwise by their modes."""
    mounted = (
        shutil.which("mount")
        and not subprocess.run(["mount", "--bind", "-o", "ro", folder, folder], capture_output=True, check=False).returncode
    )
    if mounted:
        try:
            # Older kernels ignore the option in the first step.
            subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True, capture_output=True)
            yield
        finally:
            subprocess.run(["umount", folder], check=True)
        return
    with without_permissions(folder):
        yield


@contextlib.contextmanager
def without_permissions(folder: Path) -> Iterator[None]:
    folder.chmod(0o555)
    try:
        if os.geteuid() != 0:
            yield
            return
        for file in folder.iterdir():
            # The store may be readable by others; the key may not.
            file.chmod(0o600 if file.suffix == ".key" else 0o444)
            if file.suffix == ".key":
                os.chown(file, USER, USER)
        with as_user(USER):
            yield
    finally:
        folder.chmod(0o755)


@pytest.fixture(params=[read_only, without_permissions])
def locked(request: pytest.FixtureRequest):
    return request.param


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a store that has a token and was closed, and a folder ``out`` that can be written."""
    with open_folder() as top:
        made = top / "store"
        made.mkdir()
        open_store(f"sqlite:///{made}/gateway.sqlite").close()
        with open_tokens(f"sqlite:///{made}/gateway.sqlite") as manager:
            manager.create("alice", AccessScope.READ)
        (top / "out").mkdir()
        (top / "out").chmod(0o777)
        yield made


def run(folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, [*arguments, "--store", f"sqlite:///{folder}/gateway.sqlite"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def read_commands(folder: Path) -> list[tuple[str, ...]]:
    return [("db", "check"), ("db", "backup", f"{folder.parent}/out/backup"), ("keys", "check"), ("token", "list")]


def test_commands_that_read_work_on_read_only_media(folder: Path, locked) -> None:
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with locked(folder):
        for command in read_commands(folder):
            result = run(folder, *command)
            assert result.exit_code == 0, result.output
        assert "alice" in result.stdout
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    restored = run(folder.parent / "out", "db", "restore", f"{folder.parent}/out/backup", "--accept-unsealed")
    assert restored.exit_code == 0, restored.output


def test_commands_that_write_name_the_cause_on_read_only_media(folder: Path, locked) -> None:
    with locked(folder):
        for command in (
            ("serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"),
            ("db", "upgrade"),
            ("db", "compact"),
            ("db", "clock", "accept"),
            ("token", "create", "bob", "--scope", "read"),
            ("token", "revoke", "alice"),
            ("token", "prune", "--older-than", "0s"),
            ("keys", "rotate", "--key-env", "OTHER_KEY", "--key-file", str(folder / "gateway.sqlite.key")),
        ):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("OTHER_KEY", "A" * 43 + "=")
                result = run(folder, *command)
            assert result.exit_code in {1, 2}, (command, result.output)
            assert result.stderr.startswith("error: "), (command, result.output)
            assert "written to" in result.stderr, (command, result.stderr)
            assert result.stderr.count("\n") == 1


def crashed(folder: Path) -> None:
    """Leave the folder as after a crash: with changes in the write-ahead log alone."""
    path = folder / "gateway.sqlite"
    copies = folder.parent / "copies"
    copies.mkdir()
    with contextlib.closing(open_store(f"sqlite:///{path}")):
        with open_tokens(f"sqlite:///{path}") as manager:
            manager.create("late", AccessScope.READ)
        for name in FILES:
            shutil.copy(folder / name, copies / name)
    for name in FILES:
        shutil.move(copies / name, folder / name)
    assert (folder / "gateway.sqlite-wal").stat().st_size > 0


def test_changes_in_the_log_are_read_on_read_only_media(folder: Path, locked) -> None:
    crashed(folder)
    with locked(folder):
        result = run(folder, "token", "list")
        assert result.exit_code == 0, result.output
        assert "late" in result.stdout
        assert run(folder, "db", "check").exit_code == 0


def test_changes_in_a_log_that_cannot_be_read_are_reported(folder: Path, locked) -> None:
    crashed(folder)
    (folder / "gateway.sqlite-shm").unlink()
    with locked(folder):
        for command in read_commands(folder):
            result = run(folder, *command)
            assert result.exit_code == 2
            assert f"{folder}/gateway.sqlite-wal" in result.stderr
            assert "Copy the file and its log" in result.stderr
    # As the message says.
    shutil.copytree(folder, folder.parent / "out" / "copy")
    assert "late" in run(folder.parent / "out" / "copy", "token", "list").stdout


def test_a_store_that_a_server_uses_is_read_with_its_log_though_that_is_empty(folder: Path, locked) -> None:
    path = folder / "gateway.sqlite"
    with contextlib.closing(open_store(f"sqlite:///{path}")):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert (folder / "gateway.sqlite-wal").stat().st_size == 0
        with locked(folder):
            file = SqliteFile(path)
            file.prepare(create=False, new=False)
            assert file.access == "mode=ro"


def test_a_store_that_changes_while_it_is_read_as_a_snapshot_is_an_error(folder: Path, locked) -> None:
    path = folder / "gateway.sqlite"
    with locked(folder):
        database = SqliteDatabase(path, 1.0)
        database.prepare(create=False)
        with database.read():
            pass
        # An open file keeps the media mounted.
        database.dispose()
    with open_tokens(f"sqlite:///{path}") as manager:
        manager.revoke("alice")
    with pytest.raises(GatewayError) as caught, database.read():
        pass
    database.dispose()
    assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "STORE_CHANGED")


def test_an_unwritable_place_of_a_backup_or_a_key_is_named(folder: Path, locked) -> None:
    with locked(folder):
        backup = run(folder, "db", "backup", f"{folder}/backup")
        key = CliRunner().invoke(cli, ["keys", "generate", f"{folder}/new.key"])
        vectors = CliRunner().invoke(cli, ["wire", "vectors", f"{folder}/vectors"])
    for result, code in ((backup, 2), (key, 2), (vectors, 2)):
        assert result.exit_code == code
        assert result.stderr.startswith("error: ")
        assert str(folder) in result.stderr
        assert result.stderr.count("\n") == 1


def test_without_a_temporary_folder_quickstart_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_folder() as folder, read_only(folder):
        # Python's own choice: these variables, then fixed folders, then the current one.
        monkeypatch.setattr(tempfile, "tempdir", None)
        monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(folder)])
        result = CliRunner().invoke(cli, ["quickstart"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: FAILED_PRECONDITION: ")
    assert "TMPDIR" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_working_directory_that_was_deleted_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    command = f"rmdir {folder}; {sys.executable} -P -m gateway_entities.cli db check"
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "current folder" in done.stderr


def test_a_read_only_file_of_sqlite_is_not_taken_for_a_current_one(folder: Path) -> None:
    """A store whose folder can be written is opened as ever."""
    with contextlib.closing(sqlite3.connect(folder / "gateway.sqlite")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert run(folder, "token", "list").exit_code == 0
    assert run(folder, "token", "revoke", "alice").exit_code == 0

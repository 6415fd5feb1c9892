"""The ``keys`` commands: output, exit codes, and no key in any output but that of ``generate -``."""

from __future__ import annotations

import base64
import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway_entities.cli.app import cli
from gateway_entities.entities import GatewaySecretInfo
from gateway_entities.server.store import open_store
from gateway_entities.server.store.crypto.key_sources import KeyFile

VALUE = "sk-canary-b1946ac92492d234"


class Folder:
    """A folder with a store, its key file and two others."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.own = path / "gateway.sqlite.key"
        self.new, self.spare = path / "new.key", path / "spare.key"
        self.ids = {file: KeyFile(file).create(file.stem).id for file in (self.new, self.spare)}
        self.url = f"sqlite:///{path}/gateway.sqlite"
        store = open_store(self.url)
        with store.write() as transaction:
            for number in range(3):
                transaction.secrets.add(GatewaySecretInfo(f"s-{number}", f"secret {number}", {}, 1, 1), {"k": VALUE})
        store.close()
        self.ids[self.own] = KeyFile(self.own).read()[0].id

    def secrets(self) -> list[str]:
        """Return all texts that must not be shown."""
        lines = [file.read_text().strip() for file in (self.own, self.new, self.spare) if file.exists()]
        keys = [line.rpartition(":")[2] for line in lines]
        return [VALUE, *keys, *(base64.b64decode(key).hex() for key in keys)]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def run(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(folder.path)
    monkeypatch.delenv("GATEWAY_ENTITIES_KEY", raising=False)

    def run(*arguments: str | Path, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["keys", *map(str, arguments)])
        assert result.exit_code == code, result.output
        assert not any(secret in result.output for secret in folder.secrets())
        return result

    return run


@pytest.fixture
def run_json(run: Callable[..., Result]) -> Callable[..., Any]:
    def run_json(*arguments: str | Path, code: int = 0) -> Any:
        return json.loads(run(*arguments, "--format", "json", code=code).stdout)

    return run_json


def test_generate_creates_a_private_file_and_prints_the_id(run: Callable[..., Result], folder: Folder) -> None:
    result = run("generate", "made.key", "--name", "2026-11")
    key = KeyFile(folder.path / "made.key").read()[0]
    assert result.stdout == f"key {key.id} (2026-11) in made.key\n"
    assert stat.S_IMODE((folder.path / "made.key").stat().st_mode) == 0o600
    again = run("generate", "made.key", code=2)
    assert "cannot be created: File exists" in again.stderr
    assert KeyFile(folder.path / "made.key").read()[0].id == key.id


def test_generate_to_standard_output(folder: Folder) -> None:
    result = CliRunner().invoke(cli, ["keys", "generate", "-", "--name", "x"])
    name, _, encoded = result.stdout.strip().partition(":")
    assert (name, len(base64.b64decode(encoded))) == ("x", 32)
    assert result.stderr.endswith(" (x)\n")
    assert encoded not in result.stderr


def test_generate_rejects_an_invalid_name(run: Callable[..., Result]) -> None:
    assert "A key's name is 1 to 64" in run("generate", "made.key", "--name", "a:b", code=2).stderr


def test_check_of_a_store_with_its_own_key(run: Callable[..., Result], folder: Folder) -> None:
    lines = run("check").stdout.splitlines()
    assert lines[1].split()[:4] == [folder.ids[folder.own], "-", "4", "encrypts"]
    assert lines[-1] == "All data can be decrypted."


def test_check_lists_unused_and_missing_keys(run: Callable[..., Result], folder: Folder) -> None:
    result = run("check", "--key-file", folder.own, "--key-file", folder.spare)
    assert f"Nothing is encrypted with key {folder.ids[folder.spare]} (spare)." in result.stdout
    missing = run("check", "--key-file", folder.new, code=1).stdout
    assert "NOT CONFIGURED" in missing
    for name in ("s-0", "s-1", "s-2", "store"):
        assert f"\n{name}: " in missing


def test_check_rotated(run: Callable[..., Result], folder: Folder) -> None:
    both = ("--key-file", folder.new, "--key-file", folder.own)
    run("check", *both)
    assert "run gateway-entities keys rotate" in run("check", "--rotated", *both, code=1).stdout
    run("rotate", *both)
    run("check", "--rotated", *both)
    run("check", "--rotated", "--key-file", folder.new)


def test_a_rotation_in_json(run_json: Callable[..., Any], folder: Folder) -> None:
    both = ("--key-file", folder.new, "--key-file", folder.own)
    key = {"id": folder.ids[folder.new], "name": "new", "from": f"the key file {folder.new}"}
    assert run_json("rotate", *both) == {"key": key, "rewrapped": 4, "left": {}, "unreadable": []}
    assert run_json("rotate", *both)["rewrapped"] == 0
    report = run_json("check", *both)
    assert report["keys"][0] == {**key, "data_keys": 4, "encrypts": True, "configured": True}
    assert (report["rotated"], report["unreadable"]) == (True, [])


def test_a_tampered_secret_is_reported_and_the_others_are_rotated(
    run: Callable[..., Result], run_json: Callable[..., Any], folder: Folder
) -> None:
    import sqlite3

    connection = sqlite3.connect(folder.path / "gateway.sqlite")
    with connection:
        connection.execute("UPDATE secrets SET secret_id = 's-moved' WHERE secret_id = 's-1'")
    connection.close()
    both = ("--key-file", folder.new, "--key-file", folder.own)
    found = run_json("check", *both, code=1)["unreadable"]
    assert [(each["secret_id"], each["reason"]) for each in found] == [("s-moved", "SECRET_UNREADABLE")]
    rotation = run_json("rotate", *both, code=1)
    assert (rotation["rewrapped"], rotation["left"]) == (3, {folder.ids[folder.own]: 1})
    assert [each["secret_id"] for each in rotation["unreadable"]] == ["s-moved"]
    assert "s-moved: " in run("rotate", *both, code=1).stdout


def test_errors_have_exit_code_2(run: Callable[..., Result], folder: Folder) -> None:
    assert (
        f"key {folder.ids[folder.own]} (3 of them), which is not configured"
        in run("rotate", "--key-file", folder.new, code=2).stderr
    )
    assert "does not exist" in run("check", "--store", "sqlite:///absent.sqlite", code=2).stderr
    assert not (folder.path / "absent.sqlite").exists()
    assert "does not exist" in run("check", "--key-file", "absent.key", code=2).stderr
    assert "is not set" in run("check", "--key-env", "NO_SUCH_VARIABLE", code=2).stderr
    assert "exit code 1" in run("check", "--key-command", "false", code=2).stderr
    run("check", "--no-such-option", code=2)


def test_the_first_key_given_encrypts_for_every_kind_of_source(
    run_json: Callable[..., Any], folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, file = ("--key-command", f"cat {folder.new}"), ("--key-file", folder.own)
    monkeypatch.setenv("GATEWAY_ENTITIES_KEY", folder.spare.read_text())

    def first(*arguments: str | Path) -> Any:
        return [key["name"] for key in run_json("check", *arguments)["keys"]]

    assert first(*command, *file) == ["new", None, "spare"]
    assert first(*file, *command) == [None, "new", "spare"]
    assert first("--key-env", "GATEWAY_ENTITIES_KEY", *file) == ["spare", None]
    assert first(*file, "--key-env", "GATEWAY_ENTITIES_KEY", *command) == [None, "spare", "new"]


def test_the_environment_variable_replaces_the_default_key_file(
    run_json: Callable[..., Any], folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_ENTITIES_KEY", folder.own.read_text())
    folder.own.rename(folder.path / "away.key")
    assert run_json("check")["keys"][0]["from"] == "the environment variable GATEWAY_ENTITIES_KEY"


def test_serve_reports_the_missing_key_before_it_listens(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY_ENTITIES_KEY", raising=False)
    result = CliRunner().invoke(cli, ["serve", "--store", folder.url, "--key-file", str(folder.new)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"encrypted with key {folder.ids[folder.own]} (3 of them), which is not configured" in result.stderr
    assert f"{folder.new} holds key {folder.ids[folder.new]} (new)" in result.stderr
    assert not any(secret in result.stderr for secret in folder.secrets())


def test_progress_is_shown_on_a_terminal_and_not_in_a_pipe(folder: Folder) -> None:
    command = [sys.executable, "-m", "gateway_entities.cli", "keys", "check", "--store", folder.url]
    piped = subprocess.run(command, capture_output=True, check=True)
    assert piped.stderr == b""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=theirs, check=True, env={**os.environ, "TERM": "xterm"}
        )
        os.close(theirs)
        theirs = -1
        shown = os.read(ours, 1 << 16)
    finally:
        os.close(ours)
        if theirs >= 0:
            os.close(theirs)
    assert done.stdout == piped.stdout
    assert b"decrypting" in shown

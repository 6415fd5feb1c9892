from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway_entities.cli.app import cli
from gateway_entities.entities import GatewayEndpoint, GatewaySecretInfo
from gateway_entities.server.store.repositories.change import Effect
from gateway_entities.server.store.sql.migrations import HEAD
from tests.stores import Place

CANARY = "sk-canary-1f0e8a"


def db(place: Place | None, *arguments: str, code: int = 0) -> Result:
    """Run a db command with the store URL in the environment, as for a URL with a password."""
    env = {} if place is None else {"GATEWAY_ENTITIES_STORE": place.url}
    result = CliRunner(env=env).invoke(cli, ["db", *arguments])
    assert result.exit_code == code, result.output
    assert CANARY not in result.output
    assert "pass%40" not in result.output
    assert "pass@" not in result.output
    return result


def db_json(place: Place, *arguments: str, code: int = 0) -> Any:
    return json.loads(db(place, *arguments, "--format", "json", code=code).stdout)


@pytest.fixture
def filled(place: Place) -> Place:
    store = place.open()
    with store.write() as transaction:
        transaction.secrets.add(GatewaySecretInfo("s-1", "key", {"k": "***"}, 1, 1), {"k": CANARY})
        transaction.endpoints.add(GatewayEndpoint("e-1", "chat", 1, 1))
    store.close()
    return place


def test_upgrade_creates_the_tables_once(place: Place) -> None:
    assert db_json(place, "upgrade") == {**db_json(place, "upgrade"), "before": None}
    assert f"already at revision {HEAD}." in db(place, "upgrade").stdout
    assert "No problem found." in db(place, "check").stdout


def test_check_reports_rows_and_problems(filled: Place) -> None:
    report = db_json(filled, "check")
    assert (report["schema"], report["newest"], report["problems"]) == (HEAD, HEAD, [])
    assert (report["rows"]["secrets"], report["rows"]["endpoints"], report["rows"]["bindings"]) == (1, 1, 0)
    filled.execute("UPDATE secrets SET masked_values = '{'")
    report = db_json(filled, "check", code=1)
    assert [(each["table"], each["key"]) for each in report["problems"]] == [("secrets", ["s-1"])]
    shown = db(filled, "check", code=1).stdout
    assert "secrets s-1: it cannot be read (JSONDecodeError)" in shown
    assert "1 problem found." in shown


def test_a_backup_is_not_written_to_standard_output(filled: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "not written to standard output" in db(filled, "backup", "-", code=2).stderr
    assert not Path("-").exists()


def test_a_backup_is_restored_into_a_new_store(filled: Place, tmp_path: Path) -> None:
    key = filled.keys[0].path if filled.path is None else Path(f"{filled.path}.key")
    saved = db_json(filled, "backup", str(tmp_path / "backup"), "--key-file", str(key))
    assert saved["rows"]["secrets"] == 1
    assert len(saved["keys"]) == 1
    assert saved["sealed_by"] == saved["keys"][0]
    target = f"sqlite:///{tmp_path / 'restored.sqlite'}"
    without = db(None, "restore", str(tmp_path / "backup"), "--store", target, code=2)
    assert "--accept-unsealed" in without.stderr
    assert not (tmp_path / "restored.sqlite").exists()
    shown = db(None, "restore", str(tmp_path / "backup"), "--store", target, "--key-file", str(key)).stdout
    assert f"It is sealed with key {saved['sealed_by']}." in shown
    assert "restored.sqlite restored: " in shown
    assert f"needs key {saved['keys'][0]}, which is not in the backup" in shown
    again = db(None, "restore", str(tmp_path / "backup"), "--store", target, "--key-file", str(key), code=2)
    assert again.stdout == ""
    assert "is not empty" in again.stderr
    assert db(filled, "backup", str(tmp_path / "backup"), code=2).stderr.count("\n") == 1


def test_an_unsealed_backup_has_to_be_accepted(filled: Place, tmp_path: Path) -> None:
    if filled.path is not None:
        Path(f"{filled.path}.key").rename(tmp_path / "kept.key")
    shown = db(filled, "backup", str(tmp_path / "backup")).stdout
    assert "its restore needs --accept-unsealed" in shown
    arguments = ("restore", str(tmp_path / "backup"), "--store", f"sqlite:///{tmp_path / 'restored.sqlite'}")
    assert db(None, *arguments, code=2).stderr.count("\n") == 1
    assert db(None, *arguments, "--accept-unsealed", "--max-line-mib", "1").exit_code == 0


def test_check_decrypts_with_a_key(filled: Place) -> None:
    key = filled.keys[0].path if filled.path is None else Path(f"{filled.path}.key")
    assert db_json(filled, "check", "--key-file", str(key))["decrypted"] is True
    if filled.path is None:
        assert "No key is configured" in db(filled, "check").stdout
    filled.execute("UPDATE secrets SET provider = 'other'")
    assert "secrets s-1: The value of secret 's-1' cannot be" in db(filled, "check", "--key-file", str(key), code=1).stdout


def test_errors_are_one_line(place: Place, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("no backup")
    absent = Place(f"sqlite:///{tmp_path / 'absent.sqlite'}")
    for arguments in (["check"], ["backup", str(tmp_path / "new")]):
        result = db(absent, *arguments, code=2)
        assert (result.stdout, result.stderr.count("\n")) == ("", 1)
        assert "does not exist" in result.stderr
    assert "not a backup" in db(place, "restore", str(tmp_path / "none"), code=2).stderr
    assert not (tmp_path / "absent.sqlite").exists()
    assert not (tmp_path / "new").exists()
    assert db(Place("oracle://scott:tiger@host/db"), "check", code=2).stderr.count("tiger") == 0


def test_an_empty_database_has_a_problem_and_no_backup(postgresql_place: Place, tmp_path: Path) -> None:
    assert "there are no tables" in db(postgresql_place, "check", code=1).stdout
    assert "There is no store" in db(postgresql_place, "backup", str(tmp_path / "new"), code=2).stderr


def test_no_progress_bar_in_a_pipe(filled: Place, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway_entities.cli", "db", "check"]
    env = {**os.environ, "GATEWAY_ENTITIES_STORE": filled.url}
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "No problem found." in done.stdout


def test_compact_deletes_old_changes_and_reports_sizes(place: Place) -> None:
    store = place.open()
    with store.write() as transaction:
        for changed_at in (1, 2, time.time_ns() // 1_000_000):
            transaction.changes.add("CreateGatewaySecret", None, changed_at, [Effect("secret", "s", None, "0" * 32, None)])
    store.close()
    done = db_json(place, "compact")
    assert (done["oldest"], done["revision"]) == (3, 3)
    assert done["before"]["used_bytes"] >= done["after"]["used_bytes"] > 0
    assert "revisions 3 to 3; used " in db(place, "compact", "--vacuum", "--max-changes", "5").stdout
    assert "--change-retention" in db(place, "compact", "--change-retention", "0", code=2).output
    assert "No problem found." in db(place, "check").stdout


def test_clock_accept_reports_the_time(tmp_path: Path) -> None:
    place = Place(f"sqlite:///{tmp_path}/gateway.sqlite", path=tmp_path / "gateway.sqlite")
    place.open().close()
    before = time.time_ns() // 1_000_000
    assert before <= db_json(place, "clock", "accept")["now"] <= time.time_ns() // 1_000_000
    assert "the clock is accepted; it is 20" in db(place, "clock", "accept").stdout


def test_clock_accept_needs_a_store_on_sqlite(tmp_path: Path, postgresql_place: Place) -> None:
    missing = Place(f"sqlite:///{tmp_path}/gateway.sqlite", path=tmp_path / "gateway.sqlite")
    assert "does not exist" in db(missing, "clock", "accept", code=2).stderr
    postgresql_place.open().close()
    assert "nothing to accept" in db(postgresql_place, "clock", "accept", code=2).stderr


def test_upgrade_beside_an_earlier_key_needs_new_store(tmp_path: Path) -> None:
    place = Place(f"sqlite:///{tmp_path}/gateway.sqlite", path=tmp_path / "gateway.sqlite")
    (tmp_path / "gateway.sqlite.key").touch(0o600)
    assert "--new-store" in db(place, "upgrade", code=2).stderr
    assert "upgraded from empty" in db(place, "upgrade", "--new-store").stdout

"""Which files with secrets are private: owners, groups and modes, and the volumes of Kubernetes."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway_entities.cli.app import cli
from gateway_entities.files import access_problem
from gateway_entities.server.server import Server
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.crypto.key_sources import KeyFile
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.server.tls import Tls
from gateway_entities.testing import gateway
from tests.certificates import Authority
from tests.users import GROUP, STRANGER, USER, as_user, needs_root, open_folder, secret_volume

PRIVATE = (0o400, 0o600, 0o700)
SHARED = (0o404, 0o406, 0o420, 0o440, 0o444, 0o604, 0o620, 0o640, 0o644, 0o660, 0o666, 0o610)


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


def problem(path: Path, mode: int, owner: int, group: int) -> str | None:
    path.touch()
    path.chmod(mode)
    os.chown(path, owner, group)
    with as_user(USER, GROUP):
        return access_problem(path, path.stat())


@needs_root
@pytest.mark.parametrize("group", [USER, GROUP, STRANGER])
def test_only_the_owner_may_access_a_file_of_this_user(folder: Path, group: int) -> None:
    assert [mode for mode in (*PRIVATE, *SHARED) if problem(folder / "f", mode, USER, group) is None] == [*PRIVATE]
    assert f"chmod 600 {folder}/f" in (problem(folder / "f", 0o640, USER, group) or "")


@needs_root
@pytest.mark.parametrize("group", [USER, GROUP])
def test_a_group_of_this_process_may_also_read_a_file_of_root(folder: Path, group: int) -> None:
    accepted = [mode for mode in (*PRIVATE, *SHARED) if problem(folder / "f", mode, 0, group) is None]
    assert accepted == [*PRIVATE, 0o440, 0o640]
    assert f"chmod 440 {folder}/f" in (problem(folder / "f", 0o444, 0, group) or "")


@needs_root
def test_another_group_may_not_read_a_file_of_root(folder: Path) -> None:
    assert [mode for mode in (*PRIVATE, *SHARED) if problem(folder / "f", mode, 0, STRANGER) is None] == [*PRIVATE]


@needs_root
def test_a_file_of_another_user_is_private_only_in_a_folder_of_that_user(folder: Path) -> None:
    for group in (USER, GROUP, STRANGER):
        assert "belongs to user 1002" in (problem(folder / "f", 0o400, STRANGER, group) or "")
    os.chown(folder, STRANGER, STRANGER)
    assert [mode for mode in (*PRIVATE, *SHARED) if problem(folder / "f", mode, STRANGER, GROUP) is None] == [*PRIVATE]


@needs_root
def test_for_root_its_own_files_have_no_exception(folder: Path) -> None:
    file = folder / "f"
    file.touch()
    accepted: list[int] = []
    for mode in (*PRIVATE, *SHARED):
        file.chmod(mode)
        accepted += [mode] if access_problem(file, file.stat()) is None else []
    assert accepted == [*PRIVATE]


async def start_and_stop(data: Path, volume: Path) -> None:
    server = Server(
        f"sqlite:///{data}/gateway.sqlite",
        grpc="127.0.0.1:0",
        http="127.0.0.1:0",
        keys=[KeyFile(volume / "store.key")],
        tls=Tls(volume / "tls.crt", volume / "tls.key"),
    )
    await server.start()
    await server.stop(0)


@needs_root
def test_the_secret_volume_of_a_pod_has_usable_keys_certificates_and_tokens(folder: Path, tmp_path: Path) -> None:
    pair = Authority(tmp_path / "authority").sign("server", "gateway", "127.0.0.1")
    with gateway() as running:
        with open_tokens(f"sqlite:///{running.store_path}") as manager:
            token = manager.create("alice", AccessScope.READ).text.encode()
        key = base64.b64encode(bytes(32))
        files = {"tls.crt": pair.cert.read_bytes(), "tls.key": pair.key.read_bytes(), "store.key": key, "token": token}
        volume, data = folder / "volume", folder / "data"
        volume.mkdir()
        data.mkdir()
        os.chown(data, USER, USER)
        secret_volume(volume, files)
        list_secrets = ["secret", "list", "--target", running.grpc_target, "--token-file", str(volume / "token")]
        with as_user(USER, GROUP):
            asyncio.run(start_and_stop(data, volume))
            listed = CliRunner().invoke(cli, list_secrets)
        assert listed.exit_code == 0, listed.output
        secret_volume(volume, files, mode=0o444)
        with as_user(USER, GROUP):
            for call in (Tls(volume / "tls.crt", volume / "tls.key").load, KeyFile(volume / "store.key").read):
                with pytest.raises(Exception, match="may be readable by a group of this process"):
                    call()
            refused = CliRunner().invoke(cli, list_secrets)
        assert (refused.exit_code, "revoke the token" in refused.stderr) == (2, True)

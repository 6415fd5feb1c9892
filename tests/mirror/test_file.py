"""The last-known-good file of a mirror."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.mirror import MirrorCore, load_mirror, save_mirror
from gateway_entities.server.watch import reader
from tests.mirror.messages import definition, endpoint, message, snapshot
from tests.server.service.conftest import Gateway
from tests.stores import sqlite_place


@pytest.fixture
def core() -> MirrorCore:
    core = MirrorCore()
    core.apply(snapshot(7, definition(1), endpoint(1, "chat", 1)))
    return core


def whole(body: bytes) -> bytes:
    """Return a file whose digest is right."""
    return b"gateway-entities mirror 1\n" + sha256(body).digest() + body


def refused(path: Path) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        load_mirror(path)
    assert caught.value.reason == "MIRROR_FILE"
    assert str(path) in caught.value.message
    return caught.value


def test_a_mirror_starts_from_its_file(core: MirrorCore, tmp_path: Path) -> None:
    path = tmp_path / "mirror"
    assert load_mirror(path) is None
    for _ in range(2):
        save_mirror(core, path)
        found = load_mirror(path)
        assert found is not None
        assert found.state.endpoints == core.state.endpoints
        assert (found.state.store_id, found.state.revision, found.resume_token) == ("store", 7, "token7")
        assert found.digest() == core.digest()
    assert os.listdir(tmp_path) == ["mirror"]


def test_the_file_is_private_from_its_first_byte(core: MirrorCore, tmp_path: Path) -> None:
    path = tmp_path / "mirror"
    path.touch(mode=0o644)
    before = os.umask(0)
    try:
        save_mirror(core, path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o644, 0o620])
def test_a_file_that_others_can_read_or_change_is_refused(core: MirrorCore, tmp_path: Path, mode: int) -> None:
    path = tmp_path / "mirror"
    save_mirror(core, path)
    path.chmod(mode)
    error = refused(path)
    assert error.code is Code.FAILED_PRECONDITION
    assert "chmod 600" in error.message


def test_a_damaged_file_is_refused(core: MirrorCore, tmp_path: Path) -> None:
    path = tmp_path / "mirror"
    save_mirror(core, path)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 1
        for content in (bytes(changed), whole[:place]):
            path.write_bytes(content)
            assert refused(path).code in {Code.FAILED_PRECONDITION, Code.DATA_LOSS}


@pytest.mark.parametrize(
    ("content", "code", "problem"),
    [
        (b"", Code.DATA_LOSS, "is empty"),
        (b"\n", Code.FAILED_PRECONDITION, "not a mirror file of this version"),
        (whole(b""), Code.DATA_LOSS, "no whole configuration"),
        (whole(snapshot(7, is_partial=True)), Code.DATA_LOSS, "no whole configuration"),
        (whole(message(7)), Code.DATA_LOSS, "no whole configuration"),
        (whole(snapshot(7, store_id="")), Code.DATA_LOSS, "no whole configuration"),
        (whole(b"\xff"), Code.DATA_LOSS, "cannot read"),
    ],
    ids=["empty", "text", "no body", "a part", "an update", "no store", "no message"],
)
def test_a_file_without_a_whole_configuration_is_refused(tmp_path: Path, content: bytes, code: Code, problem: str) -> None:
    path = tmp_path / "mirror"
    path.touch(mode=0o600)
    path.write_bytes(content)
    error = refused(path)
    assert error.code is code
    assert problem in error.message
    assert "delete it" in error.message


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "socket"])
def test_what_is_no_file_is_refused_immediately(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mirror"
    with contextlib.ExitStack() as stack:
        if kind == "pipe":
            os.mkfifo(path, 0o600)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        elif kind == "folder":
            path.mkdir(mode=0o700)
        else:
            stack.enter_context(socket.socket(socket.AF_UNIX)).bind(str(path))
        error = refused(path)
    assert error.code is Code.FAILED_PRECONDITION
    assert "is not a regular file" in error.message


def test_a_file_that_cannot_be_written_leaves_the_former_one(core: MirrorCore, tmp_path: Path) -> None:
    path = tmp_path / "mirror"
    path.mkdir()
    with pytest.raises(GatewayError, match="cannot be written") as caught:
        save_mirror(core, path)
    assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "MIRROR_FILE")
    assert os.listdir(tmp_path) == ["mirror"]
    with pytest.raises(GatewayError, match="cannot be written"):
        save_mirror(core, tmp_path / "none" / "mirror")


def test_the_file_has_no_value_of_a_secret(tmp_path: Path) -> None:
    place = sqlite_place(tmp_path / "store.sqlite", with_tables=True)
    store = place.open()
    try:
        gateway = Gateway(store, place)
        gateway.secret(secret_value={"api_key": "sk-CANARY-of-this-test", "other": "CANARY"}, auth_config={"region": "eu"})
        update = reader.read_update(store, None, reader.NOTHING)
    finally:
        store.close()
    assert update is not None
    core = MirrorCore()
    for each in update.messages:
        core.apply(each)
    path = tmp_path / "mirror"
    save_mirror(core, path)
    assert b"region" in path.read_bytes()
    assert b"CANARY" not in path.read_bytes()

"""Unix sockets: both servers on files that only their owner may use, and clients that call them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import stat
from pathlib import Path

import pytest

from gateway_entities.client import AsyncGatewayClient, GatewayClient
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.address import Address
from gateway_entities.server.server import Server
from gateway_entities.server.socket_file import SocketFile, bind_privately
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.server.tls import Tls
from tests.certificates import Authority

VALUE = {"api_key": "sk-0123456789abcdef"}


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short path, because those of sockets are limited."""
    return tmp_path_factory.mktemp("unix")


def new_server(folder: Path, **changes: object) -> Server:
    options: dict[str, object] = {"grpc": f"unix://{folder}/grpc.sock", "http": f"unix://{folder}/http.sock"}
    return Server(f"sqlite:///{folder}/gateway.sqlite", **(options | changes))  # type: ignore[arg-type]


async def use(target: str, token: str | None = None) -> list[str]:
    """Write and read with both clients; return the names of the secrets."""

    def use_blocking() -> None:
        with GatewayClient(target, token=token) as client:
            client.create_secret(f"sync-{target[:4]}", VALUE, provider="openai")

    await asyncio.to_thread(use_blocking)
    async with AsyncGatewayClient(target, token=token) as client:
        await client.create_secret(f"async-{target[:4]}", VALUE, provider="openai")
        return [secret.secret_name for secret in await client.list_secrets()]


async def test_clients_call_both_servers(folder: Path) -> None:
    server = new_server(folder)
    await server.start()
    try:
        assert server.grpc_target == f"grpc+unix://{folder}/grpc.sock"
        assert server.http_target == f"unix://{folder}/http.sock"
        assert len(await use(server.grpc_target)) == 2
        assert len(await use(server.http_target)) == 4
    finally:
        await server.stop(0)


@pytest.mark.parametrize("name", ["a b", "100%25", "\u00fc", "a:b?c#d"])
async def test_a_path_is_read_literally(folder: Path, name: str) -> None:
    server = new_server(folder, grpc=f"unix://{folder}/{name}.g", http=f"unix://{folder}/{name}.h")
    await server.start()
    try:
        assert {path.name for path in folder.iterdir() if path.is_socket()} == {f"{name}.g", f"{name}.h"}
        assert len(await use(server.grpc_target)) == 2
        assert len(await use(server.http_target)) == 4
    finally:
        await server.stop(0)


async def test_files_are_private_and_removed_at_the_end(folder: Path) -> None:
    before = os.umask(0)
    try:
        server = new_server(folder)
        await server.start()
        files = [folder / "grpc.sock", folder / "http.sock"]
        assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
        await server.stop(0)
        assert not any(file.exists() for file in files)
        assert os.umask(0) == 0, "the mask of the process is as before"
    finally:
        os.umask(before)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
async def test_a_file_that_a_killed_server_has_left_is_replaced(folder: Path, protocol: str) -> None:
    left = folder / f"{protocol}.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(left))
        listener.listen()
    server = new_server(folder)
    await server.start()
    try:
        assert stat.S_IMODE(left.stat().st_mode) == 0o600
        target = server.grpc_target if protocol == "grpc" else server.http_target
        assert len(await use(target)) == 2
    finally:
        await server.stop(0)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
async def test_the_file_of_a_server_that_runs_is_kept(folder: Path, protocol: str) -> None:
    addresses = {"grpc": "127.0.0.1:0", "http": "127.0.0.1:0"} | {protocol: f"unix://{folder}/{protocol}.sock"}
    running = new_server(folder, **addresses)
    await running.start()
    other = folder / "other"
    other.mkdir()
    second = new_server(other, **addresses)
    try:
        with pytest.raises(GatewayError) as caught:
            await second.start()
        assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "ADDRESS_UNAVAILABLE")
        assert "listens on it already" in caught.value.message
        assert len(await use(running.grpc_target if protocol == "grpc" else running.http_target)) == 2
    finally:
        await running.stop(0)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
async def test_another_file_is_kept(folder: Path, protocol: str) -> None:
    path = folder / f"{protocol}.sock"
    path.write_text("precious")
    with pytest.raises(GatewayError) as caught:
        await new_server(folder).start()
    assert "another file has this path" in caught.value.message
    assert path.read_text() == "precious"


async def test_a_lock_of_another_user_on_the_folder_delays_nothing(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        server = new_server(folder)
        await asyncio.wait_for(server.start(), 10)
        await server.stop(0)
    finally:
        os.close(opened)


def test_two_servers_do_not_start_on_one_path_together(folder: Path) -> None:
    address = Address.parse(f"unix://{folder}/http.sock")
    first, second = SocketFile(address, "HTTP"), SocketFile(address, "HTTP")
    with first.claimed() as path, bind_privately(path, 5):
        assert stat.S_IMODE((folder / "http.sock.lock").stat().st_mode) == 0o600
        with pytest.raises(GatewayError, match="another server starts to listen"), second.claimed():
            pass
    first.remove()


async def test_a_folder_that_does_not_exist_is_named(folder: Path) -> None:
    with pytest.raises(GatewayError) as caught:
        await new_server(folder, http=f"unix://{folder}/none/http.sock").start()
    assert caught.value.code is Code.UNAVAILABLE
    assert f"unix://{folder}/none/http.sock" in caught.value.message
    assert "No such file" in caught.value.message


def test_the_file_of_the_next_server_is_not_removed(folder: Path) -> None:
    address = Address.parse(f"unix://{folder}/http.sock")
    first, second = SocketFile(address, "HTTP"), SocketFile(address, "HTTP")
    with first.claimed() as path, bind_privately(path, 5):
        pass
    with second.claimed() as path, bind_privately(path, 5):
        pass
    first.remove()
    assert Path(address.path).is_socket()
    second.remove()
    assert not Path(address.path).exists()


async def test_a_token_is_required_once_the_store_has_one(folder: Path) -> None:
    server = new_server(folder)
    await server.start()
    try:
        with open_tokens(f"sqlite:///{folder}/gateway.sqlite") as tokens:
            token = tokens.create("alice", AccessScope.ADMIN).text
        for target in (server.grpc_target, server.http_target):
            assert len(await use(target, token)) >= 2
            with pytest.raises(GatewayError) as caught:
                await use(target)
            assert caught.value.code is Code.UNAUTHENTICATED
    finally:
        await server.stop(0)


async def test_a_unix_socket_has_no_tls(folder: Path) -> None:
    pair = Authority(folder).sign("server", "gateway", "127.0.0.1")
    server = new_server(folder, grpc="127.0.0.1:0", tls=Tls(pair.cert, pair.key))
    await server.start()
    try:
        assert server.grpc_target.startswith("grpcs://127.0.0.1:")
        assert len(await use(server.http_target)) == 2
    finally:
        await server.stop(0)


@pytest.mark.parametrize(
    "text",
    ["unix://", "unix:///", "unix://run/gw.sock", "unix:///run/", "unix:///a\nb", "unix:///a,b", "unix:///" + "a" * 107],
)
def test_a_malformed_path_is_refused(folder: Path, text: str) -> None:
    with pytest.raises(GatewayError) as caught:
        new_server(folder, http=text)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert "unix:///run/gateway.sock" in caught.value.message

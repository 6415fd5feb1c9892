"""The server as a whole: addresses, start and stop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway_entities import methods
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.server import Server
from gatewayentities.v1 import secret_pb2
from tests.server.raw import call, channel, http_failure, post_json, request, worker_threads, write_lock

CREATE, LIST = methods.CREATE_GATEWAY_SECRET, methods.LIST_GATEWAY_SECRET_INFOS
SECRET = {"secretName": "s", "secretValue": {"api_key": "sk-0123456789abcdef"}}


def new_server(folder: Path, **changes: str) -> Server:
    return Server(f"sqlite:///{folder}/gateway.sqlite", **({"grpc": "127.0.0.1:0", "http": "127.0.0.1:0"} | changes))


@asynccontextmanager
async def serving(folder: Path, **changes: str):
    server = new_server(folder, **changes)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(0)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize("address", ["0.0.0.0:0", "192.0.2.1:8080", "[::]:0", "[2001:db8::1]:80", "8.8.8.8:53"])
def test_an_address_that_is_not_loopback_is_refused(tmp_path, protocol, address):
    with pytest.raises(GatewayError) as caught:
        new_server(tmp_path, **{protocol: address})
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "NOT_LOOPBACK")
    assert address in caught.value.message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "address",
    ["", ":", ":8080", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80",
     "[127.0.0.1]:80", "[::1]", "gateway.example:80", "127.1:80", "grpc://127.0.0.1:1", "127.0.0.1:٣"],
)  # fmt: skip
def test_a_malformed_address_is_refused(tmp_path, address):
    with pytest.raises(GatewayError) as caught:
        new_server(tmp_path, http=address)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert "valid forms are" in caught.value.message


async def test_it_serves_on_the_ports_it_names(tmp_path):
    async with serving(tmp_path) as server:
        assert server.grpc_target.startswith("grpc://127.0.0.1:")
        assert server.http_target.startswith("http://127.0.0.1:")
        assert not server.grpc_target.endswith(":0")
        assert not server.http_target.endswith(":0")
        made = await asyncio.to_thread(post_json, server.http_target, CREATE, SECRET)
        with channel(server.grpc_target) as opened:
            [found] = (await asyncio.to_thread(call, opened, LIST, b"")).secrets
        assert found.secret_id == made.json["secret"]["secretId"]


@pytest.mark.parametrize(("host", "shown"), [("localhost", "localhost"), ("127.0.0.2", "127.0.0.2"), ("[::1]", "[::1]")])
async def test_other_loopback_addresses(tmp_path, host, shown):
    try:
        socket.create_server((shown.strip("[]"), 0), family=socket.AF_INET6 if shown == "[::1]" else socket.AF_INET).close()
    except OSError:
        pytest.skip(f"this machine has no {shown}")
    async with serving(tmp_path, grpc=f"{host}:0", http=f"{host}:0") as server:
        assert server.grpc_target.startswith(f"grpc://{shown}:")
        response = await asyncio.to_thread(request, server.http_target, "GET", "/readyz")
        assert response.status == 200
        with channel(server.grpc_target) as opened:
            await asyncio.to_thread(call, opened, LIST, b"")


@pytest.mark.parametrize("protocol", ["grpc", "http"])
async def test_a_port_in_use_is_a_clear_error_and_leaves_nothing_open(tmp_path, protocol):
    others = worker_threads()
    other = free_port()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        free = "http" if protocol == "grpc" else "grpc"
        server = new_server(tmp_path, **{protocol: address, free: f"127.0.0.1:{other}"})
        with pytest.raises(GatewayError) as caught:
            await server.start()
    assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "ADDRESS_UNAVAILABLE")
    assert address in caught.value.message
    # The other port, the store and the threads are free again.
    socket.create_server(("127.0.0.1", other)).close()
    assert worker_threads() <= others
    async with serving(tmp_path):
        pass


async def test_two_servers_never_share_a_port(tmp_path):
    async with serving(tmp_path) as server:
        for protocol, target in (("grpc", server.grpc_target), ("http", server.http_target)):
            with pytest.raises(GatewayError) as caught:
                await new_server(tmp_path, **{protocol: target.partition("//")[2]}).start()
            assert caught.value.code is Code.UNAVAILABLE


async def test_a_store_that_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(GatewayError):
        await new_server(tmp_path / "missing").start()


async def test_it_starts_again_on_the_same_store_and_ports(tmp_path):
    async with serving(tmp_path) as server:
        await asyncio.to_thread(post_json, server.http_target, CREATE, SECRET)
        addresses = {"grpc": server.grpc_target.partition("//")[2], "http": server.http_target.partition("//")[2]}
    async with serving(tmp_path, **addresses) as server:
        response = await asyncio.to_thread(post_json, server.http_target, LIST, {})
        assert [each["secretName"] for each in response.json["secrets"]] == ["s"]


async def test_stop_before_start_and_twice_does_nothing(tmp_path):
    server = new_server(tmp_path)
    await server.stop(1)
    await server.start()
    await asyncio.gather(server.stop(1), server.stop(1))
    await server.stop(1)


async def test_a_call_in_flight_ends_and_new_ones_are_refused(tmp_path):
    async with serving(tmp_path) as server:
        with channel(server.grpc_target) as opened:
            health = health_pb2_grpc.HealthStub(opened)
            watched = health.Watch(health_pb2.HealthCheckRequest())
            assert (await asyncio.to_thread(next, watched)).status == health_pb2.HealthCheckResponse.SERVING
            with write_lock(tmp_path / "gateway.sqlite"):
                over_http = asyncio.create_task(asyncio.to_thread(post_json, server.http_target, CREATE, SECRET))
                message = secret_pb2.CreateGatewaySecretRequest(secret_name="g", secret_value={"k": "0123456789"})
                over_grpc = asyncio.create_task(asyncio.to_thread(call, opened, CREATE, message))
                await asyncio.sleep(0.3)
                stopping = asyncio.create_task(server.stop(20))
                await asyncio.sleep(0.1)
                assert (await asyncio.to_thread(next, watched)).status == health_pb2.HealthCheckResponse.NOT_SERVING
                assert (await asyncio.to_thread(request, server.http_target, "GET", "/readyz")).status == 503
                assert (await asyncio.to_thread(request, server.http_target, "GET", "/healthz")).status == 200
                failure = http_failure(await asyncio.to_thread(post_json, server.http_target, LIST, {}))
                assert (failure.code, failure.reason) == ("unavailable", "STOPPING")
                with pytest.raises(grpc.RpcError) as caught:
                    await asyncio.to_thread(call, opened, LIST, b"")
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
                assert not stopping.done()
            assert (await over_http).status == 200
            assert (await over_grpc).secret.secret_name == "g"
            await stopping
            with pytest.raises(grpc.RpcError):
                list(watched)
        with pytest.raises(OSError, match="refused"):
            request(server.http_target, "GET", "/healthz")


async def test_calls_that_outlast_the_grace_are_unavailable(tmp_path):
    async with serving(tmp_path) as server:
        with channel(server.grpc_target) as opened, write_lock(tmp_path / "gateway.sqlite"):
            over_http = asyncio.create_task(asyncio.to_thread(post_json, server.http_target, CREATE, SECRET))
            message = secret_pb2.CreateGatewaySecretRequest(secret_name="g", secret_value={"k": "0123456789"})
            over_grpc = asyncio.create_task(asyncio.to_thread(call, opened, CREATE, message))
            await asyncio.sleep(0.3)
            stopping = asyncio.create_task(server.stop(0.2))
            assert http_failure(await over_http).code == "unavailable"
            with pytest.raises(grpc.RpcError) as caught:
                await over_grpc
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert not stopping.done(), "the store closes only after its transactions"
        await stopping


async def test_a_request_without_its_body_does_not_delay_the_stop(tmp_path):
    async with serving(tmp_path) as server:
        host, port = server.http_target.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {LIST.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
        writer.write(head.encode())
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await server.stop(20)
        assert time.monotonic() - began < 4
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        writer.close()
        await writer.wait_closed()


async def test_it_is_not_ready_when_its_store_is_gone(tmp_path):
    async with serving(tmp_path) as server:
        for path in tmp_path.iterdir():
            path.unlink()
        tmp_path.rmdir()
        response = await asyncio.to_thread(request, server.http_target, "GET", "/readyz")
        assert response.status == 503
        assert response.json["status"] == "unavailable"
        assert (await asyncio.to_thread(request, server.http_target, "GET", "/healthz")).status == 200
        tmp_path.mkdir()


async def test_nothing_is_left_after_a_stop(tmp_path):
    others = worker_threads()
    async with serving(tmp_path) as warm:
        await asyncio.to_thread(post_json, warm.http_target, LIST, {})
    before_tasks, before_files = asyncio.all_tasks(), len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        async with serving(tmp_path) as server:
            await asyncio.to_thread(post_json, server.http_target, LIST, {})
            with channel(server.grpc_target) as opened:
                await asyncio.to_thread(call, opened, LIST, b"")
        del server
    gc.collect()
    assert asyncio.all_tasks() == before_tasks
    assert worker_threads() <= others
    assert len(os.listdir("/proc/self/fd")) <= before_files + 3


SERVE = """
import asyncio, sys
from gateway_entities.server.server import Server
server = Server(sys.argv[1], grpc="127.0.0.1:0", http="127.0.0.1:0")
asyncio.run(server.run_until_signalled(float(sys.argv[2]), lambda server: print(server.http_target, flush=True)))
"""


def start_process(folder: Path, grace: float) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-W", "error", "-c", SERVE, f"sqlite:///{folder}/gateway.sqlite", str(grace)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    return process, process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_exits_with_0(tmp_path, number):
    process, target = start_process(tmp_path, 20)
    responses: list[int] = []
    with write_lock(tmp_path / "gateway.sqlite"):
        waiting = threading.Thread(target=lambda: responses.append(post_json(target, CREATE, SECRET).status))
        waiting.start()
        time.sleep(0.4)
        process.send_signal(number)
        time.sleep(0.3)
        assert process.poll() is None
    waiting.join()
    _, errors = process.communicate(timeout=20)
    assert responses == [200]
    assert (process.returncode, errors) == (0, "")


def test_a_signal_right_after_the_start_exits_with_0(tmp_path):
    process, _ = start_process(tmp_path, 20)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_a_second_signal_stops_without_grace(tmp_path):
    process, target = start_process(tmp_path, 60)
    codes: list[str] = []
    with write_lock(tmp_path / "gateway.sqlite"):
        waiting = threading.Thread(target=lambda: codes.append(http_failure(post_json(target, CREATE, SECRET)).code))
        waiting.start()
        time.sleep(0.4)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert waiting.is_alive()
        process.send_signal(signal.SIGTERM)
        waiting.join(5)
        assert codes == ["unavailable"]
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")

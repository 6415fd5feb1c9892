"""``gateway_entities.testing``, the gateway for tests of other projects."""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
import threading
import time
from concurrent.futures import Future

import grpc.aio
import pytest

from gateway_entities import GatewayClient, methods, testing
from gateway_entities.errors import Code, GatewayError
from gateway_entities.testing import gateway
from gatewayentities.v1 import secret_pb2
from tests.mirror.mirrors import create_endpoint, key_of
from tests.server.raw import call, channel, post_json

CREATE, LIST = methods.CREATE_GATEWAY_SECRET, methods.LIST_GATEWAY_SECRET_INFOS
SECRET = {"secretName": "s", "secretValue": {"api_key": "sk-0123456789abcdef"}}


def test_both_targets_share_one_store():
    with gateway() as running:
        assert running.store_path.is_file()
        assert post_json(running.http_target, CREATE, SECRET).status == 200
        with channel(running.grpc_target) as opened:
            assert [each.secret_name for each in call(opened, LIST, b"").secrets] == ["s"]


def test_each_gateway_has_a_separate_store_and_ports():
    with gateway() as one, gateway() as other:
        assert len({one.grpc_target, one.http_target, other.grpc_target, other.http_target}) == 4
        post_json(one.http_target, CREATE, SECRET)
        assert post_json(other.http_target, LIST, {}).json == {"revision": "0"}


def test_it_makes_tokens():
    with gateway() as running:
        token = running.create_token("ann", "read", "resolve", endpoints=["chat"])
        assert post_json(running.http_target, LIST, {}, authorization=f"Bearer {token}").status == 200
        with pytest.raises(
            GatewayError, match=r"'root' is not a scope; the scopes are read, write, admin, .*, gateway"
        ) as caught:
            running.create_token("bob", "root")
        assert caught.value.code is Code.INVALID_ARGUMENT
        with pytest.raises(GatewayError) as caught:
            running.create_token("ann", "read")
        assert caught.value.code is Code.ALREADY_EXISTS


async def test_a_mirror_that_resolves_is_one_line():
    with gateway() as running:
        with GatewayClient(running.http_target, token=running.create_token("test", "admin")) as client:
            create_endpoint(client, "chat", "sk-0123456789")
            create_endpoint(client, "other", "sk-0123456789")

        def resolve() -> str:
            with running.mirror() as mirror:
                return key_of(mirror.resolve("chat"))

        assert await asyncio.to_thread(resolve) == "sk-0123456789"
        async with running.async_mirror("limited", endpoints=["chat"]) as mirror:
            assert key_of(await mirror.resolve("chat")) == "sk-0123456789"
            with pytest.raises(GatewayError) as caught:
                await mirror.resolve("other")
            assert caught.value.code is Code.NOT_FOUND


def test_threads_files_and_ports_are_released():
    threads = set(threading.enumerate())
    with gateway() as running:
        folder = running.store_path.parent
        address = running.http_target.removeprefix("http://").split(":")
        post_json(running.http_target, CREATE, SECRET)
    assert not folder.exists()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address[0], int(address[1])), timeout=1)
    assert {thread for thread in threading.enumerate() if "_poll_wrapper" not in thread.name} <= threads


def test_an_error_in_the_block_propagates_and_stops_it():
    folders = []

    def fail() -> None:
        with gateway() as running:
            folders.append(running.store_path.parent)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not folders[0].exists()


def test_a_start_error_reaches_the_caller(monkeypatch, tmp_path):
    # The URL of a store cannot name a file in such a folder.
    odd = tmp_path / "what?"
    odd.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(odd))
    with pytest.raises(GatewayError) as caught, gateway():
        pass
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert not list(odd.iterdir())


def test_a_fault_on_the_way_to_the_start_reaches_the_caller(monkeypatch):
    monkeypatch.setattr("gateway_entities.testing._run", lambda server, *_: server.no_such_thing)
    with pytest.raises(AttributeError), gateway():
        pass


def test_an_interruption_during_the_start_ends_it(monkeypatch):
    class Interrupted(Future):
        def result(self, timeout=None):
            raise KeyboardInterrupt

    def start():
        with pytest.raises(KeyboardInterrupt), gateway():
            pass

    monkeypatch.setattr(testing, "Future", Interrupted)
    thread = threading.Thread(target=start, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


def test_the_grace_is_the_documented_second():
    assert "requests in flight have one second to complete" in " ".join((gateway.__doc__ or "").split())
    assert testing._GRACE == 1.0


async def test_it_works_beside_a_running_event_loop(caplog):
    with caplog.at_level(logging.ERROR), gateway() as running:
        async with grpc.aio.insecure_channel(running.grpc_target.removeprefix("grpc://")) as opened:
            create = opened.unary_unary(CREATE.path)
            requests = [
                secret_pb2.CreateGatewaySecretRequest(secret_name=f"s{n}", secret_value={"k": "0123456789"})
                for n in range(50)
            ]
            await asyncio.gather(*(create(each.SerializeToString()) for each in requests))
        response = await asyncio.to_thread(post_json, running.http_target, LIST, {})
        assert len(response.json["secrets"]) == 50
    # All event loops share grpcio's queue; some versions log harmless concurrent polls.
    assert not [record for record in caplog.records if "PollerCompletionQueue" not in record.getMessage()]


def test_an_unfinished_request_does_not_delay_the_end():
    with gateway() as running:
        host, port = running.http_target.removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)))
        connection.sendall(f"POST {LIST.path} HTTP/1.1\r\nHost: localhost\r\n".encode())
        time.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 4
    connection.close()

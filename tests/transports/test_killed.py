"""A server that is killed during a call, and a caller that is interrupted during one."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import CREATE_GATEWAY_SECRET as CREATE
from gateway_entities.methods import LIST_GATEWAY_SECRET_INFOS as LIST
from gateway_entities.transports import open_transport
from gatewayentities.v1.secret_pb2 import CreateGatewaySecretRequest, ListGatewaySecretInfosRequest
from tests.calls import call

REQUEST = CreateGatewaySecretRequest(secret_name="name", secret_value={"api_key": "value-of-the-key"})


@contextmanager
def server(store):
    """The server's process and its targets by scheme."""
    command = [sys.executable, "-m", "gateway_entities.cli", "serve", "--store", f"sqlite:///{store}"]
    command += ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = [process.stdout.readline() for _ in range(2)]
            yield process, dict(re.search(r"((\w+)://[\d.:]+)", line).groups()[::-1] for line in lines)
        finally:
            process.kill()


def test_a_server_killed_in_mid_call_is_unavailable(tmp_path, connect, pair):
    store = tmp_path / "gateway.sqlite"
    with server(store) as (process, targets), closing(sqlite3.connect(store)) as lock, ThreadPoolExecutor(1) as pool:
        transport = connect(targets[pair.split("-")[0]])
        call(transport, LIST, ListGatewaySecretInfosRequest(), timeout=10)
        # No one else writes while this transaction is open, so the call waits.
        lock.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(call, transport, CREATE, REQUEST)
        time.sleep(0.3)
        assert not waiting.done()
        process.send_signal(signal.SIGKILL)
        with pytest.raises(GatewayError) as caught:
            waiting.result(3)
        assert caught.value.code is Code.UNAVAILABLE
        lock.rollback()


@pytest.mark.parametrize("pair", ["grpc-sync", "http-sync"])
def test_an_interrupt_leaves_the_transport_usable(serve, pair):
    arrived, release = threading.Event(), threading.Event()

    def block(_incoming):
        arrived.set()
        release.wait(10)
        return b""

    transport = open_transport(serve(block).target)

    def interrupt():
        arrived.wait(5)
        time.sleep(0.1)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    for _ in range(3):
        arrived.clear()
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            call(transport, LIST, ListGatewaySecretInfosRequest(), timeout=10)
        thread.join()
    release.set()
    assert call(transport, LIST, ListGatewaySecretInfosRequest(), timeout=10).secrets == []
    transport.close()

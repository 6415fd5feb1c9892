"""A restart of the server that takes 3 seconds is no error for clients with a deadline of 20."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway_entities.client import GatewayClient
from gateway_entities.errors import GatewayError
from tests.client.server_client_pairs import PAIRS, connect
from tests.server.consistency.server_process import ServerProcess
from tests.stores import sqlite_place

DEADLINE_S = 20.0
DOWN_S = 3.0
CALLERS = 4
"""For each pair, half of them writers."""


class Load:
    """Callers that read or write until they are stopped."""

    def __init__(self) -> None:
        self.errors: list[GatewayError] = []
        self.written: set[str] = set()
        self.calls = 0
        self.stopped = threading.Event()

    def repeat(self, client: Any, prefix: str, *, write: bool) -> None:
        while not self.stopped.is_set():
            name = f"{prefix}-{len(self.written)}"
            try:
                if write:
                    client.create_secret(name, {"k": "sk-0123456789"}, timeout=DEADLINE_S)
                    self.written.add(name)
                else:
                    client.list_secrets(provider="other", timeout=DEADLINE_S)
            except GatewayError as error:
                self.errors.append(error)
                self.stopped.set()
            self.calls += 1

    def wait_for_calls(self, count: int) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while self.calls < count and not self.stopped.is_set():
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_restart_is_no_error_for_callers_with_time(tmp_path: Path, end: str) -> None:
    server, load = ServerProcess(sqlite_place(tmp_path / "gateway.sqlite"), tmp_path / "log"), Load()
    server.start()
    opened = {pair: connect(pair, server.targets["grpc"], server.targets["http"]) for pair in PAIRS}
    with ThreadPoolExecutor(CALLERS * len(PAIRS)) as pool:
        try:
            running = [
                pool.submit(load.repeat, client, f"{pair}-{number}", write=number % 2 == 0)
                for pair, client in opened.items()
                for number in range(CALLERS)
            ]
            load.wait_for_calls(200)
            getattr(server, end)()
            time.sleep(DOWN_S)
            server.start()
            load.wait_for_calls(load.calls + 200)
            load.stopped.set()
            for each in running:
                each.result(DEADLINE_S)
            assert load.errors == []
            with closing(GatewayClient(server.targets["grpc"])) as client:
                stored = {secret.secret_name for secret in client.list_secrets()}
            assert stored == load.written
        finally:
            load.stopped.set()
            server.kill()
            for client in opened.values():
                client.close()

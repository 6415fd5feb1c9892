"""The age of HTTP connections: an old one ends with a response that says so, and no request is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_entities.client import GatewayClient
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.server.server import Server
from tests.server.http.raw_http import HEALTH, connect, is_closed, post, read
from tests.stores import serving, sqlite_place

EMPTY_LIST = post()


@contextlib.contextmanager
def aged(folder: Path, seconds: float) -> Iterator[Server]:
    place = sqlite_place(folder / "gateway.sqlite", with_tables=True)
    with serving(place, limits=Limits(http_connection_age_s=seconds)) as server:
        yield server


@pytest.mark.parametrize("request_", [HEALTH, EMPTY_LIST], ids=["probe", "call"])
def test_an_old_connection_ends_with_its_next_response(tmp_path: Path, request_: bytes) -> None:
    with aged(tmp_path, 1e-6) as server:
        # The second one would be answered from the cache.
        for _ in range(2):
            with connect(server.http_target) as client:
                client.sendall(request_)
                response = read(client)
                assert response.status == 200
                assert response.headers.get_all("connection") == ["close"]
                assert is_closed(client)


@pytest.mark.parametrize("request_", [HEALTH, EMPTY_LIST], ids=["probe", "call"])
def test_a_young_connection_stays_open(tmp_path: Path, request_: bytes) -> None:
    with aged(tmp_path, 3600) as server, connect(server.http_target) as client:
        for _ in range(3):
            client.sendall(request_)
            response = read(client)
            assert response.status == 200
            assert response.headers.get("connection") is None


def test_no_call_of_a_client_is_lost(tmp_path: Path) -> None:
    with aged(tmp_path, 1e-6) as server, GatewayClient(server.http_target, retry_timeout=0) as client:
        for number in range(10):
            client.create_secret(f"s-{number}", {"api_key": "sk-0123456789abcdef"}, provider="openai")
            assert len(client.list_secrets()) == number + 1

"""Bodies: admitted by their headers before they are read, within a time, a size, and a budget for all of them."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.http.mlflow_rest import WholeList
from gateway_entities.server.rpc.byte_budget import ByteBudget
from gateway_entities.server.rpc.limits import MAX_REQUEST_BYTES, Limits
from gateway_entities.server.server import Server
from gatewayentities.v1 import endpoint_pb2
from tests.server.http.raw_http import CREATE, LIST, connect, head, is_alive, is_closed, post, read
from tests.stores import serving, sqlite_place

REST = "/api/3.0/mlflow/gateway/secrets/create"
ENDLESS = "content-length: 4000000"


@contextlib.contextmanager
def limited(folder: Path, *, require_token: bool = False, **limits: float) -> Iterator[Server]:
    place = sqlite_place(folder / "gateway.sqlite", with_tables=True)
    with serving(place, limits=Limits(**limits), require_token=require_token) as server:  # type: ignore[arg-type]
        yield server


@pytest.fixture(scope="module")
def closed_to_strangers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with limited(tmp_path_factory.mktemp("store"), require_token=True) as server:
        yield server.http_target


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (head(LIST, ENDLESS), 401),
        (head(LIST, "transfer-encoding: chunked"), 401),
        (head(LIST, ENDLESS, url=REST), 401),
        (head(LIST, ENDLESS, "authorization: Bearer wrong"), 401),
        (head(LIST, ENDLESS, url="/nowhere"), 404),
        (head(LIST, ENDLESS, url="/api/nowhere"), 404),
        (head(LIST, ENDLESS).replace(b"POST", b"PUT"), 405),
        (head(LIST, ENDLESS).replace(b"application/json", b"text/plain"), 415),
        (head(LIST, ENDLESS, url=REST).replace(b"application/json", b"text/plain"), 400),
        (head(LIST, f"content-length: {MAX_REQUEST_BYTES + 1}"), 429),
        (head(LIST, ENDLESS, host="attacker.example"), 403),
    ],
)
def test_a_request_is_refused_by_its_headers(closed_to_strangers: str, request_head: bytes, status: int) -> None:
    with connect(closed_to_strangers) as opened:
        # The rest of the body, or of its first chunk, never comes.
        opened.sendall(request_head + b"1")
        assert read(opened).status == status


def test_a_client_that_waits_for_100_continue_sends_no_body(closed_to_strangers: str) -> None:
    with connect(closed_to_strangers) as opened:
        opened.sendall(head(LIST, ENDLESS, "expect: 100-continue"))
        assert read(opened).status == 401


def test_a_body_is_not_read_before_its_sender_is_known(closed_to_strangers: str) -> None:
    """What is sent after the response is dropped; a client that sends first can read the response."""
    with connect(closed_to_strangers) as opened:
        opened.sendall(head(LIST, ENDLESS) + b"x" * 4_000_000)
        assert read(opened).status == 401
        opened.sendall(post())
        assert read(opened).status == 401


def test_the_rest_of_a_refused_body_is_bounded(closed_to_strangers: str) -> None:
    with connect(closed_to_strangers) as opened:
        opened.sendall(head(LIST, "transfer-encoding: chunked"))
        with pytest.raises(ConnectionError):
            opened.sendall((b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * 1000)


@pytest.mark.parametrize("url", [None, REST])
def test_a_body_has_to_arrive_in_time(tmp_path: Path, url: str | None) -> None:
    with limited(tmp_path, http_body_timeout_s=0.3) as server, connect(server.http_target) as opened:
        opened.sendall(head(CREATE, ENDLESS, url=url) + b"{")
        response = read(opened)
        assert response.status == 504
        assert "0.3 s" in response.json["message"]
        assert is_closed(opened)


def test_a_slow_body_in_many_packets_is_read(tmp_path: Path) -> None:
    names = ["x" * 100] * 3000
    body = json.dumps({"secretName": "s", "secretValue": {"api_key": "sk-0123456789abcdef"}, "ignored": names}).encode()
    with limited(tmp_path) as server, connect(server.http_target) as opened:
        data = post(body, method=CREATE, url=REST)
        for start in range(0, len(data), 50_000):
            opened.sendall(data[start : start + 50_000])
        assert read(opened).status in (200, 400)
        opened.sendall(post())
        assert read(opened).status == 200


@pytest.mark.parametrize(("url", "code"), [(None, "code"), (REST, "error_code")])
def test_bodies_over_the_budget_are_refused_and_small_ones_served(tmp_path: Path, url: str | None, code: str) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(limited(tmp_path, request_bytes_in_flight=1_000_000, http_body_timeout_s=20))
        uploads: list[socket.socket] = []
        for _ in range(4):
            opened = stack.enter_context(connect(server.http_target))
            opened.sendall(head(CREATE, ENDLESS, url=url) + b" " * 400_000)
            uploads.append(opened)
        refused = [opened for opened in uploads if answers(opened)]
        # Two fit, and a third as long as it is small.
        assert len(refused) == 2
        for opened in refused:
            response = read(opened)
            assert (response.status, response.headers["retry-after"]) == (503, "1")
            assert response.json[code] == {"code": "resource_exhausted", "error_code": "RESOURCE_LIMIT_EXCEEDED"}[code]
        assert is_alive(server.http_target)
        with connect(server.http_target) as opened:
            opened.sendall(post())
            assert read(opened).status == 200
        for opened in uploads:
            opened.close()
        # Their bytes are free again.
        for _ in range(3):
            with connect(server.http_target) as opened:
                opened.sendall(post(b"{" + b" " * 900_000 + b"}"))
                assert read(opened).status == 200


def answers(opened: socket.socket) -> bool:
    opened.settimeout(1)
    try:
        return bool(opened.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False


def test_a_budget_counts_the_bytes_of_its_leases() -> None:
    budget = ByteBudget(10, "requests")
    with budget.lease() as first, budget.lease() as second:
        first.grow(6)
        with pytest.raises(GatewayError) as caught:
            second.grow(5)
        assert (caught.value.code, caught.value.reason) == (Code.RESOURCE_EXHAUSTED, "OVERLOADED")
        second.grow(4)
        with pytest.raises(GatewayError) as caught:
            second.grow(11)
        assert caught.value.reason == "OVER_BUDGET"
        first.resize(5)
        second.grow(1)
        assert budget.used == 10
    assert budget.used == 0
    with pytest.raises(GatewayError) as caught:
        first.grow(1)
    assert caught.value.code is Code.CANCELLED


def test_a_budget_is_exact_with_many_threads() -> None:
    budget = ByteBudget(1_000_000, "requests")

    def use() -> None:
        for _ in range(2000):
            with budget.lease() as lease:
                lease.grow(3)
                lease.resize(1)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.used == 0


def fill(target: str) -> None:
    """Create secrets so that a list of them is larger than what is sent in one part."""
    for number in range(40):
        with connect(target) as opened:
            value = {f"k{field}": "x" * 500 for field in range(10)}
            body = {"secretName": f"s{number}", "secretValue": value, "authConfig": {"x": "y" * 8000}}
            opened.sendall(post(json.dumps(body).encode(), method=CREATE))
            response = read(opened)
            assert response.status == 200, response.body


@pytest.mark.parametrize("url", [None, "/api/3.0/mlflow/gateway/secrets/list"])
def test_a_response_that_is_over_the_budget_alone_is_refused_for_good(tmp_path: Path, url: str | None) -> None:
    with limited(tmp_path, response_bytes_in_flight=200_000) as server:
        fill(server.http_target)
        with connect(server.http_target) as opened:
            for _ in range(2):
                opened.sendall(post() if url is None else f"GET {url} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
                response = read(opened)
                assert (response.status, response.headers["retry-after"]) == (429 if url is None else 400, None)
                assert "200000 bytes" in response.json["message"]
            opened.sendall(post(b'{"pageSize": 1}'))
            assert read(opened).status == 200


def test_a_list_ends_when_its_caller_has_gone() -> None:
    budget, pages = ByteBudget(10_000, "responses"), list[str]()
    lease = budget.lease()

    def page(token: str) -> Any:
        pages.append(token)
        if len(pages) == 3:
            # What the event loop does when the connection is closed.
            lease.close()
        return endpoint_pb2.ListGatewayEndpointsResponse(next_page_token=f"after {len(pages)}")

    whole = WholeList(page, lease)
    assert whole.first() is None
    with pytest.raises(GatewayError) as caught:
        whole.rest()
    assert caught.value.code is Code.CANCELLED
    assert pages == ["", "after 1", "after 2"]
    assert budget.used == 0


def test_a_client_that_does_not_read_is_cut_off_and_its_bytes_are_free(tmp_path: Path) -> None:
    with limited(tmp_path, response_bytes_in_flight=500_000, http_write_timeout_s=1) as server:
        fill(server.http_target)
        host, _, port = server.http_target.removeprefix("http://").rpartition(":")
        with socket.socket() as opened:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            opened.connect((host, int(port)))
            # More than the system keeps for it.
            opened.sendall(post() * 16)
            # One response of 350,000 bytes waits for the client to read, so there is no room for another.
            assert wait_for(server.http_target, 503)
            assert wait_for(server.http_target, 200)
            opened.settimeout(20)
            with contextlib.suppress(ConnectionError):
                while opened.recv(100_000):
                    pass


def wait_for(target: str, status: int) -> bool:
    """Repeat a call until it has a status; return whether that happened."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connect(target) as opened:
            opened.sendall(post())
            if read(opened).status == status:
                return True
    return False

"""A flow that the network drops without telling either end, and connections that are lost in mid call."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports import grpc as grpc_transport
from tests.server.http2 import ACK, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame
from tests.transports.forwarder import Forwarder, forwarding


@pytest.fixture
def forwarded(serve, client):
    """Returns a client of a server behind a forwarder, and the forwarder."""
    opened = []

    def start(respond=lambda _incoming: b"", **options):
        server = serve(respond)
        opened.append(forwarding(server.port))
        forwarder: Forwarder = opened[-1].__enter__()
        return client(f"{server.scheme}://127.0.0.1:{forwarder.port}", **options), forwarder

    yield start
    for context in opened:
        context.__exit__(None, None, None)


def test_a_dropped_flow_costs_a_read_at_most_one_deadline(forwarded):
    client, forwarder = forwarded()
    assert client.list_secrets() == []
    forwarder.drop_flows()
    with pytest.raises(GatewayError) as caught:
        client.list_secrets(timeout=0.5)
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    for _ in range(3):
        assert client.list_secrets(timeout=5) == []
    assert forwarder.accepted == 2


def test_a_change_on_a_dropped_flow_is_made_within_its_deadline(forwarded):
    client, forwarder = forwarded()
    client.delete_secret("s-1")
    forwarder.drop_flows()
    client.delete_secret("s-1", timeout=2)
    assert forwarder.accepted == 2


@pytest.mark.parametrize("pair", ["grpc-sync", "grpc-async"])
def test_the_connection_to_a_slow_server_is_kept_while_it_answers_other_calls(forwarded):
    slow = threading.Event()

    def respond(_incoming):
        if slow.is_set():
            slow.clear()
            time.sleep(0.6)
        return b""

    client, forwarder = forwarded(respond, retry_timeout=0)
    client.list_secrets()
    slow.set()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(client.list_secrets, timeout=0.3)
        while slow.is_set():
            time.sleep(0.01)
        client.list_secrets()
        with pytest.raises(GatewayError) as caught:
            late.result(5)
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    client.list_secrets()
    assert forwarder.accepted == 1


@pytest.mark.parametrize("pair", ["grpc-sync", "grpc-async"])
def test_a_channel_that_was_replaced_still_brings_the_responses_of_its_calls(forwarded):
    arrived, release = threading.Barrier(3), threading.Event()

    def respond(incoming):
        if "Delete" in incoming.path:
            arrived.wait(5)
            release.wait(5)
        return b""

    client, forwarder = forwarded(respond)
    client.list_secrets()
    with ThreadPoolExecutor(2) as pool:
        patient = pool.submit(client.delete_secret, "s-1", timeout=60)
        hasty = pool.submit(client.delete_secret, "s-2", timeout=1)
        arrived.wait(5)
        # Its first attempt has half of the second; then there is a new channel.
        end = time.monotonic() + 5
        while forwarder.accepted < 2:
            assert time.monotonic() < end
            time.sleep(0.01)
        release.set()
        arrived.abort()
        patient.result(5)
        hasty.exception(5)
    # The old channel is closed after its last call.
    assert forwarder.wait_until_closed(0, 5)


@pytest.mark.parametrize("pair", ["grpc-sync", "grpc-async"])
def test_an_idle_connection_is_probed_and_closed_when_it_does_not_answer(forwarded, monkeypatch):
    sooner = {"grpc.keepalive_time_ms": 200, "grpc.keepalive_timeout_ms": 300, "grpc.http2.ping_timeout_ms": 300}
    before = dict(grpc_transport._OPTIONS)
    assert set(sooner) < set(before)
    assert before["grpc.keepalive_time_ms"] + before["grpc.keepalive_timeout_ms"] <= 30_000
    monkeypatch.setattr(grpc_transport, "_OPTIONS", tuple((before | sooner).items()))
    client, forwarder = forwarded()
    client.list_secrets()
    assert not forwarder.wait_until_closed(0, 0.8), "a connection that answers is kept"
    forwarder.drop_flows()
    assert forwarder.wait_until_closed(0, 5)
    client.list_secrets(timeout=5)


def _serve_http2(listener: socket.socket, ending: bytes) -> None:
    """Receive one call, and answer it with these frames."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(10)
        received = b""
        connection.sendall(frame(SETTINGS, 0, 0, b"") + frame(SETTINGS, ACK, 0, b""))
        while HEADERS not in _kinds(received):
            received += connection.recv(65536)
        connection.sendall(ending)
        while connection.recv(65536):
            pass


def _kinds(received: bytes) -> list[int]:
    """Return the types of the frames that have arrived."""
    kinds, position = [], len(PREFACE)
    while len(received) >= position + 9:
        kinds.append(received[position + 3])
        position += 9 + int.from_bytes(received[position : position + 3], "big")
    return kinds


# :status 200, and the content type, each a literal.
_RESPONSE = bytes([0x88, 0x00, 12]) + b"content-type" + bytes([16]) + b"application/grpc"


@pytest.mark.parametrize("pair", ["grpc-sync", "grpc-async"])
@pytest.mark.parametrize(
    "ending",
    [
        frame(HEADERS, END_HEADERS, 1, _RESPONSE) + frame(DATA, END_STREAM, 1, b""),
        frame(HEADERS, END_HEADERS, 1, _RESPONSE) + frame(RST_STREAM, 0, 1, bytes(4)),
    ],
    ids=["without trailers", "reset without an error"],
)
def test_a_call_that_ends_without_a_status(client, ending):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_serve_http2, args=(listener, ending))
        server.start()
        opened = client(f"grpc://127.0.0.1:{listener.getsockname()[1]}", retry_timeout=0)
        with pytest.raises(GatewayError) as caught:
            opened.list_secrets(timeout=5)
        opened.close()
        server.join()
    assert caught.value.code is Code.UNAVAILABLE

"""Streams of responses: what they do over gRPC and Connect, blocking and with asyncio."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import LIST_GATEWAY_CHANGES, WATCH_GATEWAY
from gateway_entities.server.rpc.auth import ANONYMOUS
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.transports import open_async_transport, open_transport
from tests.interop.language import ROOT
from tests.streaming_server import FLOOD_BYTES, streaming_server
from tests.streams import number_of, watch
from tests.transports.forwarder import forwarding


@pytest.fixture(scope="module")
def server():
    with streaming_server() as running:
        yield running


@pytest.fixture
def transport(server, pair, connect):
    return connect(server.targets[pair.split("-")[0]])


def protocol_of(pair):
    return pair.split("-")[0]


def failure(stream) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        next(stream)
    return caught.value


def later(function, seconds=0.2):
    timer = threading.Timer(seconds, function)
    timer.start()
    return timer


def test_messages_arrive_in_order_and_the_stream_ends(server, transport):
    stream = watch(transport, "count_to:500")
    assert [number_of(data) for data in stream] == list(range(500))
    assert list(stream) == []
    server.service.wait_for_end("count_to:500")


def test_a_stream_may_be_empty(transport):
    assert list(watch(transport, "count_to:0")) == []


def test_messages_come_before_the_error_that_ends_the_stream(transport):
    stream = watch(transport, "fail:3")
    assert [number_of(next(stream)) for _ in range(3)] == [0, 1, 2]
    error = failure(stream)
    assert (error.code, error.message, error.reason) == (
        Code.OUT_OF_RANGE,
        "the revision is gone",
        "REVISION_COMPACTED",
    )
    assert list(stream) == []


def test_a_fault_of_the_service_is_internal_and_shows_no_text(transport):
    stream = watch(transport, "crash:sk-0123456789")
    next(stream)
    error = failure(stream)
    assert error.code is Code.INTERNAL
    assert "sk-0123456789" not in str(error)


def test_the_deadline_ends_a_stream_that_is_silent(server, transport):
    stream = watch(transport, "wait:deadline", timeout=0.4)
    began = time.monotonic()
    next(stream)
    assert failure(stream).code is Code.DEADLINE_EXCEEDED
    assert 0.2 < time.monotonic() - began < 3
    server.service.wait_for_end("wait:deadline")


def test_closing_a_stream_ends_a_read_in_another_thread(server, transport):
    stream = watch(transport, "wait:close")
    next(stream)
    timer = later(stream.close)
    error = failure(stream)
    timer.join()
    assert (error.code, error.reason) == (Code.CANCELLED, "STREAM_CLOSED")
    assert list(stream) == []
    server.service.wait_for_end("wait:close")


def test_closing_a_stream_ends_the_wait_for_its_first_message(server, transport):
    stream = watch(transport, "silent:close")
    timer = later(stream.close)
    assert failure(stream).reason == "STREAM_CLOSED"
    timer.join()
    server.service.wait_for_end("silent:close")


def test_a_stream_that_was_closed_before_its_first_read_never_begins(transport):
    stream = watch(transport, "count_to:1")
    stream.close()
    assert failure(stream).reason == "STREAM_CLOSED"


def test_closing_the_transport_ends_its_streams(server, pair, connect):
    transport = connect(server.targets[protocol_of(pair)])
    stream = watch(transport, f"wait:{pair}")
    next(stream)
    timer = later(transport.close)
    error = failure(stream)
    timer.join()
    assert (error.code, error.reason) == (Code.CANCELLED, "CLIENT_CLOSED")
    server.service.wait_for_end(f"wait:{pair}")
    with pytest.raises(GatewayError) as caught:
        next(watch(transport, "count_to:1"))
    assert caught.value.reason == "CLIENT_CLOSED"


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_stream_that_is_dropped_ends_on_the_server(server, protocol):
    """Not that of asyncio, which closes what was dropped in its own time."""
    transport = open_transport(server.targets[protocol])
    stream = watch(transport, f"wait:dropped {protocol}")
    next(stream)
    del stream
    gc.collect()
    server.service.wait_for_end(f"wait:dropped {protocol}")
    transport.close()


def test_calls_go_on_beside_a_stream(transport):
    stream = watch(transport, "tick:0.01")
    for _ in range(3):
        next(stream)
        with pytest.raises(GatewayError, match="a call beside the streams"):
            transport.call(LIST_GATEWAY_CHANGES, b"", timeout=5, metadata=None)
    stream.close()


def test_a_message_of_megabytes_arrives_whole(transport):
    first, second = watch(transport, f"huge:{3 << 20}")
    assert len(first) > 3 << 20
    assert number_of(second) == 1


def test_a_slow_reader_pauses_the_service(server, pair, transport):
    stream = watch(transport, f"flood:{pair}")
    next(stream)
    before = -1
    while before != (sent := server.service.sent[f"flood:{pair}"]):
        before = sent
        time.sleep(0.2)
    # The buffers of the system's sockets, of gRPC's windows and of ours.
    assert sent * FLOOD_BYTES < 16 << 20
    assert [number_of(next(stream)) for _ in range(sent + 10)] == list(range(1, sent + 11))
    stream.close()
    server.service.wait_for_end(f"flood:{pair}")


def test_a_lost_connection_is_unavailable(server, pair, connect):
    protocol = protocol_of(pair)
    with forwarding(int(server.targets[protocol].rpartition(":")[2])) as forwarder:
        stream = watch(connect(f"{protocol}://127.0.0.1:{forwarder.port}"), f"wait:lost {pair}")
        next(stream)
        timer = later(forwarder.close)
        assert failure(stream).code is Code.UNAVAILABLE
        timer.join()
    server.service.wait_for_end(f"wait:lost {pair}")


def test_a_server_that_cannot_be_reached_is_unavailable(pair, connect, free_port):
    stream = watch(connect(f"{protocol_of(pair)}://127.0.0.1:{free_port}"), "count_to:1")
    assert failure(stream).code is Code.UNAVAILABLE


def test_a_server_that_stops_ends_its_streams(pair, connect):
    with streaming_server() as server:
        stream = watch(connect(server.targets[protocol_of(pair)]), "wait:")
        next(stream)
        timer = later(server.stop)
        error = failure(stream)
        timer.join()
    assert (error.code, error.reason) == (Code.UNAVAILABLE, "STOPPING")


def test_streams_have_limits_and_their_callers_are_checked_again(pair, connect):
    revoked = threading.Event()

    def authenticate(_credentials, _scope):
        if revoked.is_set():
            raise GatewayError(Code.UNAUTHENTICATED, "the token is not valid", reason="TOKEN_INVALID")
        return ANONYMOUS

    with streaming_server(Limits(streams=2), authenticate) as server:
        transport = connect(server.targets[protocol_of(pair)])
        streams = [watch(transport, "wait:") for _ in range(2)]
        for stream in streams:
            next(stream)
        third = failure(watch(transport, "wait:"))
        assert (third.code, third.reason) == (Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
        streams[0].close()
        eventually(lambda: len(list(watch(transport, "count_to:1"))) == 1)
        revoked.set()
        began = time.monotonic()
        assert failure(streams[1]).reason == "TOKEN_INVALID"
        assert time.monotonic() - began < 2


def eventually(check, seconds=5):
    end = time.monotonic() + seconds
    while True:
        try:
            assert check()
        except GatewayError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


def test_a_stream_ends_at_its_maximum_age(pair, connect):
    with streaming_server(Limits(stream_age_s=0.3)) as server:
        stream = watch(connect(server.targets[protocol_of(pair)]), "wait:")
        next(stream)
        error = failure(stream)
    assert (error.code, error.reason) == (Code.UNAVAILABLE, "STREAM_AGE")


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_client_that_reads_nothing_is_dropped(protocol):
    with streaming_server(Limits(stream_write_timeout_s=0.3, http_write_timeout_s=0.3)) as server:
        transport = open_transport(server.targets[protocol])
        stream = watch(transport, "flood:")
        next(stream)
        server.service.wait_for_end("flood:")
        with pytest.raises(GatewayError):
            list(stream)
        transport.close()


def test_mlflow_has_no_streams():
    for open_one in (open_transport, open_async_transport):
        with pytest.raises(GatewayError) as caught:
            open_one("mlflow+http://127.0.0.1:1").stream(WATCH_GATEWAY, b"", timeout=1, metadata=None)
        assert caught.value.code is Code.UNIMPLEMENTED


_FORK = """
import sys, threading, time
from contextlib import suppress
from gateway_entities.errors import GatewayError
from gateway_entities.methods import LIST_GATEWAY_CHANGES
from gateway_entities.transports import open_async_transport, open_transport
from tests.forks import in_children
from tests.streams import watch
from tests.transports.conftest import Blocking

target, mode = sys.argv[1:]
transport = open_transport(target) if mode == "sync" else Blocking(lambda: open_async_transport(target))

def read(stream):
    try:
        return ["message", len(next(stream)) > 0]
    except GatewayError as error:
        return [error.code.name, error.reason]

idle, waiting = watch(transport, "tick:0.05"), watch(transport, "wait:fork")
assert read(idle) == read(waiting) == ["message", True]
found = []
reader = threading.Thread(target=lambda: found.append(read(waiting)))
reader.start()

def in_child(_number):
    own = open_transport(target)
    with suppress(GatewayError):
        own.call(LIST_GATEWAY_CHANGES, b"", timeout=5, metadata=None)
    begun = read(watch(own, "count_to:1"))
    own.close()
    # The loop of the asyncio transport is a thread of the parent.
    return [begun, read(idle) if mode == "sync" else None]

began, ended = time.monotonic(), []
[result] = in_children(1, in_child, meanwhile=lambda: ended.append(time.monotonic()))
assert ended[0] - began < 0.8, "the fork has waited for a stream"
assert result[0] == ["message", True], result
if "http" in target:
    assert result[1] in (["CANCELLED", "FORKED"], None), result
    assert read(idle) == ["message", True]
    waiting.close()
    reader.join(5)
    assert found == [["CANCELLED", "STREAM_CLOSED"]], found
else:
    assert result[1] in (["UNAVAILABLE", "FORKED"], None), result
    reader.join(5)
    assert found == [["UNAVAILABLE", "FORKED"]], found
    assert read(idle) == ["UNAVAILABLE", "FORKED"]
    assert read(watch(transport, "count_to:1")) == ["message", True]
idle.close()
transport.close() if mode == "sync" else transport.stop()
"""


def test_a_process_may_fork_during_a_stream(server, pair):
    protocol, mode = pair.split("-")
    done = subprocess.run(
        [sys.executable, "-c", _FORK, server.targets[protocol], mode],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]

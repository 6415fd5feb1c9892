"""The log line and the metrics of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from gateway_entities.errors import GatewayError
from gateway_entities.methods import WATCH_GATEWAY
from gateway_entities.server.telemetry.request_context import RequestContext
from gateway_entities.transports import open_transport
from tests.streaming_server import StreamingServer, message, streaming_server
from tests.streams import watch

if TYPE_CHECKING:
    from tests.server.conftest import Lines

PROTOCOLS = {"grpc": "grpc", "http": "connect"}


@pytest.fixture(scope="module")
def server() -> Iterator[StreamingServer]:
    with streaming_server() as running:
        yield running


@pytest.mark.parametrize("scheme", PROTOCOLS)
@pytest.mark.parametrize(
    ("script", "code", "count"),
    [
        ("count_to:3", "OK", 3),
        ("fail:2", "OUT_OF_RANGE", 2),
        ("crash:x", "INTERNAL", 1),
        ("wait:", "CANCELLED", 1),
    ],
)
def test_a_stream_has_one_line_at_its_end(
    server: StreamingServer, lines: Lines, scheme: str, script: str, code: str, count: int
) -> None:
    transport = open_transport(server.targets[scheme])
    stream = watch(transport, script)
    next(stream)
    if script == "wait:":
        stream.close()
    with suppress(GatewayError):
        list(stream)
    transport.close()
    line = lines.one()
    assert (line["transport"], line["method"], line["code"]) == (PROTOCOLS[scheme], WATCH_GATEWAY.path, code)
    assert line["messages"] == count
    assert line["bytes"] == sum(len(message(number)) for number in range(count))


@pytest.mark.parametrize("scheme", PROTOCOLS)
def test_streams_are_counted_apart_from_requests(scheme: str, lines: Lines) -> None:
    transport_name = PROTOCOLS[scheme]
    with streaming_server() as server:

        def metric(name: str) -> list[str]:
            text = server.observer.metrics.render("")[0].decode()
            return [
                line.rpartition(" ")[2]
                for line in text.splitlines()
                if line.startswith(f"gateway_entities_{name}{{") and f'transport="{transport_name}"' in line
            ]

        transport = open_transport(server.targets[scheme])
        stream = watch(transport, "wait:")
        next(stream)
        assert metric("streams") == ["1.0"]
        assert metric("requests_in_flight") == ["0.0"]
        stream.close()
        lines.take()
        transport.close()
        assert metric("streams") == ["0.0"]
        assert metric("stream_messages_total") == ["1.0"]
        assert metric("stream_bytes_total") == [f"{float(len(message(0)))}"]
        assert metric("requests_total") == ["1.0"]
        assert metric("request_duration_seconds_count") == []


def test_a_line_tells_the_messages_as_text(caplog: pytest.LogCaptureFixture) -> None:
    from gateway_entities.server.telemetry import access_log

    context = RequestContext("grpc", WATCH_GATEWAY.path, "an-id")
    context.messages = 0
    context.add_message(7)
    with caplog.at_level("INFO", access_log.LOGGER):
        access_log.write(context, "OK", 0.5)
    assert caplog.messages == [f"grpc {WATCH_GATEWAY.path} OK 500.000 ms actor=- id=an-id messages=1 bytes=7"]

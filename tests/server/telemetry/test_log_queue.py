"""A log that is not read stops neither the requests nor the end of the server, and reports what it has dropped."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_entities.client import GatewayClient
from gateway_entities.server.telemetry.log_format import TextFormatter
from gateway_entities.server.telemetry.log_queue import LogQueue, dropped_lines
from gateway_entities.server.telemetry.metrics import Metrics

REQUESTS = 400
"""Each logs more than 150 bytes; a pipe holds 64 KiB."""


class Pipe:
    """A pipe that is read on demand."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()

    def lines_until(self, text: str) -> list[str]:
        data = b""
        deadline = time.monotonic() + 10
        while text.encode() not in data or not data.endswith(b"\n"):
            assert time.monotonic() < deadline, data[-1000:]
            data += os.read(self.reader, 1 << 20)
        return data.decode().splitlines()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    opened = Pipe()
    yield opened
    os.close(opened.reader)


def logger(handler: logging.Handler) -> logging.Logger:
    found = logging.Logger("test")
    handler.setFormatter(TextFormatter())
    found.addHandler(handler)
    return found


def test_lines_are_written_in_order(pipe: Pipe) -> None:
    log = logger(LogQueue(pipe.writer))
    for number in range(200):
        log.info("line %d", number)
    log.info("end \ud800")
    found = pipe.lines_until("end")
    assert [line.partition("line ")[2] for line in found[:-1]] == [str(number) for number in range(200)]
    assert found[-1].endswith(r"end \ud800")


def _number(report: str) -> int:
    return int(report.partition(" log lines were dropped")[0].split()[-1])


def test_dropped_lines_are_counted_and_reported(pipe: Pipe) -> None:
    log, before = logger(LogQueue(pipe.writer, max_bytes=100_000)), dropped_lines()
    began = time.monotonic()
    for number in range(5000):
        log.info("line %d", number)
    assert time.monotonic() - began < 5
    dropped = dropped_lines() - before
    assert dropped > 1000
    found, reports = list[str](), list[str]()
    # On a slow machine the queue is full more than once.
    while sum(map(_number, reports)) < dropped:
        found += pipe.lines_until("dropped")
        reports = [line for line in found if " log lines were dropped" in line]
    assert sum(map(_number, reports)) == dropped
    assert all(" WARNING " in report for report in reports)
    assert len(found) == 5000 - dropped + len(reports)
    log.info("afterwards")
    assert "afterwards" in pipe.lines_until("afterwards")[-1]
    text, _ = Metrics().render("")
    assert f"gateway_entities_log_lines_dropped_total {float(dropped_lines())}" in text.decode()


def test_a_closed_reader_stops_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    handler, before = LogQueue(writer), dropped_lines()
    log = logger(handler)
    log.info("lost")
    handler.flush()
    assert dropped_lines() == before + 1
    log.info("lost too")
    handler.flush()
    assert dropped_lines() == before + 2


def test_a_flush_does_not_wait_for_a_reader(pipe: Pipe) -> None:
    handler = LogQueue(pipe.writer)
    log = logger(handler)
    for _ in range(5000):
        log.info("a line that is longer than the others, so that they fill the pipe soon")
    began = time.monotonic()
    handler.flush()
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_requests_and_the_end_do_not_wait_for_a_reader_of_standard_error(tmp_path: Path, transport: str) -> None:
    command = [sys.executable, "-m", "gateway_entities.cli", "serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None
        try:
            targets = {line.partition(":")[0]: line.strip() for line in (process.stdout.readline() for _ in range(2))}
            with GatewayClient(targets[transport], timeout=10) as client:
                for _ in range(REQUESTS):
                    assert client.list_secrets() == []
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()

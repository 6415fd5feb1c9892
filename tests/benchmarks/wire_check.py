"""Cost of checking one valid endpoint against a plain parse. The worst inputs are in ``wire_hostile``."""

from __future__ import annotations

import time
from contextlib import ExitStack

from gateway_entities.wire import check
from gatewayentities.v1 import endpoint_pb2
from tests.benchmarks import example
from tests.benchmarks.loops import Loop
from tests.benchmarks.row import Row, Subjects
from tests.benchmarks.stage import Stage


def _prepare(stage: Stage, _stack: ExitStack) -> Subjects:
    data = example.endpoint().to_bytes()
    report = check(data, endpoint_pb2.GatewayEndpoint)
    assert report.ok, report.findings
    assert report.canonical
    seconds = stage.effort.sample_seconds
    return Subjects(
        Loop(lambda: check(data, endpoint_pb2.GatewayEndpoint), seconds, time.thread_time),
        limit=Loop(lambda: endpoint_pb2.GatewayEndpoint.FromString(data), seconds, time.thread_time),
    )


ROWS = (Row("check", "wire.check of one endpoint", "us", _prepare, limit="protobuf's FromString alone"),)

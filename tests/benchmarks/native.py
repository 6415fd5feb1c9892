"""The native codec compared with the Python converters, and with protobuf-py, in processor time."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gateway_entities import GatewayClient, GatewayEndpoint
from gateway_entities.client._base import decode_entities
from gateway_entities.methods import LIST_GATEWAY_ENDPOINTS
from gatewayentities.v1.endpoint_pb2 import ListGatewayEndpointsRequest
from tests.benchmarks import entities, example
from tests.benchmarks.loops import Loop
from tests.benchmarks.our_server import require_server
from tests.benchmarks.row import MissingError, Row, Sample, Subjects
from tests.benchmarks.stage import Stage
from tests.entities.native import without_codec

MANY = entities.MANY
PROTO = Path(__file__).resolve().parent.parent.parent / "proto"
_PYTHON = "the Python converters"


def _python(sample: Sample) -> Sample:
    def measure() -> float:
        with without_codec():
            return sample()

    return measure


def _without(row: Row) -> Row:
    """Return the row of the Python converters for a row of entities."""

    def prepare(stage: Stage, stack: ExitStack) -> Subjects:
        subjects = row.prepare(stage, stack)
        subjects.ours = _python(subjects.ours)
        return subjects

    return Row(f"{row.name}-python", f"{row.what}, {_PYTHON}", row.unit, prepare, row.peer, row.limit)


def _against_protobuf_py(operation: str, stage: Stage, stack: ExitStack) -> Subjects:
    (row,) = (row for row in entities.ROWS if row.name == operation)
    subjects = row.prepare(stage, stack)
    subjects.peer = None
    subjects.notes.clear()
    subjects.try_peer(lambda: _loop(stage, _protobuf_py(operation, stage)))
    return subjects


def _protobuf_py(operation: str, stage: Stage) -> Callable[[], object]:
    """Return the same operation of protobuf-py, by the code that its compiler makes of the protos.

    Raises:
        MissingError: it is not installed.
    """
    plugin = shutil.which("protoc-gen-py", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    if plugin is None or any(find_spec(module) is None for module in ("protobuf_ext", "grpc_tools")):
        raise MissingError("protobuf-py is not installed: pip install -e '.[bench]'")
    # Not the name of our package, whose messages are imported too.
    folder = stage.make_folder("protobuf-py") / "peer_of_the_codec"
    folder.mkdir()
    protos = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("gatewayentities/v1/*.proto"))
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"-I{PROTO}",
        f"--plugin=protoc-gen-py={plugin}",
        f"--py_out={folder}",
    ]
    subprocess.run([*command, *protos], check=True)
    sys.path.insert(0, str(folder.parent))
    try:
        message: Any = importlib.import_module("peer_of_the_codec.gatewayentities.v1.endpoint_pb").GatewayEndpoint
    finally:
        sys.path.remove(str(folder.parent))
    data = example.endpoint().to_bytes()
    return partial(message.from_binary, data) if operation == "decode" else message.from_binary(data).to_binary


def _list(stage: Stage, stack: ExitStack) -> Subjects:
    """A list that the server has cached: the processor time of a client's thread."""
    server = stage.our_server(MANY)
    client = stack.enter_context(GatewayClient(server.target("http")))
    return _both(stage, client.list_endpoints)


def _list_after_a_change(stage: Stage, stack: ExitStack) -> Subjects:
    """A list that no cache has: reading the store, encoding and decoding, without a connection."""
    require_server()
    from gateway_entities.server.rpc.codec import PROTO as CODEC
    from gateway_entities.server.service import GatewayService
    from gateway_entities.server.service.context import encoded_entities
    from gateway_entities.server.store import open_store

    store = open_store(f"sqlite:///{stage.make_folder('changed')}/gateway.sqlite")
    stack.callback(store.close)
    example.fill(store, MANY)
    service, request = GatewayService(store), ListGatewayEndpointsRequest()

    def call() -> object:
        # As the dispatcher does.
        with encoded_entities() as encoded:
            response = service.list_gateway_endpoints(request)
        data = b"".join((*encoded, CODEC.encode(response)))
        return decode_entities(LIST_GATEWAY_ENDPOINTS, GatewayEndpoint, data)

    return _both(stage, call)


def _both(stage: Stage, call: Callable[[], object]) -> Subjects:
    return Subjects(_loop(stage, call), peer=_python(_loop(stage, call)))


def _loop(stage: Stage, call: Callable[[], object]) -> Sample:
    return Loop(call, stage.effort.sample_seconds, time.thread_time)


def _peer_row(name: str) -> Row:
    (row,) = (row for row in entities.ROWS if row.name == name)
    prepare = partial(_against_protobuf_py, name)
    return Row(
        f"{name}-protobuf-py", f"{row.what}, vs protobuf-py", row.unit, prepare, "protobuf-py with its extension", row.limit
    )


ROWS = (
    *(_without(row) for row in entities.ROWS),
    _peer_row("decode"),
    _peer_row("encode"),
    Row("list-1000-codec", "list of 1,000 endpoints, cached by the server: client", "ms", _list, _PYTHON),
    Row(
        "list-1000-codec-changed",
        "list of 1,000 endpoints after a change: server and client",
        "ms",
        _list_after_a_change,
        _PYTHON,
    ),
)

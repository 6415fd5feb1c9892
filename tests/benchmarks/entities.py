"""Entities: decoding and encoding in processor time, compared with MLflow's entities and with protobuf alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from gateway_entities import GatewayEndpoint
from gateway_entities.client._base import decode_entities
from gateway_entities.methods import LIST_GATEWAY_ENDPOINTS
from gateway_entities.server.service.base import add_all
from gatewayentities.v1 import endpoint_pb2
from tests.benchmarks import example
from tests.benchmarks.loops import Loop
from tests.benchmarks.row import Row, Sample, Subjects
from tests.benchmarks.stage import Stage

MANY = 1000


def _decode(count: int) -> Callable[[Stage, ExitStack], Subjects]:
    """Return the sample of decoding that many endpoints to entities."""
    pb, ours = endpoint_pb2, GatewayEndpoint

    def prepare(stage: Stage, _stack: ExitStack) -> Subjects:
        loop = _looped(stage)
        if count == 1:
            data = example.endpoint().to_bytes()
            subjects = Subjects(loop(lambda: ours.from_bytes(data)), limit=loop(lambda: pb.GatewayEndpoint.FromString(data)))
            subjects.try_peer(lambda: loop(_their_decode(data)))
            return subjects
        data = _many().SerializeToString()
        parse = pb.ListGatewayEndpointsResponse.FromString
        subjects = Subjects(
            loop(lambda: decode_entities(LIST_GATEWAY_ENDPOINTS, ours, data)), limit=loop(lambda: parse(data))
        )
        subjects.try_peer(lambda: loop(_their_decode_of_many(data)))
        return subjects

    return prepare


def _encode(count: int) -> Callable[[Stage, ExitStack], Subjects]:
    """Return the sample of encoding that many entities."""

    def prepare(stage: Stage, _stack: ExitStack) -> Subjects:
        loop = _looped(stage)
        if count == 1:
            entity, message = example.endpoint(), example.endpoint().to_proto()
            subjects = Subjects(loop(entity.to_bytes), limit=loop(message.SerializeToString))
            subjects.try_peer(lambda: loop(_their_encode(entity)))
            return subjects
        entities = [example.endpoint(number) for number in range(count)]
        subjects = Subjects(
            loop(lambda: _response(entities)),
            limit=loop(_many().SerializeToString),
        )
        subjects.try_peer(lambda: loop(_their_encode_of_many(entities)))
        return subjects

    return prepare


def _looped(stage: Stage) -> Callable[[Callable[[], object]], Sample]:
    # This thread's processor time: other load on the machine does not count.
    return lambda call: Loop(call, stage.effort.sample_seconds, time.thread_time)


def _many() -> Any:
    return endpoint_pb2.ListGatewayEndpointsResponse(
        endpoints=[example.endpoint(number).to_proto() for number in range(MANY)]
    )


def _response(entities: list[GatewayEndpoint]) -> bytes:
    response = endpoint_pb2.ListGatewayEndpointsResponse()
    add_all(response, response.endpoints, entities)
    return response.SerializeToString()


def _their_decode(data: bytes) -> Callable[[], object]:
    entities, messages = example.mlflow_entities()
    return lambda: entities.GatewayEndpoint.from_proto(messages.GatewayEndpoint.FromString(data))


def _their_decode_of_many(data: bytes) -> Callable[[], object]:
    entities, messages = example.mlflow_entities()
    parse, read = messages.ListGatewayEndpoints.Response.FromString, entities.GatewayEndpoint.from_proto
    return lambda: [read(each) for each in parse(data).endpoints]


def _their_encode(entity: GatewayEndpoint) -> Callable[[], object]:
    theirs = example.of_mlflow(entity)
    return lambda: theirs.to_proto().SerializeToString()


def _their_encode_of_many(entities: list[GatewayEndpoint]) -> Callable[[], object]:
    _, messages = example.mlflow_entities()
    theirs = [example.of_mlflow(entity) for entity in entities]
    respond = messages.ListGatewayEndpoints.Response
    return lambda: respond(endpoints=[each.to_proto() for each in theirs]).SerializeToString()


_PEER = "MLflow's entities"
_PARSE, _SERIALIZE = "protobuf's FromString alone", "protobuf's SerializeToString alone"

ROWS = (
    Row("decode", "bytes -> GatewayEndpoint", "us", _decode(1), _PEER, _PARSE),
    Row("encode", "GatewayEndpoint -> bytes", "us", _encode(1), _PEER, _SERIALIZE),
    Row(f"decode-{MANY}", f"{MANY} endpoints, bytes -> entities", "ms", _decode(MANY), _PEER, _PARSE),
    Row(f"encode-{MANY}", f"{MANY} endpoints, entities -> bytes", "ms", _encode(MANY), _PEER, _SERIALIZE),
)

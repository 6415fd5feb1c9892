"""Targets with a base path, such as that of a reverse proxy."""

from __future__ import annotations

import json

import pytest

from gateway_entities.client import AsyncGatewayClient, GatewayClient
from gatewayentities.v1.endpoint_pb2 import GatewayEndpoint, GetGatewayEndpointResponse
from tests.transports.conftest import blocking
from tests.transports.raw_server import raw_server, read_request

CONNECT = GetGatewayEndpointResponse(
    endpoint=GatewayEndpoint(endpoint_id="e-1", name="chat", created_at=1, last_updated_at=1)
).SerializeToString()
REST = json.dumps(
    {"endpoint": {"endpoint_id": "e-1", "name": "chat", "created_at": 1, "last_updated_at": 1, "model_mappings": []}}
).encode()


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize(
    ("dialect", "path"),
    [("", b"/gatewayentities.v1.EndpointService/GetGatewayEndpoint"), ("mlflow+", b"/api/3.0/mlflow/gateway/endpoints/get")],
)
@pytest.mark.parametrize("prefix", ["", "/", "/llm", "/a/llm/"])
def test_requests_go_below_the_base_path(mode, dialect, path, prefix):
    lines = []
    kind, body = (b"application/json", REST) if dialect else (b"application/proto", CONNECT)

    def talk(sock):
        while received := read_request(sock):
            lines.append(received.split(b"\r\n", 1)[0].split(b" ")[1].partition(b"?")[0])
            sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s" % (kind, len(body), body))

    with raw_server(talk) as target:
        whole = dialect + target + prefix
        with blocking(mode, lambda: GatewayClient(whole), lambda: AsyncGatewayClient(whole)) as client:
            assert client.get_endpoint(name="chat").endpoint_id == "e-1"
    assert lines == [prefix.rstrip("/").encode() + path]

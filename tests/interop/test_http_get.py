"""connect-es with ``useHttpGet``: reads come as GET, changes as POST, and the server answers both."""

from __future__ import annotations

import pytest

from gateway_entities import methods
from gateway_entities.methods import Method
from gatewayentities.v1.secret_pb2 import DeleteGatewaySecretRequest
from tests.interop.languages.ts import LANGUAGE
from tests.interop.proto import testee_pb2 as wire
from tests.interop.testee import Testee
from tests.transports.raw_server import OK, raw_server, read_request


@pytest.mark.parametrize(
    ("method", "request_", "verb"),
    [
        (methods.LIST_GATEWAY_SECRET_INFOS, b"", b"GET"),
        (methods.DELETE_GATEWAY_SECRET, DeleteGatewaySecretRequest(secret_id="s-1").SerializeToString(), b"POST"),
    ],
    ids=["read", "change"],
)
def test_the_http_method_follows_the_idempotency_level(method: Method, request_: bytes, verb: bytes) -> None:
    if missing := LANGUAGE.missing():
        pytest.skip("; ".join(missing))
    heads: list[bytes] = []

    def talk(sock) -> None:
        heads.append(read_request(sock))
        sock.sendall(OK)
        # The body may come after the head.
        while sock.recv(65536):
            pass

    with raw_server(talk) as target, Testee("ts", LANGUAGE.command(), LANGUAGE.environment) as testee:
        response = testee.one(wire.TesteeRequest(call=wire.Call(target=target, path=method.path, request=request_)))
    assert response.WhichOneof("result") == "proto", response
    assert [head.partition(b" ")[0] for head in heads] == [verb]

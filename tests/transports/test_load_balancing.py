"""Several addresses behind one name: gRPC calls go to all of them."""

from __future__ import annotations

from collections import Counter

import pytest

from gateway_entities.methods import LIST_GATEWAY_SECRET_INFOS as LIST
from gateway_entities.transports.grpc import AsyncGrpcTransport, GrpcTransport
from gateway_entities.transports.target import Target
from gatewayentities.v1.secret_pb2 import ListGatewaySecretInfosRequest
from tests.calls import call
from tests.transports.conftest import GrpcServer, blocking
from tests.transports.dns_server import dns_server

CALLS = 30


def make_calls(mode: str, port: int, *addresses: str) -> None:
    """Make calls to a name that DNS has these addresses for."""
    with dns_server(addresses) as dns:

        class Named(Target):
            @property
            def authority(self) -> str:
                """With the DNS server to ask, which is the system's otherwise."""
                return f"dns://127.0.0.1:{dns}/{self.host}:{self.port}"

        target = Named("grpc", "gateway.test", port)
        with blocking(mode, lambda: GrpcTransport(target), lambda: AsyncGrpcTransport(target)) as transport:
            for _ in range(CALLS):
                call(transport, LIST, ListGatewaySecretInfosRequest(), timeout=10)


@pytest.fixture
def counted():
    """Two servers on one port of different addresses, and the calls that each has received."""
    calls: Counter[str] = Counter()

    def counting(address: str):
        def respond(_incoming) -> bytes:
            calls[address] += 1
            return b""

        return respond

    first = GrpcServer(counting("127.0.0.1"))
    second = GrpcServer(counting("127.0.0.2"), first.port, host="127.0.0.2")
    yield first.port, calls
    first.stop()
    second.stop()


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_calls_go_to_all_addresses_of_a_name_in_turn(counted, mode):
    port, calls = counted
    make_calls(mode, port, "127.0.0.1", "127.0.0.2")
    assert sum(calls.values()) == CALLS
    # The first of them go to the first that is connected.
    assert min(calls["127.0.0.1"], calls["127.0.0.2"]) >= CALLS // 3


def test_an_address_without_a_server_costs_no_call(counted):
    port, calls = counted
    make_calls("sync", port, "127.0.0.3", "127.0.0.2")
    assert calls == {"127.0.0.2": CALLS}

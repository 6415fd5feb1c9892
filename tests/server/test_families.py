"""The families of IP addresses: both listeners listen on the same ones."""

from __future__ import annotations

import socket

import pytest

from gateway_entities import GatewayClient
from gateway_entities.errors import GatewayError
from gateway_entities.server.address import Address
from gateway_entities.server.http.connections import peer_of
from gateway_entities.server.server import Server
from gateway_entities.server.tls import Tls
from tests.certificates import Authority
from tests.server.test_tls import serving

V4, V6 = "127.0.0.1", "::1"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    pair = Authority(tmp_path_factory.mktemp("authority")).sign("server", "gateway", "localhost")
    return Tls(pair.cert, pair.key)


@pytest.fixture(autouse=True)
def ipv6() -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((V6, 0))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback: enable it (sysctl net.ipv6.conf.lo.disable_ipv6=0)")


def port(target: str) -> int:
    return int(target.rpartition(":")[2])


def reachable(target: str) -> set[str]:
    found = set()
    for host in (V4, V6):
        try:
            socket.create_connection((host, port(target)), timeout=5).close()
        except ConnectionRefusedError:
            continue
        found.add(host)
    return found


@pytest.mark.parametrize(
    ("host", "families"),
    [("[::]", {V4, V6}), ("0.0.0.0", {V4}), ("localhost", {V4, V6}), ("[::1]", {V6}), ("127.0.0.1", {V4})],
)
def test_both_listeners_listen_on_the_same_families(tmp_path, tls, host, families):
    with serving(tmp_path, tls=tls, require_token=True, grpc=f"{host}:0", http=f"{host}:0") as server:
        assert (reachable(server.grpc_target), reachable(server.http_target)) == (families, families)
        for target in (server.grpc_target, server.http_target):
            assert target.partition("://")[2].startswith(f"{host}:")


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize(
    ("host", "in_use"), [("[::]", V4), ("[::]", V6), ("0.0.0.0", V4), ("localhost", V4), ("localhost", V6)]
)
def test_a_port_that_is_in_use_in_one_family_is_an_error(tmp_path, tls, protocol, host, in_use):
    family = socket.AF_INET6 if in_use == V6 else socket.AF_INET
    with socket.create_server((in_use, 0), family=family) as taken:
        address = f"{host}:{taken.getsockname()[1]}"
        with (
            pytest.raises(GatewayError, match="the address is in use"),
            serving(tmp_path, tls=tls, require_token=True, **{protocol: address}),
        ):
            pass


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_port_that_is_in_use_in_the_other_family_is_not(tmp_path, tls, protocol):
    with socket.create_server((V6, 0), family=socket.AF_INET6) as taken:
        address = f"0.0.0.0:{taken.getsockname()[1]}"
        with serving(tmp_path, tls=tls, require_token=True, **{protocol: address}):
            pass


def test_clients_reach_a_server_on_localhost_by_every_form(tmp_path):
    with serving(tmp_path, grpc="localhost:0", http="localhost:0") as server:
        for scheme, target in (("grpc", server.grpc_target), ("http", server.http_target)):
            for host in ("localhost", V4, f"[{V6}]"):
                with GatewayClient(f"{scheme}://{host}:{port(target)}", timeout=10) as client:
                    assert client.list_secrets() == []


def test_localhost_needs_no_tls():
    assert Address.parse("localhost:1").is_loopback
    Server("sqlite:///never.sqlite", grpc="localhost:0", http="localhost:0")


def test_an_ipv4_client_of_a_listener_for_both_families_is_a_peer_of_its_own():
    assert peer_of("::ffff:192.0.2.1") == peer_of("192.0.2.1") != peer_of("::ffff:192.0.2.2")
    assert peer_of("2001:db8::1") == peer_of("2001:db8::ffff") != peer_of("2001:db8:0:1::1")

"""Probes: on the HTTP port for any host name, and on a plain listener of their own."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway_entities import AsyncGatewayClient, BudgetDuration, BudgetUnit, methods
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS
from gateway_entities.server.server import Server
from gateway_entities.server.tls import Tls
from tests.certificates import Authority
from tests.server.raw import HttpResponse, request

PROBES = ("/healthz", "/readyz", "/version", "/health")
HEALTH = ("/healthz", "/readyz", "/version", "/metrics")
LIST = methods.LIST_GATEWAY_SECRET_INFOS.path


@asynccontextmanager
async def serving(folder: Path, **options: Any):
    given = {"grpc": "127.0.0.1:0", "http": "127.0.0.1:0", "health": "127.0.0.1:0"} | options
    server = Server(f"sqlite:///{folder}/gateway.sqlite", **given)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(0)


async def get(target: str | None, path: str, verb: str = "GET", **headers: str) -> HttpResponse:
    assert target is not None
    return await asyncio.to_thread(request, target, verb, path, None, headers)


@pytest.mark.parametrize("options", [{}, {"allowed_hosts": ["gw.example"]}])
async def test_probes_may_name_any_host_and_nothing_else_may(tmp_path, options):
    async with serving(tmp_path, **options) as server:
        for path in PROBES:
            assert (await get(server.http_target, path, host="10.1.2.3:8080")).status == 200
        for path in ("/metrics", LIST, "/api/3.0/mlflow/gateway/secrets/list", "/no/such"):
            assert (await get(server.http_target, path, host="10.1.2.3:8080")).status == 403
        assert (await get(server.http_target, "/healthz", "POST", host="10.1.2.3")).status == 405


async def test_the_health_listener_serves_probes_and_metrics_and_nothing_else(tmp_path):
    async with serving(tmp_path, require_token=True, health="0.0.0.0:0") as server:
        target = server.health_target.replace("0.0.0.0", "127.0.0.1")
        for path in HEALTH:
            assert (await get(target, path, host="10.1.2.3")).status == 200
        assert b"gateway_entities_ready 1.0" in (await get(target, "/metrics")).body
        assert (await get(server.http_target, "/metrics")).status == 401
        assert (await get(target, "/version")).body == (await get(server.http_target, "/version")).body
        for path in ("/", "/health", LIST, "/api/3.0/mlflow/gateway/secrets/list", "/healthz/"):
            assert (await get(target, path)).status == 404
        assert (await get(target, LIST, "POST")).status == 404
        assert (await get(target, "/healthz", "POST")).status == 405


async def test_metrics_without_a_token_show_sums_of_budgets_and_not_whom_they_count(tmp_path):
    async with serving(tmp_path) as server, AsyncGatewayClient(server.grpc_target) as client:
        policy = await client.create_budget_policy(
            budget_unit=BudgetUnit.USD,
            budget_amount=1,
            duration=BudgetDuration("MONTHS", 1200),
            target_scope="USER",
            budget_action="REJECT",
            target_value="ann-of-accounting",
            created_by="bob-of-accounting",
        )
        line = f'gateway_budget_limit{{budget_policy_id="{policy.budget_policy_id}"}} 1.0'.encode()
        metrics, deadline = b"", time.monotonic() + 30
        while line not in metrics and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
            metrics = (await get(server.health_target, "/metrics")).body
        assert line in metrics
        assert b"of-accounting" not in metrics


async def test_the_health_listener_needs_neither_tls_nor_a_client_certificate(tmp_path):
    authority = Authority(tmp_path / "authority")
    pair = authority.sign("server", "gateway", "127.0.0.1")
    async with serving(tmp_path, tls=Tls(*pair, client_ca_file=authority.cert)) as server:
        assert server.http_target.startswith("https://")
        assert server.health_target.startswith("http://")
        assert (await get(server.health_target, "/readyz")).json == {"status": "ok"}
        metrics = (await get(server.health_target, "/metrics")).body
        assert b"gateway_entities_tls_reload_failed 0.0" in metrics


async def test_the_health_listener_reports_a_drain_until_the_end(tmp_path):
    async with serving(tmp_path, drain_delay=30.0) as server:
        stopping = asyncio.create_task(server.stop(1))
        await asyncio.sleep(0)
        assert (await get(server.health_target, "/readyz")).json["reason"] == "STOPPING"
        assert (await get(server.health_target, "/healthz")).status == 200
        await server.stop(0)
        await stopping
        with pytest.raises(ConnectionRefusedError):
            await get(server.health_target, "/healthz")


async def test_the_health_listener_has_few_connections_and_makes_room_for_probes(tmp_path):
    limits = replace(DEFAULT_LIMITS, http_head_timeout_s=60.0)
    async with serving(tmp_path, limits=limits) as server:
        host, _, port = server.health_target.partition("//")[2].partition(":")
        silent = [socket.create_connection((host, int(port)), timeout=5) for _ in range(40)]
        try:
            assert (await get(server.health_target, "/readyz")).status == 200
            closed = [each for each in silent if await asyncio.to_thread(is_closed, each)]
            assert len(closed) >= 40 - 16
            assert (await get(server.http_target, "/healthz")).status == 200
        finally:
            for each in silent:
                each.close()


def is_closed(opened: socket.socket) -> bool:
    opened.settimeout(0.01)
    try:
        return opened.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


async def test_a_health_address_in_use_is_an_error(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(GatewayError) as caught:
            async with serving(tmp_path, health=address):
                pass
    assert caught.value.code is Code.UNAVAILABLE
    assert address in caught.value.message


async def test_without_a_health_address_there_is_no_such_listener(tmp_path):
    async with serving(tmp_path, health=None) as server:
        assert server.health_target is None

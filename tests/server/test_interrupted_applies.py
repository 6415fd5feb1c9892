"""Applies that are interrupted: the store is as before or as after, and a repeat ends as after."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from gateway_entities import GatewayConfiguration
from gateway_entities.client import GatewayClient
from gateway_entities.errors import GatewayError
from tests import profiles
from tests.server.configurations import configuration
from tests.server.consistency.server_process import ServerProcess
from tests.stores import sqlite_place

KILLS = profiles.count(100, 2)
CUTS = profiles.count(100, 6)
TIME_S = 20.0


@pytest.fixture
def server(tmp_path: Path):
    process = ServerProcess(sqlite_place(tmp_path / "gateway.sqlite", with_tables=True), tmp_path / "log")
    process.start()
    yield process
    process.kill()


def wanted(rng: random.Random, number: int) -> GatewayConfiguration:
    """Return a configuration that differs from all others."""
    made = GatewayConfiguration.from_proto(configuration(rng, owner="o", most=30))
    for secret in made.secrets:
        secret.auth_config["number"] = f"{number}"
    return made


def export(client: GatewayClient) -> bytes:
    return client.export_configuration(with_bindings=True, timeout=TIME_S).to_bytes()


def test_a_server_that_is_killed_leaves_the_store_as_before_or_as_after(server: ServerProcess):
    rng = random.Random(profiles.SEED)
    for number in range(KILLS):
        made, key = wanted(rng, number), f"kill-{number}"
        with GatewayClient(server.targets["http"]) as client:
            before = export(client)

            def apply(client: GatewayClient = client, made: GatewayConfiguration = made, key: str = key) -> None:
                with suppress(GatewayError):
                    client.apply_configuration(made, prune=True, request_id=key, timeout=2)

            caller = threading.Thread(target=apply)
            caller.start()
            caller.join(rng.random() * 0.1)
            server.kill()
            caller.join()
        server.start()
        with GatewayClient(server.targets["http"]) as client:
            found = export(client)
            client.apply_configuration(made, prune=True, request_id=key, timeout=TIME_S)
            after = export(client)
            assert found in {before, after}
            assert not client.plan_configuration(made, prune=True).changes


def test_a_caller_that_goes_leaves_the_store_as_before_or_as_after(server: ServerProcess):
    rng = random.Random(profiles.SEED)
    with GatewayClient(server.targets["http"]) as client, GatewayClient(server.targets["grpc"]) as other:
        for number in range(CUTS):
            made, key = wanted(rng, number), f"cut-{number}"
            before = export(client)
            with suppress(GatewayError):
                rng.choice((client, other)).apply_configuration(
                    made, prune=True, request_id=key, timeout=0.001 + rng.random() * 0.05
                )
            found = export(client)
            revisions = {
                client.apply_configuration(made, prune=True, request_id=key, timeout=TIME_S).revision for _ in range(2)
            }
            assert len(revisions) == 1
            assert found in {before, export(client)}
            assert not client.plan_configuration(made, prune=True).changes

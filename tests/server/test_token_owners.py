"""Tokens that are limited to owners: what they may apply, and that they change nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gateway_entities import methods
from gateway_entities.client import GatewayClient
from gateway_entities.entities import (
    GatewayConfiguration,
    GatewayEndpointConfiguration,
    GatewayEndpointModelConfiguration,
    GatewayModelDefinitionConfiguration,
    GatewaySecretConfiguration,
)
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.auth import REQUIRED_SCOPES
from gateway_entities.server.service import GatewayService
from gateway_entities.server.service.context import CALLER, OWNERS, SCOPE
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.testing import Gateway, gateway


def configured(owner: str | None, prefix: str, model: str = "gpt-4o") -> GatewayConfiguration:
    return GatewayConfiguration(
        owner=owner,
        secrets=[GatewaySecretConfiguration(name=f"{prefix}-key", provider="openai")],
        model_definitions=[
            GatewayModelDefinitionConfiguration(
                name=f"{prefix}-model", secret=f"{prefix}-key", provider="openai", model_name=model
            )
        ],
        endpoints=[
            GatewayEndpointConfiguration(
                name=prefix, models=[GatewayEndpointModelConfiguration(model_definition=f"{prefix}-model")]
            )
        ],
    )


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as started:
        started.create_token("boss", "admin")
        yield started


Connect = Callable[..., GatewayClient]


@pytest.fixture
def connect(running: Gateway, request: pytest.FixtureRequest) -> Iterator[Connect]:
    clients: list[GatewayClient] = []

    def connect(scope: str, owners: list[str] | None = None) -> GatewayClient:
        name = f"{request.node.name}-{len(clients)}"
        clients.append(GatewayClient(running.grpc_target, token=running.create_token(name, scope, owners=owners)))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@contextmanager
def refused(part: str) -> Iterator[None]:
    with pytest.raises(GatewayError) as caught:
        yield
    assert (caught.value.code, caught.value.reason) == (Code.PERMISSION_DENIED, "OWNER_NOT_ALLOWED")
    assert part in caught.value.message


def test_it_applies_the_configuration_of_its_owner(connect: Connect) -> None:
    team = connect("write", ["one", "uno"])
    assert team.apply_configuration(configured("one", "one")).created == 3
    assert team.apply_configuration(configured("one", "one", "gpt-5"), prune=True).updated == 2
    assert team.apply_configuration(GatewayConfiguration(owner="one"), prune=True).deleted == 3
    assert team.apply_configuration(configured("uno", "one"), prune=True).created == 3


def test_it_applies_no_other_configuration(connect: Connect) -> None:
    team = connect("write", ["team"])
    with refused("has the owner 'other'"):
        team.apply_configuration(configured("other", "x"))
    with refused("has no owner"):
        team.apply_configuration(configured(None, "x"))


def test_it_takes_over_nothing(connect: Connect) -> None:
    boss, team = connect("admin"), connect("write", ["three"])
    boss.apply_configuration(configured(None, "nobody"))
    boss.apply_configuration(configured("another", "another"))
    before = boss.export_configuration()
    with refused("endpoint 'nobody'"):
        team.apply_configuration(configured("three", "nobody", "gpt-5"))
    with refused("endpoint 'another'"):
        team.apply_configuration(configured("three", "another", "gpt-5"), adopt=True)
    with refused("It changes the configuration with"):
        team.rollback_configuration(0)
    assert boss.export_configuration() == before


def test_it_cannot_compare_values_of_others(connect: Connect) -> None:
    boss, team = connect("admin"), connect("write", ["four"])
    boss.apply_configuration(configured("other four", "four"), secret_values={"four-key": {"api_key": "sk-1"}})
    guess = {"four-key": {"api_key": "sk-1"}}
    with refused("secret 'four-key'"):
        team.plan_configuration(configured("four", "four"), adopt=True, secret_values=guess)
    with refused("has no owner"):
        team.plan_configuration(configured(None, "four"), secret_values=guess)


def test_it_plans_and_reads_everything(connect: Connect) -> None:
    team = connect("write", ["five"])
    assert team.plan_configuration(configured("someone", "five")).changes
    assert team.export_configuration() is not None
    assert team.plan_rollback(0) is not None


def test_it_changes_nothing_in_other_ways(service: GatewayService) -> None:
    """Each RPC that only writers or admins have refuses it, before it looks at the request."""
    allowed = {
        methods.APPLY_GATEWAY_CONFIGURATION,
        # It changes nothing.
        methods.LIST_GATEWAY_SECRET_ACCESSES,
    }
    changing = [
        method
        for method, scope in REQUIRED_SCOPES.items()
        if scope in (AccessScope.WRITE, AccessScope.ADMIN) and method not in allowed
    ]
    assert len(changing) > 20
    tokens = CALLER.set("team"), SCOPE.set(AccessScope(7)), OWNERS.set(frozenset({"team"}))
    try:
        for method in changing:
            with refused("It changes the configuration with"):
                getattr(service, method.handler)(method.request_type())
    finally:
        for variable, token in zip((CALLER, SCOPE, OWNERS), tokens, strict=True):
            variable.reset(token)  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [("read", ["a"]), ("spend", ["a"]), ("write", []), ("write", [""])])
def test_a_limit_that_cannot_be(running: Gateway, arguments: tuple[str, list[str]]) -> None:
    scope, owners = arguments
    with pytest.raises(GatewayError) as caught:
        running.create_token("never", scope, owners=owners)
    assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "TOKEN_OWNERS")

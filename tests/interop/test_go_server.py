"""The Python clients with another server: tests/interop/go/server, with grpc-go and connect-go."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from gateway_entities import (
    AsyncGatewayClient,
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    Code,
    FallbackConfig,
    FallbackStrategy,
    GatewayClient,
    GatewayEndpointModelConfig,
    GatewayEndpointTag,
    GatewayError,
    GatewayModelLinkageType,
    RoutingStrategy,
)
from gateway_entities.errors import FieldViolation
from gateway_entities.mirror.core import MirrorCore, MirrorUpdate
from tests.client.server_client_pairs import PAIRS, connect
from tests.interop.language import CACHE
from tests.interop.languages.go import LANGUAGE, build

PRIMARY, FALLBACK = GatewayModelLinkageType.PRIMARY, GatewayModelLinkageType.FALLBACK
KEY = {"api_key": "sk-this-is-not-a-real-key"}


@pytest.fixture(scope="module")
def targets() -> Iterator[tuple[str, str]]:
    """The gRPC and the HTTP target of a running Go server."""
    if missing := LANGUAGE.missing():
        pytest.skip("; ".join(missing))
    folder = CACHE / "go"
    folder.mkdir(parents=True, exist_ok=True)
    # It exits at the end of its input.
    with subprocess.Popen(build(folder, "server"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        grpc_target, http_target = server.stdout.readline().split()
        yield grpc_target, http_target
        server.communicate()
    assert server.returncode == 0


@pytest.fixture(params=PAIRS)
def client(request: pytest.FixtureRequest, targets: tuple[str, str]) -> Iterator[Any]:
    opened = connect(request.param, *targets)
    yield opened
    opened.close()


@pytest.fixture
def other(request: pytest.FixtureRequest, targets: tuple[str, str]) -> Iterator[Any]:
    """The client of the other transport and mode (sync or async)."""
    opened = connect(PAIRS[-1 - PAIRS.index(request.node.callspec.params["client"])], *targets)
    yield opened
    opened.close()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A unique name for the test's resources: the server is shared."""
    return str(request.node.name)


@pytest.fixture
def secret(client, name):
    return client.create_secret(name, KEY, provider=name, created_by="ann")


@pytest.fixture
def definition(client, name, secret):
    return client.create_model_definition(name, secret_id=secret.secret_id, provider=name, model_name="gpt-4o")


@pytest.fixture
def endpoint(client, name, definition):
    return client.create_endpoint(name, [GatewayEndpointModelConfig(definition.model_definition_id, PRIMARY, 0.1)])


def test_secret(client, other, name, secret):
    assert (secret.secret_name, secret.provider, secret.created_by, secret.auth_config) == (name, name, "ann", {})
    assert secret.masked_values == {"api_key": "sk-...-key"}
    assert other.get_secret(secret_id=secret.secret_id) == other.get_secret(secret_name=name) == secret
    changed = client.update_secret(secret.secret_id, auth_config={"region": "eu"}, updated_by="bob")
    assert (changed.auth_config, changed.last_updated_by) == ({"region": "eu"}, "bob")
    cleared = client.update_secret(secret.secret_id, update_mask=["auth_config"])
    assert (cleared.auth_config, cleared.masked_values) == ({}, secret.masked_values)
    assert other.list_secrets(provider=name) == [cleared]
    client.delete_secret(secret.secret_id)
    assert other.list_secrets(provider=name) == []


def test_model_definition(client, other, name, secret, definition):
    assert (definition.name, definition.secret_id, definition.secret_name) == (name, secret.secret_id, name)
    assert other.get_model_definition(name=name) == definition
    changed = client.update_model_definition(definition.model_definition_id, model_name="gpt-4o-mini")
    assert changed.model_name == "gpt-4o-mini"
    client.delete_secret(secret.secret_id)
    orphan = other.get_model_definition(model_definition_id=definition.model_definition_id)
    assert (orphan.secret_id, orphan.secret_name) == (None, None)
    assert other.list_model_definitions(provider=name) == [orphan]
    client.delete_model_definition(definition.model_definition_id)
    assert other.list_model_definitions(provider=name) == []


def test_endpoint(client, other, name, definition):
    configs = [
        GatewayEndpointModelConfig(definition.model_definition_id, PRIMARY, 0.1),
        GatewayEndpointModelConfig(definition.model_definition_id, FALLBACK, None, 0),
    ]
    fallback = FallbackConfig(FallbackStrategy.SEQUENTIAL, 2)
    made = client.create_endpoint(
        name,
        configs,
        routing_strategy=RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT,
        fallback_config=fallback,
        usage_tracking=False,
        experiment_id="",
    )
    assert [(each.weight, each.linkage_type, each.fallback_order) for each in made.model_mappings] == [
        (0.1, PRIMARY, None),
        (None, FALLBACK, 0),
    ]
    assert [each.model_definition for each in made.model_mappings] == [definition, definition]
    assert made.routing_strategy is RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT
    assert (made.fallback_config, made.usage_tracking, made.experiment_id) == (fallback, False, "")
    client.set_endpoint_tag(made.endpoint_id, "team", "search")
    assert other.get_endpoint(name=name).tags == [GatewayEndpointTag("team", "search")]
    client.delete_endpoint_tag(made.endpoint_id, "team")
    changed = client.update_endpoint(
        made.endpoint_id, model_configs=configs[:1], update_mask=["model_configs", "fallback_config"]
    )
    assert (len(changed.model_mappings), changed.fallback_config, changed.tags) == (1, None, [])
    assert other.list_endpoints(provider=name) == [changed]
    client.delete_endpoint(made.endpoint_id)
    assert other.list_endpoints(provider=name) == []


def test_an_enum_number_of_a_later_version(client, other, name):
    made = client.create_endpoint(name, [], routing_strategy=77)
    assert made.routing_strategy == 77
    assert other.get_endpoint(name=name) == made


def test_binding(client, other, endpoint):
    made = client.create_binding(endpoint.endpoint_id, "scorer", "s-1", created_by="ann")
    assert (made.endpoint_id, made.resource_type, made.resource_id) == (endpoint.endpoint_id, "scorer", "s-1")
    assert other.list_bindings(endpoint_id=endpoint.endpoint_id) == [made]
    client.delete_binding(endpoint.endpoint_id, "scorer", "s-1")
    assert other.list_bindings(endpoint_id=endpoint.endpoint_id) == []


def test_budget_policy(client, other):
    made = client.create_budget_policy(
        budget_unit=BudgetUnit.USD,
        budget_amount=0.1,
        duration=BudgetDuration(BudgetDurationUnit.DAYS, 1),
        target_scope=BudgetTargetScope.GLOBAL,
        budget_action=BudgetAction.REJECT,
    )
    assert (made.budget_amount, made.duration) == (0.1, BudgetDuration(BudgetDurationUnit.DAYS, 1))
    assert other.get_budget_policy(made.budget_policy_id) == made
    changed = client.update_budget_policy(made.budget_policy_id, budget_amount=0.0, update_mask=["budget_amount"])
    assert changed.budget_amount == 0
    assert changed in other.list_budget_policies()
    client.delete_budget_policy(made.budget_policy_id)
    assert changed not in other.list_budget_policies()


def test_a_server_with_smaller_pages_than_requested(client, other, name):
    made = [client.create_secret(f"{name}-{number}", KEY, provider=name) for number in range(5)]
    assert other.list_secrets(provider=name) == made


def error_of(call, *args, **kwargs) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        call(*args, **kwargs)
    return caught.value


def test_an_error_has_all_violations(client):
    error = error_of(client.create_secret, "", {"api_key": ""})
    assert (error.code, error.message, error.reason) == (Code.INVALID_ARGUMENT, "the request is not valid", "BAD_REQUEST")
    assert error.field_violations == (
        FieldViolation("secret_name", "is required"),
        FieldViolation("secret_value[api_key]", "is empty"),
    )


def test_an_error_longer_than_a_header_usually_is(client, name):
    error = error_of(client.create_endpoint, name, [GatewayEndpointModelConfig(f"d-{n}", PRIMARY) for n in range(1000)])
    assert len(error.field_violations) == 1000
    assert error.field_violations[-1].field == "model_configs[999].model_definition_id"


def test_errors_of_other_kinds(client, name, secret, definition, endpoint):
    for expected, error in (
        ((Code.NOT_FOUND, "NO_SUCH_ROW"), error_of(client.get_endpoint, endpoint_id="none")),
        ((Code.ALREADY_EXISTS, "NAME_TAKEN"), error_of(client.create_secret, name, KEY)),
        ((Code.FAILED_PRECONDITION, "IN_USE"), error_of(client.delete_model_definition, definition.model_definition_id)),
        (
            (Code.INVALID_ARGUMENT, "BAD_REQUEST"),
            error_of(client.update_secret, secret.secret_id, update_mask=["secret_name"]),
        ),
    ):
        assert (error.code, error.reason) == expected
        assert error.message


def test_an_unknown_method_is_unimplemented(client):
    assert error_of(client.list_budget_windows).code is Code.UNIMPLEMENTED
    assert error_of(client.detach_model, "e", "d").code is Code.UNIMPLEMENTED
    assert error_of(client.check_budget, "e").code is Code.UNIMPLEMENTED


def follow(stream: Any, mirror: MirrorCore) -> MirrorUpdate:
    """Receive one update, all its parts."""
    while (update := mirror.apply(next(stream))) is None:
        pass
    return update


def test_resolution(client, request, targets, name, secret, endpoint):
    assert error_of(client.resolve_endpoint, name=name).reason == "TOKEN_REQUIRED"
    with closing(connect(request.node.callspec.params["client"], *targets, token="any")) as gateway:
        found = gateway.resolve_endpoint(name=name)
        assert error_of(gateway.resolve_endpoint, name="none").code is Code.NOT_FOUND
    assert found.endpoint == endpoint
    (model,) = found.models
    assert (model.secret_id, model.model_name, model.secret_value.reveal()) == (secret.secret_id, "gpt-4o", KEY)


def test_a_mirror_follows_changes(client, name, secret, endpoint):
    mirror = MirrorCore()
    with closing(client.watch()) as stream:
        assert follow(stream, mirror).is_snapshot
        assert mirror.state.secrets[secret.secret_id] == secret
        assert mirror.state.endpoints[endpoint.endpoint_id] == endpoint
        changed = client.update_secret(secret.secret_id, auth_config={"region": "eu"})
        assert [each.after for each in follow(stream, mirror).events] == [changed]
    client.delete_endpoint(endpoint.endpoint_id)
    with closing(client.watch(resume_token=mirror.resume_token)) as stream:
        update = follow(stream, mirror)
    assert not update.is_snapshot
    assert [(each.noun, each.id, each.after) for each in update.events] == [("endpoint", endpoint.endpoint_id, None)]
    fresh = MirrorCore()
    with closing(client.watch()) as stream:
        follow(stream, fresh)
    assert (fresh.state.secrets, fresh.digest()) == (mirror.state.secrets, mirror.digest())


def test_an_error_in_the_middle_of_a_stream(client, request, targets):
    pair = request.node.callspec.params["client"]
    secret = client.create_secret(f"token-{pair}", KEY)
    mirror = MirrorCore()
    with (
        closing(connect(pair, *targets, token=secret.secret_name)) as gateway,
        closing(gateway.watch()) as stream,
    ):
        follow(stream, mirror)
        client.delete_secret(secret.secret_id)
        error = error_of(lambda: [follow(stream, mirror) for _ in range(2)])
    assert (error.code, error.reason, error.message) == (Code.UNAUTHENTICATED, "TOKEN_REVOKED", "the token was revoked")


def test_a_resume_token_of_another_store(client):
    with closing(client.watch(resume_token="other")) as stream:
        error = error_of(next, stream)
    assert (error.code, error.reason) == (Code.OUT_OF_RANGE, "STORE_CHANGED")


@pytest.mark.parametrize("scheme", ["grpc", "http"])
async def test_metadata_reaches_it(targets, scheme):
    target = targets[("grpc", "http").index(scheme)]
    with GatewayClient(target, metadata={"x-actor": "ann"}) as client:
        assert client.create_secret(f"{scheme}-sync", KEY).created_by == "ann"
    async with AsyncGatewayClient(target, metadata={"x-actor": "bob"}) as client:
        assert (await client.create_secret(f"{scheme}-async", KEY)).created_by == "bob"

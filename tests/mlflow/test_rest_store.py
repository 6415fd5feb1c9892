"""MLflow's installed client with our server: every method for these RPCs, and every error in its terms."""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_entities.testing import Gateway, gateway

with warnings.catch_warnings():
    # Importing MLflow raises warnings about other libraries.
    warnings.simplefilter("ignore")
    pytest.importorskip("mlflow", reason="MLflow is not installed: pip install 'gateway-entities[test]'")
    import mlflow
    from mlflow.entities import (
        FallbackConfig,
        FallbackStrategy,
        GatewayEndpointModelConfig,
        GatewayEndpointTag,
        GatewayModelLinkageType,
        GatewayResourceType,
        RoutingStrategy,
    )
    from mlflow.entities.gateway_budget_policy import (
        BudgetAction,
        BudgetDuration,
        BudgetDurationUnit,
        BudgetTargetScope,
        BudgetUnit,
    )
    from mlflow.entities.gateway_guardrail import GuardrailAction, GuardrailStage
    from mlflow.exceptions import MlflowException
    from mlflow.protos import databricks_pb2, service_pb2
    from mlflow.store.tracking.gateway.rest_mixin import RestGatewayStoreMixin
    from mlflow.store.tracking.rest_store import RestStore
    from mlflow.utils.rest_utils import MlflowHostCreds
from tests.mlflow.releases import CHOSEN, OLDER, PEER

VALUE = {"api_key": "sk-0123456789-0123456789abcdef"}
PRIMARY, FALLBACK = GatewayModelLinkageType.PRIMARY, GatewayModelLinkageType.FALLBACK


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


@pytest.fixture(scope="module")
def store(running: Gateway) -> Any:
    return RestStore(lambda: MlflowHostCreds(running.http_target))


_numbers = itertools.count()


def unique(stem: str) -> str:
    return f"{stem}-{next(_numbers)}"


@pytest.fixture
def secret(store: Any) -> Any:
    return store.create_gateway_secret(unique("secret"), VALUE, provider="openai", created_by="ann")


@pytest.fixture
def define(store: Any, secret: Any) -> Callable[[], Any]:
    return lambda: store.create_gateway_model_definition(unique("model"), secret.secret_id, "openai", "gpt-4o")


def config(definition: Any, linkage: Any = PRIMARY, **fields: Any) -> Any:
    return GatewayEndpointModelConfig(definition.model_definition_id, linkage, **fields)


@pytest.fixture
def endpoint(store: Any, define: Callable[[], Any]) -> Any:
    return store.create_gateway_endpoint(unique("endpoint"), [config(define(), weight=0.3)])


def code(action: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(MlflowException) as caught:
        action(*args, **kwargs)
    return caught.value.error_code


def test_the_client_is_of_a_known_release() -> None:
    known = (PEER, *OLDER) if CHOSEN is None else (CHOSEN,)
    assert mlflow.__version__ in known, f"pip install mlflow-skinny=={known[0]}"


def test_secrets(store: Any, secret: Any) -> None:
    assert secret.secret_id.startswith("s-")
    assert secret.masked_values == {"api_key": "sk-...cdef"}
    assert (secret.provider, secret.created_by, secret.last_updated_by) == ("openai", "ann", "ann")
    assert store.get_secret_info(secret_id=secret.secret_id) == secret
    settings = {"auth_mode": "api_key", "api_base": "https://api.example.com/v1"}
    updated = store.update_gateway_secret(
        secret.secret_id, {"token": "0123456789-0123456789abcdef"}, settings, updated_by="bob"
    )
    assert (updated.masked_values, updated.auth_config) == ({"token": "012...cdef"}, settings)
    assert updated.last_updated_by == "bob"
    # No value and no settings: the client sends neither, and both stay, like last_updated_by.
    again = store.update_gateway_secret(secret.secret_id)
    assert (again.masked_values, again.auth_config, again.last_updated_by) == (updated.masked_values, settings, "bob")
    assert again in store.list_secret_infos()
    assert again in store.list_secret_infos(provider="openai")
    assert store.list_secret_infos(provider="none's") == []
    assert store.delete_gateway_secret(secret.secret_id) is None
    assert code(store.get_secret_info, secret_id=secret.secret_id) == "RESOURCE_DOES_NOT_EXIST"


def test_a_secret_is_found_by_name(store: Any, secret: Any) -> None:
    """MLflow's own server rejects this documented call."""
    assert store.get_secret_info(secret_name=secret.secret_name) == secret


def test_model_definitions(store: Any, secret: Any) -> None:
    made = store.create_gateway_model_definition(unique("m"), secret.secret_id, "openai", "gpt-4o", created_by="ann")
    assert (made.secret_id, made.secret_name, made.created_by) == (secret.secret_id, secret.secret_name, "ann")
    assert store.get_gateway_model_definition(made.model_definition_id) == made
    other = store.create_gateway_secret(unique("secret"), VALUE)
    updated = store.update_gateway_model_definition(
        made.model_definition_id,
        name=unique("renamed"),
        secret_id=other.secret_id,
        model_name="claude",
        updated_by="bob",
        provider="anthropic",
    )
    assert (updated.secret_name, updated.model_name, updated.provider) == (other.secret_name, "claude", "anthropic")
    assert updated.last_updated_by == "bob"
    # The client sends "" unchanged; it means no change.
    kept = store.update_gateway_model_definition(made.model_definition_id, name="", secret_id="", model_name="", provider="")
    assert {**vars(kept), "last_updated_at": 0} == {**vars(updated), "last_updated_at": 0}
    assert store.list_gateway_model_definitions(secret_id=other.secret_id) == [kept]
    assert kept in store.list_gateway_model_definitions(provider="anthropic")
    assert kept in store.list_gateway_model_definitions()
    store.delete_gateway_secret(other.secret_id)
    orphan = store.get_gateway_model_definition(made.model_definition_id)
    assert not orphan.secret_id
    assert not orphan.secret_name
    assert store.delete_gateway_model_definition(made.model_definition_id) is None
    assert code(store.get_gateway_model_definition, made.model_definition_id) == "RESOURCE_DOES_NOT_EXIST"


def test_endpoints(store: Any, define: Callable[[], Any]) -> None:
    first, second = define(), define()
    made = store.create_gateway_endpoint(
        unique("endpoint"),
        [config(first, weight=0.3), config(second, FALLBACK, weight=1.0, fallback_order=1)],
        created_by="ann",
        routing_strategy=RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT,
        fallback_config=FallbackConfig(FallbackStrategy.SEQUENTIAL, 2),
        experiment_id="7",
        usage_tracking=False,
    )
    assert [(m.model_definition, m.linkage_type, m.fallback_order) for m in made.model_mappings] == [
        (first, PRIMARY, None),
        (second, FALLBACK, 1),
    ]
    assert made.model_mappings[0].weight == pytest.approx(0.3)
    assert (made.routing_strategy, made.experiment_id, made.usage_tracking) == (
        RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT,
        "7",
        False,
    )
    assert vars(made.fallback_config) == {"strategy": FallbackStrategy.SEQUENTIAL, "max_attempts": 2}
    by_id, by_name = {"endpoint_id": made.endpoint_id}, {"name": made.name}
    assert store.get_gateway_endpoint(**by_id) == store.get_gateway_endpoint(**by_name) == made
    updated = store.update_gateway_endpoint(
        made.endpoint_id,
        name=unique("renamed"),
        updated_by="bob",
        model_configs=[config(second, weight=2.0)],
        experiment_id="8",
        usage_tracking=True,
    )
    assert [m.model_definition for m in updated.model_mappings] == [second]
    assert (updated.experiment_id, updated.usage_tracking, updated.last_updated_by) == ("8", True, "bob")
    # Absent fields stay; MLflow's own server would clear the fallback config.
    assert updated.routing_strategy == made.routing_strategy
    assert updated.fallback_config == made.fallback_config
    kept = store.update_gateway_endpoint(made.endpoint_id, name="", experiment_id="", model_configs=[])
    assert {**vars(kept), "last_updated_at": 0} == {**vars(updated), "last_updated_at": 0}
    assert kept in store.list_gateway_endpoints()
    assert kept in store.list_gateway_endpoints(provider="openai")
    assert store.list_gateway_endpoints(provider="none's") == []
    assert store.delete_gateway_endpoint(made.endpoint_id) is None
    assert code(store.get_gateway_endpoint, **by_id) == "RESOURCE_DOES_NOT_EXIST"


def test_the_defaults_of_an_endpoint(store: Any, endpoint: Any) -> None:
    assert endpoint.usage_tracking is True
    assert (endpoint.experiment_id, endpoint.routing_strategy, endpoint.fallback_config) == (None, None, None)
    assert (endpoint.created_by, endpoint.last_updated_by, endpoint.tags) == (None, None, [])


def test_attaching_and_detaching(store: Any, endpoint: Any, define: Callable[[], Any]) -> None:
    definition = define()
    mapping = store.attach_model_to_endpoint(endpoint.endpoint_id, config(definition, FALLBACK), created_by="ann")
    assert (mapping.model_definition, mapping.linkage_type, mapping.created_by) == (definition, FALLBACK, "ann")
    read = store.get_gateway_endpoint(endpoint_id=endpoint.endpoint_id)
    assert [m.mapping_id for m in read.model_mappings][1:] == [mapping.mapping_id]
    assert read.fallback_config.strategy == FallbackStrategy.SEQUENTIAL
    again = config(definition, FALLBACK)
    assert code(store.attach_model_to_endpoint, endpoint.endpoint_id, again) == "RESOURCE_ALREADY_EXISTS"
    assert store.detach_model_from_endpoint(endpoint.endpoint_id, definition.model_definition_id) is None
    gone = (endpoint.endpoint_id, definition.model_definition_id)
    assert code(store.detach_model_from_endpoint, *gone) == "RESOURCE_DOES_NOT_EXIST"
    last = (endpoint.endpoint_id, endpoint.model_mappings[0].model_definition_id)
    assert code(store.detach_model_from_endpoint, *last) == "INVALID_STATE"


def test_tags(store: Any, endpoint: Any) -> None:
    for key, value in (("team", "search"), ("empty", ""), ("team", "chat")):
        assert store.set_gateway_endpoint_tag(endpoint.endpoint_id, GatewayEndpointTag(key, value)) is None
    read = store.get_gateway_endpoint(endpoint_id=endpoint.endpoint_id)
    # Its entity converts an empty value to None.
    assert [(tag.key, tag.value) for tag in read.tags] == [("team", "chat"), ("empty", None)]
    for key in ("team", "empty", "never"):
        assert store.delete_gateway_endpoint_tag(endpoint.endpoint_id, key) is None
    assert store.get_gateway_endpoint(endpoint_id=endpoint.endpoint_id).tags == []


def test_bindings(store: Any, endpoint: Any) -> None:
    scorer = GatewayResourceType.SCORER
    made = store.create_endpoint_binding(endpoint.endpoint_id, scorer, "9", created_by="ann")
    assert (made.endpoint_id, made.resource_type, made.resource_id, made.created_by) == (
        *(endpoint.endpoint_id, scorer),
        *("9", "ann"),
    )
    filters = {"endpoint_id": endpoint.endpoint_id, "resource_type": scorer, "resource_id": "9"}
    assert store.list_endpoint_bindings(**filters) == store.list_endpoint_bindings(endpoint.endpoint_id) == [made]
    assert made in store.list_endpoint_bindings()
    key = (endpoint.endpoint_id, "scorer", "9")
    assert code(store.create_endpoint_binding, endpoint.endpoint_id, scorer, "9") == "RESOURCE_ALREADY_EXISTS"
    assert store.delete_endpoint_binding(*key) is None
    assert store.list_endpoint_bindings(endpoint.endpoint_id) == []
    assert code(store.delete_endpoint_binding, *key) == "RESOURCE_DOES_NOT_EXIST"


def test_budgets(store: Any, endpoint: Any) -> None:
    month = BudgetDuration(BudgetDurationUnit.MONTHS, 1)
    # Releases before 3.15 have no budgets of single endpoints.
    has_targets = hasattr(BudgetTargetScope, "ENDPOINT")
    scope = "ENDPOINT" if has_targets else "WORKSPACE"
    made = store.create_budget_policy(
        *(BudgetUnit.USD, 12.5, month, BudgetTargetScope[scope], BudgetAction.ALERT),
        created_by="ann",
        **({"target_value": endpoint.endpoint_id} if has_targets else {}),
    )
    assert (made.budget_amount, made.duration) == (12.5, month)
    assert store.get_budget_policy(made.budget_policy_id) == made
    if has_targets:
        assert made.target_value == endpoint.endpoint_id
        assert store.update_budget_policy(made.budget_policy_id, target_value="").target_value == endpoint.endpoint_id
    updated = store.update_budget_policy(
        made.budget_policy_id,
        budget_unit=BudgetUnit.USD,
        budget_amount=0.0,
        duration=BudgetDuration(BudgetDurationUnit.HOURS, 2),
        target_scope=BudgetTargetScope.GLOBAL,
        budget_action=BudgetAction.REJECT,
        updated_by="bob",
    )
    assert (updated.budget_amount, updated.budget_action) == (0.0, BudgetAction.REJECT)
    assert getattr(updated, "target_value", None) is None
    assert (updated.created_by, updated.last_updated_by) == ("ann", "bob")
    others = [
        store.create_budget_policy(BudgetUnit.USD, 1.0, month, BudgetTargetScope.GLOBAL, BudgetAction.ALERT)
        for _ in range(2)
    ]
    found, token = [], None
    while page := store.list_budget_policies(max_results=1, page_token=token):
        found += page
        assert len(found) <= 1 + len(others)
        if not (token := page.token):
            break
    assert found == store.list_budget_policies() == [updated, *others]
    for policy in found:
        assert store.delete_budget_policy(policy.budget_policy_id) is None
    assert code(store.get_budget_policy, made.budget_policy_id) == "RESOURCE_DOES_NOT_EXIST"


def test_bad_requests(store: Any, secret: Any, define: Callable[[], Any]) -> None:
    primary = config(define())
    day = BudgetDuration(BudgetDurationUnit.DAYS, 0)
    invalid: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (store.create_gateway_secret, ("", VALUE)),
        (store.create_gateway_secret, (unique("s"), {})),
        (store.create_gateway_secret, (unique("s"), {"api_base": "x"})),
        (store.create_gateway_secret, ("s" * 256, VALUE)),
        (store.create_gateway_model_definition, ("", secret.secret_id, "openai", "gpt-4o")),
        (store.create_gateway_endpoint, ("not a name", [primary])),
        (store.create_gateway_endpoint, (unique("e"), [])),
        (store.create_gateway_endpoint, (unique("e"), [config(define(), FALLBACK)])),
        (store.create_gateway_endpoint, (unique("e"), [config(define(), weight=float("nan"))])),
        (store.create_gateway_endpoint, (unique("e"), [config(define(), weight=-1.0)])),
        (store.create_budget_policy, (BudgetUnit.USD, 1.0, day, BudgetTargetScope.GLOBAL, BudgetAction.ALERT)),
        (store.list_budget_policies, (-1,)),
        (store.list_budget_policies, (1, "nonsense")),
    ]
    for action, arguments in invalid:
        assert code(action, *arguments) == "INVALID_PARAMETER_VALUE"


def test_missing_things_and_taken_names(store: Any, secret: Any, endpoint: Any, define: Callable[[], Any]) -> None:
    definition = define()
    for action, arguments in (
        (store.update_gateway_secret, ("s-none", VALUE)),
        (store.create_gateway_model_definition, (unique("m"), "s-none", "openai", "gpt-4o")),
        (store.create_gateway_endpoint, (unique("e"), [GatewayEndpointModelConfig("d-none", PRIMARY)])),
        (store.set_gateway_endpoint_tag, ("e-none", GatewayEndpointTag("k", "v"))),
        (store.create_endpoint_binding, ("e-none", GatewayResourceType.SCORER, "1")),
    ):
        assert code(action, *arguments) == "RESOURCE_DOES_NOT_EXIST"
    for action, arguments in (
        (store.create_gateway_secret, (secret.secret_name, VALUE)),
        (store.create_gateway_model_definition, (definition.name, secret.secret_id, "openai", "gpt-4o")),
        (store.create_gateway_endpoint, (endpoint.name, [config(definition)])),
    ):
        assert code(action, *arguments) == "RESOURCE_ALREADY_EXISTS"


def test_deleting_a_definition_in_use_fails_immediately(store: Any, endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's own server responds with 500, and its client then retries for minutes."""
    from urllib3 import connectionpool as pool

    sent: list[str] = []
    plain = pool.HTTPConnectionPool._make_request

    def counted(self: Any, connection: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        sent.append(f"{method} {url}")
        return plain(self, connection, method, url, *args, **kwargs)

    monkeypatch.setattr(pool.HTTPConnectionPool, "_make_request", counted)
    began = time.monotonic()
    used = endpoint.model_mappings[0].model_definition_id
    assert code(store.delete_gateway_model_definition, used) == "INVALID_STATE"
    assert time.monotonic() - began < 1
    # Below the client's retries, so each of them is counted.
    assert sent == ["DELETE /api/3.0/mlflow/gateway/model-definitions/delete"]
    assert store.get_gateway_model_definition(used)


# Gaps of the client, and our routes against MLflow's


def test_the_known_gaps_of_the_client(store: Any, endpoint: Any) -> None:
    """Features of the contract without support in MLflow's client. A closed gap needs a test here."""
    assert not hasattr(store, "list_budget_windows")
    for action, argument in (
        (store.get_gateway_model_definition, "name"),
        (store.list_gateway_endpoints, "secret_id"),
        (store.detach_model_from_endpoint, "linkage_type"),
    ):
        with pytest.raises(TypeError, match=argument):
            action(**{argument: "x"})


def test_every_gateway_method_of_the_client_is_called_here() -> None:
    public = {name for name in vars(RestGatewayStoreMixin) if not name.startswith("_")}
    text = Path(__file__).read_text(encoding="utf-8")
    assert {name for name in public if f"store.{name}" not in text} == set()


def test_our_routes_are_mlflows() -> None:
    """Our rows are exactly the gateway RPCs of MLflow's service."""
    from gateway_entities.mlflow_rest.routes import PREFIXES, ROUTES

    theirs = {}
    for method in service_pb2.MlflowService.DESCRIPTOR.methods:
        for each in method.GetOptions().Extensions[databricks_pb2.rpc].endpoints:
            if each.path.startswith("/mlflow/gateway/"):
                assert each.since.major == 3
                theirs[method.input_type.name] = (each.method, f"/api/3.0{each.path}")
    assert theirs == {route.method.name: (route.verb, PREFIXES[0] + route.path) for route in ROUTES}


def test_guardrails(store: Any, endpoint: Any) -> None:
    def create(stage: Any = GuardrailStage.BEFORE, **fields: Any) -> Any:
        return store.create_gateway_guardrail(unique("guard"), "scorer-1", 2, stage, GuardrailAction.VALIDATION, **fields)

    made = create(action_endpoint_id=endpoint.endpoint_id)
    assert made.guardrail_id.startswith("gr-")
    assert (made.stage, made.action) == (GuardrailStage.BEFORE, GuardrailAction.VALIDATION)
    assert (made.scorer.scorer_id, made.scorer.scorer_version) == ("scorer-1", 2)
    # Its entity calls it a name; it is the id that was sent.
    assert made.action_endpoint_name == endpoint.endpoint_id
    assert vars(store.get_gateway_guardrail(made.guardrail_id).scorer) == vars(made.scorer)
    after = create(GuardrailStage.AFTER)
    page = store.list_gateway_guardrails(max_results=1)
    rest = store.list_gateway_guardrails(page_token=page.token)
    assert [each.guardrail_id for each in (*page, *rest)] == [made.guardrail_id, after.guardrail_id]
    assert rest.token is None
    last = store.add_guardrail_to_endpoint(endpoint.endpoint_id, made.guardrail_id)
    assert (last.execution_order, last.guardrail.name) == (None, made.name)
    store.add_guardrail_to_endpoint(endpoint.endpoint_id, after.guardrail_id, execution_order=0)

    def orders() -> list[tuple[str, int | None]]:
        found = store.list_endpoint_guardrail_configs(endpoint.endpoint_id)
        return [(config.guardrail_id, config.execution_order) for config in found]

    assert orders() == [(after.guardrail_id, 0), (made.guardrail_id, None)]
    assert store.update_endpoint_guardrail_config(endpoint.endpoint_id, made.guardrail_id, -1).execution_order == -1
    assert orders() == [(made.guardrail_id, -1), (after.guardrail_id, 0)]
    cleared = store.update_endpoint_guardrail_config(endpoint.endpoint_id, made.guardrail_id)
    assert cleared.execution_order is None
    assert code(store.add_guardrail_to_endpoint, endpoint.endpoint_id, made.guardrail_id) == "RESOURCE_ALREADY_EXISTS"
    assert store.remove_guardrail_from_endpoint(endpoint.endpoint_id, made.guardrail_id) is None
    assert store.delete_gateway_guardrail(made.guardrail_id) is None
    assert orders() == [(after.guardrail_id, 0)]
    for missing in (
        lambda: store.get_gateway_guardrail(made.guardrail_id),
        lambda: store.delete_gateway_guardrail(made.guardrail_id),
        lambda: store.remove_guardrail_from_endpoint(endpoint.endpoint_id, made.guardrail_id),
        lambda: store.update_endpoint_guardrail_config(endpoint.endpoint_id, made.guardrail_id, 1),
        lambda: store.add_guardrail_to_endpoint("e-none", after.guardrail_id),
        lambda: store.list_endpoint_guardrail_configs("e-none"),
        lambda: create(action_endpoint_id="e-none"),
    ):
        assert code(missing) == "RESOURCE_DOES_NOT_EXIST"

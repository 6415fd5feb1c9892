"""An import from a real MLflow server: applied to a gateway, MLflow's own client reads the same from both."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway_entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    FallbackConfig,
    FallbackStrategy,
    GatewayClient,
    GatewayEndpointModelConfig,
    GatewayModelLinkageType,
    RoutingStrategy,
)
from gateway_entities.cli.app import cli
from gateway_entities.testing import gateway

PRIMARY, FALLBACK = GatewayModelLinkageType.PRIMARY, GatewayModelLinkageType.FALLBACK
VALUE = "sk-canary-0123456789-fedcba"


def fill(client: GatewayClient, prefix: str) -> None:
    secret = client.create_secret(
        f"{prefix} key", {"api_key": VALUE}, provider="openai", auth_config={"api_version": "${2024}"}
    )
    models = [
        client.create_model_definition(f"{prefix}/{i}", secret_id=secret.secret_id, provider="openai", model_name=f"gpt:{i}")
        for i in range(3)
    ]
    endpoint = client.create_endpoint(
        f"{prefix}-chat",
        [
            GatewayEndpointModelConfig(models[0].model_definition_id, PRIMARY, weight=0.75),
            GatewayEndpointModelConfig(models[1].model_definition_id, PRIMARY, weight=0.25),
            GatewayEndpointModelConfig(models[2].model_definition_id, FALLBACK, fallback_order=0),
        ],
        routing_strategy=RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT,
        fallback_config=FallbackConfig(FallbackStrategy.SEQUENTIAL, 1),
        usage_tracking=False,
    )
    client.set_endpoint_tag(endpoint.endpoint_id, "team", "a: ${b}\n")
    client.create_binding(endpoint.endpoint_id, "scorer", "7")
    client.create_budget_policy(
        budget_unit=BudgetUnit.USD,
        budget_amount=12.5,
        duration=BudgetDuration(BudgetDurationUnit.DAYS, 7),
        target_scope=BudgetTargetScope.GLOBAL,
        budget_action=BudgetAction.ALERT,
    )


def seen(store: Any, prefix: str) -> Any:
    """Return what MLflow's client reads, without ids, times, actors and masks."""
    secrets = [each for each in store.list_secret_infos() if each.secret_name.startswith(prefix)]
    models = [each for each in store.list_gateway_model_definitions() if each.name.startswith(prefix)]
    endpoints = [each for each in store.list_gateway_endpoints() if each.name.startswith(prefix)]
    by_id = {each.endpoint_id: each.name for each in endpoints}
    return {
        "secrets": [(each.secret_name, each.provider, each.auth_config) for each in secrets],
        "models": sorted((each.name, each.provider, each.model_name, each.secret_name) for each in models),
        "endpoints": [
            (
                each.name,
                [
                    (m.model_definition.name, m.linkage_type, m.weight, m.fallback_order)
                    for m in sorted(each.model_mappings, key=lambda m: m.model_definition.name)
                ],
                sorted((tag.key, tag.value) for tag in each.tags),
                each.routing_strategy,
                each.fallback_config,
                each.usage_tracking,
            )
            for each in endpoints
        ],
        "bindings": [
            (by_id[each.endpoint_id], each.resource_type, each.resource_id)
            for each in store.list_endpoint_bindings()
            if each.endpoint_id in by_id
        ],
    }


def test_mlflows_client_reads_the_same_after_an_import(
    mlflow_target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warnings.catch_warnings():
        # Importing MLflow raises warnings about other libraries.
        warnings.simplefilter("ignore")
        from mlflow.store.tracking.rest_store import RestStore
        from mlflow.utils.rest_utils import MlflowHostCreds
    prefix = "imported"
    with GatewayClient(mlflow_target) as client:
        fill(client, prefix)
    address = mlflow_target.removeprefix("mlflow+")
    done = CliRunner().invoke(cli, ["config", "import", "--from", "mlflow", address, "--into", str(tmp_path / "g.yaml")])
    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines()[-1].endswith(" 0 unaccounted")
    assert VALUE not in (tmp_path / "g.yaml").read_text() + done.output
    for line in done.stderr.splitlines():
        if ": set " in line:
            # Other tests of this server have left secrets.
            monkeypatch.setenv(line.split(": set ")[1].split()[0], VALUE)
    with gateway() as ours:
        applied = CliRunner().invoke(cli, ["config", "apply", str(tmp_path / "g.yaml"), "--target", ours.http_target])
        assert applied.exit_code == 0, applied.output
        stores = [RestStore(lambda url=url: MlflowHostCreds(url)) for url in (address, ours.http_target)]
        first, second = (seen(store, prefix) for store in stores)
        assert len(first["models"]) == 3
        assert first == second

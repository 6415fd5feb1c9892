"""What a client sends survives the disk, a restart and the other transport, unchanged; the secret stays secret."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpointModelConfig,
    GatewayError,
    GatewayModelLinkageType,
    RoutingStrategy,
)
from tests.client.server_client_pairs import PAIRS, connect


class Process:
    """The real server in a process of its own."""

    def __init__(self, store: Path, log: Path) -> None:
        self._log = log.open("ab")
        command = [sys.executable, "-m", "gateway_entities.cli", "serve", "--store", f"sqlite:///{store}"]
        self._process = subprocess.Popen(
            [*command, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self._process.stdout is not None
        lines = sorted(self._process.stdout.readline().strip() for _ in range(2))
        self.grpc_target, self.http_target = lines

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(timeout=15) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
some = text.filter(bool)
actor = st.none() | some
value = st.dictionaries(some.filter(lambda key: key not in RESERVED), some, min_size=1, max_size=3)
RESERVED = {"api_base", "base_url", "model_list", "fallbacks", "custom_llm_provider"}

secrets = st.fixed_dictionaries(
    {
        "secret_value": value,
        "provider": st.none() | text,
        "auth_config": st.dictionaries(text.filter(lambda key: key not in RESERVED), text, max_size=2),
        "created_by": actor,
    }
)
weights = st.none() | st.floats(0, 3.4028234663852886e38, width=32)
endpoints = st.fixed_dictionaries(
    {
        "weights": st.lists(weights, min_size=1, max_size=3).filter(lambda ws: sum(1.0 if w is None else w for w in ws) > 0),
        "fallback_order": st.none() | st.integers(0, 2**31 - 1),
        "tags": st.dictionaries(some, st.none() | text, max_size=3),
        "routing_strategy": st.sampled_from([None, RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT]),
        "fallback_config": st.none()
        | st.builds(
            FallbackConfig,
            st.sampled_from([None, FallbackStrategy.SEQUENTIAL]),
            st.none() | st.integers(1, 2**31 - 1),
        ),
        "experiment_id": st.none() | st.from_regex(r"[0-9]{1,12}", fullmatch=True),
        "usage_tracking": st.sampled_from([None, True, False]),
        "created_by": actor,
    }
)
budgets = st.fixed_dictionaries(
    {
        "budget_amount": st.floats(0, allow_infinity=False, allow_nan=False),
        "duration": st.builds(BudgetDuration, st.sampled_from([u for u in BudgetDurationUnit if u]), st.integers(1, 1200)),
        "user": st.none() | some,
        "created_by": actor,
    }
)


def create(client: Any, wanted: dict[str, Any], token: str) -> dict[str, Any]:
    """Create one of everything; check that each answer says what was asked; return the answers."""
    asked = wanted["secret"]
    name = token + wanted["name"]
    secret = client.create_secret(
        name,
        asked["secret_value"],
        provider=asked["provider"],
        auth_config=asked["auth_config"],
        created_by=asked["created_by"],
    )
    assert (secret.secret_name, secret.provider, secret.auth_config) == (name, asked["provider"], asked["auth_config"])
    assert (secret.created_by, set(secret.masked_values)) == (asked["created_by"], set(asked["secret_value"]))

    asked = wanted["endpoint"]
    definitions = [
        client.create_model_definition(
            f"{token}{wanted['name']}{i}",
            secret_id=secret.secret_id,
            provider="p" + wanted["name"],
            model_name="m" + wanted["name"],
            created_by=asked["created_by"],
        )
        for i in range(len(asked["weights"]))
    ]
    configs = [
        GatewayEndpointModelConfig(definition.model_definition_id, GatewayModelLinkageType.PRIMARY, weight)
        for definition, weight in zip(definitions, asked["weights"], strict=True)
    ]
    configs.append(
        GatewayEndpointModelConfig(
            definitions[0].model_definition_id, GatewayModelLinkageType.FALLBACK, None, asked["fallback_order"]
        )
    )
    sent = ("routing_strategy", "fallback_config", "experiment_id", "usage_tracking", "created_by")
    endpoint = client.create_endpoint(token, configs, **{field: asked[field] for field in sent})
    assert [m.weight for m in endpoint.model_mappings] == [1.0 if c.weight is None else c.weight for c in configs]
    assert [m.model_definition for m in endpoint.model_mappings] == [*definitions, definitions[0]]
    assert endpoint.model_mappings[-1].fallback_order == asked["fallback_order"]
    strategy = asked["routing_strategy"]
    if len(asked["weights"]) > 1 and any(weight is not None for weight in asked["weights"]):
        strategy = RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT
    assert (endpoint.routing_strategy, endpoint.experiment_id) == (strategy, asked["experiment_id"])
    assert endpoint.created_by == asked["created_by"]
    assert endpoint.fallback_config == (asked["fallback_config"] or FallbackConfig(FallbackStrategy.SEQUENTIAL))
    assert endpoint.usage_tracking == (True if asked["usage_tracking"] is None else asked["usage_tracking"])
    for key, tag in asked["tags"].items():
        client.set_endpoint_tag(endpoint.endpoint_id, key, tag)
    endpoint = client.get_endpoint(endpoint_id=endpoint.endpoint_id)
    assert {tag.key: tag.value for tag in endpoint.tags} == {k: v or "" for k, v in asked["tags"].items()}

    binding = client.create_binding(endpoint.endpoint_id, "scorer", "r" + wanted["name"], created_by=asked["created_by"])
    asked = wanted["budget"]
    budget = client.create_budget_policy(
        budget_unit=BudgetUnit.USD,
        budget_amount=asked["budget_amount"],
        duration=asked["duration"],
        target_scope=BudgetTargetScope.GLOBAL if asked["user"] is None else BudgetTargetScope.USER,
        budget_action=BudgetAction.ALERT,
        target_value=asked["user"],
        created_by=asked["created_by"],
    )
    assert (budget.budget_amount, budget.duration, budget.target_value) == (
        asked["budget_amount"],
        asked["duration"],
        asked["user"],
    )
    return {"secret": secret, "definitions": definitions, "endpoint": endpoint, "binding": binding, "budget": budget}


def read(client: Any, made: dict[str, Any]) -> dict[str, Any]:
    """Read again what was created."""
    return {
        "secret": client.get_secret(secret_id=made["secret"].secret_id),
        "definitions": [client.get_model_definition(model_definition_id=d.model_definition_id) for d in made["definitions"]],
        "endpoint": client.get_endpoint(endpoint_id=made["endpoint"].endpoint_id),
        "binding": client.list_bindings(endpoint_id=made["endpoint"].endpoint_id)[0],
        "budget": client.get_budget_policy(made["budget"].budget_policy_id),
    }


@given(
    wanted=st.lists(
        st.fixed_dictionaries({"name": text, "secret": secrets, "endpoint": endpoints, "budget": budgets}),
        min_size=5,
        max_size=40,
    ),
    writer=st.sampled_from(PAIRS),
)
# Each example starts the server twice, so there are few of them, each with many entities.
@settings(max_examples=max(2, settings.default.max_examples // 50), deadline=None, suppress_health_check=list(HealthCheck))
def test_everything_survives_a_restart_and_the_other_transport(tmp_path_factory, wanted, writer):
    folder = tmp_path_factory.mktemp("store")
    reader = PAIRS[3 - PAIRS.index(writer)]
    with Process(folder / "gateway.sqlite", folder / "log") as server:
        client = connect(writer, server.grpc_target, server.http_target)
        made = [create(client, each, uuid.uuid4().hex) for each in wanted]
        client.close()
    with Process(folder / "gateway.sqlite", folder / "log") as server:
        client = connect(reader, server.grpc_target, server.http_target)
        for each in made:
            assert read(client, each) == each
        client.close()


def shown_of(client: Any, name: str, canary: str, secret_value: dict[str, str]) -> list[str]:
    """Send a secret value in calls that succeed and that fail; return the texts of all results."""
    made = client.create_secret(name, secret_value)
    shown = [repr(made), str(made), repr(client.update_secret(made.secret_id, secret_value=secret_value))]
    other = f"other {name}"
    attempts: list[Any] = [
        lambda: client.create_secret(name, secret_value),
        lambda: client.create_secret("", {**secret_value, "base_url": canary}),
        lambda: client.create_secret(other, {"k": canary + "\0"}),
        lambda: client.create_secret(other, {"k": canary, "n": 7}),
        lambda: client.update_secret("s-none", secret_value=secret_value),
        lambda: client.create_secret(other, secret_value, timeout=1e-9),
    ]
    for attempt in attempts:
        with pytest.raises(GatewayError) as caught:
            attempt()
        shown += [repr(caught.value), str(caught.value), repr(caught.value.field_violations)]
    return shown


def test_the_plain_value_is_nowhere(tmp_path):
    """Neither on disk, nor in a log, nor in an error or a repr, however it is written."""
    canary = f"sk-canary-{uuid.uuid4().hex}-äöü"
    secret_value = {"api_key": canary, "nested": f"prefix {canary} suffix"}
    shown: list[str] = []
    with Process(tmp_path / "gateway.sqlite", tmp_path / "log") as server:
        for pair in PAIRS:
            client = connect(pair, server.grpc_target, server.http_target)
            shown += shown_of(client, pair, canary, secret_value)
            client.close()
        files = [path.read_bytes() for path in tmp_path.iterdir()]
    files += [path.read_bytes() for path in tmp_path.iterdir()]
    assert len(files) >= 5, "the database, its log and the key file were looked at"
    raw = canary.encode()
    spellings = [
        raw,
        raw.hex().encode(),
        raw.hex().upper().encode(),
        canary.encode("utf-16-le"),
        json.dumps(canary).encode(),
    ]
    # How base64 spells it depends on where in a group of three bytes it starts, and on what follows its last group.
    spellings += [base64.b64encode(raw[shift:])[:-4] for shift in range(3)]
    for spelling in spellings:
        assert not any(spelling in file for file in files)
        assert not any(spelling.decode("latin-1") in text for text in shown)
    assert canary not in "".join(shown)

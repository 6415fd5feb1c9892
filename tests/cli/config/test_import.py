"""``config import``: configurations of other gateways, with every field of the source accounted for."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from gateway_entities.cli.config.importers import envoy, litellm
from gateway_entities.cli.config.importers.fidelity import UNACCOUNTED
from gateway_entities.cli.config.importers.names import Names
from gateway_entities.cli.config.nodes import documents, plain
from gateway_entities.cli.config.reading import read
from gateway_entities.cli.yaml_text import dump
from tests import profiles
from tests.cli.config.conftest import CANARY, Config

LITELLM = f"""\
model_list:
  - model_name: gpt-4o
    litellm_params: &azure
      model: azure/gpt-4o-eu
      api_base: https://search-eu.openai.azure.com
      api_version: "2024-10-21"
      api_key: os.environ/AZURE_API_KEY
      rpm: 600
      timeout: 60
    model_info: {{id: eu, base_model: azure/gpt-4o, mode: chat}}
  - model_name: gpt-4o
    litellm_params:
      <<: *azure
      api_base: os.environ/AZURE_US_BASE
      rpm: 300
      order: 1
  - model_name: "openai/*"
    litellm_params: {{model: openai/*, api_key: {CANARY}}}
  - model_name: ollama/llama3:8b
    litellm_params: {{model: ollama/llama3:8b, api_base: "http://ollama:11434"}}
  - model_name: claude
    litellm_params: {{model: claude-sonnet-5, api_key: os.environ/ANTHROPIC_API_KEY, max_budget: 5, price: $x}}
  - {{model_name: broken}}
router_settings:
  routing_strategy: usage-based-routing-v2
  fallbacks: [{{gpt-4o: [claude, missing]}}, {{nowhere: [claude]}}]
  model_group_alias: {{smart: gpt-4o, hidden-one: {{model: claude, hidden: true}}}}
  num_retries: 2
litellm_settings:
  max_budget: 100
  budget_duration: 30d
  drop_params: true
  callbacks: []
  context_window_fallbacks: [{{a: [b]}}]
general_settings: {{master_key: {CANARY}, database_url: null}}
environment_variables: {{REDIS_HOST: somewhere}}
"""
ENVOY = f"""\
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIGatewayRoute
metadata: {{name: chat, namespace: ai}}
spec:
  parentRefs: [{{name: gw, kind: Gateway, group: gateway.networking.k8s.io}}]
  rules:
    - matches:
        - headers: [{{type: Exact, name: x-ai-eg-model, value: us.amazon.nova-micro-v1:0}}]
        - headers: [{{type: Exact, name: x-ai-eg-model, value: nova}}, {{name: x-team, value: search}}]
      timeouts: {{request: 60s}}
      backendRefs:
        - {{name: openai, weight: 3, modelNameOverride: gpt-4o}}
        - {{name: aws, weight: 1, priority: 0}}
        - {{name: openai, priority: 1, modelNameOverride: gpt-4o-mini}}
        - {{name: not-here}}
  llmRequestCosts: [{{metadataKey: total, type: TotalToken}}]
---
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIServiceBackend
metadata: {{name: openai, namespace: ai}}
spec:
  schema: {{name: OpenAI, version: v1}}
  backendRef: {{name: openai, kind: Backend, group: gateway.envoyproxy.io}}
---
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIServiceBackend
metadata: {{name: aws, namespace: ai}}
spec:
  schema: {{name: AWSBedrock}}
  backendRef: {{name: aws, kind: Backend, group: gateway.envoyproxy.io}}
---
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: BackendSecurityPolicy
metadata: {{name: openai-key, namespace: ai}}
spec:
  targetRefs: [{{group: aigateway.envoyproxy.io, kind: AIServiceBackend, name: openai}}]
  type: APIKey
  apiKey: {{secretRef: {{name: openai-key}}}}
---
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: BackendSecurityPolicy
metadata: {{name: aws-key, namespace: ai}}
spec:
  targetRefs: [{{group: aigateway.envoyproxy.io, kind: AIServiceBackend, name: aws}}]
  type: AWSCredentials
  awsCredentials: {{region: us-east-1, credentialsFile: {{secretRef: {{name: aws-key}}, profile: p}}}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: openai, namespace: ai}}
spec: {{endpoints: [{{fqdn: {{hostname: api.openai.com, port: 443}}}}]}}
---
apiVersion: v1
kind: Secret
metadata: {{name: openai-key, namespace: ai}}
stringData: {{apiKey: {CANARY}}}
"""


def test_a_litellm_file(offline: Config, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "litellm.yaml").write_text(LITELLM)
    done = offline("import", "--from", "litellm", "litellm.yaml", "--owner", "ai", "--report", "report.json")
    found = plain(documents("-", done.stdout)[0])
    assert found["owner"] == "ai"
    endpoints = {endpoint["name"]: endpoint for endpoint in found["endpoints"]}
    assert list(endpoints) == ["gpt-4o", "openai-all", "ollama-llama3-8b", "claude", "smart", "hidden-one"]
    assert endpoints["openai-all"]["tags"] == {"litellm_model_name": "openai/*"}
    assert endpoints["gpt-4o"]["models"] == [
        {"model_definition": "gpt-4o", "weight": 600.0},
        {"model_definition": "gpt-4o-2", "linkage_type": "FALLBACK", "fallback_order": 0},
        {"model_definition": "claude", "linkage_type": "FALLBACK", "fallback_order": 1},
    ]
    assert endpoints["smart"]["models"] == endpoints["gpt-4o"]["models"]
    secrets = {secret["name"]: secret for secret in found["secrets"]}
    assert secrets["azure-api-key"]["value_from"] == {"api_key": {"env": "AZURE_API_KEY"}}
    assert secrets["azure-api-key-2"]["auth_config"]["api_base"] == "${AZURE_US_BASE}"
    assert secrets["openai"]["value_from"] == {"api_key": {"env": "OPENAI_API_KEY"}}
    assert found["budget_policies"][0]["duration"] == {"unit": "DAYS", "value": 30}
    assert done.stderr.splitlines()[-1].endswith(" 0 unaccounted")
    report = {each["path"]: each["outcome"] for each in json.loads((folder / "report.json").read_text())}
    assert report["model_list[0].model_name"] == "mapped"
    assert report["model_list[2].litellm_params.api_key"] == "approximated"
    assert report["router_settings.fallbacks[0].gpt-4o[1]"] == "dropped"
    assert report["general_settings.master_key"] == "dropped"
    monkeypatch.setenv("AZURE_US_BASE", "https://us.example.com")
    (folder / "imported.yaml").write_text(done.stdout)
    assert "6 endpoints" in offline("validate", "imported.yaml").output


def test_resources_of_envoy_ai_gateway(offline: Config, folder: Path) -> None:
    (folder / "envoy.yaml").write_text(ENVOY)
    done = offline("import", "--from", "envoy-ai-gateway", "envoy.yaml", "--into", "new.yaml")
    found = plain(documents("-", (folder / "new.yaml").read_text())[0])
    endpoints = {endpoint["name"]: endpoint for endpoint in found["endpoints"]}
    assert list(endpoints) == ["us.amazon.nova-micro-v1-0", "nova"]
    assert endpoints["nova"]["models"] == [
        {"model_definition": "openai-gpt-4o", "weight": 3.0},
        {"model_definition": "aws-nova"},
        {"model_definition": "openai-gpt-4o-mini", "linkage_type": "FALLBACK", "fallback_order": 0},
    ]
    assert found["secrets"][0] == {
        "name": "openai-key",
        "provider": "openai",
        "auth_config": {"api_base": "https://api.openai.com/v1"},
        "value_from": {"api_key": {"env": "OPENAI_KEY_API_KEY"}},
    }
    assert done.stderr.splitlines()[-1].endswith(" 0 unaccounted")
    assert "2 endpoints" in offline("validate", "new.yaml").output
    offline("import", "--from", "envoy-ai-gateway", "envoy.yaml", "--into", "new.yaml", code=2)


def test_an_import_is_applied(config: Config, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "envoy.yaml").write_text(ENVOY)
    config("import", "--from", "envoy-ai-gateway", "envoy.yaml", "--into", "new.yaml", "--owner", "ai")
    monkeypatch.setenv("OPENAI_KEY_API_KEY", CANARY)
    monkeypatch.setenv("AWS_KEY_AWS_CREDENTIALS_FILE", CANARY)
    assert "8 created" in config("apply", "new.yaml").output
    assert config("plan", "new.yaml", "--with-values").output == "No changes.\n"


def test_names_follow_the_rule() -> None:
    names = Names()
    given = ["openai/*", "ollama/llama3:8b", "a b", "a/b", "a b", "*", "//", "é", "x" * 300, ".ok_-"]
    expected = ["openai-all", "ollama-llama3-8b", "a-b", "a-b-2", "a-b", "all", "unnamed", "unnamed-2", "x" * 200, ".ok_"]
    assert [names.name(each) for each in given] == expected


SCALARS: list[Any] = [
    None,
    True,
    0,
    -1,
    3,
    0.5,
    1e300,
    "",
    "x",
    "os.environ/KEY",
    "${HOME}",
    "a: b\n",
    "é",
    "*",
    "/",
    "gpt-4",
    "30d",
]


def anything(rng: random.Random, depth: int) -> Any:
    if depth == 0 or rng.random() < 0.5:
        return rng.choice(SCALARS)
    if rng.random() < 0.5:
        return [anything(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    return {rng.choice(["a", "model", "name", "x y", "spec"]): anything(rng, depth - 1) for _ in range(rng.randint(0, 3))}


def altered(rng: random.Random, value: Any, rate: float) -> Any:
    """Return a value with parts that are missing, repeated or of other types."""
    if rng.random() < rate:
        return anything(rng, 2)
    if isinstance(value, dict):
        kept = {key: altered(rng, item, rate) for key, item in value.items() if rng.random() > rate}
        return {**kept, "unheard_of": anything(rng, 2)} if rng.random() < rate else kept
    if isinstance(value, list):
        found = [altered(rng, item, rate) for item in value for _ in range(1 + (rng.random() < rate))]
        rng.shuffle(found)
        return found
    return value


def check(result: Any, fidelity: Any, source: dict[str, Any]) -> None:
    """Check that every value of the source has an outcome with its reason, and that the result is a valid configuration."""
    outcomes = fidelity.outcomes()
    assert sorted(each.path for each in outcomes) == sorted(values(source))
    assert [each for each in outcomes if each.outcome == UNACCOUNTED or not each.note] == [], source
    text = dump(result.to_dict())
    assert CANARY not in text + repr(outcomes)
    problems = read(documents("-", text)).problems
    assert problems == [], (source, text, problems)


def values(value: Any, path: str = "") -> list[str]:
    """Return the path of every value, computed here once more."""
    if isinstance(value, dict) and value:
        return [found for key, item in value.items() for found in values(item, f"{path}.{key}" if path else str(key))]
    if isinstance(value, list) and value:
        return [found for position, item in enumerate(value) for found in values(item, f"{path}[{position}]")]
    return [path] if path else []


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_no_field_of_a_generated_litellm_file_is_unaccounted(rate: float) -> None:
    rng = random.Random(f"{profiles.SEED} {rate}")
    base = plain(documents("-", LITELLM)[0])
    for _ in range(profiles.count(70, 25)):
        source = altered(rng, base, rate)
        if isinstance(source, dict):
            check(*litellm.convert(source), source)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_no_field_of_generated_envoy_resources_is_unaccounted(rate: float) -> None:
    rng = random.Random(f"{profiles.SEED} {rate}")
    base = [plain(node) for node in documents("-", ENVOY)]
    for _ in range(profiles.count(70, 25)):
        source = [each for document in base if isinstance(each := altered(rng, document, rate), dict)]
        check(*envoy.convert(source), {"resources": source})


FILES = sorted((Path(__file__).parent / "imports").glob("*/*.yaml"))


def convert(kind: str, found: list[Any]) -> tuple[Any, Any]:
    return litellm.convert(found[0]) if kind == "litellm" else envoy.convert(found)


def in_tree(kind: str, found: list[Any]) -> dict[str, Any]:
    """Return a source as the report sees it."""
    return found[0] if kind == "litellm" else {"resources": found}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_files_as_people_write_them(file: Path) -> None:
    assert len(FILES) == 20
    text, kind = file.read_text(), file.parent.name
    found = [plain(node) for node in documents(file.name, text)]
    result, fidelity = convert(kind, found)
    check(result, fidelity, in_tree(kind, found))
    names = text.splitlines()[0].removeprefix("# endpoints: ").split(", ")
    assert list(result.endpoints) == names
    assert any(each.outcome == "mapped" for each in fidelity.outcomes())


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_what_is_dropped_has_no_part_in_the_result_and_what_is_mapped_has(file: Path) -> None:
    kind, rng = file.parent.name, random.Random(profiles.SEED)
    found = [plain(node) for node in documents(file.name, file.read_text())]
    result, fidelity = convert(kind, found)
    outcomes = [each for each in fidelity.outcomes() if each.outcome != "approximated"]
    for outcome in rng.sample(outcomes, min(len(outcomes), profiles.whole(len(outcomes), 15))):
        other = copy.deepcopy(found)
        if not change(in_tree(kind, other), outcome.path):
            continue
        changed, report = convert(kind, other)
        same = (outcome.path, outcome.outcome) in {(each.path, each.outcome) for each in report.outcomes()}
        assert (same and changed.to_dict() == result.to_dict()) == (outcome.outcome == "dropped"), outcome


def change(tree: Any, path: str) -> bool:
    """Give a value of the tree another content of its type; return whether it has one."""
    for step in path_steps(tree, path):
        tree, last = step
    value = tree[last]
    if isinstance(value, str) and value:
        tree[last] = f"{value}x"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        tree[last] = value + 1
    else:
        return False
    return True


def path_steps(tree: Any, path: str) -> list[tuple[Any, Any]]:
    """Return the containers on the way to a path, each with the key that leads on. Keys may have dots."""
    if isinstance(tree, list):
        number, _, rest = path.removeprefix("[").partition("]")
        return [(tree, int(number)), *(path_steps(tree[int(number)], rest) if rest else [])]
    path = path.removeprefix(".")
    for key in tree:
        rest = path.removeprefix(key)
        if path == key:
            return [(tree, key)]
        if path.startswith(key) and rest[0] in ".[":
            return [(tree, key), *path_steps(tree[key], rest)]
    raise AssertionError(path)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--from", "litellm", "-"), "- a\n"),
        (("--from", "litellm", "-"), ""),
        (("--from", "litellm", "-", "-"), "{}"),
        (("--from", "kong", "-"), "{}"),
        (("-",), "{}"),
    ],
)
def test_usage_errors(offline: Config, arguments: tuple[str, ...], text: str) -> None:
    offline("import", *arguments, code=2, stdin=text)


def test_a_list_of_resources_is_its_items() -> None:
    route = {
        "apiVersion": "aigateway.envoyproxy.io/v1alpha1",
        "kind": "AIGatewayRoute",
        "metadata": {"name": "r"},
        "spec": {
            "rules": [
                {
                    "matches": [{"headers": [{"type": "Exact", "name": "x-ai-eg-model", "value": "gpt-4o"}]}],
                    "backendRefs": [{"name": "b"}],
                }
            ]
        },
    }
    backend = {
        "apiVersion": "aigateway.envoyproxy.io/v1alpha1",
        "kind": "AIServiceBackend",
        "metadata": {"name": "b"},
        "spec": {"schema": {"name": "OpenAI"}, "backendRef": {"name": "x"}},
    }
    alone, _ = envoy.convert([route, backend])
    found = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": [route, backend]}
    listed, fidelity = envoy.convert([found])
    assert listed.to_dict() == alone.to_dict()
    assert listed.to_dict()["endpoints"]
    assert not [each for each in fidelity.outcomes() if each.outcome == UNACCOUNTED]


def test_a_model_without_the_provider_before_its_slash() -> None:
    result, _ = litellm.convert({"model_list": [{"model_name": "a", "litellm_params": {"model": "/gpt-4o"}}]})
    assert not read(documents("imported", dump(result.to_dict()))).problems

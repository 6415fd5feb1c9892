"""Discovery of providers and models, which MLflow's web page reads."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.mlflow_rest.routes import PREFIXES
from gateway_entities.server.provider_catalog import MAX_CATALOG_BYTES, ProviderCatalog
from gateway_entities.server.server import Server
from gateway_entities.testing import gateway
from tests.mlflow_rest.rest import Rest, error_of
from tests.stores import serving, sqlite_place

PATHS = ("/supported-providers", "/supported-models", "/provider-config")


@pytest.fixture
def pages(rest: Rest) -> Rest:
    return Rest(rest.target, PREFIXES[1])


def test_providers_are_sorted_names(pages: Rest) -> None:
    names = pages.ok("GET", "/supported-providers")["providers"]
    assert names == sorted(names)
    assert {"openai", "anthropic", "bedrock"} < set(names)


def test_models_have_every_field_and_those_of_one_provider_can_be_read(pages: Rest) -> None:
    everything = pages.ok("GET", "/supported-models")["models"]
    openai = pages.ok("GET", "/supported-models", provider="openai")["models"]
    assert openai == [model for model in everything if model["provider"] == "openai"]
    capabilities = ("function_calling", "vision", "reasoning", "prompt_caching", "response_schema")
    fields = [
        *("model", "provider", "mode", *(f"supports_{name}" for name in capabilities)),
        *("max_input_tokens", "max_output_tokens", "input_cost_per_token", "output_cost_per_token"),
        *("modality", "deprecation_date", "last_updated_at"),
    ]
    assert {tuple(model) for model in everything} == {tuple(fields)}
    assert pages.ok("GET", "/supported-models", provider="none") == {"models": []}
    assert pages.ok("GET", "/supported-models", provider="")["models"] == everything


def test_a_provider_has_its_ways_to_authenticate_and_any_other_takes_a_key(pages: Rest) -> None:
    config = pages.ok("GET", "/provider-config", provider="Bedrock")
    modes = {mode["mode"]: mode for mode in config["auth_modes"]}
    assert config["default_mode"] in modes
    assert [field["name"] for field in modes["access_keys"]["secret_fields"]] == [
        *("aws_access_key_id", "aws_secret_access_key")
    ]
    assert {tuple(field) for mode in modes.values() for field in mode["config_fields"]} == {
        ("name", "type", "description", "required")
    }
    for alias in ("amazon-bedrock", "bedrock_converse"):
        assert pages.ok("GET", "/provider-config", provider=alias) == config
    (mode,) = pages.ok("GET", "/provider-config", provider="somebody's")["auth_modes"]
    assert (mode["mode"], mode["secret_fields"][0]["name"], mode["config_fields"][0]["name"]) == (
        *("api_key", "api_key"),
        "api_base",
    )
    for query in ("", "provider="):
        error = error_of(pages.send("GET", "/provider-config", query=query))
        assert error == (400, "INVALID_PARAMETER_VALUE", "Provider parameter is required")


@pytest.mark.parametrize("path", PATHS)
def test_the_paths_have_one_prefix_one_verb_and_one_provider(rest: Rest, pages: Rest, path: str) -> None:
    assert error_of(rest.send("GET", path))[:2] == (404, "ENDPOINT_NOT_FOUND")
    rejected = pages.send("POST", path, {})
    assert error_of(rejected)[:2] == (405, "INVALID_PARAMETER_VALUE")
    assert rejected.headers["allow"] == "GET, HEAD, OPTIONS"
    head = pages.send("HEAD", path, query="provider=openai")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) > 2
    error = error_of(pages.send("GET", path, query="provider=a&provider=b"))
    assert error == (400, "INVALID_PARAMETER_VALUE", "provider is given twice; provide it once")


def test_a_caller_needs_the_right_to_read() -> None:
    with gateway() as running:
        token = running.create_token("page", "read")
        pages = Rest(running.http_target, PREFIXES[1])
        for path in PATHS:
            assert error_of(pages.send("GET", path, query="provider=x"))[:2] == (401, "UNAUTHENTICATED")
            headers = {"authorization": f"Bearer {token}"}
            assert pages.send("GET", path, query="provider=x", headers=headers).status == 200


# An operator's file

SMALL: dict[str, Any] = {
    "source": "the operator",
    "date": "2026-11-27",
    "aliases": {"local": "vllm"},
    "providers": {
        "vllm": {
            "auth_modes": {
                "token": {
                    "display_name": "Token",
                    "description": "A token of the cluster",
                    "fields": [
                        {"name": "token", "description": "Token", "secret": True, "required": True},
                        {"name": "region", "description": "Region", "secret": False, "required": False, "default": "eu"},
                    ],
                }
            },
            "models": {"qwen": {"mode": "chat", "capabilities": ["vision"], "input_usd_per_million_tokens": 0.3}},
        },
        "empty": {},
    },
}


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("operated")
    (folder / "providers.json").write_text(json.dumps(SMALL), encoding="utf-8")
    place = sqlite_place(folder / "gateway.sqlite", with_tables=True)
    with serving(place, provider_catalog=folder / "providers.json") as server:
        yield server


def test_an_operators_file_replaces_the_built_in_one(operated: Server) -> None:
    pages = Rest(operated.http_target, PREFIXES[1])
    assert pages.ok("GET", "/supported-providers") == {"providers": ["empty", "vllm"]}
    (model,) = pages.ok("GET", "/supported-models")["models"]
    given = {"model": "qwen", "provider": "vllm", "mode": "chat", "supports_vision": True, "input_cost_per_token": 0.3 / 1e6}
    assert {name: value for name, value in model.items() if value} == given
    assert model["max_input_tokens"] is None
    config = pages.ok("GET", "/provider-config", provider="local")
    assert config == {
        "auth_modes": [
            {
                "mode": "token",
                "display_name": "Token",
                "description": "A token of the cluster",
                "secret_fields": [{"name": "token", "type": "string", "description": "Token", "required": True}],
                "config_fields": [
                    {"name": "region", "type": "string", "description": "Region", "required": False, "default": "eu"}
                ],
            }
        ],
        "default_mode": "token",
        "env_credentials_available": False,
    }


def test_a_provider_is_found_in_any_case(tmp_path: Path) -> None:
    path, vllm = tmp_path / "providers.json", SMALL["providers"]["vllm"]
    content = {**SMALL, "aliases": {"Local": "vLLM"}, "providers": {"vLLM": vllm, "Other": vllm, "other": {}}}
    path.write_text(json.dumps(content), encoding="utf-8")
    catalog = ProviderCatalog.load(path)
    for name in ("vLLM", "vllm", "VLLM", "Local", "local", "Other"):
        assert json.loads(catalog.config_json(name))["default_mode"] == "token"
    assert json.loads(catalog.config_json("none"))["default_mode"] == "api_key"


def changed(*path: str, to: Any) -> Any:
    """Return the content with another value at a path; None for none."""
    content = json.loads(json.dumps(SMALL))
    place = content
    for name in path[:-1]:
        place = place[name]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return content


VLLM, QWEN = ("providers", "vllm"), ("providers", "vllm", "models", "qwen")
MODE = (*VLLM, "auth_modes", "token")
FAULTS: list[tuple[Any, str]] = [
    ([], "the file must be an object"),
    (changed("source", to=None), "source is required"),
    (changed("date", to="today"), "date must be a date such as 2026-01-31"),
    (changed("more", to=1), '["more"] is no field; the fields are source, date, providers, aliases'),
    (changed("providers", to={}), "providers must be an object of 1 to 1000 entries"),
    (changed("providers", to={"p" * 65: {}}), "is a name that must be text of 1 to 64 characters"),
    (changed("aliases", to={"a": "none"}), 'aliases["a"] must name one of providers'),
    (changed(*VLLM, "default_mode", to="none"), 'providers["vllm"].default_mode must be one of auth_modes'),
    (changed(*VLLM, "auth_modes", to={}), 'providers["vllm"].auth_modes must be an object of 1 to 16 entries'),
    (changed(*MODE, "fields", to=5), 'providers["vllm"].auth_modes["token"].fields must be an array of at most 32 items'),
    (changed(*MODE, "fields", to=[{"name": "x"}]), 'auth_modes["token"].fields[0].secret is required'),
    (changed(*QWEN, "mode", to="speech"), 'models["qwen"].mode must be one of chat, completion, embedding'),
    (changed(*QWEN, "capabilities", to=["flight"]), 'models["qwen"].capabilities[0] must be one of function_calling'),
    (changed(*QWEN, "max_input_tokens", to=1.5), 'models["qwen"].max_input_tokens must be a whole number from 0'),
    (changed(*QWEN, "max_output_tokens", to=True), 'models["qwen"].max_output_tokens must be a whole number from 0'),
    (changed(*QWEN, "input_usd_per_million_tokens", to=-1), "input_usd_per_million_tokens must be a number from 0"),
    (changed(*QWEN, "modality", to={"audio": {"x": "1"}}), 'models["qwen"].modality["audio"]["x"] must be a number from 0'),
    (b"{", "it is not JSON: "),
    (b'{"date": "a", "date": "b"}', "it is not JSON: an object has 'date' twice"),
    (b'{"date": NaN}', "it is not JSON: NaN is not a number of JSON"),
    (b"\xff", "it is not UTF-8"),
    (b'{"date": %b}' % (b"9" * 5000), "it has a number of too many digits"),
    (b"[" * 100_000, "it nests too deeply"),
    (b" " * (MAX_CATALOG_BYTES + 1), f"it is larger than {MAX_CATALOG_BYTES} bytes"),
]


@pytest.mark.parametrize(("content", "fault"), FAULTS, ids=[fault for _, fault in FAULTS])
def test_a_fault_of_the_file_is_named_with_its_place(tmp_path: Path, content: Any, fault: str) -> None:
    path = tmp_path / "providers.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    assert_refused(path, fault)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.json", "No such file or directory")
    assert_refused(tmp_path, "it is not a regular file")
    os.mkfifo(tmp_path / "pipe")
    assert_refused(tmp_path / "pipe", "it is not a regular file")


def assert_refused(path: Path, fault: str) -> None:
    starts: list[Callable[[], object]] = [
        lambda: ProviderCatalog.load(path),
        lambda: Server("sqlite://", provider_catalog=path),
    ]
    for start in starts:
        with pytest.raises(GatewayError) as caught:
            start()
        assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "BAD_CATALOG")
        assert caught.value.message.startswith(f"the file of providers {path} cannot be used: ")
        assert fault in caught.value.message


def test_a_file_with_very_many_faults_is_refused_after_a_hundred(tmp_path: Path) -> None:
    path = tmp_path / "providers.json"
    path.write_text(json.dumps({**SMALL, "providers": {f"p{number}": 5 for number in range(200)}}), encoding="utf-8")
    assert_refused(path, "more than 100 violations: ")

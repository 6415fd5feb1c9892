from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
RunJson = Callable[..., Any]
Model = dict[str, Any]


def test_create_with_all_options(run_json: RunJson, name: str, models: list[Model]) -> None:
    a, b, c = models
    created = run_json(
        *("endpoint", "create", name, "--primary", a["name"], "0.7", "--primary", b["model_definition_id"], "0.3"),
        *("--fallback", c["name"], "--fallback", a["name"], "--max-attempts", "1", "--experiment-id", "12"),
        *("--no-usage-tracking", "--tag", "team", "search", "--tag", "empty", "", "--created-by", "ann"),
    )
    assert created["name"] == name
    assert [
        (m["model_definition_id"], m["linkage_type"], m.get("weight"), m.get("fallback_order"))
        for m in created["model_mappings"]
    ] == [
        (a["model_definition_id"], "PRIMARY", 0.7, None),
        (b["model_definition_id"], "PRIMARY", 0.3, None),
        (c["model_definition_id"], "FALLBACK", 1.0, 0),
        (a["model_definition_id"], "FALLBACK", 1.0, 1),
    ]
    assert created["tags"] == [{"key": "team", "value": "search"}, {"key": "empty", "value": ""}]
    assert created["routing_strategy"] == "REQUEST_BASED_TRAFFIC_SPLIT"
    assert created["fallback_config"] == {"strategy": "SEQUENTIAL", "max_attempts": 1}
    assert (created["experiment_id"], created["usage_tracking"], created["created_by"]) == ("12", False, "ann")
    assert run_json("endpoint", "get", name) == created


def test_one_primary_has_no_default_routing_strategy(
    run_json: RunJson, name: str, models: list[Model], endpoint: dict[str, Any]
) -> None:
    assert "routing_strategy" not in endpoint
    asked = run_json(
        *("endpoint", "create", name, "--primary", models[0]["name"], "1"),
        *("--routing-strategy", "REQUEST_BASED_TRAFFIC_SPLIT"),
    )
    assert asked["routing_strategy"] == "REQUEST_BASED_TRAFFIC_SPLIT"


def test_a_rejected_tag_leaves_no_endpoint(run: Run, name: str, models: list[Model]) -> None:
    arguments = ("endpoint", "create", name, "--primary", models[0]["name"], "1", "--tag", "k", "v" * 5001)
    assert run(*arguments, code=1).stderr.startswith("error: INVALID_ARGUMENT: ")
    assert run("endpoint", "get", name, code=1).stderr.startswith("error: NOT_FOUND: ")


def test_the_gateway_rejects_an_endpoint_without_primary(run: Run, name: str) -> None:
    refused = run("endpoint", "create", name, code=1).stderr
    assert refused.startswith("error: INVALID_ARGUMENT: ")
    assert "\n  model_configs: " in refused


def test_an_invalid_weight_is_a_usage_error(run: Run, name: str) -> None:
    assert "'heavy' is not a valid float" in run("endpoint", "create", name, "--primary", "m", "heavy", code=2).stderr


@pytest.mark.parametrize("field", ["endpoint_id", "name"])
def test_get_by_id_and_by_name(run_json: RunJson, endpoint: dict[str, Any], field: str) -> None:
    assert run_json("endpoint", "get", endpoint[field]) == endpoint


def test_the_table_of_one_endpoint_has_a_line_for_each_model_and_tag(run: Run, name: str, models: list[Model]) -> None:
    run(
        *("endpoint", "create", name, "--primary", models[0]["name"], "0.7", "--primary", models[1]["name"], "0.3"),
        *("--fallback", models[2]["name"], "--tag", "team", "search", "--tag", "tier", "1"),
    )
    lines = [line.split(maxsplit=1) for line in run("endpoint", "get", name).stdout.splitlines()]
    texts = [" ".join(line) for line in lines]
    first = texts.index(f"model_mappings PRIMARY {models[0]['name']} (openai/gpt-4o) weight 0.7")
    assert texts[first + 1 : first + 3] == [
        f"PRIMARY {models[1]['name']} (openai/gpt-4o) weight 0.3",
        f"FALLBACK {models[2]['name']} (openai/gpt-4o) order 0",
    ]
    assert texts[texts.index("tags team=search") + 1] == "tier=1"
    assert "fallback_config strategy SEQUENTIAL, max_attempts -" in texts
    assert "usage_tracking true" in texts


def test_list(run: Run, run_json: RunJson, endpoint: dict[str, Any], secret: dict[str, Any]) -> None:
    assert run_json("endpoint", "list", "--secret", secret["secret_name"]) == [endpoint]
    assert run_json("endpoint", "list", "--secret", secret["secret_id"], "--provider", "other") == []
    heading, row = run("endpoint", "list", "--secret", secret["secret_name"]).stdout.splitlines()
    assert heading.split() == ["NAME", "MODELS", "TAGS", "CREATED_AT", "ID"]
    assert row.split()[:2] == [endpoint["name"], endpoint["model_mappings"][0]["model_definition"]["name"]]
    assert row.split()[-1] == endpoint["endpoint_id"][:10]


def test_update_changes_the_given_fields(
    run_json: RunJson, name: str, endpoint: dict[str, Any], models: list[Model]
) -> None:
    renamed = run_json("endpoint", "update", endpoint["name"], "--name", name, "--experiment-id", "7", "--updated-by", "bob")
    assert (renamed["name"], renamed["experiment_id"], renamed["last_updated_by"]) == (name, "7", "bob")
    assert renamed["model_mappings"] == endpoint["model_mappings"]
    replaced = run_json("endpoint", "update", name, "--primary", models[1]["name"], "2", "--clear", "experiment_id")
    assert [m["model_definition_id"] for m in replaced["model_mappings"]] == [models[1]["model_definition_id"]]
    assert "experiment_id" not in replaced


def test_attach_and_detach(run: Run, run_json: RunJson, endpoint: dict[str, Any], models: list[Model]) -> None:
    _, b, c = models
    mapping = run_json("endpoint", "attach", endpoint["name"], b["name"], "--weight", "0.5")
    assert (mapping["linkage_type"], mapping["weight"]) == ("PRIMARY", 0.5)
    fallback = run(
        "endpoint", "attach", endpoint["endpoint_id"], c["model_definition_id"], "--fallback", "--order", "3"
    ).stdout
    assert ["linkage_type", "FALLBACK"] in [line.split() for line in fallback.splitlines()]
    assert run("endpoint", "detach", endpoint["name"], b["name"]).stdout == f"detached {b['name']} from {endpoint['name']}\n"
    left = run_json("endpoint", "get", endpoint["name"])["model_mappings"]
    assert [m["linkage_type"] for m in left] == ["PRIMARY", "FALLBACK"]


def test_tag_set_and_delete(run: Run, run_json: RunJson, endpoint: dict[str, Any]) -> None:
    key = endpoint["name"]
    run("endpoint", "tag", "set", key, "team", "search")
    run("endpoint", "tag", "set", endpoint["endpoint_id"], "team", "chat")
    assert run_json("endpoint", "get", key)["tags"] == [{"key": "team", "value": "chat"}]
    run("endpoint", "tag", "delete", key, "team")
    assert "tags" not in run_json("endpoint", "get", key)


@pytest.mark.parametrize("field", ["endpoint_id", "name"])
def test_delete_by_id_and_by_name(run: Run, endpoint: dict[str, Any], field: str) -> None:
    assert run("endpoint", "delete", endpoint[field]).stdout == f"deleted {endpoint['endpoint_id']}\n"
    assert run("endpoint", "get", endpoint[field], code=1).stderr.startswith("error: NOT_FOUND: ")


def test_control_characters_of_names_and_keys_do_not_reach_the_terminal(
    run: Run, run_json: RunJson, name: str, secret: dict[str, Any], endpoint: dict[str, Any]
) -> None:
    wild, shown, key = f"{name}\x1b[31m\nred", f"{name}\\x1b[31m\\nred", endpoint["name"]
    definition = ("--secret", secret["secret_name"], "--provider", "openai", "--model-name", "m")
    run_json("model-definition", "create", wild, *definition)
    sentences = {
        ("endpoint", "detach", key, wild): f"detached {shown} from {key}",
        ("endpoint", "tag", "set", key, wild, "v"): f"set {shown} on {key}",
        ("endpoint", "tag", "delete", key, wild): f"deleted {shown} from {key}",
        ("binding", "delete", key, "scorer", wild): f"deleted the binding of {key} to scorer {shown}",
    }
    run("endpoint", "attach", key, wild)
    run("binding", "create", key, "scorer", wild)
    for arguments, sentence in sentences.items():
        result = run(*arguments, code=None)
        assert "\x1b" not in result.output
        # Where the contract allows it.
        assert result.stdout == f"{sentence}\n" or result.exit_code == 1
    reads = [
        ("endpoint", "get", key),
        ("endpoint", "list"),
        ("model-definition", "get", wild),
        ("binding", "list"),
        ("changes",),
    ]
    for arguments in reads:
        assert "\x1b" not in run(*arguments).output
    assert "\x1b" not in run("endpoint", "delete", wild, code=1).output

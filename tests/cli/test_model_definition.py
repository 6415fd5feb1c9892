from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
RunJson = Callable[..., Any]


@pytest.mark.parametrize("field", ["secret_id", "secret_name"])
def test_create_with_the_secrets_id_or_name(run_json: RunJson, name: str, secret: dict[str, Any], field: str) -> None:
    created = run_json(
        *("model-definition", "create", name, "--secret", secret[field], "--provider", "openai"),
        *("--model-name", "gpt-4o", "--created-by", "ann"),
    )
    assert created["name"] == name
    assert (created["secret_id"], created["secret_name"]) == (secret["secret_id"], secret["secret_name"])
    assert (created["provider"], created["model_name"], created["created_by"]) == ("openai", "gpt-4o", "ann")


def test_a_missing_secret(run: Run, name: str) -> None:
    arguments = ("model-definition", "create", name, "--secret", name, "--provider", "p", "--model-name", "m")
    assert run(*arguments, code=1).stderr.startswith("error: NOT_FOUND: ")


def test_get_by_id_and_by_name(run: Run, run_json: RunJson, models: list[dict[str, Any]]) -> None:
    model = models[0]
    assert run_json("model-definition", "get", model["model_definition_id"]) == model
    assert run_json("model-definition", "get", model["name"]) == model
    lines = dict(line.split(maxsplit=1) for line in run("model-definition", "get", model["name"]).stdout.splitlines())
    assert lines["model_definition_id"] == model["model_definition_id"]
    assert lines["model_name"] == "gpt-4o"


def test_list(run: Run, run_json: RunJson, models: list[dict[str, Any]], secret: dict[str, Any]) -> None:
    assert run_json("model-definition", "list", "--secret", secret["secret_name"]) == models
    assert run_json("model-definition", "list", "--secret", secret["secret_id"], "--provider", "other") == []
    heading, *rows = run("model-definition", "list", "--secret", secret["secret_name"]).stdout.splitlines()
    assert (heading.split()[0], heading.split()[-1]) == ("NAME", "ID")
    shown = [(row.split()[0], row.split()[-1]) for row in rows]
    assert shown == [(model["name"], model["model_definition_id"][:10]) for model in models]


def test_update_changes_the_given_fields(run: Run, run_json: RunJson, models: list[dict[str, Any]], name: str) -> None:
    updated = run_json("model-definition", "update", models[0]["name"], "--name", name, "--updated-by", "bob")
    assert (updated["name"], updated["model_name"], updated["last_updated_by"]) == (name, "gpt-4o", "bob")
    cleared = run_json("model-definition", "update", name, "--clear", "secret_id", "--model-name", "gpt-5")
    assert "secret_id" not in cleared
    assert (cleared["name"], cleared["model_name"]) == (name, "gpt-5")


@pytest.mark.parametrize("field", ["model_definition_id", "name"])
def test_delete_by_id_and_by_name(run: Run, models: list[dict[str, Any]], field: str) -> None:
    deleted = run("model-definition", "delete", models[0][field])
    assert deleted.stdout == f"deleted {models[0]['model_definition_id']}\n"
    assert run("model-definition", "get", models[0][field], code=1).stderr.startswith("error: NOT_FOUND: ")


def test_a_model_definition_in_use_is_not_deleted(run: Run, models: list[dict[str, Any]], endpoint: dict[str, Any]) -> None:
    refused = run("model-definition", "delete", models[0]["name"], code=1)
    assert refused.stderr.startswith("error: FAILED_PRECONDITION: ")

"""Ids, the beginnings of ids that tables show, and names are accepted alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway_entities import GatewayClient
from gateway_entities.cli import lookup
from gateway_entities.cli.app import cli
from gateway_entities.errors import Code, GatewayError
from gateway_entities.testing import Gateway

Run = Callable[..., Result]
RunJson = Callable[..., Any]
SCORER = ("--scorer-id", "s", "--scorer-version", "1", "--stage", "BEFORE", "--action", "VALIDATION")


def shown_id(run: Run, noun: str, identifier: str) -> str:
    """Return the last cell of the row of a resource."""
    rows = [line.split()[-1] for line in run(noun, "list").stdout.splitlines()]
    (found,) = [row for row in rows if identifier.startswith(row)]
    return found


def test_the_id_that_a_table_shows_is_accepted(
    run: Run, run_json: RunJson, secret: dict[str, Any], models: list[dict[str, Any]], endpoint: dict[str, Any]
) -> None:
    amount = ("--amount", "1", "--window", "1", "DAYS", "--scope", "ENDPOINT", "--target-value", endpoint["name"])
    policy = run_json("budget-policy", "create", *amount, "--action", "ALERT")
    guardrail = run_json("guardrail", "create", endpoint["name"], *SCORER)
    for noun, field, resource in (
        ("secret", "secret_id", secret),
        ("model-definition", "model_definition_id", models[0]),
        ("endpoint", "endpoint_id", endpoint),
        ("budget-policy", "budget_policy_id", policy),
        ("guardrail", "guardrail_id", guardrail),
    ):
        short = shown_id(run, noun, resource[field])
        assert len(short) < len(resource[field])
        assert run_json(noun, "get", short) == resource
    run("endpoint", "tag", "set", shown_id(run, "endpoint", endpoint["endpoint_id"]), "k", "v")
    assert run_json("endpoint", "get", endpoint["name"])["tags"] == [{"key": "k", "value": "v"}]


def test_a_name_in_the_form_of_a_shortened_id_is_a_name(run_json: RunJson, run: Run, models: list[dict[str, Any]]) -> None:
    target = run_json("endpoint", "create", "e-0123abcd", "--primary", models[0]["name"], "1")
    assert run_json("endpoint", "get", "e-0123abcd") == target
    run("endpoint", "delete", "e-0123abcd")
    assert run("endpoint", "get", "e-0123abcd", code=1).stderr.startswith("error: NOT_FOUND: ")


def test_the_beginning_of_several_ids_is_refused_with_all_of_them() -> None:
    class Listed:
        """As much of a client as the look-up of a budget policy needs."""

        def list_budget_policies(self) -> list[Any]:
            ids = ["bp-" + "1" * 8 + digit * 24 for digit in "ab"]
            return [type("Policy", (), {"budget_policy_id": each}) for each in ids]

    with pytest.raises(GatewayError) as caught:
        lookup.budget_policy_id(Listed(), "bp-11111111")  # type: ignore[arg-type]
    assert caught.value.code == Code.FAILED_PRECONDITION
    assert "a" * 24 in caught.value.message
    assert "b" * 24 in caught.value.message
    assert lookup.budget_policy_id(Listed(), "bp-11111111b") == "bp-11111111" + "b" * 24  # type: ignore[arg-type]


def test_a_guardrail_is_found_by_a_name_that_only_it_has(
    run: Run, run_json: RunJson, endpoint: dict[str, Any], name: str
) -> None:
    first = run_json("guardrail", "create", name, *SCORER)
    assert run_json("guardrail", "get", name) == first
    assert run_json("guardrail", "add", endpoint["name"], name)["guardrail_id"] == first["guardrail_id"]
    second = run_json("guardrail", "create", name, *SCORER)
    refused = run("guardrail", "delete", name, code=1).stderr
    assert all(each["guardrail_id"] in refused for each in (first, second))
    assert run("guardrail", "get", "nothing-has-this-name", code=1).stderr.startswith("error: NOT_FOUND: ")


def test_options_complete_names_too(running: Gateway, endpoint: dict[str, Any], models: list[dict[str, Any]]) -> None:
    prefix = endpoint["name"].removesuffix("-endpoint")
    with GatewayClient(running.http_target) as client:
        policies = {each.budget_policy_id for each in client.list_budget_policies()}
    for words, expected in (
        (f"endpoint create x --primary {prefix}", {model["name"] for model in models}),
        (f"endpoint create x --fallback {prefix}", {model["name"] for model in models}),
        (f"endpoint list --secret {prefix}", {f"{prefix}-secret"}),
        (f"endpoint resolve {prefix}", {endpoint["name"]}),
        (f"binding list --endpoint {prefix}", {endpoint["name"]}),
        (f"changes --name {prefix}", {endpoint["name"], f"{prefix}-secret", *(model["name"] for model in models)}),
        ("budget-policy get bp-", policies),
    ):
        variables = {"_GATEWAY_ENTITIES_COMPLETE": "bash_complete", "COMP_WORDS": f"gateway-entities {words}"}
        variables |= {"COMP_CWORD": str(len(words.split())), "GATEWAY_ENTITIES_TARGET": running.http_target}
        done = CliRunner(env=variables).invoke(cli, prog_name="gateway-entities", complete_var="_GATEWAY_ENTITIES_COMPLETE")
        assert {line.removeprefix("plain,") for line in done.stdout.split()} == expected, words

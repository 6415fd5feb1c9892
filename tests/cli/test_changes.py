"""The ``changes`` command, and changes with an expected etag or a request id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import Result

from gateway_entities.cli.app import cli

Run = Callable[..., Result]
RunJson = Callable[..., Any]


def etag(run: Run, *get: str) -> str:
    """Return the etag shown by a get command."""
    return dict(line.split(maxsplit=1) for line in run(*get).stdout.splitlines() if line[0] != " ")["etag"]


def last(run_json: RunJson) -> int:
    return run_json("changes")[-1]["revision"]


def test_each_change_with_its_resources_and_fields(run: Run, run_json: RunJson, endpoint: dict[str, Any]) -> None:
    before = last(run_json)
    run("endpoint", "update", endpoint["name"], "--experiment-id", "7", "--updated-by", "ann")
    run("endpoint", "delete", endpoint["endpoint_id"])
    changed, removed = run_json("changes", "--since", str(before))
    assert [(line["revision"], line["rpc"]) for line in (changed, removed)] == [
        (before + 1, "UpdateGatewayEndpoint"),
        (before + 2, "DeleteGatewayEndpoint"),
    ]
    assert changed["actor"] == "ann"
    assert changed["change"]["id"] == endpoint["endpoint_id"]
    assert removed["change"]["etag_before"] == changed["change"]["etag_after"]
    first, resource, field, second, removed_resource = run("changes", "--since", str(before)).stdout.splitlines()
    assert first.split()[0] == str(before + 1)
    assert first.split()[2:] == ["ann", "UpdateGatewayEndpoint"]
    name = endpoint["name"]
    assert resource.split() == ["~", "endpoint", name, endpoint["endpoint_id"][:10], changed["change"]["etag_after"]]
    assert field.strip() == 'experiment_id: - -> "7"'
    assert second.split()[2:] == ["-", "DeleteGatewayEndpoint"]
    assert removed_resource.split() == ["-", "endpoint", name, endpoint["endpoint_id"][:10], "removed"]


def test_an_update_without_options_changes_nothing(
    run: Run, run_json: RunJson, secret: dict[str, Any], models: list[dict[str, Any]], endpoint: dict[str, Any]
) -> None:
    amount = ("--amount", "1", "--window", "1", "DAYS", "--scope", "ENDPOINT", "--target-value", endpoint["name"])
    policy = run_json("budget-policy", "create", *amount, "--action", "ALERT")
    before = last(run_json)
    assert run_json("secret", "update", secret["secret_name"]) == secret
    assert run_json("model-definition", "update", models[0]["name"], "--updated-by", "ann") == models[0]
    assert run_json("endpoint", "update", endpoint["name"], "--etag", "0" * 32) == endpoint
    assert run_json("budget-policy", "update", policy["budget_policy_id"]) == policy
    assert last(run_json) == before


def test_after_the_last_there_is_none(run: Run, run_json: RunJson, secret: dict[str, Any]) -> None:
    assert run_json("changes")[-1]["change"]["id"] == secret["secret_id"]
    assert run("changes", "--since", str(last(run_json))).stdout == "(none)\n"
    assert run_json("changes", "--since", str(last(run_json))) == []


def test_a_revision_that_does_not_exist_yet_is_an_error(run: Run, run_json: RunJson, secret: dict[str, Any]) -> None:
    future = last(run_json) + 1
    refused = run("changes", "--since", str(future), code=2)
    assert f"--since: revision {future} does not exist yet, the last one is {future - 1}" in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize("since", ["-1", "x"])
def test_since_is_a_revision(run: Run, since: str) -> None:
    run("changes", "--since", since, code=2)


def test_a_change_with_an_expected_etag(run: Run, run_json: RunJson, endpoint: dict[str, Any], name: str) -> None:
    key = endpoint["endpoint_id"]
    shown = etag(run, "endpoint", "get", key)
    assert run_json("endpoint", "update", key, "--experiment-id", "7", "--etag", shown)["experiment_id"] == "7"
    refused = run("endpoint", "delete", key, "--etag", shown, code=1)
    assert refused.stderr.startswith("error: ABORTED: ")
    run("endpoint", "tag", "set", key, "team", name, "--etag", etag(run, "endpoint", "get", key))
    run("endpoint", "delete", key, "--etag", etag(run, "endpoint", "get", key))


def test_a_request_id_makes_a_request_idempotent(run: Run, run_json: RunJson, endpoint: dict[str, Any], name: str) -> None:
    budget = ("budget-policy", "create", "--amount", "1", "--window", "1", "DAYS", "--scope", "GLOBAL", "--action", "ALERT")
    made = run_json(*budget, "--request-id", name)
    assert run_json(*budget, "--request-id", name) == made
    for _ in range(2):
        run("endpoint", "delete", endpoint["endpoint_id"], "--request-id", f"{name}-delete")
    other = run(*budget, "--created-by", "ann", "--request-id", name, code=1)
    assert other.stderr.startswith("error: INVALID_ARGUMENT: ")
    assert "\n  request_id: " in other.stderr


def test_every_mutating_command_has_both_options() -> None:
    lacking = []
    verbs = {"create": {"request_id"}}
    verbs |= {verb: {"request_id", "etag"} for verb in ("update", "delete", "attach", "detach", "set")}
    for noun in ("secret", "model-definition", "endpoint", "binding", "budget-policy"):
        lacking += _lacking(cli.commands[noun], verbs)
    assert lacking == []


def _lacking(command: click.Command, verbs: dict[str, set[str]]) -> list[str]:
    if isinstance(command, click.Group):
        return [found for part in command.commands.values() for found in _lacking(part, verbs)]
    missing = verbs.get(command.name or "", set()) - {parameter.name for parameter in command.params}
    return [f"{command.name} {missing}"] if missing else []

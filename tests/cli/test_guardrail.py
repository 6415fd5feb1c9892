from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
RunJson = Callable[..., Any]

SCORER = ("--scorer-id", "scorer", "--scorer-version", "2")


@pytest.fixture
def guardrail(run_json: RunJson, endpoint: dict[str, Any], name: str) -> dict[str, Any]:
    options = ("--stage", "AFTER", "--action", "SANITIZATION", "--action-endpoint", endpoint["name"])
    return run_json("guardrail", "create", name, *SCORER, *options)


def test_a_guardrail_is_made_shown_listed_and_deleted(
    run: Run, run_json: RunJson, guardrail: dict[str, Any], endpoint: dict[str, Any], name: str
) -> None:
    assert (guardrail["name"], guardrail["action_endpoint_id"]) == (name, endpoint["endpoint_id"])
    assert run_json("guardrail", "get", guardrail["guardrail_id"]) == guardrail
    assert guardrail in run_json("guardrail", "list")
    lines = [line.split() for line in run("guardrail", "get", guardrail["guardrail_id"]).stdout.splitlines()]
    assert ["scorer", "scorer", "version", "2"] in lines
    run("guardrail", "delete", guardrail["guardrail_id"])
    assert run("guardrail", "get", guardrail["guardrail_id"], code=1).stderr.startswith("error: NOT_FOUND: ")


def test_an_endpoint_uses_it_in_an_order(
    run: Run, run_json: RunJson, guardrail: dict[str, Any], endpoint: dict[str, Any]
) -> None:
    key = (endpoint["name"], guardrail["guardrail_id"])
    config = run_json("guardrail", "add", *key, "--order", "-1")
    assert (config["execution_order"], config["guardrail"]) == (
        -1,
        {field: value for field, value in guardrail.items() if field != "etag"},
    )
    assert run_json("guardrail", "of", endpoint["name"]) == [config]
    assert guardrail["name"] in run("guardrail", "of", endpoint["endpoint_id"]).stdout
    assert "execution_order" not in run_json("guardrail", "move", *key)
    assert run("guardrail", "remove", *key).stdout.startswith("removed ")
    assert run_json("guardrail", "of", endpoint["name"]) == []

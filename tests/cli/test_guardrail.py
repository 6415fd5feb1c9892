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
    assert (guardrail["name"], guardrail["actionEndpointId"]) == (name, endpoint["endpointId"])
    assert run_json("guardrail", "get", guardrail["guardrailId"]) == guardrail
    assert guardrail in run_json("guardrail", "list")
    lines = [line.split() for line in run("guardrail", "get", guardrail["guardrailId"]).stdout.splitlines()]
    assert ["scorer", "scorer", "version", "2"] in lines
    run("guardrail", "delete", guardrail["guardrailId"])
    assert run("guardrail", "get", guardrail["guardrailId"], code=1).stderr.startswith("error: NOT_FOUND: ")


def test_an_endpoint_uses_it_in_an_order(
    run: Run, run_json: RunJson, guardrail: dict[str, Any], endpoint: dict[str, Any]
) -> None:
    key = (endpoint["name"], guardrail["guardrailId"])
    config = run_json("guardrail", "add", *key, "--order", "-1")
    assert (config["executionOrder"], config["guardrail"]) == ("-1", guardrail)
    assert run_json("guardrail", "of", endpoint["name"]) == [config]
    assert guardrail["name"] in run("guardrail", "of", endpoint["endpointId"]).stdout
    assert "executionOrder" not in run_json("guardrail", "move", *key)
    assert run("guardrail", "remove", *key).stdout.startswith("removed ")
    assert run_json("guardrail", "of", endpoint["name"]) == []

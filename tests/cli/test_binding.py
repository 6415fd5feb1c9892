from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
RunJson = Callable[..., Any]


@pytest.fixture
def binding(run_json: RunJson, endpoint: dict[str, Any], name: str) -> dict[str, Any]:
    return run_json("binding", "create", endpoint["name"], "scorer_job", name, "--created-by", "ann")


def test_create(binding: dict[str, Any], endpoint: dict[str, Any], name: str) -> None:
    assert binding["endpoint_id"] == endpoint["endpoint_id"]
    assert (binding["resource_type"], binding["resource_id"], binding["created_by"]) == ("scorer_job", name, "ann")


@pytest.mark.parametrize("field", ["endpoint_id", "name"])
def test_get_by_all_three_keys(
    run: Run, run_json: RunJson, binding: dict[str, Any], endpoint: dict[str, Any], name: str, field: str
) -> None:
    run_json("binding", "create", endpoint["name"], "custom", name)
    assert run_json("binding", "get", endpoint[field], "scorer_job", name) == binding
    lines = [line.split() for line in run("binding", "get", endpoint[field], "scorer_job", name).stdout.splitlines()]
    assert ["resource_type", "scorer_job"] in lines
    assert ["resource_id", name] in lines


@pytest.mark.parametrize("resource", [("scorer", "none"), ("", ""), ("scorer_job", "")])
def test_get_of_a_missing_binding(run: Run, binding: dict[str, Any], resource: tuple[str, str]) -> None:
    assert run("binding", "get", binding["endpoint_id"], *resource, code=1).stderr.startswith("error: NOT_FOUND: ")


def test_list(run: Run, run_json: RunJson, binding: dict[str, Any], endpoint: dict[str, Any], name: str) -> None:
    assert binding in run_json("binding", "list")
    assert run_json("binding", "list", "--endpoint", endpoint["name"]) == [binding]
    assert run_json("binding", "list", "--resource-id", name, "--resource-type", "scorer_job") == [binding]
    assert run_json("binding", "list", "--endpoint", endpoint["name"], "--resource-type", "scorer") == []
    heading, row = run("binding", "list", "--endpoint", endpoint["name"]).stdout.splitlines()
    assert heading.split() == ["TYPE", "RESOURCE", "DISPLAY_NAME", "CREATED_AT", "ENDPOINT"]
    assert row.split()[:2] == ["scorer_job", name]
    assert row.split()[-1] == endpoint["endpoint_id"][:10]


def test_delete(run: Run, binding: dict[str, Any], endpoint: dict[str, Any], name: str) -> None:
    run("binding", "delete", endpoint["name"], "scorer_job", name)
    assert run("binding", "delete", endpoint["name"], "scorer_job", name, code=1).stderr.startswith("error: NOT_FOUND: ")

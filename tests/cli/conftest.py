from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway_entities.cli.app import cli
from gateway_entities.testing import Gateway, gateway


@pytest.fixture(scope="session")
def canary() -> str:
    """Return a secret value that no command may show."""
    return "sk-canary-5fb0c2d9e6a14b7c"


@pytest.fixture(scope="session")
def running() -> Iterator[Gateway]:
    with gateway() as server:
        yield server


@pytest.fixture(params=["grpc", "http"])
def target(request: pytest.FixtureRequest, running: Gateway) -> str:
    return running.grpc_target if request.param == "grpc" else running.http_target


@pytest.fixture
def run(target: str, canary: str) -> Callable[..., Result]:
    """Run a command against the gateway; check its exit code, and that it does not show the canary."""

    def run(*arguments: str, code: int | None = 0, stdin: str | bytes = "") -> Result:
        result = CliRunner(env={"GATEWAY_ENTITIES_TARGET": target}).invoke(cli, arguments, input=stdin)
        assert code in {None, result.exit_code}, result.output
        assert canary not in result.output
        return result

    return run


@pytest.fixture
def run_json(run: Callable[..., Result]) -> Callable[..., Any]:
    """Run a command with --json and return its output."""

    def run_json(*arguments: str, stdin: str | bytes = "") -> Any:
        return json.loads(run(*arguments, "--json", stdin=stdin).stdout)

    return run_json


@pytest.fixture
def name() -> str:
    """Return a prefix for names that is unique in the shared gateway."""
    return f"n-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def secret(run_json: Callable[..., Any], name: str, canary: str) -> dict[str, Any]:
    return run_json("secret", "create", f"{name}-secret", "--value-file", "api_key=-", stdin=canary)


@pytest.fixture
def models(run_json: Callable[..., Any], name: str, secret: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        run_json(
            *("model-definition", "create", f"{name}-{part}", "--secret", secret["secret_name"]),
            *("--provider", "openai", "--model-name", "gpt-4o"),
        )
        for part in ("a", "b", "c")
    ]


@pytest.fixture
def endpoint(run_json: Callable[..., Any], name: str, models: list[dict[str, Any]]) -> dict[str, Any]:
    return run_json("endpoint", "create", f"{name}-endpoint", "--primary", models[0]["name"], "1")

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway_entities import GatewayClient
from gateway_entities.cli.app import cli
from gateway_entities.testing import Gateway, gateway

CANARY = "sk-canary-77e0f3a15cc94d21"
EXAMPLE = """\
# The gateway of the search team.
owner: search

secrets:
  - name: openai   # rotated each month
    provider: openai
    value_from:
      api_key: {env: SEARCH_KEY}

model_definitions:
  - name: chat
    secret: openai
    provider: openai
    model_name: gpt-4o
  - name: chat-mini
    secret: openai
    provider: openai
    model_name: ${MINI}

endpoints:
  # What people talk to.
  - name: support
    routing_strategy: REQUEST_BASED_TRAFFIC_SPLIT
    models:
      - model_definition: chat
        weight: 0.75
      - model_definition: chat-mini
        weight: 0.25
    tags:
      team: "search"
      price: $${free}

budget_policies:
  - target_scope: ENDPOINT
    target_value: support
    budget_unit: USD
    budget_amount: 100
    duration: {unit: MONTHS, value: 1}
    budget_action: REJECT
"""
GUARDED = (
    EXAMPLE
    + """\

guardrails:
  - name: safe   # agreed with legal
    scorer_id: "1234"
    scorer_version: 1
    stage: AFTER
    action: SANITIZATION
    action_endpoint: support
    scorer:
      scorer_name: ${MINI}
    endpoints:
      # The only one for now.
      - name: support
        execution_order: 1
"""
)
"""The example with a guardrail."""


@pytest.fixture
def empty() -> Iterator[Gateway]:
    """Return a gateway of this test alone."""
    with gateway() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, with the example in gateway.yaml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEARCH_KEY", CANARY)
    monkeypatch.setenv("MINI", "gpt-4o-mini")
    (tmp_path / "gateway.yaml").write_text(EXAMPLE)
    return tmp_path


Config = Callable[..., Result]


@pytest.fixture
def config(empty: Gateway, folder: Path) -> Config:
    """Run a command of ``config`` in the folder against the gateway."""
    return runner(empty.http_target)


def runner(target: str) -> Config:
    def run(*arguments: str, code: int = 0, stdin: str | bytes = "") -> Result:
        result = CliRunner(env={"GATEWAY_ENTITIES_TARGET": target}).invoke(cli, ["config", *arguments], input=stdin)
        assert result.exit_code == code, result.output + repr(result.exception)
        assert CANARY not in result.output
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def offline(folder: Path) -> Config:
    """Run a command that needs no gateway: there is none."""
    return runner("http://127.0.0.1:9")


@pytest.fixture
def client(empty: Gateway) -> Iterator[GatewayClient]:
    with GatewayClient(empty.http_target) as client:
        yield client

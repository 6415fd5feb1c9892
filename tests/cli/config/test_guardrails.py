"""Guardrails in configuration files."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import pytest

from gateway_entities import GatewayClient, GatewayGuardrail, GuardrailAction, GuardrailStage, Scorer
from gateway_entities.cli.config.importers import mlflow
from gateway_entities.testing import Gateway, gateway
from tests.cli.config.conftest import CANARY, GUARDED, Config, runner


@pytest.fixture(autouse=True)
def guarded(folder: Path) -> None:
    (folder / "gateway.yaml").write_text(GUARDED)


def edit(folder: Path, before: str, after: str) -> None:
    text = (folder / "gateway.yaml").read_text()
    assert before in text
    (folder / "gateway.yaml").write_text(text.replace(before, after))


def test_problems_are_reported_with_line_and_column(offline: Config, folder: Path) -> None:
    edit(folder, "scorer_version: 1", "scorer_version: 0")
    edit(folder, "stage: AFTER", "stages: AFTER")
    assert offline("validate", code=1).output == (
        'gateway.yaml:45:5: "stages" is not a field here; did you mean stage?\n'
        "gateway.yaml:44:21: guardrails[0].scorer_version must be 1 to 2147483647, is 0\n"
    )
    edit(folder, "stages: AFTER", "stage: AFTER")
    edit(folder, "      - name: support\n", "      - {name: support}\n      - name: support\n")
    edit(folder, "      scorer_name", "      scorer_id: other\n      scorer_name")
    places = [line.split(" ")[:2] for line in offline("validate", code=1).output.splitlines()]
    assert places == [
        ["gateway.yaml:44:21:", "guardrails[0].scorer_version"],
        ["gateway.yaml:49:18:", "guardrails[0].scorer.scorer_id"],
        ["gateway.yaml:54:15:", "guardrails[0].endpoints[1].name"],
    ]


def test_plan_apply_rollback_and_log(config: Config, client: GatewayClient, folder: Path) -> None:
    assert config("plan").output.splitlines()[-1] == "7 to create, 0 to update, 0 to delete."
    config("apply")
    assert config("plan", "--detailed-exitcode").output == "No changes.\n"
    (guardrail,) = client.list_guardrails()
    assert guardrail.scorer == Scorer(scorer_id="1234", scorer_version=1, scorer_name="gpt-4o-mini")
    edit(folder, "scorer_version: 1", "scorer_version: 2")
    edit(folder, "        execution_order: 1\n", "")
    assert config("plan").output.splitlines() == [
        "~ guardrail safe",
        "    scorer_version: 1 -> 2",
        "~ guardrail_config support/safe",
        "    execution_order: 1 -> (absent)",
        "0 to create, 2 to update, 0 to delete.",
    ]
    config("apply")
    (change,) = client.list_changes(noun="guardrail_config", since_revision=1)
    assert [(effect.noun, effect.name) for effect in (change.change, *change.effects)] == [
        ("guardrail", "safe"),
        ("guardrail_config", "support/safe"),
    ]
    assert "guardrail safe" in config("diff", "@1", "@2").output
    config("rollback", "1")
    assert config("diff", "@1", "@").output == "No changes.\n"
    assert client.list_guardrails()[0].guardrail_id == guardrail.guardrail_id


def test_an_error_names_the_place(config: Config, folder: Path) -> None:
    edit(folder, "action_endpoint: support", "action_endpoint: elsewhere")
    assert config("apply", code=1).output.startswith("gateway.yaml:47:22: guardrails[0].action_endpoint ")


def test_a_file_keeps_its_comments_and_variables(config: Config, client: GatewayClient, folder: Path) -> None:
    config("apply")
    assert config("export", "--into", "gateway.yaml").output == "gateway.yaml is up to date\n"
    assert (folder / "gateway.yaml").read_text() == GUARDED
    endpoint, (guardrail,) = client.get_endpoint(name="support"), client.list_guardrails()
    client.update_endpoint_guardrail(endpoint.endpoint_id, guardrail.guardrail_id, execution_order=3)
    config("export", "--into", "gateway.yaml")
    assert (folder / "gateway.yaml").read_text() == GUARDED.replace("execution_order: 1", "execution_order: 3")
    assert config("export", "--owner", "search").output.endswith(
        "    scorer:\n      scorer_name: gpt-4o-mini\n    endpoints:\n      - name: support\n        execution_order: 3\n"
    )
    client.delete_guardrail(guardrail.guardrail_id)
    config("export", "--into", "gateway.yaml")
    assert "guardrail" not in (folder / "gateway.yaml").read_text()


def test_files_are_compared_by_what_guardrails_are_known_by(offline: Config, folder: Path) -> None:
    (folder / "other.yaml").write_text(GUARDED)
    edit(folder, "scorer_version: 1", "scorer_version: 2")
    edit(folder, "    endpoints:\n", "    endpoints:\n      - name: other\n")
    edit(
        folder,
        "guardrails:\n",
        "guardrails:\n  - {name: new, scorer_id: s, scorer_version: 1, stage: BEFORE, action: VALIDATION}\n",
    )
    assert offline("diff", "other.yaml", "gateway.yaml").output.splitlines() == [
        "+ guardrail new",
        '    scorer_id: "s"',
        "    scorer_version: 1",
        '    stage: "BEFORE"',
        '    action: "VALIDATION"',
        "~ guardrail safe",
        "    scorer_version: 1 -> 2",
        '    endpoints["other"]: (absent) -> {}',
        "1 to create, 1 to update, 0 to delete.",
    ]
    assert offline("diff", "gateway.yaml", "gateway.yaml").output == "No changes.\n"


def test_guardrails_are_imported_over_the_rest_api_of_mlflow(
    config: Config, empty: Gateway, client: GatewayClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    config("apply")
    endpoint = client.get_endpoint(name="support")
    second = client.create_guardrail("safe", scorer_id="9", scorer_version=2, stage="BEFORE", action="VALIDATION")
    client.add_guardrail_to_endpoint(endpoint.endpoint_id, second.guardrail_id, execution_order=1)
    target = empty.http_target
    done = config("import", "--from", "mlflow", target, "--owner", "search", "--into", "new.yaml", "--report", "report.json")
    assert done.stderr.splitlines()[-1].endswith(" 0 unaccounted")
    # Their order is that of their ids.
    approximated = [line.split(": ")[1] for line in done.stderr.splitlines() if "in the order of their ids" in line]
    assert approximated == ["guardrail_configs[0].guardrail_id", "guardrail_configs[1].guardrail_id"]
    outcomes = {each["path"]: each["outcome"] for each in json.loads((folder / "report.json").read_text())}
    assert outcomes["guardrails[0].scorer.scorer_name"] == "mapped"
    assert outcomes["guardrail_configs[0].created_at"] == "dropped"
    exported = client.export_configuration()
    with gateway() as other, GatewayClient(other.http_target) as its:
        runner(other.http_target)("apply", "new.yaml")
        assert its.export_configuration() == exported


@pytest.mark.parametrize("length", [65_536, 65_537])
def test_a_scorer_that_is_too_long_is_imported_by_its_id(length: int) -> None:
    scorer = Scorer(scorer_id="9", scorer_version=2, scorer_name="long", serialized_scorer="x" * length)
    guardrail = GatewayGuardrail("gr-1", "safe", scorer, GuardrailStage.BEFORE, GuardrailAction.VALIDATION, 0, 0)
    client = Mock()
    for noun in ("secrets", "model_definitions", "endpoints", "bindings", "budget_policies"):
        getattr(client, f"list_{noun}").return_value = []
    client.list_guardrails.return_value = [guardrail]
    result, fidelity = mlflow.convert(client)
    (imported,) = result.guardrails
    fits = length <= 65_536
    assert (imported["scorer_id"], imported["scorer"]["scorer_name"]) == ("9", "long")
    assert ("serialized_scorer" in imported["scorer"]) == fits
    outcomes = {each.path: each.outcome for each in fidelity.outcomes()}
    assert outcomes["guardrails[0].scorer.serialized_scorer"] == ("mapped" if fits else "dropped")

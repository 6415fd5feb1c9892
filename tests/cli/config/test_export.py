"""``config export``: YAML that reads as what is stored, and files that keep their comments."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from gateway_entities import GatewayClient
from tests.cli.config.conftest import CANARY, EXAMPLE, Config

HARD = [
    "${HOME}",
    "$${",
    "$",
    "null",
    "yes",
    "1",
    "1.0",
    "",
    "a: b",
    "# x",
    "é\u2028\x85",
    "line\nbreak ",
    "- x",
    "{",
    "'\"",
    "0o7",
    "<<",
]


def test_an_export_is_applied_without_a_difference(config: Config, client: GatewayClient, folder: Path) -> None:
    config("apply")
    client.set_endpoint_tag(client.get_endpoint(name="support").endpoint_id, "hard", "x")
    for number, text in enumerate(HARD):
        client.set_endpoint_tag(client.get_endpoint(name="support").endpoint_id, f"t{number} {text[:3]}", text)
    (folder / "exported.yaml").write_text(config("export").output)
    assert config("diff", "@", "exported.yaml").output == "No changes.\n"
    assert config("plan", "exported.yaml").output == "No changes.\n"
    assert config("export", "--owner", "search").output.startswith("owner: search\n")
    assert json.loads(config("export", "-o", "json").output)["endpoints"][0]["tags"]["t0 ${H"] == "${HOME}"
    assert "hard" not in config("export", "--at-revision", "1").output


def test_the_schema_line_is_the_first(config: Config) -> None:
    assert config("export", "--schema", "./s.json").output == "# yaml-language-server: $schema=./s.json\n{}\n"


def test_a_file_without_a_difference_stays_byte_for_byte(config: Config, folder: Path) -> None:
    config("apply")
    assert config("export", "--into", "gateway.yaml").output == "gateway.yaml is up to date\n"
    assert (folder / "gateway.yaml").read_text() == EXAMPLE


def test_a_file_keeps_comments_variables_and_sources(config: Config, client: GatewayClient, folder: Path) -> None:
    config("apply")
    endpoint = client.get_endpoint(name="support")
    client.set_endpoint_tag(endpoint.endpoint_id, "tier", "${gold}")
    client.delete_endpoint_tag(endpoint.endpoint_id, "price")
    chat = client.get_model_definition(name="chat")
    client.update_model_definition(chat.model_definition_id, model_name="gpt-5")
    (folder / "gateway.yaml").chmod(0o640)
    assert config("export", "--into", "gateway.yaml").output == "updated gateway.yaml\n"
    expected = EXAMPLE.replace("      price: $${free}\n", "      tier: $${gold}\n").replace("gpt-4o\n", "gpt-5\n")
    assert (folder / "gateway.yaml").read_text() == expected
    assert stat.S_IMODE((folder / "gateway.yaml").stat().st_mode) == 0o640
    assert config("plan").output == "No changes.\n"
    assert [path.name for path in folder.iterdir()] == ["gateway.yaml"]


def test_resources_come_and_go_in_a_file(config: Config, client: GatewayClient, folder: Path) -> None:
    (folder / "gateway.yaml").write_text(EXAMPLE.replace("owner: search\n", ""))
    config("apply")
    client.delete_endpoint(client.get_endpoint(name="support").endpoint_id)
    client.create_secret("new", {"api_key": CANARY})
    config("export", "--into", "gateway.yaml")
    text = (folder / "gateway.yaml").read_text()
    assert "# rotated each month" in text
    assert "support" not in text
    assert "  - name: new\n" in text
    assert config("plan").output == "No changes.\n"


def test_the_order_of_models_counts(config: Config, client: GatewayClient, folder: Path) -> None:
    config("apply")
    endpoint = client.get_endpoint(name="support")
    text = EXAMPLE.replace("      - model_definition: chat\n        weight: 0.75\n", "").replace(
        "        weight: 0.25\n", "        weight: 0.25\n      - model_definition: chat\n        weight: 0.75\n"
    )
    (folder / "other.yaml").write_text(text)
    config("apply", "other.yaml")
    assert client.get_endpoint(name="support").endpoint_id == endpoint.endpoint_id
    config("export", "--into", "gateway.yaml")
    assert config("plan").output == "No changes.\n"
    assert "# What people talk to." in (folder / "gateway.yaml").read_text()


def test_a_new_file_is_written(config: Config, folder: Path) -> None:
    config("apply")
    assert config("export", "--into", "new.yaml", "--owner", "search").output == "wrote new.yaml\n"
    assert config("plan", "new.yaml").output == "No changes.\n"


def test_bindings_stay_unless_they_are_asked_for(config: Config, client: GatewayClient, folder: Path) -> None:
    bound = EXAMPLE.replace(
        "    tags:\n", "    bindings:\n      items:\n        - {resource_type: scorer, resource_id: a}\n    tags:\n"
    )
    (folder / "gateway.yaml").write_text(bound)
    config("apply")
    assert config("export", "--into", "gateway.yaml").output == "gateway.yaml is up to date\n"
    client.create_binding(client.get_endpoint(name="support").endpoint_id, "scorer", "b")
    config("export", "--into", "gateway.yaml", "--with-bindings")
    assert "resource_id: b" in (folder / "gateway.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("owner: &o search\nsecrets: [{name: *o}]\n", 1, "uses aliases"),
        ("owner: search\n---\nsecrets: []\n", 2, "several documents"),
        ("owner: [\n", 1, "bad.yaml:2:1: is not YAML"),
    ],
)
def test_a_file_that_cannot_be_rewritten_stays(config: Config, folder: Path, text: str, code: int, expected: str) -> None:
    config("apply")
    (folder / "bad.yaml").write_text(text)
    assert expected in config("export", "--into", "bad.yaml", code=code).output
    assert (folder / "bad.yaml").read_text() == text


def test_names_with_the_sign_of_a_variable_stay_themselves(config: Config, client: GatewayClient, folder: Path) -> None:
    secrets = "secrets:\n  # Kept.\n  - name: $${MINI}\n"
    text = secrets + "model_definitions:\n  - name: ${MINI}\n    provider: p\n    model_name: m\n"
    (folder / "gateway.yaml").write_text(text)
    config("apply")
    assert [secret.secret_name for secret in client.list_secrets()] == ["${MINI}"]
    assert [model.name for model in client.list_model_definitions()] == ["gpt-4o-mini"]
    assert config("export", "--into", "gateway.yaml").output == "gateway.yaml is up to date\n"


def test_equal_budgets_are_each_in_the_file(config: Config, client: GatewayClient, folder: Path) -> None:
    line = (
        "{target_scope: GLOBAL, budget_unit: USD, duration: {unit: DAYS, value: 1}, budget_action: ALERT, budget_amount: %d}"
    )
    (folder / "gateway.yaml").write_text("budget_policies:\n" + "".join(f"  - {line % amount}\n" for amount in (1, 2, 2)))
    config("apply")
    first, *_ = client.list_budget_policies()
    client.delete_budget_policy(first.budget_policy_id)
    config("export", "--into", "gateway.yaml")
    assert config("plan").output == "No changes.\n"
    assert (folder / "gateway.yaml").read_text().count("GLOBAL") == 2

"""``config plan | apply | rollback | diff`` against a real gateway."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from gateway_entities import GatewayClient
from gateway_entities.cli.config.nodes import documents, plain
from tests.cli.config.conftest import CANARY, EXAMPLE, Config


def edit(folder: Path, before: str, after: str) -> None:
    text = (folder / "gateway.yaml").read_text()
    assert before in text
    (folder / "gateway.yaml").write_text(text.replace(before, after))


def test_plan_apply_and_rollback(config: Config, client: GatewayClient, folder: Path) -> None:
    planned = config("plan", "--detailed-exitcode", code=3).output
    assert planned.splitlines()[-1] == "5 to create, 0 to update, 0 to delete."
    assert "+ endpoint support" in planned
    assert client.list_changes() == []

    applied = config("apply").output
    assert applied.splitlines()[-1] == "Applied as revision 1: 5 created, 0 updated, 0 deleted."
    assert client.get_secret(secret_name="openai").masked_values
    (endpoint,) = client.list_endpoints()
    assert {tag.key: tag.value for tag in endpoint.tags} == {"team": "search", "price": "${free}"}

    assert config("plan", "--with-values", "--detailed-exitcode").output == "No changes.\n"
    assert config("apply", "--detailed-exitcode").output == "No changes.\nRevision 1.\n"
    assert len(client.list_changes()) == 1

    edit(folder, "weight: 0.75", "weight: 0.5")
    edit(folder, "model_name: gpt-4o\n", "model_name: gpt-5\n")
    planned = config("plan").output.splitlines()
    assert "~ model_definition chat" in planned
    assert '    model_name: "gpt-4o" -> "gpt-5"' in planned
    assert "    models[0].weight: 0.75 -> 0.5" in planned
    config("apply", "--updated-by", "ann")
    assert client.list_changes()[-1].actor == "ann"

    dry = config("rollback", "1", "--dry-run").output
    assert "    models[0].weight: 0.5 -> 0.75" in dry.splitlines()
    assert len(client.list_changes()) == 2
    assert config("rollback", "1").output.splitlines()[-1].startswith("Applied as revision 3")
    assert config("diff", "@1", "@").output == "No changes.\n"
    assert "weight" in config("diff", "@2", "@3", "--detailed-exitcode", code=3).output


def test_an_apply_that_is_refused_changes_nothing_and_names_the_place(
    config: Config, client: GatewayClient, folder: Path
) -> None:
    edit(folder, "model_definition: chat-mini", "model_definition: chat-maxi")
    output = config("apply", code=1).output
    assert re.match(r"gateway\.yaml:\d+:\d+: endpoints\[0\]\.models\[1\]\.model_definition .*chat-maxi", output), output
    line = int(output.split(":")[1])
    assert "chat-maxi" in (folder / "gateway.yaml").read_text().splitlines()[line - 1]
    assert client.list_changes() == []


def test_prune_deletes_only_what_the_owner_has(config: Config, client: GatewayClient, folder: Path) -> None:
    client.create_secret("foreign", {"api_key": CANARY})
    config("apply")
    (folder / "gateway.yaml").write_text("owner: search\n")
    assert config("plan").output == "No changes.\n"
    assert "5 to delete" in config("plan", "--prune").output
    config("apply", "--prune")
    assert [secret.secret_name for secret in client.list_secrets()] == ["foreign"]


def test_what_another_owner_has_is_refused_by_name_unless_adopted(config: Config, folder: Path) -> None:
    config("apply")
    edit(folder, "owner: search", "owner: other")
    output = config("apply", code=1).output
    assert "endpoint support" in output
    config("apply", "--adopt")
    assert config("export", "--owner", "search").output == "owner: search\n"


def test_the_plan_as_json_is_one_to_apply(config: Config, client: GatewayClient, folder: Path) -> None:
    plan = config("plan", "-o", "json").output
    assert [change["noun"] for change in json.loads(plan)["changes"]].count("model_definition") == 2
    (folder / "plan.json").write_text(plan)
    unrelated = client.create_secret("unrelated", {"api_key": CANARY})
    client.create_model_definition("chat", secret_id=unrelated.secret_id, provider="p", model_name="m")
    assert "model_definition chat" in config("apply", "--plan", "plan.json", code=1).output
    client.delete_model_definition(client.get_model_definition(name="chat").model_definition_id)
    applied = json.loads(config("apply", "--plan", "plan.json", "-o", "json").output)
    assert applied["result"]["created"] == 5
    config("apply", "--plan", "gateway.yaml", code=2)


@pytest.mark.parametrize("text", ["", "[]", "null", "5", "{}", "[" * 100_000, '{"basis": {}}'])
def test_a_file_that_is_no_plan(config: Config, folder: Path, text: str) -> None:
    (folder / "plan.json").write_text(text)
    assert "--plan: plan.json is no plan of plan -o json" in config("apply", "--plan", "plan.json", code=2).output


def test_a_plan_of_other_files_is_not_applied(config: Config, client: GatewayClient, folder: Path) -> None:
    config("apply")
    edit(folder, "weight: 0.75", "weight: 0.5")
    (folder / "plan.json").write_text(config("plan", "-o", "json").output)
    edit(folder, "weight: 0.5", "weight: 0.6")
    output = config("apply", "--plan", "plan.json", code=1).output
    assert "not that of these files and options: they differ in endpoint 'support'" in output
    assert len(client.list_changes()) == 1
    edit(folder, "weight: 0.6", "weight: 0.5")
    config("apply", "--plan", "plan.json")
    assert len(client.list_changes()) == 2


def test_the_number_of_updates_says_that_it_has_what_is_affected(config: Config, folder: Path) -> None:
    config("apply")
    edit(folder, "model_name: gpt-4o\n", "model_name: gpt-5\n")
    lines = config("apply").output.splitlines()
    assert "This affects:" in lines
    assert "0 to create, 1 to update, 0 to delete." in lines
    assert lines[-1] == "Applied as revision 2: 0 created, 2 updated, 0 deleted, what this affects included."


def test_the_plan_of_a_secret_that_moves_names_the_option(config: Config, folder: Path) -> None:
    config("apply")
    edit(folder, "provider: openai\n", "provider: azure\n")
    output = config("plan", code=1).output
    assert "unless its value is sent too" in output
    assert "--with-values sends the values that value_from names." in output
    config("plan", "--with-values")


def test_every_form_of_a_plan(config: Config, folder: Path) -> None:
    names = config("plan", "-o", "name").output.splitlines()
    assert "endpoint support" in names
    assert len(names) == 5
    found = plain(documents("-", config("plan", "-o", "yaml").output)[0])
    assert found == json.loads(config("plan", "-o", "json").output)
    assert json.loads(config("apply", "-o", "json").output)["result"]["created"] == 5
    assert config("plan", "-o", "name").output == ""
    assert json.loads(config("diff", "@0", "@", "-o", "json").output)["changes"]


def test_markdown_for_a_comment(config: Config, folder: Path) -> None:
    edit(folder, 'team: "search"', 'team: "```` @everyone\\n# x"')
    lines = config("plan", "-o", "markdown").output.splitlines()
    assert lines[0] == "**5 to create, 0 to update, 0 to delete.**"
    assert lines[2] == "`````diff"
    assert lines[-1] == "`````"
    assert not [line for line in lines if line.startswith("#")]


def test_a_pipe_gets_no_terminal_styles(config: Config) -> None:
    assert "\x1b" not in config("plan").output


def test_diff_of_files_needs_no_gateway(offline: Config, folder: Path) -> None:
    (folder / "other.yaml").write_text(EXAMPLE)
    edit(folder, "weight: 0.75", "weight: 1")
    edit(folder, "budget_amount: 100", "budget_amount: 200")
    edit(folder, "name: chat-mini", "name: small\n    renamed_from: chat-mini")
    edit(folder, "model_definition: chat-mini", "model_definition: small")
    output = offline("diff", "other.yaml", "gateway.yaml", "--detailed-exitcode", code=3).output
    assert output.splitlines() == [
        "~ model_definition small",
        '    name: "chat-mini" -> "small"',
        "~ endpoint support",
        "    models[0].weight: 0.75 -> (absent)",
        '    models[1].model_definition: "chat-mini" -> "small"',
        "- budget_policy ENDPOINT support, 100 USD per 1 MONTHS, REJECT",
        "+ budget_policy ENDPOINT support, 200 USD per 1 MONTHS, REJECT",
        "1 to create, 2 to update, 1 to delete.",
    ]
    assert offline("diff", "other.yaml", "other.yaml", "--detailed-exitcode").output == "No changes.\n"
    assert json.loads(offline("diff", "other.yaml", "other.yaml", "-o", "json").output) == {"changes": []}


@pytest.mark.parametrize(
    "arguments", [("rollback",), ("rollback", "x"), ("rollback", "-1"), ("diff", "a"), ("plan", "-o", "x")]
)
def test_usage_errors(offline: Config, arguments: tuple[str, ...]) -> None:
    offline(*arguments, code=2)


def test_a_rollback_that_needs_values_says_so_and_reads_them(config: Config, client: GatewayClient, folder: Path) -> None:
    config("apply")
    edit(folder, "    value_from", "    auth_config: {api_base: https://a.example.com/v1}\n    value_from")
    config("apply")
    refused = config("rollback", "1", code=1)
    assert "secret openai" in refused.stderr
    assert "--values FILE" in refused.stderr
    assert len(client.list_changes()) == 2
    assert "api_base" in config("rollback", "1", "--values", "gateway.yaml", "--dry-run").output
    assert config("rollback", "1", "--values", "gateway.yaml").output.splitlines()[-1].startswith("Applied as revision 3")
    assert config("diff", "@1", "@").output == "No changes.\n"


def test_a_rollback_names_secrets_that_return_without_a_value(config: Config, client: GatewayClient, folder: Path) -> None:
    config("apply")
    (folder / "none.yaml").write_text("owner: search\n")
    config("apply", "none.yaml", "--prune")
    (folder / "more.yaml").write_text("secrets: [{name: later, value_from: {api_key: {env: SEARCH_KEY}}}]\n")
    done = config("rollback", "1")
    assert done.stderr.startswith("Without a value: openai. ")
    assert "--values FILE" in done.stderr
    assert not client.get_secret(secret_name="openai").masked_values
    config("apply", "none.yaml", "--prune")
    # A secret that did not exist then does not matter.
    done = config("rollback", "1", "--values", "gateway.yaml", "--values", "more.yaml")
    assert done.stderr == ""
    assert client.get_secret(secret_name="openai").masked_values
    assert [each.secret_name for each in client.list_secrets()] == ["openai"]
    (folder / "gateway.yaml").write_text("secrets: [{name: openai, value_from: {api_key: {env: NOT_SET}}}]\n")
    assert "NOT_SET" in config("rollback", "1", "--values", "gateway.yaml", code=1).output


def test_a_plan_of_a_hundred_thousand_resources_ends_soon(config: Config, client: GatewayClient, folder: Path) -> None:
    files = [f"part{number}.yaml" for number in range(20)]
    for file in files:
        (folder / file).write_text("secrets:\n" + f"- {{name: {file}}}\n" * 5_001)
    before = time.process_time()
    output = config("plan", *files, code=1).output
    # The second file is the last that is read.
    assert time.process_time() - before < 10
    assert "part1.yaml:2:1: is beyond the limit of 10000 secrets in all files" in output
    assert len(output) < 2000
    assert client.list_changes() == []


def test_a_plan_of_a_hostile_file_runs_nothing_and_shows_no_value(config: Config, folder: Path) -> None:
    (folder / "gateway.yaml").write_text(
        "owner: o\n"
        "secrets:\n"
        "  - {name: s, value_from: {a: {command: [touch, ran]}, b: {file: /etc/passwd}, c: {env: PATH}}}\n"
        "model_definitions:\n"
        "  - {name: '$${m}', secret: s, provider: '`touch ran`', model_name: '$(touch ran)'}\n"
        "endpoints:\n"
        "  - &e {name: e, models: [{model_definition: '$${m}'}], tags: {a: '; touch ran', b: ../../etc/passwd}}\n"
        "  - {<<: *e, name: f}\n"
    )
    output = config("plan").output
    assert "5 to create" not in output
    assert output.splitlines()[-1] == "4 to create, 0 to update, 0 to delete."
    assert "root:" not in output
    assert not (folder / "ran").exists()
    (folder / "gateway.yaml").write_text("owner: ${GATEWAY_ENTITIES_TOKEN}\n")
    assert "GATEWAY_ENTITIES_TOKEN" in config("plan", code=1).output


def test_a_repeated_command_with_one_request_id_is_carried_out_once(config: Config, client: GatewayClient) -> None:
    assert "Applied as revision 1" in config("apply", "--request-id", "deploy-7").output
    assert config("apply", "--request-id", "deploy-7").output == "No changes.\nRevision 1.\n"
    client.delete_endpoint(client.get_endpoint(name="support").endpoint_id)
    assert "request_id" in config("apply", "--request-id", "deploy-7", code=1).output
    assert "Applied as revision 3" in config("rollback", "1", "--request-id", "back").output
    assert config("rollback", "1", "--request-id", "back").output == "No changes.\nRevision 3.\n"

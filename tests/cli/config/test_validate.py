"""``config validate``: every problem is found with its place, and no hostile file costs more than its limits."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.cli.config.conftest import CANARY, EXAMPLE, Config


def test_the_default_file_is_valid(offline: Config) -> None:
    assert offline("validate").output == "valid: 1 secret, 2 model definitions, 1 endpoint, 1 budget policy, 0 guardrails\n"


def test_every_problem_is_reported_with_file_line_and_column(offline: Config, folder: Path) -> None:
    (folder / "bad.yaml").write_text(
        "owner: search\n"
        "endpoint: []\n"
        "secrets:\n"
        "  - name: 7\n"
        "    secret_value: {api_key: sk-canary-77e0f3a15cc94d21}\n"
        "endpoints:\n"
        "  - name: a\n"
        "    models:\n"
        "      - {model_definition: chat, weight: heavy}\n"
        "    routing_strategy: FASTEST\n"
        "    tags: [team]\n"
    )
    assert offline("validate", "bad.yaml", code=1).output.splitlines() == [
        'bad.yaml:2:1: "endpoint" is not a field here; did you mean endpoints?',
        "bad.yaml:4:11: secrets[0].name must be text, not a number; write it in quotes",
        "bad.yaml:5:5: secret_value is not for files; name the source of the value in value_from",
        "bad.yaml:9:42: endpoints[0].models[0].weight must be a number in the range of a 32-bit float, not text",
        "bad.yaml:10:23: endpoints[0].routing_strategy must be one of REQUEST_BASED_TRAFFIC_SPLIT, or a 32-bit integer; "
        "it is another text",
        "bad.yaml:11:11: endpoints[0].tags must be a mapping, not a list",
    ]


def test_the_rules_of_the_contract_are_checked_too(offline: Config, folder: Path) -> None:
    (folder / "bad.yaml").write_text(
        "endpoints:\n"
        "  - name: no spaces\n"
        "    models:\n"
        "      - {model_definition: a, weight: -1}\n"
        "  - name: b\n"
        "model_definitions:\n"
        "  - name: a\n"
        "    provider: openai\n"
    )
    lines = offline("validate", "bad.yaml", code=1).output.splitlines()
    places = ["bad.yaml:7:5", "bad.yaml:2:11", "bad.yaml:4:39", "bad.yaml:5:5"]
    assert [line.split(": ")[0] for line in lines] == places
    assert lines[0].endswith("model_definitions[0].model_name is required")


def test_files_and_folders_are_one_configuration(offline: Config, folder: Path) -> None:
    parts = folder / "parts"
    (parts / "models").mkdir(parents=True)
    (parts / ".hidden").mkdir()
    (parts / ".hidden" / "x.yaml").write_text("not: valid\n")
    (parts / "notes.txt").write_text("not: valid\n")
    (parts / "a.yaml").write_text("owner: o\nmodel_definitions:\n  - {name: a, provider: p, model_name: m}\n")
    (parts / "models" / "b.yml").write_text(
        "owner: o\nmodel_definitions:\n  - {name: b, provider: p, model_name: m}\n---\n"
        "model_definitions:\n  - {name: c, provider: p, model_name: m}\n"
    )
    (parts / "models" / "c.json").write_text('{"$schema": "x", "secrets": [{"name": "s"}]}')
    assert "1 secret, 3 model definitions" in offline("validate", "parts").output
    (folder / "other.yaml").write_text("owner: p\nmodel_definitions:\n  - {name: b, provider: p, model_name: m}\n")
    assert offline("validate", "parts", "other.yaml", code=1).output == (
        'other.yaml:1:8: owner must be that of parts/a.yaml:1:8, "o": one for all files\n'
        "other.yaml:3:12: model_definitions[3].name must differ from that of model_definitions[1]\n"
    )
    (folder / "twice.yaml").write_text("model_definitions:\n  - {name: b, provider: p, model_name: m}\n")
    assert offline("validate", "parts", "twice.yaml", code=1).output.startswith("twice.yaml:2:12: model_definitions[3].name")


def test_standard_input_is_a_file(offline: Config) -> None:
    assert offline("validate", "-", stdin="owner: x\n").output.startswith("valid: 0 secrets")
    assert offline("validate", "-", stdin="\ufeffowner: [\n", code=1).output.startswith("-:2:1: is not YAML")
    assert "UTF-16" in offline("validate", "-", stdin="owner: x".encode("utf-16"), code=1).output
    assert offline("validate", "-", stdin="").output.startswith("valid: 0 secrets")


@pytest.mark.parametrize("path", ["missing.yaml", "."])
def test_a_path_that_cannot_be_read_is_a_usage_error(offline: Config, folder: Path, path: str) -> None:
    (folder / "gateway.yaml").unlink()
    offline("validate", path, code=2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${NONE}", "reads ${NONE}, which is not set in the environment"),
        ("${", "has a ${ that is no variable such as ${NAME}; write $${ for a literal ${"),
        ("${A B}", "has a ${ that is no variable such as ${NAME}; write $${ for a literal ${"),
        (
            "${GATEWAY_ENTITIES_TOKEN}",
            "reads ${GATEWAY_ENTITIES_TOKEN}; variables of this program are not for configurations",
        ),
        ("${HUGE}${HUGE}", "has more than 65536 characters with its variables"),
    ],
)
def test_a_variable_that_cannot_be_read(offline: Config, monkeypatch: pytest.MonkeyPatch, value: str, expected: str) -> None:
    monkeypatch.setenv("HUGE", "x" * 40_000)
    monkeypatch.setenv("GATEWAY_ENTITIES_TOKEN", CANARY)
    assert offline("validate", "-", stdin=f"owner: '{value}'\n", code=1).output == f"-:1:8: {expected}\n"


def test_a_variable_is_neither_key_nor_structure(offline: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVIL", "x\nsecrets: [{name: injected}]")
    monkeypatch.setenv("WEIGHT", "0.5")
    monkeypatch.setenv("DIGITS", "007")
    offline("validate", "-", stdin="${EVIL}: x\n", code=1)
    found = "valid: 0 secrets, 0 model definitions, 1 endpoint, 0 budget policies, 0 guardrails\n"
    text = """\
owner: ${EVIL}
endpoints:
  - name: e
    experiment_id: ${DIGITS}
    models:
      - model_definition: m
        weight: ${WEIGHT}
"""
    assert offline("validate", "-", stdin=text).output == found


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BOMB, "nodes in all documents, those of aliases included"),
        ("---\n" + "\n---\n".join([f"- &a [{'x, ' * 9000}]\n- [{'*a, ' * 100}]"] * 30), "nodes in all documents"),
        ("---\nowner: a\n" * 10_001, "is beyond the limit of 10000 documents in one file"),
        ("a: &a [*a]\n", "is an alias of an anchor that is not complete before it"),
        ("[" * 40 + "]" * 40, "is nested more than 32 levels deep"),
        ("secrets:\n" + "- {name: s}\n" * 100_000, "is beyond the limit of 10000 items; the list starts in line 2"),
        ("tags: !!python/object/apply:os.system [id]\n", "tags are not supported"),
        ("owner: a\nowner: b\n", "is a key that line 1 has already"),
        ("{[a]: b}\n", "is a key that is not text"),
        ("x: " + "y" * (8 << 20), "is larger than 8388608 bytes"),
        ("owner: " + "1" * 5000, "has 5000"),
        ("- a\n", "must be a mapping with the fields owner, secrets"),
        ("<<: 7\n", "merges what is not a mapping"),
    ],
    ids=lambda value: value[:12] if len(value) < 30 else None,
)
def test_a_hostile_file_ends_soon(offline: Config, text: str, expected: str) -> None:
    before = time.process_time()
    output = offline("validate", "-", stdin=text, code=1).output
    assert expected in output
    assert len(output) < 2000
    assert time.process_time() - before < 5


def test_many_files_share_the_limit_of_nodes(offline: Config, folder: Path) -> None:
    (folder / "many").mkdir()
    for number in range(40):
        text = f"- &a [{'x, ' * 9000}]\n- [{'*a, ' * 30}]\n- {{"
        (folder / "many" / f"{number}.yaml").write_text(text)
    before = time.process_time()
    output = offline("validate", "many", code=1).output
    assert "many/9.yaml:1:" in output
    assert "nodes in all documents" in output
    assert time.process_time() - before < 20


def test_a_link_out_of_a_folder_and_a_pipe_in_it_are_not_read(
    offline: Config, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "other.yaml"
    outside.write_text("unknown: 1\n")
    (folder / "links").mkdir()
    (folder / "links" / "a.yaml").write_text("owner: a\n")
    (folder / "links" / "same.yaml").symlink_to("a.yaml")
    offline("validate", "links")
    (folder / "links" / "out.yaml").symlink_to(outside)
    output = offline("validate", "links", code=2).output
    assert "links/out.yaml is a link to a file that is not below links" in output
    assert "unknown" not in output
    (folder / "links" / "out.yaml").unlink()
    os.mkfifo(folder / "links" / "pipe.yaml")
    assert "links/pipe.yaml is not a regular file" in offline("validate", "links", code=2).output
    (folder / "named.yaml").symlink_to(outside)
    assert "unknown" in offline("validate", "named.yaml", code=1).output


def test_values_of_the_wrong_type_hide_no_other_problem(offline: Config) -> None:
    text = (
        'secrets:\n- {name: 5, provider: p}\n- {name: s, nmae: t, provider: "x\\0"}\n'
        "budget_policies:\n- {budget_amount: -1}\n"
    )
    lines = offline("validate", "-", stdin=text, code=1).output.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["-:2:10", "-:3:13", "-:3:32", "-:5:19"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("99999999999", "must be a 32-bit integer; it is out of range"),
        ("1.5", "must be a 32-bit integer, not 1.5"),
        ("1d", "must be a 32-bit integer, not text"),
        ("true", "must be a 32-bit integer, not true or false"),
        ("'${SCORER}'", "must be a 32-bit integer; it is out of range"),
    ],
)
def test_a_value_of_another_type_is_described_in_terms_of_yaml(
    offline: Config, monkeypatch: pytest.MonkeyPatch, value: str, expected: str
) -> None:
    monkeypatch.setenv("SCORER", "12345678901")
    text = f"budget_policies: [{{duration: {{unit: DAYS, value: {value}}}}}]\n"
    assert expected in offline("validate", "-", stdin=text, code=1).output


def test_only_the_first_problems_are_printed(offline: Config) -> None:
    text = "".join(f"---\nsecrets:\n- {{name: {number % 7}}}\n" for number in range(300))
    output = offline("validate", "-", stdin=text, code=1).output
    assert len(output.splitlines()) == 101
    assert output.endswith("more\n")


def test_anchors_and_merges_are_expanded(offline: Config) -> None:
    text = """\
model_definitions:
  - &base {name: a, provider: openai, model_name: m}
  - {<<: *base, name: b}
endpoints:
  - {name: e, models: &models [{model_definition: a}]}
  - {name: f, models: *models}
"""
    assert "2 model definitions, 2 endpoints" in offline("validate", "-", stdin=text).output


def test_an_unknown_source_of_a_value(offline: Config) -> None:
    sources = ["x", "{}", "{k: {env: A, file: b}}", "{k: {vault: x}}", "{k: {command: run me}}", "{k: {env: [a]}}"]
    for source in sources:
        output = offline("validate", "-", stdin=f"secrets:\n- {{name: s, value_from: {source}}}\n", code=1).output
        assert output.startswith("-:2:")
        assert "value_from" in output


def test_the_example_of_the_tests_has_no_value(offline: Config) -> None:
    assert CANARY not in EXAMPLE

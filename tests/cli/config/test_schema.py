"""The JSON Schema of configuration files: published, and of one mind with the reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway_entities.cli.config.nodes import documents, plain
from gateway_entities.cli.config.schema import build
from tests.cli.config.conftest import EXAMPLE, GUARDED, Config
from tests.documentation import ROOT

PUBLISHED = ROOT / "docs" / "reference" / "gateway.schema.json"
MODELS = "models: [{model_definition: m}]"
REJECTED = [
    "owners: x",
    "owner: 7",
    "secrets: [{}]",
    "secrets: [{name: ''}]",
    "secrets: [{name: s, secret_value: {api_key: x}}]",
    "secrets: [{name: s, value_from: {k: {env: A, file: b}}}]",
    "secrets: [{name: s, value_from: {k: {command: run}}}]",
    "secrets: [{name: s, value_from: {}}]",
    "secrets: {name: s}",
    "endpoints: [{name: no spaces, models: [{model_definition: m}]}]",
    f"endpoints: [{{name: e, {MODELS}, routing_strategy: FASTEST}}]",
    f"endpoints: [{{name: e, {MODELS}, tags: {{a: 1}}}}]",
    f"endpoints: [{{name: e, {MODELS}, experiment_id: x}}]",
    f"endpoints: [{{name: e, {MODELS}, usage_tracking: maybe}}]",
    "endpoints: [{name: e, models: [{model_definition: m, weight: -1}]}]",
    "endpoints: [{name: e, models: [{model_definition: m, fallback_order: 0.5}]}]",
    "model_definitions: [{name: m, provider: p}]",
    "guardrails: [{name: g, scorer_id: s, scorer_version: 1, stage: BEFORE}]",
    "guardrails: [{name: g, scorer_id: s, scorer_version: 0, stage: BEFORE, action: VALIDATION}]",
    "guardrails: [{name: g, scorer_id: s, scorer_version: 1, stage: LATER, action: VALIDATION}]",
    "guardrails: [{name: g, scorer_id: s, scorer_version: 1, stage: AFTER, action: VALIDATION, endpoints: [support]}]",
]
ACCEPTED = [
    EXAMPLE,
    GUARDED,
    "$schema: ./gateway.schema.json",
    "secrets: [{name: s, value_from: {k: {command: [a, b]}, l: {file: x}}}]",
    f"endpoints: [{{name: '${{MINI}}', {MODELS}, usage_tracking: '${{YES}}'}}]",
    "endpoints: [{name: e, models: [{model_definition: m, weight: 0}, {model_definition: n}]}]",
]


def errors(text: str) -> list[Any]:
    jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")
    (node,) = documents("-", text)
    return list(jsonschema.Draft202012Validator(build()).iter_errors(plain(node)))


def test_the_published_schema_is_current(offline: Config) -> None:
    """Otherwise run: python -m gateway_entities config schema > docs/reference/gateway.schema.json."""
    assert PUBLISHED.read_text(encoding="utf-8") == offline("schema").output
    jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")
    jsonschema.Draft202012Validator.check_schema(json.loads(PUBLISHED.read_text(encoding="utf-8")))


@pytest.mark.parametrize("text", REJECTED)
def test_the_schema_rejects_what_the_reader_rejects(offline: Config, text: str) -> None:
    offline("validate", "-", stdin=text, code=1)
    assert errors(text)


@pytest.mark.parametrize("text", ACCEPTED)
def test_the_schema_accepts_what_the_reader_accepts(offline: Config, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("YES", "true")
    offline("validate", "-", stdin=text)
    assert errors(text) == []


def test_every_field_has_a_description() -> None:
    schema = build()
    objects = [schema, *(each for each in schema["$defs"].values() if "properties" in each)]
    properties = [(name, each) for part in objects for name, each in part["properties"].items()]
    assert len(properties) > 30
    assert [name for name, each in properties if not each.get("description")] == []


def test_the_file_is_where_the_documentation_says(folder: Path) -> None:
    assert "gateway.schema.json" in (ROOT / "docs/guides/configuration-as-code.md").read_text()

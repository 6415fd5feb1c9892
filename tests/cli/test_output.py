from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

import click
import pytest
from click.testing import Result

from gateway_entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    GatewayBudgetCheck,
    GatewayBudgetPolicy,
    GatewayBudgetWindow,
    GatewayEndpoint,
    GatewayEndpointModelMapping,
    GatewayEndpointTag,
    GatewayModelDefinition,
    GatewayModelLinkageType,
    GatewaySecretInfo,
)
from gateway_entities.cli.app import cli
from gateway_entities.cli.config.nodes import documents, plain
from gateway_entities.cli.options.form import FORMS
from gateway_entities.cli.output import COLUMNS, Entity, document_text, entity_table, fields, record


def secret(**fields: object) -> GatewaySecretInfo:
    required = {"secret_id": "s-1", "secret_name": "n", "masked_values": {}, "created_at": 0, "last_updated_at": 0}
    return GatewaySecretInfo(**{**required, **fields})  # type: ignore[arg-type]


def lines(text: str) -> dict[str, str]:
    return {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in text.splitlines()}


def test_absent_and_empty_look_different() -> None:
    shown = lines(record(secret(provider="", created_by=None)))
    assert (shown["provider"], shown["created_by"]) == ('""', "-")


def test_times_are_utc_and_one_beyond_the_calendar_is_a_number() -> None:
    shown = lines(record(secret(created_at=1_795_291_917_005, last_updated_at=2**62)))
    assert shown["created_at"] == "2026-11-21T20:11:57.005Z"
    assert shown["last_updated_at"] == str(2**62)


def test_unknown_enum_numbers_are_shown_as_numbers() -> None:
    endpoint = GatewayEndpoint("e-1", "n", 0, 0, routing_strategy=77)
    assert lines(record(endpoint))["routing_strategy"] == "77"


def test_map_entries_are_sorted_by_key() -> None:
    assert lines(record(secret(masked_values={"b": "***", "a": "***"})))["masked_values"] == "a=***, b=***"


def test_columns_stay_aligned_under_wide_and_combining_characters() -> None:
    names = ["plain", "東京", "e\u0301"]
    heading, *rows = entity_table([secret(secret_name=name) for name in names]).splitlines()
    start = heading.index("PROVIDER")
    assert rows[0].index("-", 4) == start
    assert rows[1].index("-", 2) == start - 2
    assert rows[2].index("-", 2) == start + 1


ENTITIES = get_args(Entity)
OWN_ID = re.compile(r"(secret|model_definition|(action_)?endpoint|budget_policy|guardrail|mapping|reservation)_id")
E, M, D, B = (f"{prefix}-" + "3" * 32 for prefix in ("e", "m", "d", "bp"))


@pytest.mark.parametrize("kind", ENTITIES, ids=lambda kind: kind.__name__)
def test_wide_has_every_field_with_names_first_and_ids_last(kind: Any) -> None:
    every = {field.name for field in dataclasses.fields(kind)}
    wide, short = fields(kind, wide=True), fields(kind, wide=False)
    assert set(wide) == every
    assert set(short) <= every
    own = {name for name in every if OWN_ID.fullmatch(name)}
    for shown in (wide, short):
        of_ids = [name in own for name in shown]
        assert of_ids == sorted(of_ids), shown
        named = [name for name in ("name", "secret_name") if name in shown and name in every]
        assert not named or shown[0] in named


def test_every_result_of_a_command_has_columns() -> None:
    assert set(COLUMNS) == set(ENTITIES) - {GatewayBudgetCheck}


def test_a_table_shows_ids_shortened_and_models_briefly_and_wide_everything() -> None:
    model = GatewayModelDefinition(D, "chat", None, None, "openai", "gpt-4o", 0, 0)
    primary, fallback = GatewayModelLinkageType.PRIMARY, GatewayModelLinkageType.FALLBACK
    mappings = [
        GatewayEndpointModelMapping(M, E, D, model, 0.9, primary, None, 0),
        GatewayEndpointModelMapping(M, E, D, None, 1.0, fallback, 0, 0),
    ]
    endpoint = GatewayEndpoint(E, "n", 0, 0, model_mappings=mappings, tags=[GatewayEndpointTag("k", "v" * 5000)])
    shown = entity_table([endpoint])
    assert "n     chat 0.9, d-33333333 fallback  k=vvv" in shown
    assert shown.endswith("e-33333333")
    wide = entity_table([endpoint], wide=True)
    for text in ("PRIMARY chat (openai/gpt-4o) weight 0.9", "v" * 5000, E, endpoint.etag(), D):
        assert text in wide


def test_a_budget_of_an_endpoint_shows_its_id_shortened() -> None:
    amount = BudgetDuration(BudgetDurationUnit.DAYS, 1)
    scope, action = BudgetTargetScope.ENDPOINT, BudgetAction.ALERT
    policy = GatewayBudgetPolicy(B, BudgetUnit.USD, 5, amount, scope, action, 0, 0, target_value=E)
    row = entity_table([policy]).splitlines()[1]
    assert row.split() == ["ENDPOINT", "e-33333333", "5", "USD", "1", "DAYS", "ALERT", "bp-33333333"]


def test_a_window_is_shown_with_times() -> None:
    heading, row = entity_table([GatewayBudgetWindow("bp-1", 0, 86_400_000, 1.5)]).splitlines()
    assert heading.split() == ["START", "END", "SPEND", "BUDGET_POLICY"]
    assert row.split() == ["1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z", "1.5", "bp-1"]


def test_every_form_of_output(run: Callable[..., Result], endpoint: dict[str, Any], models: list[dict[str, Any]]) -> None:
    name, key = endpoint["name"], "k" * 90
    run("endpoint", "tag", "set", name, key, "v: ${x}\n\x9b")
    shown = json.loads(run("endpoint", "get", name, "-o", "json").stdout)
    assert (shown["name"], shown["endpoint_id"], len(shown["etag"])) == (name, endpoint["endpoint_id"], 32)
    assert isinstance(shown["created_at"], int)
    assert GatewayEndpoint.from_dict({field: shown[field] for field in shown if field != "etag"}).etag() == shown["etag"]
    assert plain(documents("-", run("endpoint", "get", name, "-o", "yaml").stdout)[0]) == shown
    assert shown in plain(documents("-", run("endpoint", "list", "-o", "yaml").stdout)[0])
    assert run("endpoint", "get", name, "-o", "name").stdout == f"{name}\n"
    assert name in run("endpoint", "list", "-o", "name").stdout.splitlines()
    assert shown["etag"] in run("endpoint", "list", "-o", "wide").stdout
    assert run("endpoint", "get", name, "--json").stdout == run("endpoint", "get", name, "-o", "json").stdout
    assert run("binding", "list", "--endpoint", name, "-o", "wide").stdout == "(none)\n"
    assert run("binding", "list", "--endpoint", name, "-o", "yaml").stdout == "[]\n"
    assert run("binding", "list", "--endpoint", name, "-o", "name").stdout == ""
    assert run("endpoint", "tag", "delete", name, key, "-o", "yaml").stdout == "{}\n"
    run("endpoint", "list", "-o", "xml", code=2)
    run("endpoint", "list", "-o", "yaml", "--json", code=2)


def test_no_form_has_characters_that_a_terminal_interprets(run: Callable[..., Result], endpoint: dict[str, Any]) -> None:
    wild = "a\x1b[2J\x9b\x7f\u202e\ue000é\U000e0001"
    run("endpoint", "tag", "set", endpoint["name"], "wild", wild)
    for form in FORMS:
        for command in (("endpoint", "get", endpoint["name"]), ("endpoint", "list"), ("changes",)):
            shown = run(*command, "-o", form).stdout
            assert all(c.isprintable() or c == "\n" for c in shown), (form, command)
    assert {"key": "wild", "value": wild} in json.loads(run("endpoint", "get", endpoint["name"], "--json").stdout)["tags"]


def test_integers_beyond_those_of_every_json_reader_are_text() -> None:
    assert (
        document_text({"a": 2**53, "b": 2**53 + 1}, "json", indent=None)
        == '{"a": 9007199254740992, "b": "9007199254740993"}'
    )


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield " ".join((*path, name)), command


OTHER_FORMS = {
    "health": "one sentence",
    "config export": "a configuration",
    "config import": "a configuration",
    "config plan": "a plan",
    "config apply": "a plan",
    "config rollback": "a plan",
    "config diff": "a plan",
}
FURTHER_FORMS = {"spend list": ["csv"]}


def test_every_command_that_calls_a_gateway_has_every_form() -> None:
    checked = 0
    for name, command in commands(cli):
        forms = [p.type for p in command.params if "--output" in p.opts]
        if any("--target" in p.opts for p in command.params) and name not in OTHER_FORMS:
            expected = [*FORMS, *FURTHER_FORMS.get(name, ())]
            assert [list(form.choices) for form in forms if isinstance(form, click.Choice)] == [expected], name
            checked += 1
    assert checked > 40


RESOURCES = re.compile(r"\[?(SECRET|MODEL|MODEL WEIGHT|ENDPOINT|GUARDRAIL|BUDGET_POLICY|TARGET)\]?")


def test_names_are_completed_wherever_a_resource_is_named() -> None:
    """Those of ``token`` are of endpoints that need not exist, in a store that no server may have."""
    checked = 0
    for name, command in commands(cli):
        for parameter in command.params if not name.startswith("token") else ():
            if RESOURCES.fullmatch(parameter.metavar or parameter.name.upper()):
                assert parameter._custom_shell_complete is not None, (name, parameter.name)
                checked += 1
    assert checked > 35

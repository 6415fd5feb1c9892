from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from gateway_entities import GatewayBudgetWindow, GatewayEndpoint, GatewayEndpointTag, GatewaySecretInfo
from gateway_entities.cli.config.nodes import documents, plain
from gateway_entities.cli.output import entity_table, record


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
    assert rows[1].index("-", 4) == start - 2
    assert rows[2].index("-", 4) == start + 1


def test_long_values_are_truncated_in_lists_only() -> None:
    endpoint = GatewayEndpoint("e-1", "n", 0, 0, tags=[GatewayEndpointTag("k", "v" * 5000)])
    assert "v" * 5000 in record(endpoint)
    assert "v" * 81 not in entity_table([endpoint])
    assert "…" in entity_table([endpoint])


@pytest.mark.parametrize(("length", "shown"), [(80, "v" * 80), (81, "v" * 79 + "…")])
def test_a_cell_has_at_most_80_characters(length: int, shown: str) -> None:
    row = entity_table([secret(secret_name="v" * length)]).splitlines()[1]
    assert row.split()[1] == shown


def test_a_window_is_shown_with_times() -> None:
    heading, row = entity_table([GatewayBudgetWindow("bp-1", 0, 86_400_000, 1.5)]).splitlines()
    assert heading.split() == ["BUDGET_POLICY_ID", "WINDOW_START", "WINDOW_END", "CURRENT_SPEND"]
    assert row.split() == ["bp-1", "1970-01-01T00:00:00.000Z", "1970-01-02T00:00:00.000Z", "1.5"]


def test_every_form_of_output(run: Callable[..., Result], endpoint: dict[str, Any], models: list[dict[str, Any]]) -> None:
    name, key = endpoint["name"], "k" * 90
    run("endpoint", "tag", "set", name, key, "v: ${x}\n")
    shown = json.loads(run("endpoint", "get", name, "-o", "json").stdout)
    assert (shown["name"], shown["endpoint_id"], len(shown["etag"])) == (name, endpoint["endpointId"], 32)
    assert GatewayEndpoint.from_dict({field: shown[field] for field in shown if field != "etag"}).etag() == shown["etag"]
    assert plain(documents("-", run("endpoint", "get", name, "-o", "yaml").stdout)[0]) == shown
    assert shown in plain(documents("-", run("endpoint", "list", "-o", "yaml").stdout)[0])
    assert run("endpoint", "get", name, "-o", "name").stdout == f"{name}\n"
    assert name in run("endpoint", "list", "-o", "name").stdout.splitlines()
    assert key in run("endpoint", "list", "-o", "wide").stdout
    assert key not in run("endpoint", "list").stdout
    assert run("binding", "list", "--endpoint", name, "-o", "wide").stdout == "(none)\n"
    assert run("binding", "list", "--endpoint", name, "-o", "yaml").stdout == "[]\n"
    run("endpoint", "list", "-o", "xml", code=2)

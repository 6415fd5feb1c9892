"""Command output: tables, JSON, YAML or names."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import click

from gateway_entities.cli.cells import cell, is_amount, printable
from gateway_entities.cli.spending.balance import bar, share_text
from gateway_entities.cli.table import aligned, table, terminal_width
from gateway_entities.cli.yaml_text import dump
from gateway_entities.entities import (
    GatewayBudgetBalance,
    GatewayBudgetCheck,
    GatewayBudgetPolicy,
    GatewayBudgetWindow,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayEndpointModelMapping,
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GatewayModelDefinition,
    GatewayNode,
    GatewaySecretAccess,
    GatewaySecretInfo,
    GatewaySpendAlert,
    GatewaySpendReservation,
)

if TYPE_CHECKING:
    from gateway_entities.cli.options.form import Form

Entity: TypeAlias = (
    GatewaySecretInfo
    | GatewayModelDefinition
    | GatewayEndpoint
    | GatewayEndpointModelMapping
    | GatewayEndpointBinding
    | GatewayBudgetPolicy
    | GatewayBudgetWindow
    | GatewayBudgetCheck
    | GatewayBudgetBalance
    | GatewaySpendReservation
    | GatewaySecretAccess
    | GatewayNode
    | GatewayGuardrail
    | GatewayGuardrailConfig
)
"""Results that a command can show. None of them has the value of a secret."""


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """Result of a command without an entity to show.

    Attributes:
        sentence: the confirmation to print.
    """

    sentence: str


@dataclasses.dataclass(frozen=True, slots=True)
class Reserved:
    """Result of a command that makes or settles a reservation.

    Attributes:
        reservation: the reservation.
        balances: its windows.
        alerts: the alerts that the command has raised.
    """

    reservation: GatewaySpendReservation
    balances: Sequence[GatewayBudgetBalance]
    alerts: Sequence[GatewaySpendAlert]


Column: TypeAlias = Callable[[Any], str]
"""The text of an entity in a column that is none of its fields."""


@dataclasses.dataclass(frozen=True, slots=True)
class Windows:
    """Result of a command that lists windows of budget policies.

    Attributes:
        windows: the windows, of one class.
        columns: returns the columns of tables before those of the windows, by heading, for a table whose ids are shortened
            (True), or for one that cuts nothing. Other forms do not need them.
    """

    windows: Sequence[GatewayBudgetBalance] | Sequence[GatewayBudgetWindow]
    columns: Callable[[bool], Mapping[str, Column]]


Result: TypeAlias = Entity | Sequence[Entity] | Done | Reserved | Windows


COLUMNS: Final[Mapping[type, Mapping[str, str]]] = {
    GatewaySecretInfo: {
        "secret_name": "name",
        "provider": "provider",
        "masked_values": "values",
        "created_at": "created_at",
        "secret_id": "id",
    },
    GatewayModelDefinition: {
        "name": "name",
        "provider": "provider",
        "model_name": "model",
        "secret_name": "secret",
        "created_at": "created_at",
        "model_definition_id": "id",
    },
    GatewayEndpoint: {
        "name": "name",
        "model_mappings": "models",
        "tags": "tags",
        "created_at": "created_at",
        "endpoint_id": "id",
    },
    GatewayEndpointModelMapping: {
        "model_definition": "model",
        "linkage_type": "linkage",
        "weight": "weight",
        "fallback_order": "order",
        "mapping_id": "id",
    },
    GatewayEndpointBinding: {
        "resource_type": "type",
        "resource_id": "resource",
        "display_name": "display_name",
        "created_at": "created_at",
        "endpoint_id": "endpoint",
    },
    GatewayBudgetPolicy: {
        "target_scope": "scope",
        "target_value": "target",
        "budget_amount": "amount",
        "budget_unit": "unit",
        "duration": "duration",
        "budget_action": "action",
        "budget_policy_id": "id",
    },
    GatewayBudgetWindow: {
        "window_start_ms": "start",
        "window_end_ms": "end",
        "current_spend": "spend",
        "budget_policy_id": "budget_policy",
    },
    GatewayBudgetBalance: {
        "window_start_ms": "start",
        "window_end_ms": "end",
        "budget_unit": "unit",
        "limit_nanos": "limit",
        "recorded_nanos": "recorded",
        "reserved_nanos": "reserved",
        "remaining_nanos": "remaining",
        "overruns": "overruns",
        "budget_policy_id": "budget_policy",
    },
    GatewaySpendReservation: {
        "user": "user",
        "amount_nanos": "amount",
        "budget_unit": "unit",
        "state": "state",
        "recorded_nanos": "recorded",
        "expires_at": "expires_at",
        "endpoint_id": "endpoint",
        "reservation_id": "id",
    },
    GatewayGuardrail: {
        "name": "name",
        "scorer": "scorer",
        "stage": "stage",
        "action": "action",
        "created_at": "created_at",
        "action_endpoint_id": "action_endpoint",
        "guardrail_id": "id",
    },
    GatewayGuardrailConfig: {
        "guardrail": "guardrail",
        "execution_order": "order",
        "created_at": "created_at",
        "guardrail_id": "id",
    },
    GatewayNode: {
        "name": "name",
        "instance": "instance",
        "state": "state",
        "applied_revision": "applied",
        "refused_revision": "refused",
        "reason": "reason",
        "last_seen_at": "last_seen_at",
    },
    GatewaySecretAccess: {
        "accessed_at": "accessed_at",
        "actor": "actor",
        "secret_id": "secret",
        "endpoint_id": "endpoint",
    },
}
"""The fields of a table with their headings, names first and ids last; ``wide`` and a single entity have the others too."""

_COMPUTED: Final[Mapping[type, Mapping[str, Column]]] = {
    GatewayBudgetBalance: {"share": share_text, "bar": bar},
}
"""What tables show beside the fields of an entity, before its ids, by heading."""
_IDS: Final = frozenset(name for names in COLUMNS.values() for name in names if name.endswith("_id")) - {"resource_id"}
_WITH_ETAG: Final = (
    GatewaySecretInfo,
    GatewayModelDefinition,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayBudgetPolicy,
    GatewayGuardrail,
    GatewayGuardrailConfig,
)
"""Entities with an etag for conditional updates."""


def show(result: Result, form: Form) -> None:
    """Print the result of a command.

    Args:
        result: one entity, a list of entities of one class, a reservation with its windows, windows of policies, or a
            confirmation.
        form: ``table``; ``wide``, a table of every field that cuts nothing; ``json`` or ``yaml``, as ``to_json`` of the
            entities, with the etag; or ``name``, a line for each.
    """
    columns: Mapping[str, Column] = {}
    if isinstance(result, Windows):
        if form in {"table", "wide"} and result.windows:
            columns = result.columns(form == "table")
        result = result.windows
    if isinstance(result, Done):
        click.echo("{}" if form in {"json", "yaml"} else printable(result.sentence))
    elif form in {"json", "yaml"}:
        click.echo(document_text(_document(result), form))
    elif form == "name":
        main = result.reservation if isinstance(result, Reserved) else result
        for entity in main if isinstance(main, Sequence) else [main]:
            click.echo(printable(_name(entity)))
    elif isinstance(result, Reserved):
        parts = [_table(result.reservation, form), *([_table(result.balances, form)] if result.balances else [])]
        click.echo("\n\n".join(parts))
    else:
        click.echo(_table(result, form, columns))


def _document(result: Entity | Sequence[Entity] | Reserved) -> dict[str, Any] | list[dict[str, Any]]:
    if isinstance(result, Reserved):
        return {
            "reservation": document(result.reservation),
            "balances": [document(each) for each in result.balances],
            "alerts": [each.to_dict() for each in result.alerts],
        }
    return [document(each) for each in result] if isinstance(result, Sequence) else document(result)


def _table(result: Entity | Sequence[Entity], form: Form, columns: Mapping[str, Column] | None = None) -> str:
    if form == "table" and not isinstance(result, Sequence):
        return record(result)
    entities = result if isinstance(result, Sequence) else [result]
    return entity_table(entities, wide=form == "wide", columns=columns or {}) if entities else "(none)"


def document(entity: Entity) -> dict[str, Any]:
    """Return an entity in its own JSON form, with its etag."""
    return {**entity.to_dict(), "etag": entity.etag()} if isinstance(entity, _WITH_ETAG) else entity.to_dict()


def document_text(value: Mapping[str, Any] | list[dict[str, Any]], form: str, *, indent: int | None = 2) -> str:
    """Return JSON or YAML without a final line break. No character of it is one that a terminal would interpret.

    Args:
        value: dicts and lists, as ``to_dict`` returns them.
        form: ``yaml``; all others are JSON.
        indent: that of JSON; None has it on one line.
    """
    from gateway_entities.entities.json_form import portable

    found = portable(value)
    if form == "yaml":
        return dump(found).removesuffix("\n")
    text = json.dumps(found, indent=indent, ensure_ascii=False, allow_nan=False)
    # Outside of strings there are line breaks only.
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def _name(entity: Entity) -> str:
    """Return the name of an entity, or what identifies it."""
    if isinstance(entity, GatewayEndpointModelMapping) and entity.model_definition is not None:
        return entity.model_definition.name
    if isinstance(entity, GatewayGuardrailConfig) and entity.guardrail is not None:
        return entity.guardrail.name
    names = ("secret_name", "name", "reservation_id", "budget_policy_id", "guardrail_id", *COLUMNS.get(type(entity), ()))
    values = (getattr(entity, name, None) for name in names)
    return str(next((value for value in values if value is not None), "-"))


def record(entity: Entity) -> str:
    """Return one entity as lines of field name and value; a list has one line per element."""
    rows: list[tuple[str, str]] = []
    for name in fields(type(entity), wide=True):
        value: object = getattr(entity, name)
        elements: list[object] = cast("list[object]", value) if isinstance(value, list) and value else [value]
        rows += [(_heading(name) if i == 0 else "", cell(name, element)) for i, element in enumerate(elements)]
    rows += [(heading, text(entity)) for heading, text in _computed(type(entity)).items()]
    if isinstance(entity, _WITH_ETAG):
        rows.append(("etag", entity.etag()))
    return "\n".join(aligned(rows))


def entity_table(
    entities: Sequence[Entity], *, wide: bool = False, columns: Mapping[str, Column] = MappingProxyType({})
) -> str:
    """Return entities of one class as a table.

    Args:
        entities: the entities, at least one.
        wide: with every field and the etag, and nothing cut. Else with the main fields, ids shortened, and cut to the width
            of the terminal.
        columns: further columns before the fields, by heading.
    """
    kind = type(entities[0])
    names = fields(kind, wide=wide)
    headings = [_heading(name) if wide else COLUMNS.get(kind, {}).get(name, name) for name in names]
    rows = [[cell(name, getattr(entity, name), brief=not wide) for name in names] for entity in entities]
    spare = [position for position, name in enumerate(names) if name.endswith(("_at", "_ms"))]
    amounts = [position for position, name in enumerate(names) if is_amount(name)]
    place = len(names) - sum(name in _IDS for name in names)
    for number, (heading, text) in enumerate(_computed(kind).items()):
        headings.insert(place + number, heading)
        for row, entity in zip(rows, entities, strict=True):
            row.insert(place + number, text(entity))
        if text is bar:
            # A part of it would say something else.
            spare.append(place + number)
    headings = [*columns, *headings]
    rows = [[*(text(entity) for text in columns.values()), *row] for row, entity in zip(rows, entities, strict=True)]
    if not wide:
        spare, whole = ([len(columns) + position for position in positions] for positions in (spare, amounts))
        return table(headings, rows, width=terminal_width(), spare=spare, whole=whole)
    etags = [each.etag() for each in entities if isinstance(each, _WITH_ETAG)]
    if etags:
        headings.append("etag")
        rows = [[*row, etag] for row, etag in zip(rows, etags, strict=True)]
    return table(headings, rows)


def fields(kind: type[Entity], *, wide: bool) -> Sequence[str]:
    """Return the fields of a table: the main ones, or all with the main ones first. Ids are the last."""
    names = [field.name for field in dataclasses.fields(kind)]
    main = list(COLUMNS.get(kind, names))
    return sorted(dict.fromkeys((*main, *names)), key=_IDS.__contains__) if wide else main


def _computed(kind: type[Entity]) -> Mapping[str, Column]:
    return _COMPUTED.get(kind, {})


def _heading(name: str) -> str:
    return name.removesuffix("_ms").removesuffix("_nanos")

"""Command output: tables, or proto3 JSON."""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, TypeAlias, cast

import click

from gateway_entities.cli.yaml_text import dump
from gateway_entities.entities import (
    BudgetDuration,
    FallbackConfig,
    GatewayBudgetCheck,
    GatewayBudgetPolicy,
    GatewayBudgetWindow,
    GatewayChange,
    GatewayChangeEffect,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayEndpointModelMapping,
    GatewayEndpointTag,
    GatewayFieldDifference,
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GatewayModelDefinition,
    GatewayModelLinkageType,
    GatewayNode,
    GatewaySecretAccess,
    GatewaySecretInfo,
    Scorer,
)

Entity: TypeAlias = (
    GatewaySecretInfo
    | GatewayModelDefinition
    | GatewayEndpoint
    | GatewayEndpointModelMapping
    | GatewayEndpointBinding
    | GatewayBudgetPolicy
    | GatewayBudgetWindow
    | GatewayBudgetCheck
    | GatewayChange
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


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WIDEST_CELL: Final = 80

_COLUMNS: Final[Mapping[type, Sequence[str]]] = {
    GatewaySecretInfo: ("secret_id", "secret_name", "provider", "masked_values", "created_at"),
    GatewayModelDefinition: ("model_definition_id", "name", "provider", "model_name", "secret_name", "created_at"),
    GatewayEndpoint: ("endpoint_id", "name", "model_mappings", "tags", "created_at"),
    GatewayEndpointModelMapping: ("linkage_type", "weight", "fallback_order", "model_definition"),
    GatewayEndpointBinding: ("endpoint_id", "resource_type", "resource_id", "display_name", "created_at"),
    GatewayBudgetPolicy: (
        "budget_policy_id",
        "budget_amount",
        "budget_unit",
        "duration",
        "target_scope",
        "target_value",
        "budget_action",
    ),
    GatewayBudgetWindow: ("budget_policy_id", "window_start_ms", "window_end_ms", "current_spend"),
    GatewayGuardrail: ("guardrail_id", "name", "scorer", "stage", "action", "action_endpoint_id", "created_at"),
    GatewayGuardrailConfig: ("execution_order", "guardrail_id", "guardrail", "created_at"),
    GatewayChange: ("revision", "changed_at", "actor", "rpc", "change", "effects"),
    GatewayNode: ("name", "instance", "state", "applied_revision", "refused_revision", "reason", "last_seen_at"),
    GatewaySecretAccess: ("accessed_at", "actor", "secret_id", "endpoint_id"),
}
"""The fields shown in lists; a single entity is shown with all fields."""

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


def show(result: Entity | Sequence[Entity] | Done, *, as_json: bool) -> None:
    """Print the result of a command.

    Args:
        result: one entity, a list of entities of one class, or a confirmation.
        as_json: print proto3 JSON: an object, an array for a list, ``{}`` for a confirmation.
    """
    if isinstance(result, Done):
        click.echo("{}" if as_json else printable(result.sentence))
    elif isinstance(result, Sequence):
        shown = entity_table(result) if result else "(none)"
        click.echo(json.dumps([to_dict(entity) for entity in result], indent=2) if as_json else shown)
    else:
        click.echo(json.dumps(to_dict(result), indent=2) if as_json else record(result))


def show_as(result: Entity | Sequence[Entity] | Done, form: str) -> None:
    """Print the result of a command in a form.

    Args:
        result: one entity, a list of entities of one class, or a confirmation.
        form: ``table``; ``wide``, a table that cuts nothing; ``json`` or ``yaml``, the entities' own form with the etag; or
            ``name``, a line for each.
    """
    if form == "table" or isinstance(result, Done):
        show(result, as_json=form == "json")
    elif form == "wide":
        rows = [result] if not isinstance(result, Sequence) else result
        click.echo(entity_table(rows, cut=False) if rows else "(none)")
    elif form == "name":
        for entity in result if isinstance(result, Sequence) else [result]:
            click.echo(printable(_name(entity)))
    else:
        document = [_document(each) for each in result] if isinstance(result, Sequence) else _document(result)
        click.echo(
            json.dumps(document, indent=2, ensure_ascii=False) if form == "json" else dump(document).removesuffix("\n")
        )


def _document(entity: Entity) -> dict[str, Any]:
    """Return an entity in its own JSON form, with its etag."""
    return {**entity.to_dict(), "etag": entity.etag()} if isinstance(entity, _WITH_ETAG) else entity.to_dict()


def _name(entity: Entity) -> str:
    """Return the name of an entity, or what identifies it."""
    values = (getattr(entity, name, None) for name in ("secret_name", "name", *_COLUMNS.get(type(entity), ())))
    return str(next((value for value in values if value is not None), "-"))


def to_dict(entity: Entity) -> dict[str, Any]:
    """Return an entity as proto3 JSON."""
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(entity.to_proto())


def change_lines(change: GatewayChange) -> list[str]:
    """Return a change as lines: the change itself, then each resource with its fields. Etags are whole."""
    actor = printable(change.actor) if change.actor is not None else "-"
    lines = [f"{change.revision}  {time_text(change.changed_at)}  {actor}  {printable(change.rpc)}"]
    for effect in (change.change, *change.effects):
        verb = "+" if effect.etag_before is None else "-" if effect.etag_after is None else "~"
        name = "" if effect.name is None else f" {effect.name}"
        lines.append(printable(f"    {verb} {effect.noun}{name}  {effect.id}  {effect.etag_after or 'removed'}"))
        lines += [f"        {printable(_difference(each))}" for each in effect.fields]
    return lines


def _difference(difference: GatewayFieldDifference) -> str:
    if difference.before is None and difference.after is None:
        return f"{difference.path}: (secret)"
    before, after = ("-" if text is None else text for text in (difference.before, difference.after))
    return f"{difference.path}: {before} -> {after}"


def record(entity: Entity) -> str:
    """Return one entity as lines of field name and value; a list has one line per element."""
    rows: list[tuple[str, str]] = []
    for name in _field_names(entity):
        value: object = getattr(entity, name)
        elements: list[object] = cast("list[object]", value) if isinstance(value, list) and value else [value]
        rows += [(_heading(name) if i == 0 else "", _cell(name, element)) for i, element in enumerate(elements)]
    if isinstance(entity, _WITH_ETAG):
        rows.append(("etag", entity.etag()))
    return _aligned(rows)


def entity_table(entities: Sequence[Entity], *, cut: bool = True) -> str:
    """Return entities of one class as a table of their main fields. Long values are truncated, unless ``cut`` is False."""
    names = _COLUMNS.get(type(entities[0]), _field_names(entities[0]))
    rows = [[_cell(name, getattr(entity, name)) for name in names] for entity in entities]
    return table([_heading(name) for name in names], [[_cut(cell) for cell in row] if cut else row for row in rows])


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as aligned columns with headings."""
    return _aligned([[heading.upper() for heading in headings], *rows])


def printable(text: str) -> str:
    """Escape every character that a terminal would interpret, such as a line break."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def printable_lines(text: str) -> str:
    """Escape as ``printable`` does, but keep the line breaks of a text of several lines."""
    return "\n".join(map(printable, text.splitlines()))


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST_CELL else text[: _WIDEST_CELL - 1] + "…"


def _field_names(entity: Entity) -> list[str]:
    return [field.name for field in dataclasses.fields(entity)]


def _heading(name: str) -> str:
    return name.removesuffix("_ms")


def _cell(name: str, value: object) -> str:
    """Return a field value as one line of text: absent is ``-``, empty is ``""``."""
    if isinstance(value, int) and name.endswith(("_at", "_ms")):
        return time_text(value)
    if isinstance(value, list):
        return ", ".join(_cell(name, element) for element in cast("list[object]", value)) or "-"
    if isinstance(value, GatewayChangeEffect):
        return printable(f"{value.noun} {value.id} {value.etag_after or 'removed'}")
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, str]", value)
        return ", ".join(printable(f"{key}={pairs[key]}") for key in sorted(pairs)) or "-"
    return _scalar(value)


def _scalar(value: object) -> str:
    match value:
        case None:
            text = "-"
        case "":
            text = '""'
        case bool():
            text = str(value).lower()
        case Enum():
            # Before str: some enums are str.
            text = value.name if isinstance(value, int) else str(value)
        case _:
            text = _summary(value)
    return printable(text)


def _summary(value: object) -> str:  # noqa: PLR0911 - one for each class.
    """Return a message within another as one line."""
    match value:
        case GatewayEndpointTag():
            return f"{value.key}={value.value or ''}"
        case BudgetDuration():
            return f"{value.value} {_scalar(value.unit)}"
        case FallbackConfig():
            return f"strategy {_scalar(value.strategy)}, max_attempts {_scalar(value.max_attempts)}"
        case GatewayModelDefinition():
            return f"{value.name} ({value.provider}/{value.model_name})"
        case GatewayEndpointModelMapping():
            return _mapping(value)
        case GatewayBudgetPolicy():
            return (
                f"{value.budget_policy_id} ({value.budget_amount} {_scalar(value.budget_unit)} in {_scalar(value.duration)})"
            )
        case Scorer():
            return f"{value.scorer_name or value.scorer_id} version {_scalar(value.scorer_version)}"
        case GatewayGuardrail():
            return f"{value.name} ({_scalar(value.stage)}, {_scalar(value.action)}, scorer {_scalar(value.scorer)})"
        case GatewayBudgetWindow():
            return f"{time_text(value.window_start_ms)} to {time_text(value.window_end_ms)}, spent {value.current_spend}"
        case _:
            return str(value)


def _mapping(mapping: GatewayEndpointModelMapping) -> str:
    place = (
        f"order {_scalar(mapping.fallback_order)}"
        if mapping.linkage_type == GatewayModelLinkageType.FALLBACK
        else f"weight {_scalar(mapping.weight)}"
    )
    return f"{_scalar(mapping.linkage_type)} {_scalar(mapping.model_definition or mapping.model_definition_id)} {place}"


def time_text(milliseconds: int) -> str:
    """Return a time in milliseconds since the Unix epoch as text of ISO 8601, in UTC."""
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return str(milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

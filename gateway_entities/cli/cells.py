"""Values of entities as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final, cast

from gateway_entities.cli.spending.balance import amount_text, float_text, policy_text
from gateway_entities.entities import (
    BudgetDuration,
    FallbackConfig,
    GatewayBudgetOverrun,
    GatewayBudgetPolicy,
    GatewayBudgetWindow,
    GatewayEndpointModelMapping,
    GatewayEndpointTag,
    GatewayGuardrail,
    GatewayModelDefinition,
    GatewayModelLinkageType,
    Scorer,
)

SHORT_ID_DIGITS: Final = 8
"""Hexadecimal digits of a shortened id. Commands accept one, if no other id of its kind begins with it."""

_FLOAT_AMOUNTS: Final = frozenset({"budget_amount", "current_spend", "remaining"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ID: Final = re.compile(r"[a-z]{1,2}-[0-9a-f]{32}")


def printable(text: str) -> str:
    """Escape every character that a terminal would interpret, such as a line break."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def printable_lines(text: str) -> str:
    """Escape as ``printable`` does, but keep the line breaks of a text of several lines."""
    return "\n".join(map(printable, text.splitlines()))


def time_text(milliseconds: int, *, brief: bool = False) -> str:
    """Return a time in milliseconds since the Unix epoch as text of RFC 3339, in UTC; a brief one has no milliseconds."""
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return str(milliseconds)
    return moment.isoformat(timespec="seconds" if brief else "milliseconds").replace("+00:00", "Z")


def short_id(text: str) -> str:
    """Return the beginning of an id; any other text as it is."""
    return text[: text.index("-") + 1 + SHORT_ID_DIGITS] if _ID.fullmatch(text) else text


def is_amount(name: str) -> bool:
    """Return whether a field is an amount of money."""
    return name.endswith("_nanos") or name in _FLOAT_AMOUNTS


def cell(name: str, value: object, *, brief: bool = False) -> str:
    """Return a field as one line of text: absent is ``-``, empty is ``""``.

    Args:
        name: the name of the field.
        value: its value.
        brief: ids are shortened, times are whole seconds, and models are their names with their weights.
    """
    if isinstance(value, int) and name.endswith(("_at", "_ms")):
        return time_text(value, brief=brief)
    if isinstance(value, list):
        return ", ".join(cell(name, element, brief=brief) for element in cast("list[object]", value)) or "-"
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, str]", value)
        return ", ".join(printable(f"{key}={pairs[key]}") for key in sorted(pairs)) or "-"
    if brief and isinstance(value, GatewayEndpointModelMapping):
        return printable(_brief_mapping(value))
    if brief and isinstance(value, str) and (name.endswith("_id") or name == "target_value"):
        return printable(short_id(value) or '""')
    return _amount(name, value) or _scalar(value)


def _amount(name: str, value: object) -> str | None:
    if isinstance(value, (int, float)) and name in _FLOAT_AMOUNTS:
        return float_text(value)
    return amount_text(value) if isinstance(value, int) and name.endswith("_nanos") else None


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
            return f"{value.budget_policy_id} ({policy_text(value)})"
        case Scorer():
            return f"{value.scorer_name or value.scorer_id} version {_scalar(value.scorer_version)}"
        case GatewayGuardrail():
            return f"{value.name} ({_scalar(value.stage)}, {_scalar(value.action)}, scorer {_scalar(value.scorer)})"
        case GatewayBudgetOverrun():
            return f"{_scalar(value.cause)} {amount_text(value.amount_nanos)}"
        case GatewayBudgetWindow():
            spent = float_text(value.current_spend)
            return f"{time_text(value.window_start_ms)} to {time_text(value.window_end_ms)}, spent {spent}"
        case _:
            return str(value)


def _mapping(mapping: GatewayEndpointModelMapping) -> str:
    place = (
        f"order {_scalar(mapping.fallback_order)}"
        if mapping.linkage_type == GatewayModelLinkageType.FALLBACK
        else f"weight {_scalar(mapping.weight)}"
    )
    return f"{_scalar(mapping.linkage_type)} {_scalar(mapping.model_definition or mapping.model_definition_id)} {place}"


def _brief_mapping(mapping: GatewayEndpointModelMapping) -> str:
    model = mapping.model_definition
    name = short_id(mapping.model_definition_id) if model is None else model.name
    is_fallback = mapping.linkage_type == GatewayModelLinkageType.FALLBACK
    return f"{name} {'fallback' if is_fallback else _scalar(mapping.weight)}"

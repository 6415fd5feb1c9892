"""The difference of two configurations, by the names of their resources, without a gateway."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final, cast

from gateway_entities.entities import (
    GatewayConfiguration,
    GatewayFieldDifference,
    GatewayPlanAction,
    GatewayPlannedChange,
)
from gateway_entities.rules.values import entry

_NOUNS: Final = {"secrets": "secret", "model_definitions": "model_definition", "endpoints": "endpoint"}
MODEL_DEFAULTS: Final[Mapping[str, object]] = {"linkage_type": "PRIMARY", "weight": 1.0}
"""Values that the fields of an endpoint's model have if they are absent."""
DEFAULTS: Final[Mapping[str, object]] = {
    "usage_tracking": True,
    "experiment_id": "",
    "provider": "",
    "secret": "",
    "action_endpoint": "",
}
"""Values that the other fields have if they are absent."""
_LONGEST: Final = 1000


def differences(before: GatewayConfiguration, after: GatewayConfiguration) -> list[GatewayPlannedChange]:
    """Return what changes from one configuration to the other. Absent fields are equal to their defaults."""
    old, new = before.to_dict(), after.to_dict()
    found: list[GatewayPlannedChange] = []
    for field, noun in _NOUNS.items():
        first, second = ({item["name"]: item for item in each.get(field, [])} for each in (old, new))
        # A renamed resource is the one of its former name.
        former = {
            item["renamed_from"]: name
            for name, item in second.items()
            if item.get("renamed_from") in first and name not in first and item["renamed_from"] not in second
        }
        first = {former.get(name, name): item for name, item in first.items()}
        for name in sorted({*first, *second}):
            found += _change(noun, name, first.get(name), second.get(name))
    return [*found, *_policies(old, new), *_guardrails(old, new)]


def _change(
    noun: str, name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Iterator[GatewayPlannedChange]:
    old, new = (dict(_flat(each or {})) for each in (before, after))
    fields = [
        GatewayFieldDifference(path, _json(old, path), _json(new, path))
        for path in dict.fromkeys((*old, *new))
        if old.get(path) != new.get(path) and path != "renamed_from" and not (path == "name" and (not before or not after))
    ]
    action = "CREATE" if before is None else "DELETE" if after is None else "UPDATE"
    if fields or action != "UPDATE":
        shown = [] if action == "DELETE" else fields
        yield GatewayPlannedChange(GatewayPlanAction[f"GATEWAY_PLAN_ACTION_{action}"], noun, name, fields=shown)


def _policies(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[GatewayPlannedChange]:
    first, second = (Counter(map(_policy, each.get("budget_policies", []))) for each in (old, new))
    for counter, other, action in ((first, second, "DELETE"), (second, first, "CREATE")):
        for name in sorted((counter - other).elements()):
            yield GatewayPlannedChange(GatewayPlanAction[f"GATEWAY_PLAN_ACTION_{action}"], "budget_policy", name)


def _policy(item: Mapping[str, Any]) -> str:
    target = f" {item['target_value']}" if item.get("target_value") else ""
    duration = item["duration"]
    return (
        f"{item['target_scope']}{target}, {item['budget_amount']:.15g} {item['budget_unit']} "
        f"per {duration['value']} {duration['unit']}, {item['budget_action']}"
    )


def _guardrails(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[GatewayPlannedChange]:
    first, second = (_by_key(each.get("guardrails", [])) for each in (old, new))
    for key in sorted({*first, *second}):
        before, after = first.get(key, []), second.get(key, [])
        # Those that are equal stay, the others are paired.
        rest = [item for item in before if item not in after]
        for item in before:
            if item in after:
                after.remove(item)
        for one, other in zip_longest(rest, after):
            yield from _change("guardrail", key[0], one, other)


def _by_key(guardrails: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], list[Mapping[str, Any]]]:
    """Return guardrails by what they are known by, with the endpoints that use them by their names."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for item in guardrails:
        uses = {
            use["name"]: {key: value for key, value in use.items() if key != "name"} for use in item.get("endpoints", [])
        }
        key = item["name"], item["scorer_id"], str(item["stage"])
        found.setdefault(key, []).append({**item, "endpoints": uses})
    return found


def _flat(
    value: Mapping[str, Any], path: str = "", defaults: Mapping[str, object] = DEFAULTS
) -> Iterator[tuple[str, object]]:
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        if name in ("tags", "auth_config", "endpoints"):
            yield from ((entry(where, key), text) for key, text in sorted(item.items()))
        elif isinstance(item, Mapping):
            yield from _flat(cast("Mapping[str, Any]", item), where)
        elif isinstance(item, list):
            for position, element in enumerate(cast("list[Mapping[str, Any]]", item)):
                yield from _flat(element, f"{where}[{position}]", MODEL_DEFAULTS)
        elif defaults.get(name) != item and not str(item).endswith("UNSPECIFIED"):
            yield where, item


def _json(fields: Mapping[str, object], path: str) -> str | None:
    if path not in fields:
        return None
    text = json.dumps(fields[path], ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."

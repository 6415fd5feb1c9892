"""A running MLflow server's gateway, over its REST API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gateway_entities.cli.config.importers.fidelity import Fidelity
from gateway_entities.cli.config.importers.names import variable
from gateway_entities.cli.config.importers.result import Result
from gateway_entities.cli.config.writing import escaped
from gateway_entities.errors import Code, GatewayError
from gateway_entities.rules.guardrail import MAX_SERIALIZED_SCORER

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewayGuardrail

_STORE: Final = ("created_at", "last_updated_at", "created_by", "last_updated_by")
_BY_NAME: Final = "resources are known by their names here"


def convert(client: GatewayClient) -> tuple[Result, Fidelity]:
    """Return the configuration of a server and what became of its fields."""
    source = {
        "secrets": [each.to_dict() for each in client.list_secrets()],
        "model_definitions": [each.to_dict() for each in client.list_model_definitions()],
        "endpoints": [each.to_dict() for each in client.list_endpoints()],
        "bindings": [each.to_dict() for each in client.list_bindings()],
        "budget_policies": [each.to_dict() for each in client.list_budget_policies()],
        "guardrails": [each.to_dict() for each in _guardrails(client)],
    }
    # MLflow has no list of all of them.
    endpoints = [each["endpoint_id"] for each in source["endpoints"]] if source["guardrails"] else []
    uses = [use.to_dict() for each in endpoints for use in client.list_endpoint_guardrails(each)]
    source["guardrail_configs"] = uses
    fidelity, result = Fidelity(source), Result()
    for kind in source:
        fidelity.mapped(kind, "the list of the same name")
    for path, item in _items(source, "secrets", fidelity, "secret_id"):
        _secret(result, fidelity, path, item)
    for path, item in _items(source, "model_definitions", fidelity, "model_definition_id"):
        fidelity.dropped(f"{path}.secret_id", _BY_NAME)
        content = _copied(fidelity, path, item, ("provider", "model_name"))
        if item.get("secret_name"):
            content["secret"] = escaped(item["secret_name"])
        fidelity.mapped(path, "a model definition")
        result.definitions[item["name"]] = {"name": escaped(item["name"]), **content}
    for path, item in _items(source, "endpoints", fidelity, "endpoint_id"):
        _endpoint(result, fidelity, path, item, source["model_definitions"])
    names = {str(item["endpoint_id"]): str(item.get("name")) for item in source["endpoints"]}
    for path, item in _items(source, "bindings", fidelity, "endpoint_id"):
        fidelity.dropped(f"{path}.display_name", "MLflow finds it by the resource")
        fidelity.mapped(path, "a binding of the endpoint")
        endpoint = result.endpoints[names[str(item["endpoint_id"])]]
        bound = endpoint.setdefault("bindings", {"items": []})["items"]
        bound.append(escaped({key: item[key] for key in ("resource_type", "resource_id")}))
    for path, item in _items(source, "budget_policies", fidelity, "budget_policy_id"):
        _policy(result, fidelity, path, item, names)
    by_id: dict[str, dict[str, Any]] = {}
    for path, item in _items(source, "guardrails", fidelity, "guardrail_id"):
        by_id[item["guardrail_id"]] = _guardrail(result, fidelity, path, item, names)
    places = Counter((use["endpoint_id"], use.get("execution_order")) for use in uses)
    for path, item in _items(source, "guardrail_configs", fidelity, "guardrail.guardrail_id"):
        _use(fidelity, path, item, by_id, names)
        if places[item["endpoint_id"], item.get("execution_order")] > 1:
            how = "in endpoints; those of one order are executed in the order of their ids, which are others here"
            fidelity.approximated(f"{path}.guardrail_id", how)
        fidelity.mapped(path, "in endpoints of the guardrail")
    return result, fidelity


def _guardrails(client: GatewayClient) -> Sequence[GatewayGuardrail]:
    try:
        return client.list_guardrails()
    except GatewayError as error:
        if error.code is not Code.UNIMPLEMENTED:
            raise
        # Before 3.12.0 MLflow has none.
        return ()


def _items(
    source: Mapping[str, list[dict[str, Any]]], kind: str, fidelity: Fidelity, identifier: str
) -> Iterable[tuple[str, dict[str, Any]]]:
    for position, item in enumerate(source[kind]):
        path = f"{kind}[{position}]"
        fidelity.dropped(f"{path}.{identifier}", _BY_NAME)
        for key in _STORE:
            fidelity.dropped(f"{path}.{key}", "the store records its own")
        yield path, item


def _copied(fidelity: Fidelity, path: str, item: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    found = {name: escaped(item[name]) for name in names if name in item}
    for name in found:
        fidelity.mapped(f"{path}.{name}", "the field of the same name")
    return found


def _secret(result: Result, fidelity: Fidelity, path: str, item: dict[str, Any]) -> None:
    name = item["secret_name"]
    content = _copied(fidelity, path, item, ("provider", "auth_config"))
    fidelity.mapped(f"{path}.secret_name", "name")
    values: dict[str, Any] = {}
    for key in item.get("masked_values", {}):
        values[key] = {"env": variable(name, key)}
        how = f"value_from: set {values[key]['env']} to the value, which MLflow does not show"
        fidelity.approximated(f"{path}.masked_values.{key}", how)
    result.secrets[name] = {"name": escaped(name), **content, **({"value_from": values} if values else {})}


def _endpoint(
    result: Result, fidelity: Fidelity, path: str, item: dict[str, Any], definitions: Iterable[Mapping[str, Any]]
) -> None:
    by_id = {each["model_definition_id"]: each["name"] for each in definitions}
    models: list[dict[str, Any]] = []
    for position, mapping in enumerate(item.get("model_mappings", [])):
        where = f"{path}.model_mappings[{position}]"
        for key in ("mapping_id", "endpoint_id"):
            fidelity.dropped(f"{where}.{key}", _BY_NAME)
        for key in _STORE:
            fidelity.dropped(f"{where}.{key}", "the store records its own")
        fidelity.mapped(f"{where}.model_definition_id", "model_definition, by its name")
        fidelity.mapped(f"{where}.model_definition", "the model definition of that name")
        content = _copied(fidelity, where, mapping, ("linkage_type", "weight", "fallback_order"))
        models.append({"model_definition": escaped(by_id[mapping["model_definition_id"]]), **content})
    fields = ("routing_strategy", "fallback_config", "experiment_id", "usage_tracking")
    content = _copied(fidelity, path, item, fields)
    tags = {tag["key"]: escaped(tag.get("value") or "") for tag in item.get("tags", [])}
    for position, tag in enumerate(item.get("tags", [])):
        fidelity.mapped(f"{path}.tags[{position}]", f"tags, {len(tag)} fields as one entry")
    fidelity.mapped(f"{path}.name", "name")
    for key in ("tags", "model_mappings"):
        fidelity.mapped(f"{path}.{key}", "the field of the same meaning")
    found = {"name": item.get("name"), "models": models, **content, **({"tags": tags} if tags else {})}
    result.endpoints[str(item.get("name"))] = found


def _policy(result: Result, fidelity: Fidelity, path: str, item: dict[str, Any], names: Mapping[str, str]) -> None:
    content = _copied(fidelity, path, item, ("target_scope", "budget_unit", "budget_amount", "duration", "budget_action"))
    target = str(item.get("target_value", ""))
    if item.get("target_scope") == "ENDPOINT":
        if target not in names:
            fidelity.dropped(path, "its endpoint is not there")
            return
        target = names[target]
    if target:
        content["target_value"] = escaped(target)
    fidelity.mapped(f"{path}.target_value", "target_value, an endpoint by its name")
    result.policies.append(content)


def _guardrail(
    result: Result, fidelity: Fidelity, path: str, item: dict[str, Any], names: Mapping[str, str]
) -> dict[str, Any]:
    content = _copied(fidelity, path, item, ("name", "stage", "action"))
    scorer = dict(item.get("scorer", {}))
    for name in ("scorer_id", "scorer_version"):
        if name in scorer:
            content[name] = escaped(scorer.pop(name))
    fidelity.mapped(f"{path}.scorer", "scorer_id, scorer_version, and scorer with what else is known of it")
    if len(scorer.get("serialized_scorer", "")) > MAX_SERIALIZED_SCORER:
        # Only its id and version say which scorer it is.
        del scorer["serialized_scorer"]
        fidelity.dropped(f"{path}.scorer.serialized_scorer", f"it is longer than {MAX_SERIALIZED_SCORER} characters")
    if scorer:
        content["scorer"] = {name: escaped(value) for name, value in scorer.items()}
    if item.get("action_endpoint_id") in names:
        content["action_endpoint"] = escaped(names[item["action_endpoint_id"]])
        fidelity.mapped(f"{path}.action_endpoint_id", "action_endpoint, by its name")
    else:
        fidelity.dropped(f"{path}.action_endpoint_id", "its endpoint is not there")
    if not {"scorer_id", "scorer_version", "stage", "action"} <= content.keys():
        fidelity.dropped(path, "it has no scorer, stage or action, so that it does nothing")
    else:
        fidelity.mapped(path, "a guardrail")
        result.guardrails.append(content)
    return content


def _use(
    fidelity: Fidelity, path: str, item: dict[str, Any], by_id: Mapping[str, dict[str, Any]], names: Mapping[str, str]
) -> None:
    fidelity.mapped(f"{path}.guardrail", "the guardrail of that id")
    fidelity.mapped(f"{path}.endpoint_id", "name")
    content = {"name": escaped(names[item["endpoint_id"]]), **_copied(fidelity, path, item, ("execution_order",))}
    by_id[item["guardrail_id"]].setdefault("endpoints", []).append(content)

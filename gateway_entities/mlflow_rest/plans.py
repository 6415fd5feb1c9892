"""Plans: the requests to an MLflow server that together have a call's effect under the contract. No I/O.

MLflow 3.18 lacks some of the contract's operations and silently loses parts of others. A plan is a generator: it yields the
requests one by one, is sent each response, and returns the response of the call. It raises UNIMPLEMENTED for what MLflow
cannot do in any number of requests, and DATA_LOSS if a response differs from what was sent.

A plan of several requests is not atomic: another writer may come between them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message

from gateway_entities import methods, rules
from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.mlflow_rest import guardrail_plans
from gateway_entities.mlflow_rest.steps import (
    Plan,
    Planner,
    Step,
    by_name,
    copy_of,
    differences,
    in_order,
    reject_loss,
    unimplemented,
    without_mask,
    without_unspecified,
)
from gatewayentities.v1 import binding_pb2, budget_pb2, endpoint_pb2, model_definition_pb2, secret_pb2


def plan(method: Method[Any, Any], request: Any) -> Plan:
    """Return the plan of one call. The request is validated as by our own server: MLflow validates less.

    But which addresses of providers are allowed is the server's decision: both have an option for it.

    Raises:
        GatewayError: INVALID_ARGUMENT for a request that breaks the contract's rules.
    """
    rules.validate(request, rules.EVERY_ALLOWED)
    for field in _UNSUPPORTED:
        if getattr(request, field, ""):
            unimplemented("does not support", field)
    steps: Planner = _PLANS.get(method, _plain)
    return (yield from steps(method, without_unspecified(request)))


_UNSUPPORTED = ("etag", "request_id")
"""Fields that MLflow does not support. Omitting them silently would break their guarantee."""


def _plain(method: Method[Any, Any], request: Message) -> Plan:
    return (yield Step(method, request))


# Secrets


def _create_secret(method: Method[Any, Any], request: secret_pb2.CreateGatewaySecretRequest) -> Plan:
    response = yield Step(method, request)
    _compare_secret(request, response.secret, last_updated_by=request.created_by if request.HasField("created_by") else None)
    return response


def _get_secret(method: Method[Any, Any], request: secret_pb2.GetGatewaySecretInfoRequest) -> Plan:
    if request.secret_id:
        return (yield Step(method, request))
    listed = yield Step(methods.LIST_GATEWAY_SECRET_INFOS, secret_pb2.ListGatewaySecretInfosRequest())
    secret = by_name("GatewaySecret", "secret_name", request.secret_name, listed.secrets)
    return secret_pb2.GetGatewaySecretInfoResponse(secret=secret)


def _update_secret(method: Method[Any, Any], request: secret_pb2.UpdateGatewaySecretRequest) -> Plan:
    sent = without_mask(request)
    if "auth_config" in rules.written_fields(request) and not sent.auth_config:
        # MLflow's only way to clear: settings that normalize to none.
        sent.auth_config["api_base"] = ""
    if not sent.HasField("updated_by"):
        # MLflow would clear last_updated_by.
        current = yield Step(
            methods.GET_GATEWAY_SECRET_INFO, secret_pb2.GetGatewaySecretInfoRequest(secret_id=request.secret_id)
        )
        if current.secret.HasField("last_updated_by"):
            sent.updated_by = current.secret.last_updated_by
    response = yield Step(method, sent)
    _compare_secret(sent, response.secret, last_updated_by=sent.updated_by if sent.HasField("updated_by") else None)
    return response


def _compare_secret(sent: Any, secret: secret_pb2.GatewaySecretInfo, *, last_updated_by: str | None) -> None:
    lost = differences(sent, secret, except_for={"secret_value", "auth_config", "updated_by"})
    if sent.secret_value and set(sent.secret_value) != set(secret.masked_values):
        lost.append("secret_value")
    if sent.auth_config and rules.normalized_auth_config(sent.auth_config) != dict(secret.auth_config):
        lost.append("auth_config")
    if last_updated_by is not None and secret.last_updated_by != last_updated_by:
        lost.append("last_updated_by")
    reject_loss(lost)


def _list_secrets(_: Method[Any, Any], request: secret_pb2.ListGatewaySecretInfosRequest) -> Plan:
    response = yield Step(
        methods.LIST_GATEWAY_SECRET_INFOS, secret_pb2.ListGatewaySecretInfosRequest(provider=request.provider or None)
    )
    return secret_pb2.ListGatewaySecretInfosResponse(secrets=in_order(response.secrets, "secret_id"))


# Model definitions


def _get_definition(method: Method[Any, Any], request: model_definition_pb2.GetGatewayModelDefinitionRequest) -> Plan:
    if request.model_definition_id:
        return (yield Step(method, request))
    listed = yield Step(methods.LIST_GATEWAY_MODEL_DEFINITIONS, model_definition_pb2.ListGatewayModelDefinitionsRequest())
    definition = by_name("GatewayModelDefinition", "name", request.name, listed.model_definitions)
    return model_definition_pb2.GetGatewayModelDefinitionResponse(model_definition=definition)


def _list_definitions(_: Method[Any, Any], request: model_definition_pb2.ListGatewayModelDefinitionsRequest) -> Plan:
    response = yield Step(
        methods.LIST_GATEWAY_MODEL_DEFINITIONS,
        model_definition_pb2.ListGatewayModelDefinitionsRequest(
            provider=request.provider or None, secret_id=request.secret_id or None
        ),
    )
    definitions = in_order(response.model_definitions, "model_definition_id")
    return model_definition_pb2.ListGatewayModelDefinitionsResponse(model_definitions=definitions)


def _write_definition(method: Method[Any, Any], request: Any) -> Plan:
    sent = request if method is methods.CREATE_GATEWAY_MODEL_DEFINITION else without_mask(request)
    response = yield Step(method, sent)
    reject_loss(differences(sent, response.model_definition))
    return response


# Endpoints


def _create_endpoint(method: Method[Any, Any], request: endpoint_pb2.CreateGatewayEndpointRequest) -> Plan:
    _reject_repeated(request.model_configs)
    sent = copy_of(request)
    if not sent.HasField("fallback_config"):
        _default_fallback(sent)
    response = yield Step(method, sent)
    _compare_endpoint(sent, response.endpoint)
    return response


def _update_endpoint(method: Method[Any, Any], request: endpoint_pb2.UpdateGatewayEndpointRequest) -> Plan:
    _reject_repeated(request.model_configs)
    sent = without_mask(request, {"usage_tracking"})
    if "usage_tracking" in rules.written_fields(request) and not sent.HasField("usage_tracking"):
        sent.usage_tracking = True
    if sent.model_configs and not sent.HasField("fallback_config"):
        # MLflow would clear it together with the models.
        current = yield Step(
            methods.GET_GATEWAY_ENDPOINT, endpoint_pb2.GetGatewayEndpointRequest(endpoint_id=request.endpoint_id)
        )
        if current.endpoint.HasField("fallback_config"):
            sent.fallback_config.CopyFrom(current.endpoint.fallback_config)
        else:
            _default_fallback(sent)
    response = yield Step(method, sent)
    _compare_endpoint(sent, response.endpoint)
    return response


def _compare_endpoint(sent: Any, endpoint: endpoint_pb2.GatewayEndpoint) -> None:
    lost = differences(sent, endpoint, except_for={"model_configs"})
    if sent.model_configs and [_config(c) for c in sent.model_configs] != [_config(m) for m in endpoint.model_mappings]:
        lost.append("model_configs")
    reject_loss(lost)


def _config(each: Any) -> tuple[object, ...]:
    """Return the settings of a config or a mapping, for comparison."""
    return (
        each.model_definition_id,
        each.linkage_type,
        each.weight if each.HasField("weight") else 1.0,
        each.fallback_order if each.HasField("fallback_order") else None,
    )


def _default_fallback(sent: Any) -> None:
    if any(config.linkage_type == endpoint_pb2.FALLBACK for config in sent.model_configs):
        sent.fallback_config.strategy = endpoint_pb2.SEQUENTIAL


def _reject_repeated(configs: Iterable[endpoint_pb2.GatewayEndpointModelConfig]) -> None:
    """Reject a repeated linkage, for which MLflow returns the text of an SQL statement."""
    seen: set[tuple[str, int]] = set()
    for config in configs:
        linkage = (config.model_definition_id, config.linkage_type)
        if linkage in seen:
            raise GatewayError(
                Code.ALREADY_EXISTS,
                f"model definition '{config.model_definition_id}' is given twice with the same linkage type",
                reason="LINKAGE_EXISTS",
            )
        seen.add(linkage)


def _list_endpoints(_: Method[Any, Any], request: endpoint_pb2.ListGatewayEndpointsRequest) -> Plan:
    response = yield Step(
        methods.LIST_GATEWAY_ENDPOINTS, endpoint_pb2.ListGatewayEndpointsRequest(provider=request.provider or None)
    )

    def matches(mapping: endpoint_pb2.GatewayEndpointModelMapping) -> bool:
        definition = mapping.model_definition
        return definition.secret_id == request.secret_id and request.provider in {"", definition.provider}

    # MLflow ignores the filter by secret.
    found = [e for e in response.endpoints if not request.secret_id or any(matches(m) for m in e.model_mappings)]
    return endpoint_pb2.ListGatewayEndpointsResponse(endpoints=in_order(found, "endpoint_id"))


def _delete_endpoint(method: Method[Any, Any], request: endpoint_pb2.DeleteGatewayEndpointRequest) -> Plan:
    policies = (yield from _list_policies(methods.LIST_GATEWAY_BUDGET_POLICIES, None)).budget_policies
    response = yield Step(method, request)
    for policy in policies:
        # MLflow would leave them behind, with a target that is gone.
        if policy.target_scope == budget_pb2.ENDPOINT and policy.target_value == request.endpoint_id:
            yield Step(
                methods.DELETE_GATEWAY_BUDGET_POLICY,
                budget_pb2.DeleteGatewayBudgetPolicyRequest(budget_policy_id=policy.budget_policy_id),
                may_be_gone=True,
            )
    return response


def _attach(method: Method[Any, Any], request: endpoint_pb2.AttachModelToGatewayEndpointRequest) -> Plan:
    response = yield Step(method, request)
    lost = differences(request, response.mapping, except_for={"model_config"})
    if _config(request.model_config) != _config(response.mapping):
        lost.append("model_config")
    reject_loss(lost)
    if request.model_config.linkage_type == endpoint_pb2.FALLBACK:
        get = endpoint_pb2.GetGatewayEndpointRequest(endpoint_id=request.endpoint_id)
        current = yield Step(methods.GET_GATEWAY_ENDPOINT, get)
        if not current.endpoint.HasField("fallback_config"):
            # MLflow would never try the model.
            yield Step(
                methods.UPDATE_GATEWAY_ENDPOINT,
                endpoint_pb2.UpdateGatewayEndpointRequest(
                    endpoint_id=request.endpoint_id,
                    fallback_config=endpoint_pb2.FallbackConfig(strategy=endpoint_pb2.SEQUENTIAL),
                ),
            )
    return response


def _detach(method: Method[Any, Any], request: endpoint_pb2.DetachModelFromGatewayEndpointRequest) -> Plan:
    get = endpoint_pb2.GetGatewayEndpointRequest(endpoint_id=request.endpoint_id)
    mappings = (yield Step(methods.GET_GATEWAY_ENDPOINT, get)).endpoint.model_mappings
    going = [m for m in mappings if m.model_definition_id == request.model_definition_id]
    staying = [m for m in mappings if m.model_definition_id != request.model_definition_id]
    if going and sum(m.weight for m in staying if m.linkage_type == endpoint_pb2.PRIMARY) <= 0:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"cannot detach model definition '{request.model_definition_id}': no PRIMARY model with a weight would be left",
            reason="LAST_PRIMARY_MODEL",
        )
    response = yield Step(method, request)
    # MLflow removes one linkage per call.
    for _ in going[1:]:
        yield Step(method, request, may_be_gone=True)
    return response


# Bindings


def _create_binding(method: Method[Any, Any], request: binding_pb2.CreateGatewayEndpointBindingRequest) -> Plan:
    if request.resource_type != "scorer":
        unimplemented("only binds resources of type 'scorer'", "resource_type")
    response = yield Step(method, request)
    reject_loss(differences(request, response.binding))
    return response


def _list_bindings(_: Method[Any, Any], request: binding_pb2.ListGatewayEndpointBindingsRequest) -> Plan:
    sent = binding_pb2.ListGatewayEndpointBindingsRequest(
        endpoint_id=request.endpoint_id or None,
        resource_type=request.resource_type or None,
        resource_id=request.resource_id or None,
    )
    response = yield Step(methods.LIST_GATEWAY_ENDPOINT_BINDINGS, sent)
    bindings = in_order(response.bindings, "endpoint_id", "resource_type", "resource_id")
    return binding_pb2.ListGatewayEndpointBindingsResponse(bindings=bindings)


# Budgets


def _write_policy(method: Method[Any, Any], request: Any) -> Plan:
    sent = copy_of(request) if method is methods.CREATE_GATEWAY_BUDGET_POLICY else without_mask(request, {"target_value"})
    if not sent.target_value:
        sent.ClearField("target_value")
    response = yield Step(method, sent)
    reject_loss(differences(sent, response.budget_policy))
    return response


def _list_policies(method: Method[Any, Any], _: object) -> Plan:
    """Read every page: MLflow's order differs, so its pages cannot be passed on."""
    found: list[budget_pb2.GatewayBudgetPolicy] = []
    token: str | None = None
    for _page in itertools.count():
        response = yield Step(method, budget_pb2.ListGatewayBudgetPoliciesRequest(max_results=1000, page_token=token))
        found += response.budget_policies
        token = response.next_page_token
        if not token:
            break
    return budget_pb2.ListGatewayBudgetPoliciesResponse(budget_policies=in_order(found, "budget_policy_id"))


def _list_windows(method: Method[Any, Any], _: object) -> Plan:
    return (yield Step(method, budget_pb2.ListGatewayBudgetWindowsRequest()))


_PLANS: dict[Method[Any, Any], Planner] = {
    methods.CREATE_GATEWAY_SECRET: _create_secret,
    methods.GET_GATEWAY_SECRET_INFO: _get_secret,
    methods.UPDATE_GATEWAY_SECRET: _update_secret,
    methods.LIST_GATEWAY_SECRET_INFOS: _list_secrets,
    methods.CREATE_GATEWAY_MODEL_DEFINITION: _write_definition,
    methods.GET_GATEWAY_MODEL_DEFINITION: _get_definition,
    methods.UPDATE_GATEWAY_MODEL_DEFINITION: _write_definition,
    methods.LIST_GATEWAY_MODEL_DEFINITIONS: _list_definitions,
    methods.CREATE_GATEWAY_ENDPOINT: _create_endpoint,
    methods.UPDATE_GATEWAY_ENDPOINT: _update_endpoint,
    methods.DELETE_GATEWAY_ENDPOINT: _delete_endpoint,
    methods.LIST_GATEWAY_ENDPOINTS: _list_endpoints,
    methods.ATTACH_MODEL_TO_GATEWAY_ENDPOINT: _attach,
    methods.DETACH_MODEL_FROM_GATEWAY_ENDPOINT: _detach,
    methods.CREATE_GATEWAY_ENDPOINT_BINDING: _create_binding,
    methods.LIST_GATEWAY_ENDPOINT_BINDINGS: _list_bindings,
    methods.CREATE_GATEWAY_BUDGET_POLICY: _write_policy,
    methods.UPDATE_GATEWAY_BUDGET_POLICY: _write_policy,
    methods.LIST_GATEWAY_BUDGET_POLICIES: _list_policies,
    methods.LIST_GATEWAY_BUDGET_WINDOWS: _list_windows,
    **guardrail_plans.PLANS,
}

"""Plans of guardrails.

MLflow 3.18 returns the name of an action endpoint as its id. These plans return the id.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable
from typing import Any, Final

from gateway_entities import methods
from gateway_entities.methods import Method
from gateway_entities.mlflow_rest.steps import (
    Plan,
    Planner,
    Step,
    copy_of,
    differences,
    in_order,
    reject_loss,
    unimplemented,
)
from gatewayentities.v1 import endpoint_pb2, guardrail_pb2


def _create(method: Method[Any, Any], request: guardrail_pb2.CreateGatewayGuardrailRequest) -> Plan:
    if request.HasField("scorer"):
        unimplemented("has scorers of its own", "scorer")
    sent = copy_of(request)
    if not sent.action_endpoint_id:
        # Empty means none, which MLflow would store as absent.
        sent.ClearField("action_endpoint_id")
    response = yield Step(method, sent)
    guardrail = response.guardrail
    yield from _restore_ids([guardrail])
    lost = differences(sent, guardrail, except_for={"scorer_id", "scorer_version"})
    scorer = guardrail.scorer
    if (scorer.scorer_id, scorer.scorer_version) != (request.scorer_id, request.scorer_version):
        lost.append("scorer_id")
    reject_loss(lost)
    return response


def _get(method: Method[Any, Any], request: guardrail_pb2.GetGatewayGuardrailRequest) -> Plan:
    response = yield Step(method, request)
    yield from _restore_ids([response.guardrail])
    return response


def _list(method: Method[Any, Any], _: object) -> Plan:
    """Read every page: MLflow's order differs, so its pages cannot be passed on."""
    found: list[guardrail_pb2.GatewayGuardrail] = []
    token: str | None = None
    for _page in itertools.count():
        response = yield Step(method, guardrail_pb2.ListGatewayGuardrailsRequest(max_results=1000, page_token=token))
        found += response.guardrails
        token = response.next_page_token
        if not token:
            break
    yield from _restore_ids(found)
    return guardrail_pb2.ListGatewayGuardrailsResponse(guardrails=in_order(found, "guardrail_id"))


def _write_config(method: Method[Any, Any], request: Any) -> Plan:
    response = yield Step(method, request)
    yield from _restore_ids([response.config.guardrail])
    lost = differences(request, response.config)
    if request.HasField("execution_order") != response.config.HasField("execution_order"):
        lost.append("execution_order")
    reject_loss(lost)
    return response


def _list_configs(method: Method[Any, Any], request: guardrail_pb2.ListEndpointGuardrailConfigsRequest) -> Plan:
    sent = guardrail_pb2.ListEndpointGuardrailConfigsRequest(endpoint_id=request.endpoint_id)
    response = yield Step(method, sent)
    yield from _restore_ids([config.guardrail for config in response.configs])
    return guardrail_pb2.ListEndpointGuardrailConfigsResponse(configs=response.configs)


def _restore_ids(guardrails: Iterable[guardrail_pb2.GatewayGuardrail]) -> Generator[Step, Any, None]:
    """Replace the names of action endpoints by their ids."""
    calling = [guardrail for guardrail in guardrails if guardrail.HasField("action_endpoint_id")]
    ids: dict[str, str] = {}
    for name in dict.fromkeys(guardrail.action_endpoint_id for guardrail in calling):
        get = endpoint_pb2.GetGatewayEndpointRequest(name=name)
        response = yield Step(methods.GET_GATEWAY_ENDPOINT, get, may_be_gone=True)
        # Without an endpoint of this name it is an id.
        ids[name] = response.endpoint.endpoint_id or name
    for guardrail in calling:
        guardrail.action_endpoint_id = ids[guardrail.action_endpoint_id]


PLANS: Final[dict[Method[Any, Any], Planner]] = {
    methods.CREATE_GATEWAY_GUARDRAIL: _create,
    methods.GET_GATEWAY_GUARDRAIL: _get,
    methods.LIST_GATEWAY_GUARDRAILS: _list,
    methods.ADD_GUARDRAIL_TO_ENDPOINT: _write_config,
    methods.LIST_ENDPOINT_GUARDRAIL_CONFIGS: _list_configs,
    methods.UPDATE_ENDPOINT_GUARDRAIL_CONFIG: _write_config,
}
"""The plans by method; RPCs without one are one request."""

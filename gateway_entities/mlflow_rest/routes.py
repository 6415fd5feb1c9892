"""Routes of the dialect: HTTP method and path of each RPC.

Source: the ``rpc`` options of MLflow 3.18's ``service.proto``, as its server serves them.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from gateway_entities import methods
from gateway_entities.methods import Method

PREFIXES: Final = ("/api/3.0/mlflow/gateway", "/ajax-api/3.0/mlflow/gateway")
"""Prefixes of a route's path. The server serves both; the client uses the first."""


class Route(NamedTuple):
    """One RPC in the dialect.

    Attributes:
        verb: the HTTP method.
        path: the path after a prefix.
        method: the RPC.
    """

    verb: str
    path: str
    method: Method[Any, Any]


ROUTES: Final = (
    Route("POST", "/secrets/create", methods.CREATE_GATEWAY_SECRET),
    Route("GET", "/secrets/get", methods.GET_GATEWAY_SECRET_INFO),
    Route("POST", "/secrets/update", methods.UPDATE_GATEWAY_SECRET),
    Route("DELETE", "/secrets/delete", methods.DELETE_GATEWAY_SECRET),
    Route("GET", "/secrets/list", methods.LIST_GATEWAY_SECRET_INFOS),
    Route("POST", "/model-definitions/create", methods.CREATE_GATEWAY_MODEL_DEFINITION),
    Route("GET", "/model-definitions/get", methods.GET_GATEWAY_MODEL_DEFINITION),
    Route("GET", "/model-definitions/list", methods.LIST_GATEWAY_MODEL_DEFINITIONS),
    Route("POST", "/model-definitions/update", methods.UPDATE_GATEWAY_MODEL_DEFINITION),
    Route("DELETE", "/model-definitions/delete", methods.DELETE_GATEWAY_MODEL_DEFINITION),
    Route("POST", "/endpoints/create", methods.CREATE_GATEWAY_ENDPOINT),
    Route("GET", "/endpoints/get", methods.GET_GATEWAY_ENDPOINT),
    Route("POST", "/endpoints/update", methods.UPDATE_GATEWAY_ENDPOINT),
    Route("DELETE", "/endpoints/delete", methods.DELETE_GATEWAY_ENDPOINT),
    Route("GET", "/endpoints/list", methods.LIST_GATEWAY_ENDPOINTS),
    Route("POST", "/endpoints/models/attach", methods.ATTACH_MODEL_TO_GATEWAY_ENDPOINT),
    Route("POST", "/endpoints/models/detach", methods.DETACH_MODEL_FROM_GATEWAY_ENDPOINT),
    Route("POST", "/endpoints/set-tag", methods.SET_GATEWAY_ENDPOINT_TAG),
    Route("DELETE", "/endpoints/delete-tag", methods.DELETE_GATEWAY_ENDPOINT_TAG),
    Route("POST", "/endpoints/bindings/create", methods.CREATE_GATEWAY_ENDPOINT_BINDING),
    Route("DELETE", "/endpoints/bindings/delete", methods.DELETE_GATEWAY_ENDPOINT_BINDING),
    Route("GET", "/endpoints/bindings/list", methods.LIST_GATEWAY_ENDPOINT_BINDINGS),
    Route("POST", "/budgets/create", methods.CREATE_GATEWAY_BUDGET_POLICY),
    Route("GET", "/budgets/get", methods.GET_GATEWAY_BUDGET_POLICY),
    Route("POST", "/budgets/update", methods.UPDATE_GATEWAY_BUDGET_POLICY),
    Route("DELETE", "/budgets/delete", methods.DELETE_GATEWAY_BUDGET_POLICY),
    Route("GET", "/budgets/list", methods.LIST_GATEWAY_BUDGET_POLICIES),
    Route("GET", "/budgets/windows", methods.LIST_GATEWAY_BUDGET_WINDOWS),
    Route("POST", "/guardrails/create", methods.CREATE_GATEWAY_GUARDRAIL),
    Route("GET", "/guardrails/get", methods.GET_GATEWAY_GUARDRAIL),
    Route("DELETE", "/guardrails/delete", methods.DELETE_GATEWAY_GUARDRAIL),
    Route("GET", "/guardrails/list", methods.LIST_GATEWAY_GUARDRAILS),
    Route("POST", "/guardrails/add-to-endpoint", methods.ADD_GUARDRAIL_TO_ENDPOINT),
    Route("DELETE", "/guardrails/remove-from-endpoint", methods.REMOVE_GUARDRAIL_FROM_ENDPOINT),
    Route("GET", "/guardrails/list-for-endpoint", methods.LIST_ENDPOINT_GUARDRAIL_CONFIGS),
    Route("PATCH", "/guardrails/update-config", methods.UPDATE_ENDPOINT_GUARDRAIL_CONFIG),
)

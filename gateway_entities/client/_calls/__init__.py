"""Every operation without the I/O: its RPC, its request and how its response is read. One module a noun."""

from __future__ import annotations

from gateway_entities.client._calls.attachment import attach_model, delete_endpoint_tag, detach_model, set_endpoint_tag
from gateway_entities.client._calls.binding import create_binding, delete_binding, list_bindings
from gateway_entities.client._calls.budget import (
    create_budget_policy,
    delete_budget_policy,
    get_budget_policy,
    list_budget_policies,
    list_budget_windows,
    update_budget_policy,
)
from gateway_entities.client._calls.change import list_changes
from gateway_entities.client._calls.endpoint import (
    create_endpoint,
    delete_endpoint,
    get_endpoint,
    list_endpoints,
    update_endpoint,
)
from gateway_entities.client._calls.model_definition import (
    create_model_definition,
    delete_model_definition,
    get_model_definition,
    list_model_definitions,
    update_model_definition,
)
from gateway_entities.client._calls.secret import create_secret, delete_secret, get_secret, list_secrets, update_secret
from gateway_entities.client._calls.spend import check_budget, record_spend

__all__ = [
    "attach_model",
    "check_budget",
    "create_binding",
    "create_budget_policy",
    "create_endpoint",
    "create_model_definition",
    "create_secret",
    "delete_binding",
    "delete_budget_policy",
    "delete_endpoint",
    "delete_endpoint_tag",
    "delete_model_definition",
    "delete_secret",
    "detach_model",
    "get_budget_policy",
    "get_endpoint",
    "get_model_definition",
    "get_secret",
    "list_bindings",
    "list_budget_policies",
    "list_budget_windows",
    "list_changes",
    "list_endpoints",
    "list_model_definitions",
    "list_secrets",
    "record_spend",
    "set_endpoint_tag",
    "update_budget_policy",
    "update_endpoint",
    "update_model_definition",
    "update_secret",
]

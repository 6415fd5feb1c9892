"""Rules of requests for the change log."""

from __future__ import annotations

from google.protobuf.message import Message

from gateway_entities.rules import binding, budget, endpoint, guardrail, model_definition, mutation, secret, spend
from gateway_entities.rules.stamps import TIME
from gateway_entities.rules.table import Table, each, nested, optional, required
from gateway_entities.rules.values import ACTOR, PAGE_SIZE, PAGE_TOKEN, SELECTOR, anything, text, whole
from gatewayentities.v1 import binding_pb2, budget_pb2, endpoint_pb2, guardrail_pb2, model_definition_pb2, secret_pb2
from gatewayentities.v1 import change_pb2 as pb

TABLES: dict[type[Message], Table] = {
    pb.ListGatewayChangesRequest: Table(
        {
            "since_revision": optional(whole(0)),
            "actor": optional(SELECTOR),
            "noun": optional(SELECTOR),
            # The name of a binding joins three.
            "name": optional(text(0, 1024)),
            "changed_since": optional(whole(0)),
            "changed_before": optional(whole(0)),
            "until_revision": optional(whole(1)),
            "newest_first": optional(anything),
            "page_size": optional(PAGE_SIZE),
            "page_token": optional(PAGE_TOKEN),
        }
    ),
    pb.WatchGatewayRequest: Table({"resume_token": optional(PAGE_TOKEN)}),
}

DIFFERENCE = Table({"path": required(text(1)), "before": optional(text(0, 1003)), "after": optional(text(0, 1003))})
_EFFECT = Table(
    {
        "noun": required(text(1)),
        # The id of a binding joins three.
        "id": required(text(1)),
        "etag_before": optional(mutation.ETAG),
        "etag_after": optional(mutation.ETAG),
        "name": optional(text(0)),
        "fields": optional(each(nested(DIFFERENCE))),
    }
)
_CHANGE = Table(
    {
        "revision": required(whole(1)),
        "changed_at": required(TIME),
        "actor": optional(ACTOR),
        "rpc": required(text(1)),
        "change": required(nested(_EFFECT)),
        "effects": optional(each(nested(_EFFECT))),
        "spend_adjustment": optional(nested(spend.ADJUSTMENT)),
    }
)

_KEY = Table({"noun": required(text(1)), "id": required(text(1))})
_CONTENTS: dict[str, Table] = {
    "secret": secret.RESOURCES[secret_pb2.GatewaySecretInfo],
    "model_definition": model_definition.RESOURCES[model_definition_pb2.GatewayModelDefinition],
    "endpoint": endpoint.RESOURCES[endpoint_pb2.GatewayEndpoint],
    "binding": binding.RESOURCES[binding_pb2.GatewayEndpointBinding],
    "budget_policy": budget.RESOURCES[budget_pb2.GatewayBudgetPolicy],
    "guardrail": guardrail.RESOURCES[guardrail_pb2.GatewayGuardrail],
    "guardrail_config": guardrail.RESOURCES[guardrail_pb2.GatewayGuardrailConfig],
}
_RESOURCE = Table(
    {
        "noun": required(text(1)),
        "id": required(text(1)),
        "content_etag": required(mutation.ETAG),
        # A newer server may send a kind that this version does not have, so none of them is required.
        **{name: optional(nested(table)) for name, table in _CONTENTS.items()},
    }
)

RESOURCES: dict[type[Message], Table] = {
    pb.GatewayFieldDifference: DIFFERENCE,
    pb.GatewayChangeEffect: _EFFECT,
    pb.GatewayChange: _CHANGE,
    pb.GatewayResource: _RESOURCE,
    pb.GatewayResourceKey: _KEY,
}

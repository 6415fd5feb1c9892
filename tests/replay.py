"""Replay of the change log, and its comparison with the stored resources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway_entities.entities import (
    GatewayBudgetPolicy,
    GatewayChange,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GatewayModelDefinition,
    GatewaySecretInfo,
)
from gatewayentities.v1 import (
    binding_pb2,
    budget_pb2,
    change_pb2,
    endpoint_pb2,
    guardrail_pb2,
    model_definition_pb2,
    secret_pb2,
)
from tests.mutations import Do

Etags = dict[tuple[str, str], str]
"""Etags of resources, keyed by the noun and id of the change log."""

_LISTS = (
    ("secret", secret_pb2.ListGatewaySecretInfosRequest, GatewaySecretInfo),
    ("model_definition", model_definition_pb2.ListGatewayModelDefinitionsRequest, GatewayModelDefinition),
    ("endpoint", endpoint_pb2.ListGatewayEndpointsRequest, GatewayEndpoint),
    ("binding", binding_pb2.ListGatewayEndpointBindingsRequest, GatewayEndpointBinding),
    ("budget_policy", budget_pb2.ListGatewayBudgetPoliciesRequest, GatewayBudgetPolicy),
    ("guardrail", guardrail_pb2.ListGatewayGuardrailsRequest, GatewayGuardrail),
)


def stored(do: Do) -> Etags:
    """Return the etags of all listed resources, computed from the entities."""
    etags: Etags = {}
    requests: list[tuple[str, Any, Any]] = [(noun, request_type(), entity) for noun, request_type, entity in _LISTS]
    for noun, request, entity in requests:
        while True:
            response = do(request)
            for message in getattr(response, response.DESCRIPTOR.fields[0].name):
                etags[noun, identifier(noun, message)] = entity.from_proto(message).etag()
                if noun == "endpoint":
                    configs = guardrail_pb2.ListEndpointGuardrailConfigsRequest(endpoint_id=message.endpoint_id)
                    requests.append(("guardrail_config", configs, GatewayGuardrailConfig))
            token = response.next_page_token
            if not token:
                break
            request.page_token = token
    return etags


def identifier(noun: str, message: Any) -> str:
    """Return the change log's id of a resource."""
    if noun == "binding":
        return f"{message.endpoint_id}/{message.resource_type}/{message.resource_id}"
    if noun == "guardrail_config":
        return f"{message.endpoint_id}/{message.guardrail_id}"
    return getattr(message, f"{noun}_id")


def log(do: Do, since: int = 0) -> list[GatewayChange]:
    """Return the change log after a revision."""
    found: list[GatewayChange] = []
    while True:
        request = change_pb2.ListGatewayChangesRequest(since_revision=since, page_size=1000)
        page = [GatewayChange.from_proto(change) for change in do(request).changes]
        if not page:
            return found
        found += page
        since = page[-1].revision


def newest(do: Do) -> int:
    """Return the revision of the last change; the log of a shared server is long."""
    revision: int = do(change_pb2.ListGatewayChangesRequest(since_revision=1 << 53)).revision
    return revision


def replay(changes: Iterable[GatewayChange]) -> Etags:
    """Return the state after a whole change log; check that it has no gap and that its etags chain."""
    etags: Etags = {}
    for expected, change in enumerate(changes, start=1):
        assert change.revision == expected, f"a gap before revision {change.revision}"
        effects = [change.change, *change.effects]
        assert len({(effect.noun, effect.id) for effect in effects}) == len(effects), change
        for effect in effects:
            key = effect.noun, effect.id
            assert etags.get(key) == effect.etag_before, (change, etags.get(key))
            if effect.etag_after is None:
                etags.pop(key, None)
            else:
                etags[key] = effect.etag_after
    return etags


def consistent(do: Do) -> list[GatewayChange]:
    """Check that the change log replays to the stored state; return it."""
    changes = log(do)
    assert replay(changes) == stored(do)
    return changes

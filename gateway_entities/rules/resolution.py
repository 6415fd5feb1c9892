"""Rules of requests for resolved endpoints and for accesses to secrets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from google.protobuf.message import Message

from gateway_entities.rules import mutation
from gateway_entities.rules.bounds import at_most
from gateway_entities.rules.endpoint import ENDPOINT
from gateway_entities.rules.guardrail import CONFIG
from gateway_entities.rules.stamps import TIME
from gateway_entities.rules.table import Table, each, exactly_one, nested, optional, required
from gateway_entities.rules.values import ACTOR, IDENTIFIER, PAGE_SIZE, PAGE_TOKEN, SELECTOR, anything, shown, text
from gateway_entities.rules.violation import Violation
from gatewayentities.v1 import resolution_pb2 as pb

_MAX_ENDPOINTS = 100


def _different(keys: Sequence[str], path: str) -> Iterator[Violation]:
    yield from each(IDENTIFIER)(keys, path)
    seen: set[str] = set()
    for position, key in enumerate(keys):
        if key in seen:
            yield Violation("rules/duplicate", f"{path}[{position}]", f"repeats {shown(key)}")
        seen.add(key)


_KEYS = at_most(_MAX_ENDPOINTS, "endpoints", _different)

TABLES: dict[type[Message], Table] = {
    pb.ResolveGatewayEndpointRequest: Table(
        {"endpoint_ids": optional(_KEYS), "names": optional(_KEYS)}, across=[exactly_one("endpoint_ids", "names")]
    ),
    pb.ListGatewaySecretAccessesRequest: Table(
        {
            "secret_id": optional(SELECTOR),
            "endpoint_id": optional(SELECTOR),
            "actor": optional(SELECTOR),
            "accessed_since": optional(anything),
            "page_size": optional(PAGE_SIZE),
            "page_token": optional(PAGE_TOKEN),
        }
    ),
}

_MODEL = Table(
    {
        "mapping_id": required(IDENTIFIER),
        "model_definition_id": required(IDENTIFIER),
        "provider": required(text(1)),
        "model_name": required(text(1)),
        "secret_id": required(IDENTIFIER),
        "secret_etag": required(mutation.ETAG),
        "auth_config": optional(anything),
        "secret_value": optional(anything),
    }
)
_ENDPOINT = Table(
    {
        "endpoint": required(nested(ENDPOINT)),
        "models": optional(each(nested(_MODEL))),
        "guardrails": optional(each(nested(CONFIG))),
    }
)
_ACCESS = Table(
    {
        "secret_id": required(IDENTIFIER),
        "endpoint_id": required(IDENTIFIER),
        "actor": required(ACTOR),
        "accessed_at": required(TIME),
    }
)

RESOURCES: dict[type[Message], Table] = {
    pb.ResolvedGatewayModel: _MODEL,
    pb.ResolvedGatewayEndpoint: _ENDPOINT,
    pb.GatewaySecretAccess: _ACCESS,
}

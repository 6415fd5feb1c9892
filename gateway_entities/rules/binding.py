"""Rules of requests for bindings."""

from __future__ import annotations

from google.protobuf.message import Message

from gateway_entities.rules.mutation import CHANGES, CREATES
from gateway_entities.rules.stamps import ACTORS, TIMES
from gateway_entities.rules.table import Table, optional, required
from gateway_entities.rules.values import ACTOR, IDENTIFIER, PAGE_SIZE, PAGE_TOKEN, SELECTOR, text
from gatewayentities.v1 import binding_pb2 as pb

RESOURCE_TYPE = text(
    1, 50, pattern="[a-z][a-z0-9_]*", form="be a lower-case letter, then lower-case letters, digits and underscores"
)
RESOURCE_ID = text(1, 255)

TABLES = {
    pb.CreateGatewayEndpointBindingRequest: Table(
        {
            "endpoint_id": required(IDENTIFIER),
            "resource_type": required(RESOURCE_TYPE),
            "resource_id": required(RESOURCE_ID),
            "created_by": optional(ACTOR),
            **CREATES,
        }
    ),
    pb.DeleteGatewayEndpointBindingRequest: Table(
        {
            "endpoint_id": required(IDENTIFIER),
            "resource_type": required(IDENTIFIER),
            "resource_id": required(IDENTIFIER),
            **CHANGES,
        }
    ),
    pb.ListGatewayEndpointBindingsRequest: Table(
        {
            "endpoint_id": optional(SELECTOR),
            "resource_type": optional(SELECTOR),
            "resource_id": optional(SELECTOR),
            "page_size": optional(PAGE_SIZE),
            "page_token": optional(PAGE_TOKEN),
        }
    ),
}

_BINDING = Table(
    {
        "endpoint_id": required(IDENTIFIER),
        "resource_type": required(RESOURCE_TYPE),
        "resource_id": required(RESOURCE_ID),
        **TIMES,
        **ACTORS,
        "display_name": optional(text(0, 255)),
    }
)

RESOURCES: dict[type[Message], Table] = {pb.GatewayEndpointBinding: _BINDING}

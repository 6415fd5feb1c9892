"""Rules of requests for the change log."""

from __future__ import annotations

from google.protobuf.message import Message

from gateway_entities.rules import mutation
from gateway_entities.rules.stamps import TIME
from gateway_entities.rules.table import Table, each, nested, optional, required
from gateway_entities.rules.values import ACTOR, PAGE_SIZE, PAGE_TOKEN, text, whole
from gatewayentities.v1 import change_pb2 as pb

TABLES: dict[type[Message], Table] = {
    pb.ListGatewayChangesRequest: Table(
        {"since_revision": optional(whole(0)), "page_size": optional(PAGE_SIZE), "page_token": optional(PAGE_TOKEN)}
    ),
}

_EFFECT = Table(
    {
        "noun": required(text(1)),
        # The id of a binding joins three.
        "id": required(text(1)),
        "etag_before": optional(mutation.ETAG),
        "etag_after": optional(mutation.ETAG),
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
    }
)

RESOURCES = {pb.GatewayChangeEffect: _EFFECT, pb.GatewayChange: _CHANGE}

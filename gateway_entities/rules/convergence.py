"""Rules of requests for nodes and what they have applied."""

from __future__ import annotations

from google.protobuf.message import Message

from gateway_entities.rules.stamps import TIME
from gateway_entities.rules.table import Table, optional, required
from gateway_entities.rules.values import IDENTIFIER, NAME, PAGE_SIZE, PAGE_TOKEN, SELECTOR, recognized, text, whole
from gatewayentities.v1 import convergence_pb2 as pb

_REVISION = required(whole(0))
_DIGEST = text(64, 64, pattern="[0-9a-f]{64}", form="be a digest, 64 lower-case hexadecimal digits")
_REASON = text(1, 1000)

TABLES: dict[type[Message], Table] = {
    pb.AcknowledgeGatewayRevisionRequest: Table(
        {
            "store_id": required(IDENTIFIER),
            "revision": _REVISION,
            "digest": required(_DIGEST),
            "instance": optional(SELECTOR),
        }
    ),
    pb.RefuseGatewayRevisionRequest: Table(
        {
            "store_id": required(IDENTIFIER),
            "revision": _REVISION,
            "reason": required(_REASON),
            "instance": optional(SELECTOR),
        }
    ),
    pb.ListGatewayNodesRequest: Table({"page_size": optional(PAGE_SIZE), "page_token": optional(PAGE_TOKEN)}),
    pb.WaitForGatewayConvergenceRequest: Table({"revision": _REVISION, "timeout_ms": optional(whole(0, 600_000))}),
}

RESOURCES: dict[type[Message], Table] = {
    pb.GatewayNode: Table(
        {
            "name": required(NAME),
            "instance": required(SELECTOR),
            "state": required(recognized(pb.GatewayNodeState)),
            "applied_revision": optional(whole(0)),
            "digest": optional(_DIGEST),
            "refused_revision": optional(whole(0)),
            "reason": optional(_REASON),
            "last_seen_at": required(TIME),
        }
    ),
}

"""Rules of requests for the change log."""

from __future__ import annotations

from google.protobuf.message import Message

from gateway_entities.rules.table import Table, optional
from gateway_entities.rules.values import PAGE_SIZE, whole
from gatewayentities.v1 import change_pb2 as pb

TABLES: dict[type[Message], Table] = {
    pb.ListGatewayChangesRequest: Table({"since_revision": optional(whole(0)), "page_size": optional(PAGE_SIZE)}),
}

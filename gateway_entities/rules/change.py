"""Rules of what every request that changes something may say, and of the requests about the change log."""

from __future__ import annotations

from typing import Final

from google.protobuf.message import Message

from gateway_entities.rules.table import Field, Table, optional
from gateway_entities.rules.values import NAME, PAGE_SIZE, text, whole
from gatewayentities.v1 import change_pb2 as pb

ETAG: Final = text(32, 32, pattern="[0-9a-f]{32}", form="be an etag, 32 lower-case hexadecimal digits")

CREATES: Final[dict[str, Field]] = {"request_id": optional(NAME)}
"""The fields of a request that makes something new."""
CHANGES: Final[dict[str, Field]] = {"etag": optional(ETAG), **CREATES}
"""The fields of a request that changes or removes something."""

TABLES: dict[type[Message], Table] = {
    pb.ListGatewayChangesRequest: Table({"since_revision": optional(whole(0)), "page_size": optional(PAGE_SIZE)}),
}

"""The operations on the change log, without the I/O."""

from __future__ import annotations

from gateway_entities import methods
from gateway_entities.client._messages import build
from gateway_entities.client._operation import PAGE_SIZE, Pages
from gateway_entities.entities import GatewayChange
from gatewayentities.v1 import change_pb2


def list_changes(*, since_revision: int | None = None) -> Pages[GatewayChange]:
    # The revision of a page's last change leads to the next page, so that is its token here.
    def page(token: str | None) -> change_pb2.ListGatewayChangesRequest:
        since = int(token) if token else since_revision
        return build(change_pb2.ListGatewayChangesRequest, since_revision=since, page_size=PAGE_SIZE)

    def read(response: change_pb2.ListGatewayChangesResponse) -> tuple[list[GatewayChange], str]:
        changes = [GatewayChange.from_proto(change) for change in response.changes]
        return changes, str(changes[-1].revision) if changes and changes[-1].revision < response.revision else ""

    return Pages(methods.LIST_GATEWAY_CHANGES, page, read)

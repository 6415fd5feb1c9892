# Generated from gateway_entities/client/_async/change.py by proto/generate.py. Do not edit.
"""The change log."""

from __future__ import annotations

from gateway_entities import methods
from gateway_entities.client._base import PAGE_SIZE, endless_list, read_entities
from gateway_entities.client._requests import build
from gateway_entities.client._sync.rpc import RpcClient
from gateway_entities.entities import GatewayChange
from gatewayentities.v1 import change_pb2


class ChangeMethods(RpcClient):
    """The change log."""

    def list_changes(self, *, since_revision: int | None = None, timeout: float | None = None) -> list[GatewayChange]:
        """Return the changes of the configuration, by revision.

        Args:
            since_revision: only changes of a higher revision, 0 or more; None for all.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT.
        """
        request = build(change_pb2.ListGatewayChangesRequest, since_revision=since_revision, page_size=PAGE_SIZE)
        deadline = self._deadline(timeout)
        changes: list[GatewayChange] = []
        while True:
            response = self._call_until(methods.LIST_GATEWAY_CHANGES, request, deadline)
            page = read_entities(GatewayChange.from_proto, response.changes)
            changes += page
            if not page or page[-1].revision >= response.revision:
                return changes
            # Pages have no token: the next one begins after the last revision of this one.
            if page[-1].revision <= request.since_revision:
                raise endless_list()
            request.since_revision = page[-1].revision

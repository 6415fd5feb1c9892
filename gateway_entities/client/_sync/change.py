# Generated from gateway_entities/client/_async/change.py by proto/generate.py. Do not edit.
"""The change log."""

from __future__ import annotations

from gateway_entities import methods
from gateway_entities.client._base import PAGE_SIZE, next_page, read_entities
from gateway_entities.client._requests import build
from gateway_entities.client._sync.rpc import RpcClient
from gateway_entities.entities import GatewayChange
from gatewayentities.v1 import change_pb2


class ChangeMethods(RpcClient):
    """The change log."""

    def list_changes(self, *, since_revision: int | None = None, timeout: float | None = None) -> list[GatewayChange]:
        """Return the changes of the configuration, by revision.

        Args:
            since_revision: only changes of a higher revision, 0 or more; None for all that the change log has.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; OUT_OF_RANGE (a change after since_revision was deleted from the log).
        """
        request = build(change_pb2.ListGatewayChangesRequest, since_revision=since_revision, page_size=PAGE_SIZE)
        deadline = self._deadline(timeout)
        changes: list[GatewayChange] = []
        while True:
            response = self._call_until(methods.LIST_GATEWAY_CHANGES, request, deadline)
            for change in read_entities(GatewayChange.from_proto, response.changes):
                # A large change comes in parts.
                if changes and changes[-1].revision == change.revision:
                    changes[-1].effects += change.effects
                else:
                    changes.append(change)
            if not next_page(request, response):
                return changes

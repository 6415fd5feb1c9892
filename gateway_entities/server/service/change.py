"""ChangeService."""

from __future__ import annotations

from gateway_entities.rules import validate
from gateway_entities.server.service.base import BaseService, add_all
from gateway_entities.server.service.paging import PAGE_ITEMS, fitting
from gatewayentities.v1 import change_pb2 as pb


class ChangeService(BaseService):
    """The RPCs of ChangeService. Errors: as the contract lists, and UNAVAILABLE from the store."""

    def list_gateway_changes(self, request: pb.ListGatewayChangesRequest) -> pb.ListGatewayChangesResponse:
        """Return a page of the change log, starting after a revision."""
        validate(request)
        with self.store.read() as transaction:
            found = transaction.changes.list(request.since_revision, request.page_size or PAGE_ITEMS)
            revision = transaction.changes.last()
        response = pb.ListGatewayChangesResponse(revision=revision)
        add_all(response.changes, found)
        del response.changes[fitting(response, response.changes) :]
        return response

"""The handlers of BindingService."""

from __future__ import annotations

from gateway_entities.entities import GatewayEndpointBinding
from gateway_entities.rules import validate
from gateway_entities.server.service.base import Handlers
from gateway_entities.server.service.errors import not_found
from gateway_entities.server.service.mutation import Change, changes
from gateway_entities.server.service.paging import Page
from gatewayentities.v1 import binding_pb2 as pb


class BindingHandlers(Handlers):
    """The handlers of BindingService. Errors: those that the contract lists, and UNAVAILABLE from the store."""

    @changes
    def create_gateway_endpoint_binding(
        self, change: Change, request: pb.CreateGatewayEndpointBindingRequest
    ) -> pb.CreateGatewayEndpointBindingResponse:
        """Link a resource to an endpoint and return the link."""
        if not change.transaction.endpoints.exists(request.endpoint_id):
            raise not_found("GatewayEndpoint", {"endpoint_id": request.endpoint_id})
        binding = GatewayEndpointBinding(
            endpoint_id=request.endpoint_id,
            resource_type=request.resource_type,
            resource_id=request.resource_id,
            created_at=change.now,
            last_updated_at=change.now,
            created_by=change.actor,
            last_updated_by=change.actor,
        )
        change.transaction.bindings.add(binding)
        return pb.CreateGatewayEndpointBindingResponse(binding=change.end(binding))

    @changes
    def delete_gateway_endpoint_binding(
        self, change: Change, request: pb.DeleteGatewayEndpointBindingRequest
    ) -> pb.DeleteGatewayEndpointBindingResponse:
        """Remove a link."""
        key = {
            "endpoint_id": request.endpoint_id,
            "resource_type": request.resource_type,
            "resource_id": request.resource_id,
        }
        binding = change.transaction.bindings.get(**key)
        if binding is None:
            raise not_found("GatewayEndpointBinding", key)
        change.begin(binding)
        change.transaction.bindings.remove(**key)
        return pb.DeleteGatewayEndpointBindingResponse()

    def list_gateway_endpoint_bindings(
        self, request: pb.ListGatewayEndpointBindingsRequest
    ) -> pb.ListGatewayEndpointBindingsResponse:
        """Return a page of links."""
        validate(request)
        page = Page[tuple[int, str, str, str]]("bindings", 3, request.page_size, request.page_token)
        filters = {
            "endpoint_id": request.endpoint_id or None,
            "resource_type": request.resource_type or None,
            "resource_id": request.resource_id or None,
        }
        with self.store.read() as transaction:
            part = page.read(
                transaction,
                GatewayEndpointBinding,
                lambda b: (b.created_at, b.endpoint_id, str(b.resource_type), b.resource_id),
                lambda after, limit: transaction.bindings.list(**filters, after=after, limit=limit),
                lambda binding: all(value in {None, getattr(binding, name)} for name, value in filters.items()),
            )
        response = pb.ListGatewayEndpointBindingsResponse()
        part.fill(response, response.bindings)
        return response

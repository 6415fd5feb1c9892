"""BindingService."""

from __future__ import annotations

from gateway_entities.entities import GatewayEndpointBinding
from gateway_entities.rules import validate
from gateway_entities.rules.bounds import MAX_BINDINGS
from gateway_entities.server.service.base import BaseService
from gateway_entities.server.service.errors import not_found, refuse_more
from gateway_entities.server.service.lists.paging import PageRequest
from gateway_entities.server.service.writes.mutation import Mutation, mutation
from gatewayentities.v1 import binding_pb2 as pb


class BindingService(BaseService):
    """The RPCs of BindingService. Errors: as the contract lists, and UNAVAILABLE from the store."""

    @mutation
    def create_gateway_endpoint_binding(
        self, mutation: Mutation, request: pb.CreateGatewayEndpointBindingRequest
    ) -> pb.CreateGatewayEndpointBindingResponse:
        """Bind a resource to an endpoint."""
        if not mutation.transaction.endpoints.exists(request.endpoint_id):
            raise not_found("GatewayEndpoint", {"endpoint_id": request.endpoint_id})
        binding = GatewayEndpointBinding(
            endpoint_id=request.endpoint_id,
            resource_type=request.resource_type,
            resource_id=request.resource_id,
            created_at=mutation.now,
            last_updated_at=mutation.now,
            created_by=mutation.actor,
            last_updated_by=mutation.actor,
        )
        mutation.transaction.bindings.add(binding)
        number = mutation.transaction.bindings.count(binding.endpoint_id)
        refuse_more(binding.endpoint_id, number, MAX_BINDINGS, "bindings")
        return pb.CreateGatewayEndpointBindingResponse(binding=mutation.result(binding))

    @mutation
    def delete_gateway_endpoint_binding(
        self, mutation: Mutation, request: pb.DeleteGatewayEndpointBindingRequest
    ) -> pb.DeleteGatewayEndpointBindingResponse:
        """Delete a binding."""
        key = {
            "endpoint_id": request.endpoint_id,
            "resource_type": request.resource_type,
            "resource_id": request.resource_id,
        }
        binding = mutation.transaction.bindings.get(**key)
        if binding is None:
            raise not_found("GatewayEndpointBinding", key)
        mutation.load(binding)
        mutation.transaction.bindings.remove(**key)
        return pb.DeleteGatewayEndpointBindingResponse()

    def list_gateway_endpoint_bindings(
        self, request: pb.ListGatewayEndpointBindingsRequest
    ) -> pb.ListGatewayEndpointBindingsResponse:
        """Return a page of bindings."""
        validate(request)
        page_request = PageRequest[tuple[int, str, str, str]]("bindings", 3, request.page_size, request.page_token)
        filters = {
            "endpoint_id": request.endpoint_id or None,
            "resource_type": request.resource_type or None,
            "resource_id": request.resource_id or None,
        }
        with self.read() as transaction:
            page = page_request.read(
                transaction,
                GatewayEndpointBinding,
                lambda b: (b.created_at, b.endpoint_id, str(b.resource_type), b.resource_id),
                transaction.bindings.list,
                filters=filters,
                matches=lambda binding: all(value in {None, getattr(binding, name)} for name, value in filters.items()),
            )
        response = pb.ListGatewayEndpointBindingsResponse()
        page.fill(response, response.bindings)
        return response

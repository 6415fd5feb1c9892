"""The handlers of BindingService."""

from __future__ import annotations

from gateway_entities.entities import GatewayEndpointBinding
from gateway_entities.rules import refuse_invalid
from gateway_entities.server.service.handlers import Handlers, now_ms, text_or_none
from gateway_entities.server.service.paging import Page
from gateway_entities.server.service.refusals import not_found
from llm_gateway.v1 import binding_pb2 as pb


class BindingHandlers(Handlers):
    """The handlers of BindingService. Errors: those that the contract lists, and UNAVAILABLE from the store."""

    def create_gateway_endpoint_binding(
        self, request: pb.CreateGatewayEndpointBindingRequest
    ) -> pb.CreateGatewayEndpointBindingResponse:
        """Link a resource to an endpoint and return the link."""
        refuse_invalid(request)
        created_by = text_or_none(request, "created_by")
        with self._store.write() as transaction:
            if transaction.endpoints.get(request.endpoint_id) is None:
                raise not_found("GatewayEndpoint", {"endpoint_id": request.endpoint_id})
            now = now_ms()
            binding = GatewayEndpointBinding(
                endpoint_id=request.endpoint_id,
                resource_type=request.resource_type,
                resource_id=request.resource_id,
                created_at=now,
                last_updated_at=now,
                created_by=created_by,
                last_updated_by=created_by,
            )
            transaction.bindings.add(binding)
        return pb.CreateGatewayEndpointBindingResponse(binding=binding.to_proto())

    def delete_gateway_endpoint_binding(
        self, request: pb.DeleteGatewayEndpointBindingRequest
    ) -> pb.DeleteGatewayEndpointBindingResponse:
        """Remove a link."""
        refuse_invalid(request)
        with self._store.write() as transaction:
            key = {
                "endpoint_id": request.endpoint_id,
                "resource_type": request.resource_type,
                "resource_id": request.resource_id,
            }
            if not transaction.bindings.remove(**key):
                raise not_found("GatewayEndpointBinding", key)
        return pb.DeleteGatewayEndpointBindingResponse()

    def list_gateway_endpoint_bindings(
        self, request: pb.ListGatewayEndpointBindingsRequest
    ) -> pb.ListGatewayEndpointBindingsResponse:
        """Return a page of links."""
        refuse_invalid(request)
        page = Page[tuple[int, str, str, str]]("bindings", 3, request.page_size, request.page_token)
        with self._store.read() as transaction:
            found = transaction.bindings.list(
                endpoint_id=request.endpoint_id or None,
                resource_type=request.resource_type or None,
                resource_id=request.resource_id or None,
                after=page.after,
                limit=page.limit,
            )
        bindings, token = page.cut(found, lambda b: (b.created_at, b.endpoint_id, str(b.resource_type), b.resource_id))
        return pb.ListGatewayEndpointBindingsResponse(
            bindings=[binding.to_proto() for binding in bindings], next_page_token=token
        )

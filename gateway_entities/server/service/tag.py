"""The tags of an endpoint."""

from __future__ import annotations

from gateway_entities.entities import GatewayEndpointTag
from gateway_entities.rules import refuse_invalid
from gateway_entities.server.service.handlers import Handlers
from gateway_entities.server.service.mapping import existing_endpoint
from llm_gateway.v1 import endpoint_pb2 as pb


class TagHandlers(Handlers):
    """The handlers of EndpointService that set and remove tags. A tag is a note, so the endpoint's own times stay."""

    def set_gateway_endpoint_tag(self, request: pb.SetGatewayEndpointTagRequest) -> pb.SetGatewayEndpointTagResponse:
        """Set one tag, replacing its value if the key exists."""
        refuse_invalid(request)
        with self._store.write() as transaction:
            endpoint = existing_endpoint(transaction, request.endpoint_id)
            transaction.endpoints.set_tag(endpoint.endpoint_id, GatewayEndpointTag(request.key, request.value))
        return pb.SetGatewayEndpointTagResponse()

    def delete_gateway_endpoint_tag(
        self, request: pb.DeleteGatewayEndpointTagRequest
    ) -> pb.DeleteGatewayEndpointTagResponse:
        """Remove one tag, if it is there."""
        refuse_invalid(request)
        with self._store.write() as transaction:
            endpoint = existing_endpoint(transaction, request.endpoint_id)
            transaction.endpoints.remove_tag(endpoint.endpoint_id, request.key)
        return pb.DeleteGatewayEndpointTagResponse()

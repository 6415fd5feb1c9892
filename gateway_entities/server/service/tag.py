"""The tags of an endpoint."""

from __future__ import annotations

from gateway_entities.entities import GatewayEndpointTag
from gateway_entities.server.service.base import Handlers
from gateway_entities.server.service.mapping import changing_endpoint, existing_endpoint
from gateway_entities.server.service.mutation import Change, changes
from gatewayentities.v1 import endpoint_pb2 as pb


class TagHandlers(Handlers):
    """The handlers of EndpointService that set and remove tags. A tag is a note, so the endpoint's own times stay."""

    @changes
    def set_gateway_endpoint_tag(
        self, change: Change, request: pb.SetGatewayEndpointTagRequest
    ) -> pb.SetGatewayEndpointTagResponse:
        """Set one tag, replacing its value if the key exists."""
        endpoint = changing_endpoint(change, request.endpoint_id)
        change.transaction.endpoints.set_tag(endpoint.endpoint_id, GatewayEndpointTag(request.key, request.value))
        change.end(existing_endpoint(change.transaction, endpoint.endpoint_id))
        return pb.SetGatewayEndpointTagResponse()

    @changes
    def delete_gateway_endpoint_tag(
        self, change: Change, request: pb.DeleteGatewayEndpointTagRequest
    ) -> pb.DeleteGatewayEndpointTagResponse:
        """Remove one tag, if it is there."""
        endpoint = changing_endpoint(change, request.endpoint_id)
        change.transaction.endpoints.remove_tag(endpoint.endpoint_id, request.key)
        change.end(existing_endpoint(change.transaction, endpoint.endpoint_id))
        return pb.DeleteGatewayEndpointTagResponse()

"""The RPCs of EndpointService for tags."""

from __future__ import annotations

from gateway_entities.entities import GatewayEndpointTag
from gateway_entities.rules.bounds import MAX_TAGS
from gateway_entities.server.service.base import BaseService
from gateway_entities.server.service.errors import refuse_more
from gateway_entities.server.service.mapping import existing_endpoint, load_endpoint
from gateway_entities.server.service.writes.mutation import Mutation, mutation
from gatewayentities.v1 import endpoint_pb2 as pb


class TagService(BaseService):
    """The RPCs that set and delete tags. They leave the endpoint's last_updated_at unchanged."""

    @mutation
    def set_gateway_endpoint_tag(
        self, mutation: Mutation, request: pb.SetGatewayEndpointTagRequest
    ) -> pb.SetGatewayEndpointTagResponse:
        """Set a tag; an existing key gets the new value."""
        endpoint = load_endpoint(mutation, request.endpoint_id)
        mutation.transaction.endpoints.set_tag(endpoint.endpoint_id, GatewayEndpointTag(request.key, request.value))
        changed = existing_endpoint(mutation.transaction, endpoint.endpoint_id)
        # A new value for an existing key is no addition.
        if len(changed.tags) > len(endpoint.tags):
            refuse_more(endpoint.endpoint_id, len(changed.tags), MAX_TAGS, "tags")
        mutation.result(changed)
        return pb.SetGatewayEndpointTagResponse()

    @mutation
    def delete_gateway_endpoint_tag(
        self, mutation: Mutation, request: pb.DeleteGatewayEndpointTagRequest
    ) -> pb.DeleteGatewayEndpointTagResponse:
        """Delete a tag, if it exists."""
        endpoint = load_endpoint(mutation, request.endpoint_id)
        mutation.transaction.endpoints.remove_tag(endpoint.endpoint_id, request.key)
        mutation.result(existing_endpoint(mutation.transaction, endpoint.endpoint_id))
        return pb.DeleteGatewayEndpointTagResponse()

"""Models attached to endpoints."""

from __future__ import annotations

from gateway_entities import methods
from gateway_entities.client._async.rpc import AsyncRpcClient
from gateway_entities.client._requests import build, message
from gateway_entities.entities import GatewayEndpointModelConfig, GatewayEndpointModelMapping
from gatewayentities.v1 import endpoint_pb2


class AsyncMappingMethods(AsyncRpcClient):
    """Models attached to endpoints."""

    async def attach_model(
        self,
        endpoint_id: str,
        model_config: GatewayEndpointModelConfig,
        *,
        created_by: str | None = None,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayEndpointModelMapping:
        """Add one model to an endpoint. The first FALLBACK model sets the strategy to SEQUENTIAL if none is set.

        Args:
            endpoint_id: the endpoint's id.
            model_config: the model to attach.
            created_by: the actor, 1 to 255 characters; it also becomes the endpoint's last_updated_by.
            etag: the endpoint's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint or the definition); ALREADY_EXISTS (linked in the
                same way); ABORTED (the etag differs).
        """
        request = build(
            endpoint_pb2.AttachModelToGatewayEndpointRequest,
            endpoint_id=endpoint_id,
            model_config=message("model_config", GatewayEndpointModelConfig, model_config),
            created_by=created_by,
            etag=etag,
            request_id=request_id,
        )
        return await self._entity(methods.ATTACH_MODEL_TO_GATEWAY_ENDPOINT, request, GatewayEndpointModelMapping, timeout)

    async def detach_model(
        self,
        endpoint_id: str,
        model_definition_id: str,
        *,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Remove every mapping of one model definition from an endpoint.

        Args:
            endpoint_id: the endpoint's id.
            model_definition_id: the definition's id.
            etag: the endpoint's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint or the mapping); FAILED_PRECONDITION (no PRIMARY
                model with a weight would be left); ABORTED (the etag differs).
        """
        request = build(
            endpoint_pb2.DetachModelFromGatewayEndpointRequest,
            endpoint_id=endpoint_id,
            model_definition_id=model_definition_id,
            etag=etag,
            request_id=request_id,
        )
        await self._call(methods.DETACH_MODEL_FROM_GATEWAY_ENDPOINT, request, timeout)

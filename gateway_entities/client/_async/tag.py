"""Tags of endpoints."""

from __future__ import annotations

from gateway_entities import methods
from gateway_entities.client._async.rpc import AsyncRpcClient
from gateway_entities.client._requests import build
from gatewayentities.v1 import endpoint_pb2


class AsyncTagMethods(AsyncRpcClient):
    """Tags of endpoints."""

    async def set_endpoint_tag(
        self,
        endpoint_id: str,
        key: str,
        value: str,
        *,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Set one tag of an endpoint, replacing its value if the key exists.

        Args:
            endpoint_id: the endpoint's id.
            key: the tag's key, 1 to 250 characters.
            value: the tag's value, at most 5000 characters.
            etag: the endpoint's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint); ABORTED (the etag differs).
        """
        request = build(
            endpoint_pb2.SetGatewayEndpointTagRequest,
            endpoint_id=endpoint_id,
            key=key,
            value=value,
            etag=etag,
            request_id=request_id,
        )
        await self._call(methods.SET_GATEWAY_ENDPOINT_TAG, request, timeout)

    async def delete_endpoint_tag(
        self,
        endpoint_id: str,
        key: str,
        *,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Remove one tag of an endpoint. A key that does not exist is no error.

        Args:
            endpoint_id: the endpoint's id.
            key: the tag's key.
            etag: the endpoint's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint); ABORTED (the etag differs).
        """
        request = build(
            endpoint_pb2.DeleteGatewayEndpointTagRequest,
            endpoint_id=endpoint_id,
            key=key,
            etag=etag,
            request_id=request_id,
        )
        await self._call(methods.DELETE_GATEWAY_ENDPOINT_TAG, request, timeout)

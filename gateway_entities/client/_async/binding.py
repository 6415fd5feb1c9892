"""Bindings of resources to endpoints."""

from __future__ import annotations

from gateway_entities import methods
from gateway_entities.client._async.pager import AsyncPager
from gateway_entities.client._async.rpc import AsyncRpcClient
from gateway_entities.client._base import PAGE_SIZE
from gateway_entities.client._list import EntityList
from gateway_entities.client._requests import build
from gateway_entities.entities import GatewayEndpointBinding
from gatewayentities.v1 import binding_pb2


class AsyncBindingMethods(AsyncRpcClient):
    """Bindings of resources to endpoints."""

    async def create_binding(
        self,
        endpoint_id: str,
        resource_type: str,
        resource_id: str,
        *,
        created_by: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayEndpointBinding:
        """Bind a resource to an endpoint.

        Args:
            endpoint_id: the endpoint's id.
            resource_type: the kind of the resource, such as ``GatewayResourceType.SCORER``: 1 to 50 lower-case letters,
                digits and underscores, a letter first.
            resource_id: the resource's id in its own system, 1 to 255 characters. It is not looked up.
            created_by: the actor, 1 to 255 characters.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint); ALREADY_EXISTS.
        """
        request = build(
            binding_pb2.CreateGatewayEndpointBindingRequest,
            endpoint_id=endpoint_id,
            resource_type=resource_type,
            resource_id=resource_id,
            created_by=created_by,
            request_id=request_id,
        )
        return await self._entity(methods.CREATE_GATEWAY_ENDPOINT_BINDING, request, GatewayEndpointBinding, timeout)

    async def delete_binding(
        self,
        endpoint_id: str,
        resource_type: str,
        resource_id: str,
        *,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Remove the binding of a resource to an endpoint.

        Args:
            endpoint_id: the endpoint's id.
            resource_type: the kind of the resource.
            resource_id: the resource's id.
            etag: the binding's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag differs).
        """
        request = build(
            binding_pb2.DeleteGatewayEndpointBindingRequest,
            endpoint_id=endpoint_id,
            resource_type=resource_type,
            resource_id=resource_id,
            etag=etag,
            request_id=request_id,
        )
        await self._call(methods.DELETE_GATEWAY_ENDPOINT_BINDING, request, timeout)

    async def list_bindings(
        self,
        *,
        endpoint_id: str | None = None,
        resource_type: str | None = None,
        resource_id: str | None = None,
        timeout: float | None = None,
    ) -> EntityList[GatewayEndpointBinding]:
        """Return the bindings that match all given filters, by time of creation.

        Args:
            endpoint_id: only those of this endpoint.
            resource_type: only those of this kind of resource.
            resource_id: only those of this resource.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: see the class.
        """
        return await self.iter_bindings(
            endpoint_id=endpoint_id, resource_type=resource_type, resource_id=resource_id, timeout=timeout
        ).read_all()

    def iter_bindings(
        self,
        *,
        endpoint_id: str | None = None,
        resource_type: str | None = None,
        resource_id: str | None = None,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> AsyncPager[GatewayEndpointBinding]:
        """Return an iterator over the entities that ``list_bindings`` returns, which reads them page by page.

        Args:
            endpoint_id: only those of this endpoint.
            resource_type: only those of this kind of resource.
            resource_id: only those of this resource.
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(
            binding_pb2.ListGatewayEndpointBindingsRequest,
            endpoint_id=endpoint_id,
            resource_type=resource_type,
            resource_id=resource_id,
            page_size=page_size,
        )
        return self._pager(
            methods.LIST_GATEWAY_ENDPOINT_BINDINGS,
            request,
            GatewayEndpointBinding,
            timeout,
        )

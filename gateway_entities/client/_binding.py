"""Bindings: their operations, blocking and with asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_entities.client import _calls
from gateway_entities.client._send import AsyncSender, Sender

if TYPE_CHECKING:
    from gateway_entities.entities import GatewayEndpointBinding


class BindingMethods(Sender):
    """Bindings."""

    def create_binding(
        self,
        endpoint_id: str,
        resource_type: str,
        resource_id: str,
        *,
        created_by: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayEndpointBinding:
        """Say that a resource uses an endpoint.

        Args:
            endpoint_id: the endpoint's id.
            resource_type: the kind of the resource, such as ``GatewayResourceType.SCORER``: 1 to 50 lower-case letters,
                digits and underscores, a letter first.
            resource_id: the resource's id in its own system, 1 to 255 characters. It is not looked up.
            created_by: who does it, 1 to 255 characters.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint); ALREADY_EXISTS.
        """
        return self._send(
            _calls.create_binding(endpoint_id, resource_type, resource_id, created_by=created_by, request_id=request_id),
            timeout,
        )

    def delete_binding(
        self,
        endpoint_id: str,
        resource_type: str,
        resource_id: str,
        *,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Remove the binding that all three name.

        Args:
            endpoint_id: the endpoint's id.
            resource_type: the kind of the resource.
            resource_id: the resource's id.
            etag: what the binding's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag is another).
        """
        self._send(_calls.delete_binding(endpoint_id, resource_type, resource_id, etag=etag, request_id=request_id), timeout)

    def list_bindings(
        self,
        *,
        endpoint_id: str | None = None,
        resource_type: str | None = None,
        resource_id: str | None = None,
        timeout: float | None = None,
    ) -> list[GatewayEndpointBinding]:
        """Return the bindings that match all given filters, by time of creation.

        Args:
            endpoint_id: only those of this endpoint.
            resource_type: only those of this kind of resource.
            resource_id: only those of this resource.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: see the class.
        """
        return self._collect(
            _calls.list_bindings(endpoint_id=endpoint_id, resource_type=resource_type, resource_id=resource_id), timeout
        )


class AsyncBindingMethods(AsyncSender):
    """Bindings with asyncio."""

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
        """Say that a resource uses an endpoint.

        Args:
            endpoint_id: the endpoint's id.
            resource_type: the kind of the resource, such as ``GatewayResourceType.SCORER``: 1 to 50 lower-case letters,
                digits and underscores, a letter first.
            resource_id: the resource's id in its own system, 1 to 255 characters. It is not looked up.
            created_by: who does it, 1 to 255 characters.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint); ALREADY_EXISTS.
        """
        return await self._send(
            _calls.create_binding(endpoint_id, resource_type, resource_id, created_by=created_by, request_id=request_id),
            timeout,
        )

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
        """Remove the binding that all three name.

        Args:
            endpoint_id: the endpoint's id.
            resource_type: the kind of the resource.
            resource_id: the resource's id.
            etag: what the binding's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag is another).
        """
        await self._send(
            _calls.delete_binding(endpoint_id, resource_type, resource_id, etag=etag, request_id=request_id), timeout
        )

    async def list_bindings(
        self,
        *,
        endpoint_id: str | None = None,
        resource_type: str | None = None,
        resource_id: str | None = None,
        timeout: float | None = None,
    ) -> list[GatewayEndpointBinding]:
        """Return the bindings that match all given filters, by time of creation.

        Args:
            endpoint_id: only those of this endpoint.
            resource_type: only those of this kind of resource.
            resource_id: only those of this resource.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: see the class.
        """
        return await self._collect(
            _calls.list_bindings(endpoint_id=endpoint_id, resource_type=resource_type, resource_id=resource_id), timeout
        )

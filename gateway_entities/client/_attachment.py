"""What hangs on an endpoint, models and tags: their operations, blocking and with asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_entities.client import _calls
from gateway_entities.client._send import AsyncSender, Sender

if TYPE_CHECKING:
    from gateway_entities.entities import GatewayEndpointModelConfig, GatewayEndpointModelMapping


class AttachmentMethods(Sender):
    """What hangs on an endpoint, models and tags."""

    def attach_model(
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
            created_by: who does it, 1 to 255 characters; it also becomes the endpoint's last_updated_by.
            etag: what the endpoint's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint or the definition); ALREADY_EXISTS (linked in the
                same way); ABORTED (the etag is another).
        """
        return self._send(
            _calls.attach_model(endpoint_id, model_config, created_by=created_by, etag=etag, request_id=request_id), timeout
        )

    def detach_model(
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
            etag: what the endpoint's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint or the mapping); FAILED_PRECONDITION (no PRIMARY
                model with a weight would be left); ABORTED (the etag is another).
        """
        self._send(_calls.detach_model(endpoint_id, model_definition_id, etag=etag, request_id=request_id), timeout)

    def set_endpoint_tag(
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
            etag: what the endpoint's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint); ABORTED (the etag is another).
        """
        self._send(_calls.set_endpoint_tag(endpoint_id, key, value, etag=etag, request_id=request_id), timeout)

    def delete_endpoint_tag(
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
            etag: what the endpoint's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint); ABORTED (the etag is another).
        """
        self._send(_calls.delete_endpoint_tag(endpoint_id, key, etag=etag, request_id=request_id), timeout)


class AsyncAttachmentMethods(AsyncSender):
    """What hangs on an endpoint, models and tags with asyncio."""

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
            created_by: who does it, 1 to 255 characters; it also becomes the endpoint's last_updated_by.
            etag: what the endpoint's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint or the definition); ALREADY_EXISTS (linked in the
                same way); ABORTED (the etag is another).
        """
        return await self._send(
            _calls.attach_model(endpoint_id, model_config, created_by=created_by, etag=etag, request_id=request_id), timeout
        )

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
            etag: what the endpoint's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint or the mapping); FAILED_PRECONDITION (no PRIMARY
                model with a weight would be left); ABORTED (the etag is another).
        """
        await self._send(_calls.detach_model(endpoint_id, model_definition_id, etag=etag, request_id=request_id), timeout)

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
            etag: what the endpoint's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint); ABORTED (the etag is another).
        """
        await self._send(_calls.set_endpoint_tag(endpoint_id, key, value, etag=etag, request_id=request_id), timeout)

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
            etag: what the endpoint's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint); ABORTED (the etag is another).
        """
        await self._send(_calls.delete_endpoint_tag(endpoint_id, key, etag=etag, request_id=request_id), timeout)

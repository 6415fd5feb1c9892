"""Model definitions: their operations, blocking and with asyncio."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gateway_entities.client import _calls
from gateway_entities.client._send import AsyncSender, Sender

if TYPE_CHECKING:
    from gateway_entities.entities import GatewayModelDefinition


class ModelDefinitionMethods(Sender):
    """Model definitions."""

    def create_model_definition(
        self,
        name: str,
        *,
        secret_id: str,
        provider: str,
        model_name: str,
        created_by: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayModelDefinition:
        """Store a model that endpoints can use.

        Args:
            name: its unique name, 1 to 255 characters.
            secret_id: the id of the secret that opens the provider.
            provider: the provider, such as ``openai``, 1 to 64 characters.
            model_name: the provider's name for the model, 1 to 256 characters.
            created_by: who does it, 1 to 255 characters.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the secret); ALREADY_EXISTS (the name).
        """
        return self._send(
            _calls.create_model_definition(
                name,
                secret_id=secret_id,
                provider=provider,
                model_name=model_name,
                created_by=created_by,
                request_id=request_id,
            ),
            timeout,
        )

    def get_model_definition(
        self, *, model_definition_id: str | None = None, name: str | None = None, timeout: float | None = None
    ) -> GatewayModelDefinition:
        """Return one model definition. Give exactly one of the two.

        Args:
            model_definition_id: the definition's id.
            name: the definition's name.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT (none or both given); NOT_FOUND.
        """
        return self._send(_calls.get_model_definition(model_definition_id=model_definition_id, name=name), timeout)

    def update_model_definition(
        self,
        model_definition_id: str,
        *,
        name: str | None = None,
        secret_id: str | None = None,
        model_name: str | None = None,
        provider: str | None = None,
        updated_by: str | None = None,
        update_mask: Iterable[str] | None = None,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayModelDefinition:
        """Change the given fields of a model definition.

        Args:
            model_definition_id: the definition's id.
            name: its new unique name, 1 to 255 characters.
            secret_id: the id of its new secret.
            model_name: the provider's name for the model, 1 to 256 characters.
            provider: the provider, 1 to 64 characters.
            updated_by: who does it, 1 to 255 characters; last_updated_by stays as it was without.
            update_mask: the fields to write; one that is named and not given is cleared, if it may be. Without a mask
                every field that is given and not empty is written.
            etag: what the definition's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the definition or the secret); ALREADY_EXISTS (the name); ABORTED
                (the etag is another).
        """
        return self._send(
            _calls.update_model_definition(
                model_definition_id,
                name=name,
                secret_id=secret_id,
                model_name=model_name,
                provider=provider,
                updated_by=updated_by,
                update_mask=update_mask,
                etag=etag,
                request_id=request_id,
            ),
            timeout,
        )

    def delete_model_definition(
        self,
        model_definition_id: str,
        *,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Remove a model definition that no endpoint uses.

        Args:
            model_definition_id: the definition's id.
            etag: what the definition's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; FAILED_PRECONDITION (an endpoint uses it); ABORTED (the etag is
                another).
        """
        self._send(_calls.delete_model_definition(model_definition_id, etag=etag, request_id=request_id), timeout)

    def list_model_definitions(
        self, *, provider: str | None = None, secret_id: str | None = None, timeout: float | None = None
    ) -> list[GatewayModelDefinition]:
        """Return all model definitions, by time of creation, then by id.

        Args:
            provider: only those of this provider, compared exactly.
            secret_id: only those that use this secret.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: see the class.
        """
        return self._collect(_calls.list_model_definitions(provider=provider, secret_id=secret_id), timeout)


class AsyncModelDefinitionMethods(AsyncSender):
    """Model definitions with asyncio."""

    async def create_model_definition(
        self,
        name: str,
        *,
        secret_id: str,
        provider: str,
        model_name: str,
        created_by: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayModelDefinition:
        """Store a model that endpoints can use.

        Args:
            name: its unique name, 1 to 255 characters.
            secret_id: the id of the secret that opens the provider.
            provider: the provider, such as ``openai``, 1 to 64 characters.
            model_name: the provider's name for the model, 1 to 256 characters.
            created_by: who does it, 1 to 255 characters.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the secret); ALREADY_EXISTS (the name).
        """
        return await self._send(
            _calls.create_model_definition(
                name,
                secret_id=secret_id,
                provider=provider,
                model_name=model_name,
                created_by=created_by,
                request_id=request_id,
            ),
            timeout,
        )

    async def get_model_definition(
        self, *, model_definition_id: str | None = None, name: str | None = None, timeout: float | None = None
    ) -> GatewayModelDefinition:
        """Return one model definition. Give exactly one of the two.

        Args:
            model_definition_id: the definition's id.
            name: the definition's name.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT (none or both given); NOT_FOUND.
        """
        return await self._send(_calls.get_model_definition(model_definition_id=model_definition_id, name=name), timeout)

    async def update_model_definition(
        self,
        model_definition_id: str,
        *,
        name: str | None = None,
        secret_id: str | None = None,
        model_name: str | None = None,
        provider: str | None = None,
        updated_by: str | None = None,
        update_mask: Iterable[str] | None = None,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayModelDefinition:
        """Change the given fields of a model definition.

        Args:
            model_definition_id: the definition's id.
            name: its new unique name, 1 to 255 characters.
            secret_id: the id of its new secret.
            model_name: the provider's name for the model, 1 to 256 characters.
            provider: the provider, 1 to 64 characters.
            updated_by: who does it, 1 to 255 characters; last_updated_by stays as it was without.
            update_mask: the fields to write; one that is named and not given is cleared, if it may be. Without a mask
                every field that is given and not empty is written.
            etag: what the definition's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the definition or the secret); ALREADY_EXISTS (the name); ABORTED
                (the etag is another).
        """
        return await self._send(
            _calls.update_model_definition(
                model_definition_id,
                name=name,
                secret_id=secret_id,
                model_name=model_name,
                provider=provider,
                updated_by=updated_by,
                update_mask=update_mask,
                etag=etag,
                request_id=request_id,
            ),
            timeout,
        )

    async def delete_model_definition(
        self,
        model_definition_id: str,
        *,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Remove a model definition that no endpoint uses.

        Args:
            model_definition_id: the definition's id.
            etag: what the definition's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; FAILED_PRECONDITION (an endpoint uses it); ABORTED (the etag is
                another).
        """
        await self._send(_calls.delete_model_definition(model_definition_id, etag=etag, request_id=request_id), timeout)

    async def list_model_definitions(
        self, *, provider: str | None = None, secret_id: str | None = None, timeout: float | None = None
    ) -> list[GatewayModelDefinition]:
        """Return all model definitions, by time of creation, then by id.

        Args:
            provider: only those of this provider, compared exactly.
            secret_id: only those that use this secret.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: see the class.
        """
        return await self._collect(_calls.list_model_definitions(provider=provider, secret_id=secret_id), timeout)

# Generated from gateway_entities/client/_async/model_definition.py by proto/generate.py. Do not edit.
"""Model definitions."""

from __future__ import annotations

from collections.abc import Iterable

from gateway_entities import methods
from gateway_entities.client._base import PAGE_SIZE
from gateway_entities.client._list import EntityList
from gateway_entities.client._requests import build, mask
from gateway_entities.client._sync.pager import Pager
from gateway_entities.client._sync.rpc import RpcClient
from gateway_entities.entities import GatewayModelDefinition
from gatewayentities.v1 import model_definition_pb2


class ModelDefinitionMethods(RpcClient):
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
            created_by: the actor, 1 to 255 characters.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the secret); ALREADY_EXISTS (the name).
        """
        request = build(
            model_definition_pb2.CreateGatewayModelDefinitionRequest,
            name=name,
            secret_id=secret_id,
            provider=provider,
            model_name=model_name,
            created_by=created_by,
            request_id=request_id,
        )
        return self._entity(methods.CREATE_GATEWAY_MODEL_DEFINITION, request, GatewayModelDefinition, timeout)

    def get_model_definition(
        self, *, model_definition_id: str | None = None, name: str | None = None, timeout: float | None = None
    ) -> GatewayModelDefinition:
        """Return one model definition. Give exactly one of the two.

        Args:
            model_definition_id: the definition's id.
            name: the definition's name.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT (none or both given); NOT_FOUND.
        """
        request = build(
            model_definition_pb2.GetGatewayModelDefinitionRequest, model_definition_id=model_definition_id, name=name
        )
        return self._entity(methods.GET_GATEWAY_MODEL_DEFINITION, request, GatewayModelDefinition, timeout)

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
            updated_by: the actor, 1 to 255 characters; None leaves last_updated_by unchanged.
            update_mask: the fields to write; a listed field that is None is cleared, if it may be. Without a mask, every
                non-empty field is written.
            etag: the definition's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the definition or the secret); ALREADY_EXISTS (the name); ABORTED
                (the etag differs).
        """
        request = build(
            model_definition_pb2.UpdateGatewayModelDefinitionRequest,
            model_definition_id=model_definition_id,
            name=name,
            secret_id=secret_id,
            model_name=model_name,
            provider=provider,
            updated_by=updated_by,
            update_mask=mask(update_mask),
            etag=etag,
            request_id=request_id,
        )
        return self._entity(methods.UPDATE_GATEWAY_MODEL_DEFINITION, request, GatewayModelDefinition, timeout)

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
            etag: the definition's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; FAILED_PRECONDITION (an endpoint uses it); ABORTED (the etag differs).
        """
        request = build(
            model_definition_pb2.DeleteGatewayModelDefinitionRequest,
            model_definition_id=model_definition_id,
            etag=etag,
            request_id=request_id,
        )
        self._call(methods.DELETE_GATEWAY_MODEL_DEFINITION, request, timeout)

    def list_model_definitions(
        self, *, provider: str | None = None, secret_id: str | None = None, timeout: float | None = None
    ) -> EntityList[GatewayModelDefinition]:
        """Return all model definitions, by time of creation, then by id.

        Args:
            provider: only those of this provider, compared exactly.
            secret_id: only those that use this secret.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: see the class.
        """
        return self.iter_model_definitions(provider=provider, secret_id=secret_id, timeout=timeout).read_all()

    def iter_model_definitions(
        self,
        *,
        provider: str | None = None,
        secret_id: str | None = None,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> Pager[GatewayModelDefinition]:
        """Return an iterator over the entities that ``list_model_definitions`` returns, which reads them page by page.

        Args:
            provider: only those of this provider, compared exactly.
            secret_id: only those that use this secret.
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(
            model_definition_pb2.ListGatewayModelDefinitionsRequest,
            provider=provider,
            secret_id=secret_id,
            page_size=page_size,
        )
        return self._pager(
            methods.LIST_GATEWAY_MODEL_DEFINITIONS,
            request,
            GatewayModelDefinition,
            timeout,
        )

"""Secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway_entities import methods
from gateway_entities.client._async.pager import AsyncPager
from gateway_entities.client._async.rpc import AsyncRpcClient
from gateway_entities.client._base import PAGE_SIZE
from gateway_entities.client._list import EntityList
from gateway_entities.client._requests import build, mask
from gateway_entities.entities import GatewaySecretInfo
from gatewayentities.v1 import secret_pb2


class AsyncSecretMethods(AsyncRpcClient):
    """Secrets."""

    async def create_secret(
        self,
        secret_name: str,
        secret_value: Mapping[str, str],
        *,
        provider: str | None = None,
        auth_config: Mapping[str, str] | None = None,
        created_by: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewaySecretInfo:
        """Store a credential, encrypted, and return its description.

        Args:
            secret_name: its unique name, 1 to 255 characters.
            secret_value: the credential: at least one key, no empty key or value. Only ``resolve_endpoint`` returns it.
            provider: the provider it is for, such as ``openai``, at most 64 characters.
            auth_config: settings that are not secret, such as ``api_base``, an https address.
            created_by: the actor, 1 to 255 characters.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; ALREADY_EXISTS (the name).
        """
        request = build(
            secret_pb2.CreateGatewaySecretRequest,
            secret_name=secret_name,
            secret_value=secret_value,
            provider=provider,
            auth_config=auth_config,
            created_by=created_by,
            request_id=request_id,
        )
        return await self._entity(methods.CREATE_GATEWAY_SECRET, request, GatewaySecretInfo, timeout)

    async def get_secret(
        self, *, secret_id: str | None = None, secret_name: str | None = None, timeout: float | None = None
    ) -> GatewaySecretInfo:
        """Return one secret's description, its values masked. Give exactly one of the two.

        Args:
            secret_id: the secret's id.
            secret_name: the secret's name.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT (none or both given); NOT_FOUND.
        """
        request = build(secret_pb2.GetGatewaySecretInfoRequest, secret_id=secret_id, secret_name=secret_name)
        return await self._entity(methods.GET_GATEWAY_SECRET_INFO, request, GatewaySecretInfo, timeout)

    async def update_secret(
        self,
        secret_id: str,
        *,
        secret_value: Mapping[str, str] | None = None,
        auth_config: Mapping[str, str] | None = None,
        updated_by: str | None = None,
        update_mask: Iterable[str] | None = None,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewaySecretInfo:
        """Replace the value or the settings of a secret. Its id and name never change.

        Args:
            secret_id: the secret's id.
            secret_value: the new credential, replacing every key; empty changes nothing.
            auth_config: the new settings, replacing every key; empty changes nothing. Another ``api_base`` needs the
                secret_value too, so that a stored credential is never sent to another address.
            updated_by: the actor, 1 to 255 characters; None leaves last_updated_by unchanged.
            update_mask: the fields to write; a listed field that is None is cleared, if it may be. Without a mask, every
                non-empty field is written.
            etag: the secret's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag differs).
        """
        request = build(
            secret_pb2.UpdateGatewaySecretRequest,
            secret_id=secret_id,
            secret_value=secret_value,
            auth_config=auth_config,
            updated_by=updated_by,
            update_mask=mask(update_mask),
            etag=etag,
            request_id=request_id,
        )
        return await self._entity(methods.UPDATE_GATEWAY_SECRET, request, GatewaySecretInfo, timeout)

    async def delete_secret(
        self, secret_id: str, *, etag: str | None = None, request_id: str | None = None, timeout: float | None = None
    ) -> None:
        """Remove a secret. Model definitions that used it stay, without a secret.

        Args:
            secret_id: the secret's id.
            etag: the secret's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag differs).
        """
        request = build(
            secret_pb2.DeleteGatewaySecretRequest,
            secret_id=secret_id,
            etag=etag,
            request_id=request_id,
        )
        await self._call(methods.DELETE_GATEWAY_SECRET, request, timeout)

    async def list_secrets(
        self, *, provider: str | None = None, timeout: float | None = None
    ) -> EntityList[GatewaySecretInfo]:
        """Return all secrets, by time of creation, then by id.

        Args:
            provider: only those of this provider, compared exactly.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: see the class.
        """
        return await self.iter_secrets(provider=provider, timeout=timeout).read_all()

    def iter_secrets(
        self,
        *,
        provider: str | None = None,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> AsyncPager[GatewaySecretInfo]:
        """Return an iterator over the entities that ``list_secrets`` returns, which reads them page by page.

        Args:
            provider: only those of this provider, compared exactly.
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(
            secret_pb2.ListGatewaySecretInfosRequest,
            provider=provider,
            page_size=page_size,
        )
        return self._pager(methods.LIST_GATEWAY_SECRET_INFOS, request, GatewaySecretInfo, timeout)

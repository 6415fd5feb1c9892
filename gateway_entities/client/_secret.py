"""Secrets: their operations, blocking and with asyncio."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gateway_entities.client import _calls
from gateway_entities.client._send import AsyncSender, Sender

if TYPE_CHECKING:
    from gateway_entities.entities import GatewaySecretInfo


class SecretMethods(Sender):
    """Secrets."""

    def create_secret(
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
            secret_value: the credential: at least one key, no empty key or value. It never comes back.
            provider: the provider it is for, such as ``openai``, at most 64 characters.
            auth_config: settings that are not secret, such as ``api_base``, an https address.
            created_by: who does it, 1 to 255 characters.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; ALREADY_EXISTS (the name).
        """
        return self._send(
            _calls.create_secret(
                secret_name,
                secret_value,
                provider=provider,
                auth_config=auth_config,
                created_by=created_by,
                request_id=request_id,
            ),
            timeout,
        )

    def get_secret(
        self, *, secret_id: str | None = None, secret_name: str | None = None, timeout: float | None = None
    ) -> GatewaySecretInfo:
        """Return one secret's description, its values masked. Give exactly one of the two.

        Args:
            secret_id: the secret's id.
            secret_name: the secret's name.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT (none or both given); NOT_FOUND.
        """
        return self._send(_calls.get_secret(secret_id=secret_id, secret_name=secret_name), timeout)

    def update_secret(
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
            auth_config: the new settings, replacing every key; empty changes nothing.
            updated_by: who does it, 1 to 255 characters; last_updated_by stays as it was without.
            update_mask: the fields to write; one that is named and not given is cleared, if it may be. Without a mask
                every field that is given and not empty is written.
            etag: what the secret's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag is another).
        """
        return self._send(
            _calls.update_secret(
                secret_id,
                secret_value=secret_value,
                auth_config=auth_config,
                updated_by=updated_by,
                update_mask=update_mask,
                etag=etag,
                request_id=request_id,
            ),
            timeout,
        )

    def delete_secret(
        self, secret_id: str, *, etag: str | None = None, request_id: str | None = None, timeout: float | None = None
    ) -> None:
        """Remove a secret. Model definitions that used it stay, without a secret.

        Args:
            secret_id: the secret's id.
            etag: what the secret's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag is another).
        """
        self._send(_calls.delete_secret(secret_id, etag=etag, request_id=request_id), timeout)

    def list_secrets(self, *, provider: str | None = None, timeout: float | None = None) -> list[GatewaySecretInfo]:
        """Return all secrets, by time of creation, then by id.

        Args:
            provider: only those of this provider, compared exactly.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: see the class.
        """
        return self._collect(_calls.list_secrets(provider=provider), timeout)


class AsyncSecretMethods(AsyncSender):
    """Secrets with asyncio."""

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
            secret_value: the credential: at least one key, no empty key or value. It never comes back.
            provider: the provider it is for, such as ``openai``, at most 64 characters.
            auth_config: settings that are not secret, such as ``api_base``, an https address.
            created_by: who does it, 1 to 255 characters.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; ALREADY_EXISTS (the name).
        """
        return await self._send(
            _calls.create_secret(
                secret_name,
                secret_value,
                provider=provider,
                auth_config=auth_config,
                created_by=created_by,
                request_id=request_id,
            ),
            timeout,
        )

    async def get_secret(
        self, *, secret_id: str | None = None, secret_name: str | None = None, timeout: float | None = None
    ) -> GatewaySecretInfo:
        """Return one secret's description, its values masked. Give exactly one of the two.

        Args:
            secret_id: the secret's id.
            secret_name: the secret's name.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT (none or both given); NOT_FOUND.
        """
        return await self._send(_calls.get_secret(secret_id=secret_id, secret_name=secret_name), timeout)

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
            auth_config: the new settings, replacing every key; empty changes nothing.
            updated_by: who does it, 1 to 255 characters; last_updated_by stays as it was without.
            update_mask: the fields to write; one that is named and not given is cleared, if it may be. Without a mask
                every field that is given and not empty is written.
            etag: what the secret's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag is another).
        """
        return await self._send(
            _calls.update_secret(
                secret_id,
                secret_value=secret_value,
                auth_config=auth_config,
                updated_by=updated_by,
                update_mask=update_mask,
                etag=etag,
                request_id=request_id,
            ),
            timeout,
        )

    async def delete_secret(
        self, secret_id: str, *, etag: str | None = None, request_id: str | None = None, timeout: float | None = None
    ) -> None:
        """Remove a secret. Model definitions that used it stay, without a secret.

        Args:
            secret_id: the secret's id.
            etag: what the secret's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag is another).
        """
        await self._send(_calls.delete_secret(secret_id, etag=etag, request_id=request_id), timeout)

    async def list_secrets(self, *, provider: str | None = None, timeout: float | None = None) -> list[GatewaySecretInfo]:
        """Return all secrets, by time of creation, then by id.

        Args:
            provider: only those of this provider, compared exactly.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: see the class.
        """
        return await self._collect(_calls.list_secrets(provider=provider), timeout)

"""Endpoints: their operations, blocking and with asyncio."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gateway_entities.client import _calls
from gateway_entities.client._send import AsyncSender, Sender

if TYPE_CHECKING:
    from gateway_entities.entities import FallbackConfig, GatewayEndpoint, GatewayEndpointModelConfig, RoutingStrategy


class EndpointMethods(Sender):
    """Endpoints."""

    def create_endpoint(
        self,
        name: str,
        model_configs: Iterable[GatewayEndpointModelConfig],
        *,
        routing_strategy: RoutingStrategy | int | None = None,
        fallback_config: FallbackConfig | None = None,
        experiment_id: str | None = None,
        usage_tracking: bool | None = None,
        created_by: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayEndpoint:
        """Store an endpoint with its models.

        Args:
            name: its unique name, 1 to 255 letters, digits, underscores, hyphens and dots.
            model_configs: the models to attach, at least one of them PRIMARY.
            routing_strategy: how a PRIMARY model is chosen; the first one always without.
            fallback_config: how it falls back; without, SEQUENTIAL if there is a FALLBACK model, else not at all.
            experiment_id: the experiment that traces go to, decimal digits.
            usage_tracking: whether requests are traced and their cost counted; they are without.
            created_by: who does it, 1 to 255 characters.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (a model definition); ALREADY_EXISTS (the name, or a model linked
                twice).
        """
        return self._send(
            _calls.create_endpoint(
                name,
                model_configs,
                routing_strategy=routing_strategy,
                fallback_config=fallback_config,
                experiment_id=experiment_id,
                usage_tracking=usage_tracking,
                created_by=created_by,
                request_id=request_id,
            ),
            timeout,
        )

    def get_endpoint(
        self, *, endpoint_id: str | None = None, name: str | None = None, timeout: float | None = None
    ) -> GatewayEndpoint:
        """Return one endpoint with its models and tags. Give exactly one of the two.

        Args:
            endpoint_id: the endpoint's id.
            name: the endpoint's name.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT (none or both given); NOT_FOUND.
        """
        return self._send(_calls.get_endpoint(endpoint_id=endpoint_id, name=name), timeout)

    def update_endpoint(
        self,
        endpoint_id: str,
        *,
        name: str | None = None,
        model_configs: Iterable[GatewayEndpointModelConfig] | None = None,
        routing_strategy: RoutingStrategy | int | None = None,
        fallback_config: FallbackConfig | None = None,
        experiment_id: str | None = None,
        usage_tracking: bool | None = None,
        updated_by: str | None = None,
        update_mask: Iterable[str] | None = None,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayEndpoint:
        """Change the given fields of an endpoint.

        Args:
            endpoint_id: the endpoint's id.
            name: its new unique name, 1 to 255 letters, digits, underscores, hyphens and dots.
            model_configs: the models that replace all attached ones, at least one of them PRIMARY; none change nothing.
            routing_strategy: how a PRIMARY model is chosen.
            fallback_config: how it falls back, replaced as a whole.
            experiment_id: the experiment that traces go to, decimal digits.
            usage_tracking: whether requests are traced and their cost counted.
            updated_by: who does it, 1 to 255 characters; last_updated_by stays as it was without.
            update_mask: the fields to write; one that is named and not given is cleared, if it may be. Without a mask
                every field that is given and not empty is written.
            etag: what the endpoint's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint or a model definition); ALREADY_EXISTS (the name, or
                a model linked twice); ABORTED (the etag is another).
        """
        return self._send(
            _calls.update_endpoint(
                endpoint_id,
                name=name,
                model_configs=model_configs,
                routing_strategy=routing_strategy,
                fallback_config=fallback_config,
                experiment_id=experiment_id,
                usage_tracking=usage_tracking,
                updated_by=updated_by,
                update_mask=update_mask,
                etag=etag,
                request_id=request_id,
            ),
            timeout,
        )

    def delete_endpoint(
        self, endpoint_id: str, *, etag: str | None = None, request_id: str | None = None, timeout: float | None = None
    ) -> None:
        """Remove an endpoint with its mappings, bindings, tags and ENDPOINT budgets.

        Args:
            endpoint_id: the endpoint's id.
            etag: what the endpoint's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag is another).
        """
        self._send(_calls.delete_endpoint(endpoint_id, etag=etag, request_id=request_id), timeout)

    def list_endpoints(
        self, *, provider: str | None = None, secret_id: str | None = None, timeout: float | None = None
    ) -> list[GatewayEndpoint]:
        """Return all endpoints, by time of creation, then by id. With both filters one model has to match both.

        Args:
            provider: only those with a model of this provider, compared exactly.
            secret_id: only those with a model that uses this secret.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: see the class.
        """
        return self._collect(_calls.list_endpoints(provider=provider, secret_id=secret_id), timeout)


class AsyncEndpointMethods(AsyncSender):
    """Endpoints with asyncio."""

    async def create_endpoint(
        self,
        name: str,
        model_configs: Iterable[GatewayEndpointModelConfig],
        *,
        routing_strategy: RoutingStrategy | int | None = None,
        fallback_config: FallbackConfig | None = None,
        experiment_id: str | None = None,
        usage_tracking: bool | None = None,
        created_by: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayEndpoint:
        """Store an endpoint with its models.

        Args:
            name: its unique name, 1 to 255 letters, digits, underscores, hyphens and dots.
            model_configs: the models to attach, at least one of them PRIMARY.
            routing_strategy: how a PRIMARY model is chosen; the first one always without.
            fallback_config: how it falls back; without, SEQUENTIAL if there is a FALLBACK model, else not at all.
            experiment_id: the experiment that traces go to, decimal digits.
            usage_tracking: whether requests are traced and their cost counted; they are without.
            created_by: who does it, 1 to 255 characters.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (a model definition); ALREADY_EXISTS (the name, or a model linked
                twice).
        """
        return await self._send(
            _calls.create_endpoint(
                name,
                model_configs,
                routing_strategy=routing_strategy,
                fallback_config=fallback_config,
                experiment_id=experiment_id,
                usage_tracking=usage_tracking,
                created_by=created_by,
                request_id=request_id,
            ),
            timeout,
        )

    async def get_endpoint(
        self, *, endpoint_id: str | None = None, name: str | None = None, timeout: float | None = None
    ) -> GatewayEndpoint:
        """Return one endpoint with its models and tags. Give exactly one of the two.

        Args:
            endpoint_id: the endpoint's id.
            name: the endpoint's name.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT (none or both given); NOT_FOUND.
        """
        return await self._send(_calls.get_endpoint(endpoint_id=endpoint_id, name=name), timeout)

    async def update_endpoint(
        self,
        endpoint_id: str,
        *,
        name: str | None = None,
        model_configs: Iterable[GatewayEndpointModelConfig] | None = None,
        routing_strategy: RoutingStrategy | int | None = None,
        fallback_config: FallbackConfig | None = None,
        experiment_id: str | None = None,
        usage_tracking: bool | None = None,
        updated_by: str | None = None,
        update_mask: Iterable[str] | None = None,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayEndpoint:
        """Change the given fields of an endpoint.

        Args:
            endpoint_id: the endpoint's id.
            name: its new unique name, 1 to 255 letters, digits, underscores, hyphens and dots.
            model_configs: the models that replace all attached ones, at least one of them PRIMARY; none change nothing.
            routing_strategy: how a PRIMARY model is chosen.
            fallback_config: how it falls back, replaced as a whole.
            experiment_id: the experiment that traces go to, decimal digits.
            usage_tracking: whether requests are traced and their cost counted.
            updated_by: who does it, 1 to 255 characters; last_updated_by stays as it was without.
            update_mask: the fields to write; one that is named and not given is cleared, if it may be. Without a mask
                every field that is given and not empty is written.
            etag: what the endpoint's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint or a model definition); ALREADY_EXISTS (the name, or
                a model linked twice); ABORTED (the etag is another).
        """
        return await self._send(
            _calls.update_endpoint(
                endpoint_id,
                name=name,
                model_configs=model_configs,
                routing_strategy=routing_strategy,
                fallback_config=fallback_config,
                experiment_id=experiment_id,
                usage_tracking=usage_tracking,
                updated_by=updated_by,
                update_mask=update_mask,
                etag=etag,
                request_id=request_id,
            ),
            timeout,
        )

    async def delete_endpoint(
        self, endpoint_id: str, *, etag: str | None = None, request_id: str | None = None, timeout: float | None = None
    ) -> None:
        """Remove an endpoint with its mappings, bindings, tags and ENDPOINT budgets.

        Args:
            endpoint_id: the endpoint's id.
            etag: what the endpoint's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag is another).
        """
        await self._send(_calls.delete_endpoint(endpoint_id, etag=etag, request_id=request_id), timeout)

    async def list_endpoints(
        self, *, provider: str | None = None, secret_id: str | None = None, timeout: float | None = None
    ) -> list[GatewayEndpoint]:
        """Return all endpoints, by time of creation, then by id. With both filters one model has to match both.

        Args:
            provider: only those with a model of this provider, compared exactly.
            secret_id: only those with a model that uses this secret.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: see the class.
        """
        return await self._collect(_calls.list_endpoints(provider=provider, secret_id=secret_id), timeout)

"""Guardrails, and the guardrails of endpoints."""

from __future__ import annotations

from typing import cast

from gateway_entities import methods
from gateway_entities.client._async.pager import AsyncPager
from gateway_entities.client._async.rpc import AsyncRpcClient
from gateway_entities.client._base import PAGE_SIZE
from gateway_entities.client._list import EntityList
from gateway_entities.client._requests import build, message
from gateway_entities.entities import GatewayGuardrail, GatewayGuardrailConfig, GuardrailAction, GuardrailStage, Scorer
from gatewayentities.v1 import guardrail_pb2


class AsyncGuardrailMethods(AsyncRpcClient):
    """Guardrails, and the guardrails of endpoints."""

    async def create_guardrail(
        self,
        name: str,
        *,
        scorer_id: str,
        scorer_version: int,
        stage: GuardrailStage | int | str,
        action: GuardrailAction | int | str,
        action_endpoint_id: str | None = None,
        scorer: Scorer | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayGuardrail:
        """Store a guardrail. Add it to endpoints with ``add_guardrail_to_endpoint``.

        Args:
            name: its name, 1 to 255 characters; not unique.
            scorer_id: the scorer's id in its own system, 1 to 255 characters. It is not looked up.
            scorer_version: the version of the scorer, 1 or more.
            stage: when it is executed.
            action: what it does with what the scorer finds.
            action_endpoint_id: the id of the endpoint that the action calls.
            scorer: what else is known of the scorer; it is stored as it is.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the action endpoint).
        """
        request = build(
            guardrail_pb2.CreateGatewayGuardrailRequest,
            name=name,
            scorer_id=scorer_id,
            scorer_version=scorer_version,
            stage=cast("guardrail_pb2.GuardrailStage.ValueType | None", stage),
            action=cast("guardrail_pb2.GuardrailAction.ValueType | None", action),
            action_endpoint_id=action_endpoint_id,
            scorer=message("scorer", Scorer, scorer),
            request_id=request_id,
        )
        return await self._entity(methods.CREATE_GATEWAY_GUARDRAIL, request, GatewayGuardrail, timeout)

    async def get_guardrail(self, guardrail_id: str, *, timeout: float | None = None) -> GatewayGuardrail:
        """Return one guardrail.

        Args:
            guardrail_id: the guardrail's id.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND.
        """
        request = build(guardrail_pb2.GetGatewayGuardrailRequest, guardrail_id=guardrail_id)
        return await self._entity(methods.GET_GATEWAY_GUARDRAIL, request, GatewayGuardrail, timeout)

    async def delete_guardrail(
        self, guardrail_id: str, *, etag: str | None = None, request_id: str | None = None, timeout: float | None = None
    ) -> None:
        """Remove a guardrail, also from every endpoint that uses it.

        Args:
            guardrail_id: the guardrail's id.
            etag: the guardrail's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag differs).
        """
        request = build(
            guardrail_pb2.DeleteGatewayGuardrailRequest, guardrail_id=guardrail_id, etag=etag, request_id=request_id
        )
        await self._call(methods.DELETE_GATEWAY_GUARDRAIL, request, timeout)

    async def list_guardrails(self, *, timeout: float | None = None) -> EntityList[GatewayGuardrail]:
        """Return all guardrails, by time of creation, then by id.

        Args:
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: see the class.
        """
        return await self.iter_guardrails(timeout=timeout).read_all()

    def iter_guardrails(
        self,
        *,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> AsyncPager[GatewayGuardrail]:
        """Return an iterator over the entities that ``list_guardrails`` returns, which reads them page by page.

        Args:
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(guardrail_pb2.ListGatewayGuardrailsRequest, max_results=page_size)
        return self._pager(
            methods.LIST_GATEWAY_GUARDRAILS,
            request,
            GatewayGuardrail,
            timeout,
        )

    async def add_guardrail_to_endpoint(
        self,
        endpoint_id: str,
        guardrail_id: str,
        *,
        execution_order: int | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayGuardrailConfig:
        """Make an endpoint use a guardrail; return it with its place.

        Args:
            endpoint_id: the endpoint's id.
            guardrail_id: the guardrail's id.
            execution_order: its place in the order of execution, the lowest first; None means after all others.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint, the guardrail); ALREADY_EXISTS; RESOURCE_EXHAUSTED
                (the endpoint has 100 guardrails).
        """
        request = build(
            guardrail_pb2.AddGuardrailToEndpointRequest,
            endpoint_id=endpoint_id,
            guardrail_id=guardrail_id,
            execution_order=execution_order,
            request_id=request_id,
        )
        return await self._entity(methods.ADD_GUARDRAIL_TO_ENDPOINT, request, GatewayGuardrailConfig, timeout)

    async def remove_guardrail_from_endpoint(
        self,
        endpoint_id: str,
        guardrail_id: str,
        *,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Make an endpoint no longer use a guardrail.

        Args:
            endpoint_id: the endpoint's id.
            guardrail_id: the guardrail's id.
            etag: the expected ``etag()`` of the config; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag differs).
        """
        request = build(
            guardrail_pb2.RemoveGuardrailFromEndpointRequest,
            endpoint_id=endpoint_id,
            guardrail_id=guardrail_id,
            etag=etag,
            request_id=request_id,
        )
        await self._call(methods.REMOVE_GUARDRAIL_FROM_ENDPOINT, request, timeout)

    async def update_endpoint_guardrail(
        self,
        endpoint_id: str,
        guardrail_id: str,
        *,
        execution_order: int | None,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayGuardrailConfig:
        """Give a guardrail of an endpoint another place in the order of execution.

        Args:
            endpoint_id: the endpoint's id.
            guardrail_id: the guardrail's id.
            execution_order: its new place, the lowest first; None means after all others.
            etag: the expected ``etag()`` of the config; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag differs).
        """
        request = build(
            guardrail_pb2.UpdateEndpointGuardrailConfigRequest,
            endpoint_id=endpoint_id,
            guardrail_id=guardrail_id,
            execution_order=execution_order,
            etag=etag,
            request_id=request_id,
        )
        return await self._entity(methods.UPDATE_ENDPOINT_GUARDRAIL_CONFIG, request, GatewayGuardrailConfig, timeout)

    async def list_endpoint_guardrails(
        self, endpoint_id: str, *, timeout: float | None = None
    ) -> EntityList[GatewayGuardrailConfig]:
        """Return the guardrails of an endpoint, those of both stages, in the order of execution.

        Args:
            endpoint_id: the endpoint's id.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint).
        """
        return await self.iter_endpoint_guardrails(endpoint_id, timeout=timeout).read_all()

    def iter_endpoint_guardrails(
        self,
        endpoint_id: str,
        *,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> AsyncPager[GatewayGuardrailConfig]:
        """Return an iterator over the entities that ``list_endpoint_guardrails`` returns, which reads them page by page.

        Args:
            endpoint_id: the endpoint's id.
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(guardrail_pb2.ListEndpointGuardrailConfigsRequest, endpoint_id=endpoint_id, page_size=page_size)
        return self._pager(
            methods.LIST_ENDPOINT_GUARDRAIL_CONFIGS,
            request,
            GatewayGuardrailConfig,
            timeout,
        )

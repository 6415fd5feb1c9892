# Generated from gateway_entities/client/_async/endpoint.py by proto/generate.py. Do not edit.
"""Endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from gateway_entities import methods
from gateway_entities.client._base import PAGE_SIZE
from gateway_entities.client._list import EntityList
from gateway_entities.client._requests import build, mask, message, messages, splits_traffic
from gateway_entities.client._sync.pager import Pager
from gateway_entities.client._sync.rpc import RpcClient
from gateway_entities.entities import FallbackConfig, GatewayEndpoint, GatewayEndpointModelConfig, RoutingStrategy
from gatewayentities.v1 import endpoint_pb2


class EndpointMethods(RpcClient):
    """Endpoints."""

    def create_endpoint(
        self,
        name: str,
        model_configs: Iterable[GatewayEndpointModelConfig],
        *,
        routing_strategy: RoutingStrategy | int | str | None = None,
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
            routing_strategy: how a PRIMARY model is chosen. None means by weight (REQUEST_BASED_TRAFFIC_SPLIT) if there are
                several PRIMARY models and one has a weight, else always the first.
            fallback_config: how it falls back; without, SEQUENTIAL if there is a FALLBACK model, else not at all.
            experiment_id: the experiment that traces go to, decimal digits.
            usage_tracking: whether requests are traced and their cost counted; they are without.
            created_by: the actor, 1 to 255 characters.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (a model definition); ALREADY_EXISTS (the name, or a model linked
                twice).
        """
        configs = messages("model_configs", GatewayEndpointModelConfig, model_configs)
        if routing_strategy is None and splits_traffic(configs):
            routing_strategy = RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT
        request = build(
            endpoint_pb2.CreateGatewayEndpointRequest,
            name=name,
            model_configs=configs,
            routing_strategy=cast("endpoint_pb2.RoutingStrategy.ValueType | None", routing_strategy),
            fallback_config=message("fallback_config", FallbackConfig, fallback_config),
            experiment_id=experiment_id,
            usage_tracking=usage_tracking,
            created_by=created_by,
            request_id=request_id,
        )
        return self._entity(methods.CREATE_GATEWAY_ENDPOINT, request, GatewayEndpoint, timeout)

    def get_endpoint(
        self, *, endpoint_id: str | None = None, name: str | None = None, timeout: float | None = None
    ) -> GatewayEndpoint:
        """Return one endpoint with its models and tags. Give exactly one of the two.

        Args:
            endpoint_id: the endpoint's id.
            name: the endpoint's name.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT (none or both given); NOT_FOUND.
        """
        request = build(endpoint_pb2.GetGatewayEndpointRequest, endpoint_id=endpoint_id, name=name)
        return self._entity(methods.GET_GATEWAY_ENDPOINT, request, GatewayEndpoint, timeout)

    def update_endpoint(
        self,
        endpoint_id: str,
        *,
        name: str | None = None,
        model_configs: Iterable[GatewayEndpointModelConfig] | None = None,
        routing_strategy: RoutingStrategy | int | str | None = None,
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
            updated_by: the actor, 1 to 255 characters; None leaves last_updated_by unchanged.
            update_mask: the fields to write; a listed field that is None is cleared, if it may be. Without a mask, every
                non-empty field is written.
            etag: the endpoint's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint or a model definition); ALREADY_EXISTS (the name, or
                a model linked twice); ABORTED (the etag differs).
        """
        request = build(
            endpoint_pb2.UpdateGatewayEndpointRequest,
            endpoint_id=endpoint_id,
            name=name,
            model_configs=messages("model_configs", GatewayEndpointModelConfig, model_configs),
            routing_strategy=cast("endpoint_pb2.RoutingStrategy.ValueType | None", routing_strategy),
            fallback_config=message("fallback_config", FallbackConfig, fallback_config),
            experiment_id=experiment_id,
            usage_tracking=usage_tracking,
            updated_by=updated_by,
            update_mask=mask(update_mask),
            etag=etag,
            request_id=request_id,
        )
        return self._entity(methods.UPDATE_GATEWAY_ENDPOINT, request, GatewayEndpoint, timeout)

    def delete_endpoint(
        self, endpoint_id: str, *, etag: str | None = None, request_id: str | None = None, timeout: float | None = None
    ) -> None:
        """Remove an endpoint with its mappings, bindings, tags and ENDPOINT budgets.

        Args:
            endpoint_id: the endpoint's id.
            etag: the endpoint's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag differs).
        """
        request = build(
            endpoint_pb2.DeleteGatewayEndpointRequest,
            endpoint_id=endpoint_id,
            etag=etag,
            request_id=request_id,
        )
        self._call(methods.DELETE_GATEWAY_ENDPOINT, request, timeout)

    def list_endpoints(
        self, *, provider: str | None = None, secret_id: str | None = None, timeout: float | None = None
    ) -> EntityList[GatewayEndpoint]:
        """Return all endpoints, by time of creation, then by id. With both filters one model has to match both.

        Args:
            provider: only those with a model of this provider, compared exactly.
            secret_id: only those with a model that uses this secret.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: see the class.
        """
        return self.iter_endpoints(provider=provider, secret_id=secret_id, timeout=timeout).read_all()

    def iter_endpoints(
        self,
        *,
        provider: str | None = None,
        secret_id: str | None = None,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> Pager[GatewayEndpoint]:
        """Return an iterator over the entities that ``list_endpoints`` returns, which reads them page by page.

        Args:
            provider: only those with a model of this provider, compared exactly.
            secret_id: only those with a model that uses this secret.
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(
            endpoint_pb2.ListGatewayEndpointsRequest,
            provider=provider,
            secret_id=secret_id,
            page_size=page_size,
        )
        return self._pager(methods.LIST_GATEWAY_ENDPOINTS, request, GatewayEndpoint, timeout)

"""ResolutionService."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from gateway_entities.entities import GatewayEndpoint, GatewaySecretAccess, GatewaySecretInfo
from gateway_entities.errors import Code, GatewayError
from gateway_entities.rules import NONE_ALLOWED, AllowedAddresses, validate
from gateway_entities.server.service.access_recorder import AccessRecorder
from gateway_entities.server.service.base import BaseService, add_all
from gateway_entities.server.service.context import CALLER, may_use
from gateway_entities.server.service.errors import exhausted, not_found
from gateway_entities.server.service.lists.paging import PageRequest
from gateway_entities.server.service.writes.mutation import etag_of
from gateway_entities.server.store.repositories.access import Access, StoredAccess
from gatewayentities.v1 import resolution_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Store, Transaction

_READERS: Final = 4
"""Resolutions that read the store at the same time, so that a burst of them leaves connections to other reads."""
MAX_RESPONSE_BYTES: Final = 4 * 1024 * 1024 - 4096
"""Maximum size of resolved endpoints: gRPC clients accept 4 MiB by default."""


class ResolutionService(BaseService):
    """The RPCs of ResolutionService. Errors: as the contract lists, and UNAVAILABLE from the store.

    Attributes:
        accesses: records the accesses to secret values.
    """

    def __init__(self, store: Store, allowed_addresses: AllowedAddresses = NONE_ALLOWED) -> None:
        super().__init__(store, allowed_addresses)
        self.accesses = AccessRecorder(store)
        self._readers = threading.BoundedSemaphore(_READERS)

    def close(self) -> None:
        """Record the accesses that are still to be recorded. The store stays open."""
        self.accesses.close()

    def resolve_gateway_endpoint(self, request: pb.ResolveGatewayEndpointRequest) -> pb.ResolveGatewayEndpointResponse:
        """Return endpoints with the credentials of their models, after their accesses have been recorded."""
        validate(request)
        accesses: dict[tuple[str, str], Access] = {}
        with self._readers, self.read() as transaction:
            response = pb.ResolveGatewayEndpointResponse(revision=transaction.changes.last())
            secrets = _Secrets(transaction)
            now = transaction.now
            for endpoint in _requested(transaction, request):
                _resolve(response.endpoints.add(), endpoint, secrets)
                guardrails = transaction.guardrail_configs.in_execution_order(endpoint_id=endpoint.endpoint_id)
                add_all(response.endpoints[-1], response.endpoints[-1].guardrails, guardrails)
                for model in response.endpoints[-1].models:
                    access = Access(model.secret_id, endpoint.endpoint_id, CALLER.get() or "", now)
                    accesses[model.secret_id, endpoint.endpoint_id] = access
        if response.ByteSize() > MAX_RESPONSE_BYTES:
            raise exhausted(
                f"The response would have more than {MAX_RESPONSE_BYTES} bytes. Resolve fewer endpoints in one call.",
                "TOO_MANY_ENDPOINTS",
            )
        self.accesses.record(list(accesses.values()))
        return response

    def list_gateway_secret_accesses(
        self, request: pb.ListGatewaySecretAccessesRequest
    ) -> pb.ListGatewaySecretAccessesResponse:
        """Return a page of accesses, latest first."""
        validate(request)
        page_request = PageRequest[tuple[int]]("accesses", 0, request.page_size, request.page_token)
        with self.read() as transaction:
            page = page_request.read_current(
                transaction,
                lambda after, limit: transaction.secret_accesses.list(
                    secret_id=request.secret_id or None,
                    endpoint_id=request.endpoint_id or None,
                    actor=request.actor or None,
                    since=request.accessed_since if request.HasField("accessed_since") else None,
                    before=None if after is None else after[0],
                    limit=limit,
                ),
                lambda stored: (stored.access_id,),
            )
        response = pb.ListGatewaySecretAccessesResponse()
        page.fill(response, response.accesses, _entity)
        return response


class _Secrets:
    """The secrets of one response, each decrypted once."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._found: dict[str, tuple[GatewaySecretInfo, str, dict[str, str]] | None] = {}

    def get(self, secret_id: str) -> tuple[GatewaySecretInfo, str, dict[str, str]] | None:
        """Return a secret, its etag and its value; None if it does not exist.

        Raises:
            GatewayError: DATA_LOSS; the stored value cannot be decrypted.
        """
        if secret_id not in self._found:
            info = self._transaction.secrets.get(secret_id)
            value = None if info is None else self._transaction.secrets.reveal(secret_id)
            found = None if info is None or value is None else (info, etag_of(info.to_proto()), value)
            self._found[secret_id] = found
        return self._found[secret_id]


def _requested(transaction: Transaction, request: pb.ResolveGatewayEndpointRequest) -> Iterable[GatewayEndpoint]:
    """Yield the requested endpoints.

    Raises:
        GatewayError: NOT_FOUND; one does not exist, or the caller's token is limited to others.
    """
    field, keys = ("endpoint_id", request.endpoint_ids) if request.endpoint_ids else ("name", request.names)
    get: Callable[[str], GatewayEndpoint | None]
    get = transaction.endpoints.get if request.endpoint_ids else transaction.endpoints.find
    for key in keys:
        endpoint = get(key)
        # The same error for both, so that it does not tell whether the endpoint exists.
        if endpoint is None or not may_use(endpoint.name):
            raise not_found("GatewayEndpoint", {field: key})
        yield endpoint


def _resolve(message: pb.ResolvedGatewayEndpoint, endpoint: GatewayEndpoint, secrets: _Secrets) -> None:
    """Write an endpoint with the credentials of its models.

    Raises:
        GatewayError: FAILED_PRECONDITION (a model has no secret) or DATA_LOSS.
    """
    message.endpoint.CopyFrom(endpoint.to_proto())
    for mapping in endpoint.model_mappings:
        definition = mapping.model_definition
        secret_id = None if definition is None else definition.secret_id
        found = None if secret_id is None else secrets.get(secret_id)
        if definition is None or found is None:
            name = mapping.model_definition_id if definition is None else definition.name
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                f"Model definition {name!r} of endpoint {endpoint.name!r} has no secret: the secret was deleted. Give the "
                "definition another one (UpdateGatewayModelDefinition).",
                reason="SECRET_VALUE_MISSING",
            )
        info, etag, value = found
        if not value:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                f"Secret {info.secret_name!r} of endpoint {endpoint.name!r} has no value yet. Give it one "
                "(UpdateGatewaySecret, or apply its configuration with the value).",
                reason="SECRET_VALUE_MISSING",
            )
        message.models.add(
            mapping_id=mapping.mapping_id,
            model_definition_id=definition.model_definition_id,
            provider=definition.provider,
            model_name=definition.model_name,
            secret_id=info.secret_id,
            secret_etag=etag,
            auth_config=info.auth_config,
            secret_value=value,
        )


def _entity(stored: StoredAccess) -> GatewaySecretAccess:
    access = stored.access
    return GatewaySecretAccess(access.secret_id, access.endpoint_id, access.actor, access.accessed_at)

"""Responses to mutations with a request_id, stored so that a repeated request gets the first response.

A large resource in a response is not stored again: the change log restores it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.methods import METHODS
from gateway_entities.server.service.context import CALLER
from gatewayentities.v1.budget_pb2 import GatewayBudgetPolicy
from gatewayentities.v1.endpoint_pb2 import GatewayEndpoint
from gatewayentities.v1.guardrail_pb2 import GatewayGuardrailConfig
from gatewayentities.v1.model_definition_pb2 import GatewayModelDefinition
from gatewayentities.v1.secret_pb2 import GatewaySecretInfo

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from gateway_entities.server.store import Transaction

IDEMPOTENCY_WINDOW_MS: Final = 24 * 60 * 60 * 1000
"""Retention of stored responses, by request_id, and of the former states that page tokens refer to."""
EXTRA_PRUNED: Final = 4
"""Each mutation prunes this many more rows than it adds, so that expired rows cannot pile up."""

_MAX_RESOURCE_BYTES: Final = 1024
"""Size up to which the resource is stored with its response."""
_RESOURCES: Final = frozenset(
    message.DESCRIPTOR.full_name
    for message in (
        GatewaySecretInfo,
        GatewayModelDefinition,
        GatewayEndpoint,
        GatewayBudgetPolicy,
        GatewayGuardrailConfig,
    )
)
_RPCS: Final = {method.request_type: method for method in METHODS}


def find_response(transaction: Transaction, request: Any) -> Any:
    """Return the stored response to a request; None if it has none.

    Raises:
        GatewayError: INVALID_ARGUMENT (the request_id has a response to another request) or ABORTED (another release has
            written the resource of the response in another form).
    """
    if not request.request_id:
        return None
    stored = transaction.stored_responses.get(request.request_id, _content(request), transaction.now - IDEMPOTENCY_WINDOW_MS)
    if stored is None:
        return None
    if not stored.matches:
        raise GatewayError.invalid([FieldViolation("request_id", "was used before, for a request of another content")])
    response: Any = _RPCS[type(request)].response_type.FromString(stored.response)
    field = _resource_field(response)
    if field is not None and not response.HasField(field):
        getattr(response, field).MergeFromString(_restored(transaction, response.revision))
    return response


def store_response(transaction: Transaction, request: Any, response: Any, *, created: bool) -> None:
    """Store the response to a request with a request_id, and prune expired ones.

    Args:
        transaction: the transaction of the mutation, which is in the change log already.
        request: the request.
        response: its response.
        created: whether the mutation created the resource in the response. It is then as large as the request.
    """
    now = transaction.now
    if request.request_id:
        stored, field = response, _resource_field(response)
        if field is not None and not created and getattr(response, field).ByteSize() > _MAX_RESOURCE_BYTES:
            stored = type(response)()
            stored.CopyFrom(response)
            stored.ClearField(field)
        transaction.stored_responses.add(request.request_id, _content(request), stored.SerializeToString(), now)
    transaction.stored_responses.prune(now - IDEMPOTENCY_WINDOW_MS, 1 + EXTRA_PRUNED)


def _resource_field(response: Message) -> str | None:
    """Return the name of the field of the resource that was changed; None if there is none."""
    first = response.DESCRIPTOR.fields[0]
    return first.name if first.message_type is not None and first.message_type.full_name in _RESOURCES else None


def _restored(transaction: Transaction, revision: int) -> bytes:
    def current(noun: str, identifier: str) -> bytes | None:
        found = readers[noun](identifier)
        return None if found is None else found.to_bytes()

    def guardrail_config(joined: str) -> Any:
        return transaction.guardrail_configs.get(*joined.split("/", 1))

    readers: Any = {
        "secret": transaction.secrets.get,
        "model_definition": transaction.model_definitions.get,
        "endpoint": transaction.endpoints.get,
        "budget_policy": transaction.budget_policies.get,
        "guardrail_config": guardrail_config,
    }
    restored = transaction.changes.result(revision, current)
    if restored is None:
        raise GatewayError(
            Code.ABORTED,
            f"The request was executed before, as revision {revision}, but its response is lost; read the resource",
            reason="RESPONSE_EXPIRED",
        )
    return restored


def _content(request: Message) -> bytes:
    """Return what a repeated request must have in common with the first: RPC, caller and every field."""
    parts = (type(request).__name__, CALLER.get() or "")
    return "\0".join(parts).encode() + b"\0" + request.SerializeToString(deterministic=True)

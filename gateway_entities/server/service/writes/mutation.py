"""Execution of mutations: one transaction and change-log entry each, deduplicated by request_id, guarded by etag.

A handler decorated with ``mutation`` gets a Mutation beside its request and reports the resources that it changes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar

from google.protobuf.message import Message

from gateway_entities.entities import (
    GatewayBudgetPolicy,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayFieldDifference,
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GatewayModelDefinition,
    GatewaySecretInfo,
    GatewaySpendAdjustment,
    canonical,
)
from gateway_entities.entities.base import Entity
from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS
from gateway_entities.rules import validate
from gateway_entities.rules.bounds import MAX_RESOURCE_BYTES
from gateway_entities.server.service import form
from gateway_entities.server.service.base import BaseService
from gateway_entities.server.service.context import CALLER, check_call, require_no_owners
from gateway_entities.server.service.errors import exhausted
from gateway_entities.server.service.writes.idempotency import find_response, store_response
from gateway_entities.server.store.repositories.change import Effect

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

Resource: TypeAlias = (
    GatewaySecretInfo
    | GatewayModelDefinition
    | GatewayEndpoint
    | GatewayEndpointBinding
    | GatewayBudgetPolicy
    | GatewayGuardrail
    | GatewayGuardrailConfig
)
"""An entity with an etag and change-log effects of its own."""

R = TypeVar("R", bound=Resource)
S = TypeVar("S", bound=BaseService)
M = TypeVar("M", bound=Message)
Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)

_RPCS: Final = {method.request_type: method for method in METHODS}


_ENDPOINT_FIELDS: Final[Mapping[str, str]] = {
    "binding": "endpoint_id",
    "budget_policy": "target_value",
    "guardrail": "action_endpoint_id",
    "guardrail_config": "endpoint_id",
}
"""The field with the id of an endpoint, whose name is in the name or in the description of a resource."""
_WITHOUT_OWNERS: Final = ("binding", "guardrail_config")
_FEW: Final = 100
"""Number of endpoints whose names are read one by one."""
_REMOVERS: Final = ("delete_", "detach_", "remove_")


class _Noun(NamedTuple):
    name: str
    key: tuple[str, ...]


_NOUNS: Final[Mapping[type[Entity[Any]], _Noun]] = {
    GatewaySecretInfo: _Noun("secret", ("secret_id",)),
    GatewayModelDefinition: _Noun("model_definition", ("model_definition_id",)),
    GatewayEndpoint: _Noun("endpoint", ("endpoint_id",)),
    # The first two contain no slash.
    GatewayEndpointBinding: _Noun("binding", ("endpoint_id", "resource_type", "resource_id")),
    GatewayBudgetPolicy: _Noun("budget_policy", ("budget_policy_id",)),
    GatewayGuardrail: _Noun("guardrail", ("guardrail_id",)),
    GatewayGuardrailConfig: _Noun("guardrail_config", ("endpoint_id", "guardrail_id")),
}


def noun(kind: type[Entity[Any]]) -> str:
    """Return the change log's noun for a resource class."""
    return _NOUNS[kind].name


def identifier(resource: Entity[Any]) -> str:
    """Return the change log's id for a resource; the parts of a composite key are joined by slashes."""
    first, *others = _NOUNS[type(resource)].key
    found: str = getattr(resource, first)
    return "/".join((found, *(getattr(resource, field) for field in others))) if others else found


def etag_of(resource: Message) -> str:
    """Return the etag of a resource message, without creating its entity."""
    return _etag(canonical.to_bytes(resource))


def _etag(data: bytes) -> str:
    return sha256(data).hexdigest()[:32]


class _State(NamedTuple):
    """A resource before or after the mutation."""

    etag: str
    data: bytes
    name: str


_NO_STATE: Final = _State("", b"", "")


class Mutation:
    """One mutation in progress.

    Attributes:
        transaction: its write transaction.
        now: its timestamp, in milliseconds since the Unix epoch, UTC; later than the last update of the loaded resource.
        actor: the authenticated caller, or else the actor that the request names; None if there is neither.
        adjustment: the correction of spending that it is; None for others.
    """

    __slots__ = (
        "_after",
        "_before",
        "_endpoint_names",
        "_etag",
        "_form_after",
        "_form_before",
        "_has_secret_value",
        "_own",
        "actor",
        "adjustment",
        "now",
        "transaction",
    )

    def __init__(self, transaction: Transaction, request: Message) -> None:
        self.transaction = transaction
        self.now = transaction.now
        self.actor = CALLER.get() or _named_actor(request)
        self._etag: str = getattr(request, "etag", "")
        self._own: tuple[str, str] | None = None
        self._before: dict[tuple[str, str], _State] = {}
        self._after: dict[tuple[str, str], _State] = {}
        # The descriptions of the requested resource.
        self._form_before: Any = None
        self._form_after: Any = None
        self._has_secret_value = False
        self._endpoint_names: dict[str, str] = {}
        self.adjustment: GatewaySpendAdjustment | None = None

    def load(self, resource: R) -> R:
        """Record the state of the resource that the request names, and return the resource; call it before any change.

        Raises:
            GatewayError: ABORTED; the etag in the request is not the resource's.
        """
        self._own = _key(resource)
        self._record_state(resource, self._before)
        self._form_before = form.describe(self._own[0], resource, self._endpoint_names)
        etag = self._before[self._own].etag
        if self._etag and self._etag != etag:
            raise GatewayError(
                Code.ABORTED,
                f"The {self._own[0].replace('_', ' ')} '{self._own[1]}' has changed: its etag is {etag}, not {self._etag}. "
                "Read it again, and repeat the change if it is still right.",
                reason="STALE_ETAG",
            )
        if not isinstance(resource, GatewayGuardrailConfig):
            # Two updates within one millisecond must give different etags.
            self.now = max(self.now, resource.last_updated_at + 1)
        return resource

    def result(self, resource: Entity[M]) -> M:
        """Record the new state of the requested or created resource; return its message.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED; it is too large, and larger than before.
        """
        self._own = _key(resource)
        message: M = self._record_state(resource, self._after)
        self._form_after = form.describe(self._own[0], resource, self._endpoint_names)
        size = len(self._after[self._own].data)
        before = self._before.get(self._own)
        if size > MAX_RESOURCE_BYTES and (before is None or size > len(before.data)):
            raise exhausted(
                f"The {self._own[0].replace('_', ' ')} would have {size} bytes; at most {MAX_RESOURCE_BYTES} are allowed.",
                "RESOURCE_TOO_LARGE",
            )
        return message

    def record_secret_value(self) -> None:
        """Record that the requested secret gets another value, which the change log tells without it."""
        self._has_secret_value = True

    def will_affect(self, resources: Iterable[Resource]) -> None:
        """Record other resources that the mutation changes or deletes, before it does."""
        affected = list(resources)
        if len({_endpoint_id(resource) for resource in affected}) > _FEW:
            self._endpoint_names = self.transaction.endpoints.names()
        for resource in affected:
            self._record_state(resource, self._before)

    def did_affect(self, resources: Iterable[Resource]) -> None:
        """Record the new state of other resources. Those given to will_affect only are logged as deleted.

        Their size is not limited, so that an endpoint of the maximum size does not prevent changes of its model definitions.
        """
        for resource in resources:
            self._record_state(resource, self._after)

    def log(self, request: Message, response: Any) -> bool:
        """Append the mutation to the change log; set revision and etag in the response.

        Returns:
            Whether it created the requested resource.
        """
        assert self._own is not None  # noqa: S101 - every handler calls load or result.
        keys = dict.fromkeys((self._own, *self._before, *self._after))
        effects = [self._effect(key) for key in keys]
        logged = [effects[0], *(effect for effect in effects[1:] if effect.etag_before != effect.etag_after)]
        name, now = _RPCS[type(request)].name, self.transaction.now
        response.revision = self.transaction.changes.add(name, self.actor, now, logged)
        # The response to a correction has none: the policy stays as it is.
        if effects[0].etag_after is not None and self.adjustment is None:
            response.etag = effects[0].etag_after
        return effects[0].etag_before is None

    def _record_state(self, resource: Entity[Any], states: dict[tuple[str, str], _State]) -> Any:
        # There may be tens of thousands.
        check_call()
        message = resource.to_proto()
        data = canonical.to_bytes(message)
        states[_key(resource)] = _State(_etag(data), data, self._name(resource))
        return message

    def _name(self, resource: Any) -> str:
        """Return the name of a resource in the change log."""
        kind = _key(resource)[0]
        endpoint = _endpoint_id(resource)
        if endpoint is not None and endpoint not in self._endpoint_names:
            found = self.transaction.endpoints.name(endpoint)
            self._endpoint_names |= {} if found is None else {endpoint: found}
        if kind not in {"binding", "budget_policy", "guardrail_config"}:
            return str(resource.secret_name if kind == "secret" else resource.name)
        return form.name_of(kind, resource, form.describe(kind, resource, self._endpoint_names), self._endpoint_names)

    def _fields(self) -> list[GatewayFieldDifference]:
        """Return what changed in the requested resource."""
        found = form.differences(self._form_before, self._form_after)
        fields = [GatewayFieldDifference.from_proto(each) for each in found]
        return [*fields, GatewayFieldDifference("secret_value")] if self._has_secret_value else fields

    def _effect(self, key: tuple[str, str]) -> Effect:
        before, after = self._before.get(key), self._after.get(key)
        owner = None
        if after is None and key[0] not in _WITHOUT_OWNERS:
            owner = self.transaction.owners.get(*key)
            if owner is not None:
                self.transaction.owners.set(*key, None)
        return Effect(
            *key,
            None if before is None else before.etag,
            None if after is None else after.etag,
            None if before is None else before.data,
            None if after is None else after.data,
            (after or before or _NO_STATE).name,
            self._fields() if key == self._own else (),
            owner,
            adjustment=self.adjustment,
        )


def _endpoint_id(resource: Entity[Any]) -> str | None:
    """Return the id of the endpoint that a resource other than an endpoint names; None if there is none."""
    field = _ENDPOINT_FIELDS.get(noun(type(resource)))
    found: str | None = None if field is None else getattr(resource, field)
    return found


def _key(resource: Entity[Any]) -> tuple[str, str]:
    return noun(type(resource)), identifier(resource)


def mutation(handler: Callable[[S, Mutation, Request], Response]) -> Callable[[S, Request], Response]:
    """Decorate a handler that changes the configuration.

    The request is validated, then executed in one transaction. A repeated request_id returns the stored response without
    calling the handler. A store that is full refuses all but removals. Callers who are limited to owners are refused.
    """
    removes = handler.__name__.startswith(_REMOVERS)

    @functools.wraps(handler)
    def execute(self: S, request: Request) -> Response:
        require_no_owners()
        validate(request, self.allowed_addresses)
        with self.write() as transaction:
            stored: Response | None = find_response(transaction, request)
            if stored is not None:
                return stored
            transaction.require_room(from_reserve=removes)
            current = Mutation(transaction, request)
            response = handler(self, current, request)
            created = current.log(request, response)
            store_response(transaction, request, response, created=created)
        return response

    return execute


def _named_actor(request: Any) -> str | None:
    for field in ("created_by", "updated_by"):
        if field in request.DESCRIPTOR.fields_by_name and request.HasField(field):
            name: str = getattr(request, field)
            return name
    return None

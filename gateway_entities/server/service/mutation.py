"""A change of the configuration: made once, in one transaction with its line in the change log, and told by its revision.

A handler that changes something is marked ``changes``. It gets the Change beside its request, tells it what it is about to
change, and what became of it.
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
    GatewayModelDefinition,
    GatewaySecretInfo,
)
from gateway_entities.entities.base import Entity
from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.methods import METHODS
from gateway_entities.rules import validate
from gateway_entities.server.service.base import Handlers, now_ms
from gateway_entities.server.service.context import CALLER
from gateway_entities.server.store.repositories.change import Effect

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

Resource: TypeAlias = (
    GatewaySecretInfo | GatewayModelDefinition | GatewayEndpoint | GatewayEndpointBinding | GatewayBudgetPolicy
)
"""What has a version of its own."""

H = TypeVar("H", bound=Handlers)
M = TypeVar("M", bound=Message)
Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)

IDEMPOTENCY_WINDOW_MS: Final = 24 * 60 * 60 * 1000
"""How long a request may be repeated, and a list go on that began before a change."""
# Each change forgets this much more than it adds, so that what is old goes as fast as new comes.
_SPARE: Final = 4
_RPCS: Final = {method.request_type: method for method in METHODS}


class _Noun(NamedTuple):
    name: str
    key: tuple[str, ...]


_NOUNS: Final[Mapping[type[Entity[Any]], _Noun]] = {
    GatewaySecretInfo: _Noun("secret", ("secret_id",)),
    GatewayModelDefinition: _Noun("model_definition", ("model_definition_id",)),
    GatewayEndpoint: _Noun("endpoint", ("endpoint_id",)),
    # The first two hold no slash.
    GatewayEndpointBinding: _Noun("binding", ("endpoint_id", "resource_type", "resource_id")),
    GatewayBudgetPolicy: _Noun("budget_policy", ("budget_policy_id",)),
}


def noun(kind: type[Entity[Any]]) -> str:
    """Return what the change log calls a kind of thing."""
    return _NOUNS[kind].name


def identifier(thing: Entity[Any]) -> str:
    """Return what the change log calls a thing."""
    return "/".join(getattr(thing, field) for field in _NOUNS[type(thing)].key)


def etag_of(resource: Message) -> str:
    """Return the etag of the entity that a message describes, without making the entity."""
    return _etag(resource.SerializeToString(deterministic=True))


def _etag(data: bytes) -> str:
    return sha256(data).hexdigest()[:32]


class _State(NamedTuple):
    """A thing as it was, or as it is, at one moment of a change."""

    etag: str
    data: bytes


class Change:
    """One change, while it is made.

    Attributes:
        transaction: the transaction that it is made in.
        now: the time of the change, in milliseconds since the Unix epoch, UTC; later than that of any earlier change of the
            thing that ``begin`` was told of.
        actor: who makes it: the authenticated caller, or else whom the request names; None when nobody is known.
    """

    __slots__ = ("_after", "_before", "_etag", "_own", "actor", "now", "transaction")

    def __init__(self, transaction: Transaction, request: Message) -> None:
        self.transaction = transaction
        self.now = now_ms()
        self.actor = CALLER.get() or _named_actor(request)
        self._etag: str = getattr(request, "etag", "")
        self._own: tuple[str, str] | None = None
        self._before: dict[tuple[str, str], _State] = {}
        self._after: dict[tuple[str, str], _State] = {}

    def begin(self, thing: Resource) -> None:
        """Say that the call is about this thing, before anything of it is changed.

        Raises:
            GatewayError: ABORTED; the request wants an etag that the thing does not have.
        """
        self._own = _key(thing)
        self._keep(thing, self._before)
        etag = self._before[self._own].etag
        if self._etag and self._etag != etag:
            raise GatewayError(
                Code.ABORTED,
                f"The {self._own[0].replace('_', ' ')} '{self._own[1]}' has changed: its etag is {etag}, not {self._etag}. "
                "Read it again, and repeat the change if it is still right.",
                reason="STALE_ETAG",
            )
        # Two changes within a millisecond must differ, or the etag of the first would do for the second.
        self.now = max(self.now, thing.last_updated_at + 1)

    def end(self, thing: Entity[M]) -> M:
        """Say what became of the thing that the call is about, or what it has made; return it as a message."""
        self._own = _key(thing)
        message: M = self._keep(thing, self._after)
        return message

    def affects(self, things: Iterable[Resource]) -> None:
        """Say that other things will change or go too, before anything is changed."""
        for thing in things:
            self._keep(thing, self._before)

    def affected(self, things: Iterable[Resource]) -> None:
        """Say what became of the other things. Those that are not named are gone."""
        for thing in things:
            self._keep(thing, self._after)

    def record(self, request: Message, response: Any) -> None:
        """Add the change to the log, and tell the response of it."""
        assert self._own is not None  # noqa: S101 - every handler names the thing that it is about.
        keys = dict.fromkeys((self._own, *self._before, *self._after))
        effects = [self._effect(key) for key in keys]
        done = [effects[0], *(effect for effect in effects[1:] if effect.etag_before != effect.etag_after)]
        changes = self.transaction.changes
        response.revision = changes.add(_RPCS[type(request)].name, self.actor, self.now, done)
        changes.forget(now_ms() - IDEMPOTENCY_WINDOW_MS, len(done) + _SPARE)
        if effects[0].etag_after is not None:
            response.etag = effects[0].etag_after

    @staticmethod
    def _keep(thing: Entity[Any], where: dict[tuple[str, str], _State]) -> Any:
        message = thing.to_proto()
        data = message.SerializeToString(deterministic=True)
        where[_key(thing)] = _State(_etag(data), data)
        return message

    def _effect(self, key: tuple[str, str]) -> Effect:
        before, after = self._before.get(key), self._after.get(key)
        return Effect(
            *key,
            None if before is None else before.etag,
            None if after is None else after.etag,
            None if before is None else before.data,
        )


def _key(thing: Entity[Any]) -> tuple[str, str]:
    return noun(type(thing)), identifier(thing)


def changes(
    handler: Callable[[H, Change, Request], Response],
) -> Callable[[H, Request], Response]:
    """Mark a handler that changes something.

    The request is checked, and then answered in one transaction: a repeat of a named request with the answer of the first
    time, another one by the handler, which gets the Change.
    """

    @functools.wraps(handler)
    def serve(self: H, request: Request) -> Response:
        validate(request)
        with self.store.write() as transaction:
            earlier: Response | None = _earlier_answer(transaction, request)
            if earlier is not None:
                return earlier
            change = Change(transaction, request)
            response = handler(self, change, request)
            change.record(request, response)
            _keep_answer(transaction, request, response)
        return response

    return serve


def _named_actor(request: Any) -> str | None:
    for field in ("created_by", "updated_by"):
        if field in request.DESCRIPTOR.fields_by_name and request.HasField(field):
            name: str = getattr(request, field)
            return name
    return None


def _earlier_answer(transaction: Transaction, request: Any) -> Any:
    if not request.request_id:
        return None
    answer = transaction.answers.get(request.request_id, _content(request), now_ms() - IDEMPOTENCY_WINDOW_MS)
    if answer is None:
        return None
    if not answer.same:
        raise GatewayError.invalid([FieldViolation("request_id", "was used before, for a request of another content")])
    return _RPCS[type(request)].response_type.FromString(answer.response)


def _keep_answer(transaction: Transaction, request: Any, response: Message) -> None:
    now = now_ms()
    if request.request_id:
        transaction.answers.add(request.request_id, _content(request), response.SerializeToString(), now)
    transaction.answers.forget(now - IDEMPOTENCY_WINDOW_MS, 1 + _SPARE)


def _content(request: Message) -> bytes:
    """Return all that a request says, and who says it."""
    parts = (type(request).__name__, CALLER.get() or "")
    return "\0".join(parts).encode() + b"\0" + request.SerializeToString(deterministic=True)

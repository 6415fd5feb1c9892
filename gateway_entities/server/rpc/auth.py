"""Authentication by the store's tokens or client certificates, and authorization by one table of scopes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway_entities import methods
from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.server.store.repositories.token import AccessScope, Token, id_of, is_text_of
from gateway_entities.server.telemetry.request_context import set_actor

if TYPE_CHECKING:
    from gateway_entities.server.store import Store

REQUIRED_SCOPES: Final[Mapping[Method[Any, Any], AccessScope]] = {
    **dict.fromkeys(
        (
            methods.GET_GATEWAY_SECRET_INFO,
            methods.LIST_GATEWAY_SECRET_INFOS,
            methods.GET_GATEWAY_MODEL_DEFINITION,
            methods.LIST_GATEWAY_MODEL_DEFINITIONS,
            methods.GET_GATEWAY_ENDPOINT,
            methods.LIST_GATEWAY_ENDPOINTS,
            methods.LIST_GATEWAY_ENDPOINT_BINDINGS,
            methods.GET_GATEWAY_BUDGET_POLICY,
            methods.LIST_GATEWAY_BUDGET_POLICIES,
            methods.LIST_GATEWAY_BUDGET_WINDOWS,
            methods.CHECK_GATEWAY_BUDGET,
            # Ids, etags, times and actors, which readers see in the entities too; mirrors need it.
            methods.LIST_GATEWAY_CHANGES,
        ),
        AccessScope.READ,
    ),
    **dict.fromkeys(
        (
            methods.CREATE_GATEWAY_SECRET,
            methods.UPDATE_GATEWAY_SECRET,
            methods.DELETE_GATEWAY_SECRET,
            methods.CREATE_GATEWAY_MODEL_DEFINITION,
            methods.UPDATE_GATEWAY_MODEL_DEFINITION,
            methods.DELETE_GATEWAY_MODEL_DEFINITION,
            methods.CREATE_GATEWAY_ENDPOINT,
            methods.UPDATE_GATEWAY_ENDPOINT,
            methods.DELETE_GATEWAY_ENDPOINT,
            methods.ATTACH_MODEL_TO_GATEWAY_ENDPOINT,
            methods.DETACH_MODEL_FROM_GATEWAY_ENDPOINT,
            methods.SET_GATEWAY_ENDPOINT_TAG,
            methods.DELETE_GATEWAY_ENDPOINT_TAG,
            methods.CREATE_GATEWAY_ENDPOINT_BINDING,
            methods.DELETE_GATEWAY_ENDPOINT_BINDING,
            methods.RECORD_GATEWAY_SPEND,
        ),
        AccessScope.WRITE,
    ),
    **dict.fromkeys(
        (
            methods.CREATE_GATEWAY_BUDGET_POLICY,
            methods.UPDATE_GATEWAY_BUDGET_POLICY,
            methods.DELETE_GATEWAY_BUDGET_POLICY,
        ),
        AccessScope.ADMIN,
    ),
}
"""The scope that a caller needs for each RPC."""

TOKEN_CACHE_TTL_S: Final = 2.0
"""Token cache TTL in seconds: a revoked token is rejected within this time on every server."""
_UNKNOWN_TOKEN_TTL_S: Final = 0.1
"""The same for a token that is not in the cache: a new one is accepted within this time. It bounds the load of guesses."""

_MAX_ACTOR_LENGTH: Final = 255


class Credentials(NamedTuple):
    """The credentials of one request.

    Attributes:
        authorization: the values of the ``authorization`` headers, which hold at most one token.
        certificate_name: the common name of the verified client certificate; ``""`` if it has no usable one, None without a
            certificate.
    """

    authorization: tuple[str, ...] = ()
    certificate_name: str | None = None

    def __repr__(self) -> str:
        return f"<Credentials of {len(self.authorization)} headers, certificate {self.certificate_name!r}>"


AuthenticateFn = Callable[[Credentials, AccessScope], str | None]
"""Returns the name of a caller who has a scope, None for an anonymous one where those are allowed; raises GatewayError."""


def required_scope(method: Method[Any, Any]) -> AccessScope:
    """Return the scope that an RPC needs: ADMIN if the table has no row for it."""
    return REQUIRED_SCOPES.get(method, AccessScope.ADMIN)


def allow_anonymous(credentials: Credentials, scope: AccessScope) -> None:
    """Accept every caller as anonymous: an AuthenticateFn."""


class Principal(NamedTuple):
    """An authenticated caller with the scope that it needs.

    Attributes:
        name: the caller's name; None for an anonymous one.
    """

    name: str | None


class _CachedTokens(NamedTuple):
    tokens: Mapping[str, Token]
    # By the monotonic clock, and by the store's in milliseconds.
    loaded_at: float
    store_time: int

    def age(self) -> float:
        """Return the seconds since they were loaded."""
        return time.monotonic() - self.loaded_at

    def is_past(self, expires_at: int) -> bool:
        """Return whether it is later than a time of the store's clock, which may differ from this machine's."""
        return self.store_time + self.age() * 1000 >= expires_at


class Authenticator:
    """Authenticates callers by the tokens of a store. Safe to use from many threads.

    Tokens are in force once the store has had one, or from the start if they are required. Until then every caller is
    accepted, under the name of its client certificate if it has one.
    """

    def __init__(self, store: Store, *, required: bool) -> None:
        """Create an authenticator.

        Args:
            store: the store with the tokens.
            required: whether callers need a token even while the store has none.
        """
        self._store = store
        self._required = required
        self._cache: _CachedTokens | None = None
        self._loading = threading.Lock()

    def authenticate(self, credentials: Credentials, scope: AccessScope, *, offline: bool = False) -> str | None:
        """Return the name of a caller who has a scope; None for an anonymous caller where those are allowed.

        It may read the store, so it is for worker threads. A caller with a token of the store is set as the actor of the
        current request, even if it is refused.

        Args:
            credentials: the caller's.
            scope: the scope that the request needs.
            offline: use expired cache content while the store cannot be read.

        Raises:
            GatewayError: UNAUTHENTICATED or PERMISSION_DENIED; UNAVAILABLE if the store cannot be read.
        """
        cache = self._load(TOKEN_CACHE_TTL_S, offline=offline)
        token_id = None if self._is_open(cache.tokens) else id_of(_token_text(credentials))
        if token_id is not None and token_id not in cache.tokens:
            cache = self._load(_UNKNOWN_TOKEN_TTL_S, offline=offline)
        return self._decide(cache, credentials, scope)

    def authenticate_from_cache(self, credentials: Credentials, scope: AccessScope) -> Principal | None:
        """Do as ``authenticate`` without reading the store; None if the cached tokens have expired.

        Raises:
            GatewayError: UNAUTHENTICATED or PERMISSION_DENIED.
        """
        cache = self._cache
        if cache is None or cache.age() >= TOKEN_CACHE_TTL_S:
            return None
        return Principal(self._decide(cache, credentials, scope))

    def _is_open(self, tokens: Mapping[str, Token]) -> bool:
        return not tokens and not self._required

    def _decide(self, cache: _CachedTokens, credentials: Credentials, scope: AccessScope) -> str | None:
        if self._is_open(cache.tokens):
            name = _certified(credentials)
            set_actor(name)
            return name
        text = _token_text(credentials)
        candidate = cache.tokens.get(id_of(text) or "")
        token = candidate if is_text_of(text, candidate) else None
        if token is not None:
            # Before any error: the log names who tried.
            set_actor(token.name)
        if token is None or token.revoked_at is not None:
            raise GatewayError(Code.UNAUTHENTICATED, "the token is not valid", reason="TOKEN_INVALID")
        if token.expires_at is not None and cache.is_past(token.expires_at):
            raise GatewayError(Code.UNAUTHENTICATED, f"the token of {token.name!r} has expired", reason="TOKEN_EXPIRED")
        if token.scope < scope:
            raise GatewayError(
                Code.PERMISSION_DENIED,
                f"this call needs a token of scope {scope.name.lower()}; that of {token.name!r} has "
                f"{token.scope.name.lower()}",
                reason="SCOPE_TOO_SMALL",
            )
        return token.name

    def _load(self, ttl: float, *, offline: bool) -> _CachedTokens:
        cache = self._cache
        if cache is not None and cache.age() < ttl:
            return cache
        with self._loading:
            # Another thread may have loaded them meanwhile.
            cache = self._cache
            if cache is None or cache.age() >= ttl:
                loaded_at = time.monotonic()
                try:
                    with self._store.read() as transaction:
                        tokens, now = transaction.tokens.list(), transaction.now
                except GatewayError:
                    if cache is None or not offline:
                        raise
                    return cache
                cache = self._cache = _CachedTokens({token.token_id: token for token in tokens}, loaded_at, now)
        return cache


def certificate_name(common_names: Iterable[str]) -> str:
    """Return the first of a certificate's common names; ``""`` if it has none, or one that is not printable or too long."""
    name = next(iter(common_names), "")
    return name if len(name) <= _MAX_ACTOR_LENGTH and name.isprintable() else ""


def _certified(credentials: Credentials) -> str | None:
    if credentials.certificate_name == "":
        raise GatewayError(
            Code.UNAUTHENTICATED,
            f"the client certificate needs a common name of 1 to {_MAX_ACTOR_LENGTH} printable characters",
            reason="CERTIFICATE_NAME",
        )
    return credentials.certificate_name


def _token_text(credentials: Credentials) -> str:
    scheme, _, text = credentials.authorization[0].partition(" ") if len(credentials.authorization) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        raise GatewayError(
            Code.UNAUTHENTICATED,
            "this server requires a token, in one header: Authorization: Bearer TOKEN",
            reason="TOKEN_MISSING",
        )
    return text.strip()

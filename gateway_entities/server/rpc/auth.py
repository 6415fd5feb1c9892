"""Authentication by the store's tokens or client certificates, and authorization by one table of scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway_entities import methods
from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, Limits
from gateway_entities.server.rpc.token_cache import CachedToken, TokenCache
from gateway_entities.server.store.repositories.token import AccessScope, id_of, is_text_of, scope_names
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
            methods.LIST_GATEWAY_BUDGET_BALANCES,
            methods.LIST_GATEWAY_SPEND,
            methods.GET_GATEWAY_GUARDRAIL,
            methods.LIST_GATEWAY_GUARDRAILS,
            methods.LIST_ENDPOINT_GUARDRAIL_CONFIGS,
            # Ids, etags, times and actors, which readers see in the entities too; mirrors need it.
            methods.LIST_GATEWAY_CHANGES,
            methods.WATCH_GATEWAY,
            methods.EXPORT_GATEWAY_CONFIGURATION,
            # The service wants WRITE for secret values.
            methods.PLAN_GATEWAY_CONFIGURATION,
            methods.LIST_GATEWAY_NODES,
            methods.WAIT_FOR_GATEWAY_CONVERGENCE,
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
            # The service wants ADMIN for budget policies.
            methods.APPLY_GATEWAY_CONFIGURATION,
            methods.ROLLBACK_GATEWAY_CONFIGURATION,
            methods.ADD_GUARDRAIL_TO_ENDPOINT,
            methods.REMOVE_GUARDRAIL_FROM_ENDPOINT,
            methods.UPDATE_ENDPOINT_GUARDRAIL_CONFIG,
        ),
        AccessScope.WRITE,
    ),
    **dict.fromkeys(
        (
            methods.RECORD_GATEWAY_SPEND,
            methods.RESERVE_GATEWAY_SPEND,
            methods.COMMIT_GATEWAY_SPEND,
            methods.RELEASE_GATEWAY_SPEND,
            methods.EXTEND_GATEWAY_SPEND,
        ),
        AccessScope.WRITE | AccessScope.SPEND,
    ),
    methods.CHECK_GATEWAY_BUDGET: AccessScope.READ | AccessScope.SPEND,
    methods.RESOLVE_GATEWAY_ENDPOINT: AccessScope.RESOLVE,
    **dict.fromkeys(
        (methods.ACKNOWLEDGE_GATEWAY_REVISION, methods.REFUSE_GATEWAY_REVISION),
        AccessScope.NODE,
    ),
    **dict.fromkeys(
        (
            methods.CREATE_GATEWAY_BUDGET_POLICY,
            methods.UPDATE_GATEWAY_BUDGET_POLICY,
            methods.DELETE_GATEWAY_BUDGET_POLICY,
            methods.CREATE_GATEWAY_GUARDRAIL,
            methods.DELETE_GATEWAY_GUARDRAIL,
            methods.LIST_GATEWAY_SECRET_ACCESSES,
            methods.ADJUST_GATEWAY_SPEND,
        ),
        AccessScope.ADMIN,
    ),
}
"""The scopes of which a caller needs one, for each RPC."""

_TOKEN_SCOPES: Final = AccessScope.RESOLVE | AccessScope.NODE
"""Scopes that no caller has without a token, also where no tokens are required."""

TOKEN_CACHE_TTL_S: Final = 1.5
"""Token cache TTL in seconds: a revoked token is rejected within this time on every server."""

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


class Principal(NamedTuple):
    """An authenticated caller with a scope that it needs.

    Attributes:
        name: the caller's name; None for an anonymous one.
        endpoints: the names of the endpoints that it may resolve and spend on; None for all.
        scope: its scopes; None for a caller without a token, who has all that need none.
        owners: the owners whose configurations alone it may apply, changing nothing else; None for no such limit.
    """

    name: str | None
    endpoints: frozenset[str] | None = None
    scope: AccessScope | None = None
    owners: frozenset[str] | None = None


ANONYMOUS: Final = Principal(None)

AuthenticateFn = Callable[[Credentials, AccessScope], Principal]
"""Returns a caller who has one of some scopes, ANONYMOUS where that is allowed; raises GatewayError."""


def required_scope(method: Method[Any, Any]) -> AccessScope:
    """Return the scopes of which an RPC needs one: ADMIN if the table has no row for it."""
    return REQUIRED_SCOPES.get(method, AccessScope.ADMIN)


def allow_anonymous(credentials: Credentials, scope: AccessScope) -> Principal:  # noqa: ARG001 - an AuthenticateFn.
    """Accept every caller as anonymous: an AuthenticateFn."""
    return ANONYMOUS


class Authenticator:
    """Authenticates callers by the tokens of a store. Safe to use from many threads.

    Tokens are in force once the store has had one, or from the start if they are required. Until then every caller is
    accepted, under the name of its client certificate if it has one.
    """

    def __init__(self, store: Store, *, required: bool, limits: Limits = DEFAULT_LIMITS) -> None:
        """Create an authenticator.

        Args:
            store: the store with the tokens.
            required: whether callers need a token even while the store has none.
            limits: the number of tokens in memory, and the rate of look-ups.
        """
        self._required = required
        self._tokens = TokenCache(store, limits)

    def authenticate(self, credentials: Credentials, scope: AccessScope, *, offline: bool = False) -> Principal:
        """Return a caller who has one of some scopes; one without a token where those are allowed.

        It may read the store, so it is for worker threads. A caller with a token of the store is set as the actor of the
        current request, even if it is refused.

        Args:
            credentials: the caller's.
            scope: the scopes of which the request needs one.
            offline: use expired cache content while the store cannot be read.

        Raises:
            GatewayError: UNAUTHENTICATED or PERMISSION_DENIED; FAILED_PRECONDITION if the request needs a token and the
                store has none; UNAVAILABLE if the store cannot be read, or if it would have to be read for too many made-up
                tokens.
        """
        # The caller may have just got the store's first token, for which nothing is open that a cache could show.
        max_age = 0.0 if _needs_token(scope) else TOKEN_CACHE_TTL_S
        if not self._required and self._tokens.is_open(max_age, offline=offline):
            return _without_token(credentials, scope)
        text = _token_text(credentials)
        token_id = id_of(text)
        found = None if token_id is None else self._tokens.get(token_id, TOKEN_CACHE_TTL_S, offline=offline)
        return _owner(text, found, scope)

    def authenticate_from_cache(self, credentials: Credentials, scope: AccessScope) -> Principal | None:
        """Do as ``authenticate`` without reading the store; None if what it needs is not in the cache.

        Raises:
            GatewayError: UNAUTHENTICATED or PERMISSION_DENIED.
        """
        is_open = False if self._required else self._tokens.is_cached_open(TOKEN_CACHE_TTL_S)
        if is_open is None or (is_open and _needs_token(scope)):
            return None
        if is_open:
            return _without_token(credentials, scope)
        text = _token_text(credentials)
        token_id = id_of(text)
        cached = None if token_id is None else self._tokens.get_cached(token_id, TOKEN_CACHE_TTL_S)
        if token_id is not None and cached is None:
            return None
        return _owner(text, cached, scope)


def certificate_name(common_names: Iterable[str]) -> str:
    """Return the first of a certificate's common names; ``""`` if it has none, or one that is not printable or too long."""
    name = next(iter(common_names), "")
    return name if len(name) <= _MAX_ACTOR_LENGTH and name.isprintable() else ""


def _owner(text: str, found: CachedToken | None, scope: AccessScope) -> Principal:
    """Return a token's owner, if the text is the token's and the token is valid and has one of the scopes."""
    candidate = None if found is None else found.token
    token = candidate if is_text_of(text, candidate) else None
    if token is not None:
        # Before any error: the log names who tried.
        set_actor(token.name)
    if found is None or token is None or token.revoked_at is not None:
        raise GatewayError(Code.UNAUTHENTICATED, "the token is not valid", reason="TOKEN_INVALID")
    if token.expires_at is not None and found.is_past(token.expires_at):
        raise GatewayError(Code.UNAUTHENTICATED, f"the token of {token.name!r} has expired", reason="TOKEN_EXPIRED")
    if not token.scope & scope:
        needed, own = " or ".join(scope_names(scope)), ", ".join(scope_names(token.scope))
        raise GatewayError(
            Code.PERMISSION_DENIED,
            f"this call needs a token of scope {needed}; that of {token.name!r} has {own}",
            reason="SCOPE_TOO_SMALL",
        )
    return Principal(token.name, token.endpoints, token.scope, token.owners)


def _needs_token(scope: AccessScope) -> bool:
    return scope & _TOKEN_SCOPES == scope


def _without_token(credentials: Credentials, scope: AccessScope) -> Principal:
    if _needs_token(scope):
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"this call needs a token of scope {' or '.join(scope_names(scope))}, and the store has none. Create one: "
            "gateway-entities token create NAME --gateway (afterwards every call needs a token)",
            reason="TOKEN_REQUIRED",
        )
    return Principal(_certified(credentials))


def _certified(credentials: Credentials) -> str | None:
    set_actor(credentials.certificate_name or None)
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

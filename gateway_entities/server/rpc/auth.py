"""Who may call what: one table, and the tokens of the store held against it."""

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
            # It tells ids, etags, times and actors, which readers see in the entities too; whoever keeps a copy follows it.
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
"""What a caller needs for each RPC."""

TOKEN_CACHE_TTL_S: Final = 2.0
"""How long the tokens are known without a look at the store: so soon a revoked one is refused, on every server."""
_FRESH_FOR_UNKNOWN_SECONDS: Final = 0.1
"""The same for a token that is not among them: so soon a new one is taken. It bounds what guesses cost the store."""

_LONGEST_ACTOR: Final = 255


class Credentials(NamedTuple):
    """What a caller shows of who it is.

    Attributes:
        authorization: the values of its ``authorization`` headers, which hold at most one token.
        certificate_name: the common name in its client certificate, which TLS has verified; ``""`` when that names nobody,
            None for no certificate.
    """

    authorization: tuple[str, ...] = ()
    certificate_name: str | None = None

    def __repr__(self) -> str:
        return f"<Credentials of {len(self.authorization)} headers, certificate {self.certificate_name!r}>"


AuthenticateFn = Callable[[Credentials, AccessScope], str | None]
"""Returns the name of a caller who may do what takes a scope, None when nobody has to say who it is; or raises."""


def needed_for(method: Method[Any, Any]) -> AccessScope:
    """Return what a caller needs for an RPC: the most, when the table does not say."""
    return REQUIRED_SCOPES.get(method, AccessScope.ADMIN)


def allow_anonymous(credentials: Credentials, needed: AccessScope) -> None:
    """AuthenticateFn every caller, as nobody."""


class Principal(NamedTuple):
    """A caller who may do what it wants to.

    Attributes:
        name: the caller's name; None when nobody has to say who it is.
    """

    name: str | None


class _Known(NamedTuple):
    tokens: Mapping[str, Token]
    at: float


class Authenticator:
    """Admits callers by the tokens of a store. Safe to use from many threads.

    Tokens are in force once the store has had one, or from the start when they are required. Until then everybody is
    admitted, under the name of the client certificate if there is one.
    """

    def __init__(self, store: Store, *, required: bool) -> None:
        """Take the store, and whether callers need a token even when it has none."""
        self._store = store
        self._required = required
        self._known: _Known | None = None
        self._loading = threading.Lock()

    def admit(self, credentials: Credentials, needed: AccessScope, *, offline: bool = False) -> str | None:
        """Return the name of a caller who may do what takes this scope; None when nobody has to say who it is.

        It may read the store, so it is for worker threads. Whoever has shown who it is, is noted as the actor of the request
        that is being answered, admitted or not.

        Args:
            credentials: what the caller shows.
            needed: the scope.
            offline: while the store cannot be read, take the tokens that were last known.

        Raises:
            GatewayError: UNAUTHENTICATED or PERMISSION_DENIED; UNAVAILABLE when the store cannot be read.
        """
        tokens = self._tokens(TOKEN_CACHE_TTL_S, offline=offline)
        token_id = None if self._is_open(tokens) else id_of(_token_text(credentials))
        if token_id is not None and token_id not in tokens:
            tokens = self._tokens(_FRESH_FOR_UNKNOWN_SECONDS, offline=offline)
        return self._decide(tokens, credentials, needed)

    def admit_at_once(self, credentials: Credentials, needed: AccessScope) -> Principal | None:
        """Do as ``admit`` without reading the store; None when only the store can tell.

        Raises:
            GatewayError: UNAUTHENTICATED or PERMISSION_DENIED.
        """
        known = self._known
        if known is None or time.monotonic() - known.at >= TOKEN_CACHE_TTL_S:
            return None
        return Principal(self._decide(known.tokens, credentials, needed))

    def _is_open(self, tokens: Mapping[str, Token]) -> bool:
        return not tokens and not self._required

    def _decide(self, tokens: Mapping[str, Token], credentials: Credentials, needed: AccessScope) -> str | None:
        if self._is_open(tokens):
            name = _certified(credentials)
            set_actor(name)
            return name
        text = _token_text(credentials)
        found = tokens.get(id_of(text) or "")
        token = found if is_text_of(text, found) else None
        if token is not None:
            # Before any refusal: whoever runs the server wants to see who tries.
            set_actor(token.name)
        if token is None or token.revoked_at is not None:
            raise GatewayError(Code.UNAUTHENTICATED, "the token is not valid", reason="TOKEN_INVALID")
        if token.expires_at is not None and time.time_ns() // 1_000_000 >= token.expires_at:
            raise GatewayError(Code.UNAUTHENTICATED, f"the token of {token.name!r} has expired", reason="TOKEN_EXPIRED")
        if token.scope < needed:
            raise GatewayError(
                Code.PERMISSION_DENIED,
                f"this takes a token of scope {needed.name.lower()}; that of {token.name!r} has {token.scope.name.lower()}",
                reason="SCOPE_TOO_SMALL",
            )
        return token.name

    def _tokens(self, fresh: float, *, offline: bool) -> Mapping[str, Token]:
        known = self._known
        if known is not None and time.monotonic() - known.at < fresh:
            return known.tokens
        with self._loading:
            # Another thread may have been here meanwhile.
            known = self._known
            if known is None or time.monotonic() - known.at >= fresh:
                at = time.monotonic()
                try:
                    with self._store.read() as transaction:
                        found = transaction.tokens.list()
                except GatewayError:
                    if known is None or not offline:
                        raise
                    return known.tokens
                known = self._known = _Known({token.token_id: token for token in found}, at)
        return known.tokens


def certificate_name(common_names: Iterable[str]) -> str:
    """Return the name of whoever has a certificate of these common names: the first, unless it is no name for an actor."""
    name = next(iter(common_names), "")
    return name if len(name) <= _LONGEST_ACTOR and name.isprintable() else ""


def _certified(credentials: Credentials) -> str | None:
    if credentials.certificate_name == "":
        raise GatewayError(
            Code.UNAUTHENTICATED,
            f"the client certificate names nobody: it needs a common name of 1 to {_LONGEST_ACTOR} printable characters",
            reason="CERTIFICATE_NAME",
        )
    return credentials.certificate_name


def _token_text(credentials: Credentials) -> str:
    scheme, _, text = credentials.authorization[0].partition(" ") if len(credentials.authorization) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        raise GatewayError(
            Code.UNAUTHENTICATED,
            "this server wants a token, as one header: Authorization: Bearer TOKEN",
            reason="TOKEN_MISSING",
        )
    return text.strip()

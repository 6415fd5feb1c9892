"""Resolved endpoints of a mirror, without I/O: which are known, which to resolve when, and what follows a response.

The values are in memory only. A resolved endpoint stays valid while its models use the same secrets: another weight or tag
comes from the mirror's state. When a secret gets another value, or the endpoint another model, the former resolved endpoint
is served until the next one is there. So it is, with its new name, when the endpoint is renamed: a token may be limited to
names, and the server alone knows.
"""

from __future__ import annotations

import copy
import logging
import math
import random
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Final, NamedTuple

from gateway_entities.client import EntityList
from gateway_entities.entities import (
    GatewayEndpoint,
    GatewayEndpointModelMapping,
    ResolvedGatewayEndpoint,
    ResolvedGatewayModel,
)
from gateway_entities.errors import Code, GatewayError
from gateway_entities.mirror.core import MirrorUpdate
from gateway_entities.mirror.state import MirrorState

CALL_TIMEOUT_S: Final = 10.0
"""Seconds for one call that resolves, retries included."""
_MAX_BATCH: Final = 100
"""Maximum number of endpoints in one call, which is the server's."""
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0
"""The pause after a failed call doubles from the first to the longest; each is from half of it to the whole, at random."""
_GONE: Final = frozenset({Code.NOT_FOUND, Code.FAILED_PRECONDITION})
"""Answers after which a value is no longer served."""

_log = logging.getLogger(__name__)

_Use = tuple[str, str, str, str, str]
"""Model definition, provider, model name, secret and its etag: what a value was resolved for."""


class _Entry(NamedTuple):
    """A resolved endpoint.

    Attributes:
        resolved: the endpoint, as of the mirror's state.
        revision: the revision that it was resolved at.
        name: its name there.
        uses: the ids of the secrets and definitions that it uses.
    """

    resolved: ResolvedGatewayEndpoint
    revision: int
    name: str | None
    uses: frozenset[str]


class Resolutions:
    """The resolved endpoints of one mirror. Threads may share it.

    Args:
        state: returns the mirror's current state.
        jitter: seconds within which the mirrors of one server resolve again, each at a random moment.
        wake: called when ``take`` may have something earlier than it said.
    """

    def __init__(self, state: Callable[[], MirrorState], jitter: float, wake: Callable[[], None]) -> None:
        self._state = state
        self._jitter = jitter
        self._wake = wake
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        # When to resolve an endpoint, by time.monotonic.
        self._due: dict[str, float] = {}
        # When to resolve those that have changed.
        self._planned = -math.inf
        self._failures: dict[str, int] = {}
        self._waiting: dict[str, Future[ResolvedGatewayEndpoint]] = {}
        self._store_id: str | None = None
        self._revision = 0
        self._is_closed = False

    def get(self, names: Iterable[str]) -> list[ResolvedGatewayEndpoint | Future[ResolvedGatewayEndpoint]]:
        """Return the resolved endpoint of each name, or the future one. All who wait for an endpoint share one call.

        Raises:
            GatewayError: NOT_FOUND (the mirror's state has no such endpoint) or CANCELLED (the mirror is closed).
        """
        # One state for all names. Without the lock: it is on the path of each request of a gateway.
        state = self._state()
        if state.store_id is None and self._is_closed:
            raise _closed()
        ids = [_id_of(name, state) for name in names]
        entries = list(map(self._entries.get, ids))
        if None not in entries:
            return [entry.resolved for entry in entries if entry is not None]
        with self._lock:
            if self._is_closed:
                raise _closed()
            found = list(map(self._find, ids))
        self._wake()
        return found

    def _find(self, endpoint_id: str) -> ResolvedGatewayEndpoint | Future[ResolvedGatewayEndpoint]:
        entry = self._entries.get(endpoint_id)
        if entry is not None:
            return entry.resolved
        waiting = self._waiting.get(endpoint_id)
        if waiting is None:
            waiting = self._waiting[endpoint_id] = Future()
            self._due[endpoint_id] = -math.inf
        return waiting

    def take(self, now: float) -> tuple[Sequence[str], float | None]:
        """Return the ids of endpoints to resolve now, in one call; and the seconds until there are more, None for none yet.

        Args:
            now: the time, of time.monotonic.
        """
        with self._lock:
            ids = sorted((each for each, due in self._due.items() if due <= now), key=self._due.__getitem__)[:_MAX_BATCH]
            for each in ids:
                del self._due[each]
            earliest = min(self._due.values(), default=None)
        return ids, None if earliest is None else max(0.0, earliest - now)

    def resolved(self, ids: Sequence[str], found: EntityList[ResolvedGatewayEndpoint], now: float) -> None:
        """Note the response of a call.

        Raises:
            GatewayError: INTERNAL; it has other endpoints.
        """
        if [each.endpoint.endpoint_id for each in found] != list(ids):
            raise GatewayError(
                Code.INTERNAL, "the server's response has other endpoints than the request", reason="BAD_ANSWER"
            )
        revision = found.revision or 0
        ready: list[tuple[Future[ResolvedGatewayEndpoint], ResolvedGatewayEndpoint]] = []
        with self._lock:
            if self._is_closed:
                return
            for endpoint_id, resolved in zip(ids, found, strict=True):
                self._failures.pop(endpoint_id, None)
                self._entries[endpoint_id] = _Entry(resolved, revision, resolved.endpoint.name, _uses(resolved))
                self._review(endpoint_id, self._state(), now)
                waiting = self._waiting.pop(endpoint_id, None)
                if waiting is not None:
                    entry = self._entries.get(endpoint_id)
                    ready.append((waiting, resolved if entry is None else entry.resolved))
        for waiting, resolved in ready:
            waiting.set_result(resolved)

    def failed(self, ids: Sequence[str], error: GatewayError, now: float) -> list[Sequence[str]]:
        """Note that a call has failed; return the parts to try separately: one endpoint may have failed the others."""
        if self._is_closed:
            return []
        if len(ids) > 1 and (error.code in _GONE or error.reason == "TOO_MANY_ENDPOINTS"):
            middle = len(ids) // 2
            return [ids[:middle], ids[middle:]]
        _log.warning("the mirror cannot resolve %d endpoints, such as %s: %s", len(ids), ids[0], error.message)
        waiting: list[Future[ResolvedGatewayEndpoint]] = []
        with self._lock:
            for endpoint_id in ids:
                if endpoint_id in self._waiting:
                    waiting.append(self._waiting.pop(endpoint_id))
                if error.code in _GONE:
                    self._forget(endpoint_id)
                elif endpoint_id in self._entries:
                    count = self._failures[endpoint_id] = self._failures.get(endpoint_id, 0) + 1
                    pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(count - 1, 16))
                    self._due[endpoint_id] = now + pause * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret.
        for each in waiting:
            each.set_exception(error)
        return []

    def update(self, update: MirrorUpdate, now: float) -> None:
        """Review what an update of the mirror has changed."""
        changed = {event.id for event in update.events}
        with self._lock:
            if self._store_id not in {None, update.state.store_id} or update.state.revision < self._revision:
                # Revisions of another store, or of one that was set back to a copy, cannot be compared.
                self._entries = {each: entry._replace(revision=0) for each, entry in self._entries.items()}
                changed.update(self._entries)
            self._store_id, self._revision = update.state.store_id, update.state.revision
            # A response may have been newer than the mirror, so that it is reviewed when the mirror has come there.
            touched = [
                each for each, entry in self._entries.items() if each in changed or not entry.uses.isdisjoint(changed)
            ]
            for endpoint_id in touched:
                self._review(endpoint_id, update.state, now)
            wakes = bool(self._due)
        if wakes:
            self._wake()

    def close(self) -> None:
        """Forget all values. Who waits gets CANCELLED."""
        with self._lock:
            self._is_closed = True
            self._entries.clear()
            self._due.clear()
            waiting = list(self._waiting.values())
            self._waiting.clear()
        for each in waiting:
            each.set_exception(_closed())
        self._wake()

    def _review(self, endpoint_id: str, state: MirrorState, now: float) -> None:
        """Compare a resolved endpoint with the mirror's state: take what it can from that, or resolve again."""
        entry = self._entries[endpoint_id]
        if state.revision < entry.revision:
            return
        endpoint = state.endpoints.get(endpoint_id)
        if endpoint is None:
            self._forget(endpoint_id)
            return
        models = _models(endpoint, entry.resolved, state)
        if models is None or endpoint.name != entry.name:
            self._plan(endpoint_id, now)
        else:
            self._due.pop(endpoint_id, None)
            self._failures.pop(endpoint_id, None)
        if models is not None and (models != entry.resolved.models or endpoint != entry.resolved.endpoint):
            resolved = ResolvedGatewayEndpoint(endpoint, models)
            self._entries[endpoint_id] = entry._replace(resolved=resolved, uses=_uses(resolved))

    def _plan(self, endpoint_id: str, now: float) -> None:
        """Have an endpoint resolved again."""
        if endpoint_id in self._due:
            return
        # A rotation may concern many endpoints of this mirror, which it resolves in one call, and many mirrors, which spread
        # their calls.
        if self._planned <= now:
            self._planned = now + random.uniform(0, self._jitter)  # noqa: S311 - not a secret.
        self._due[endpoint_id] = self._planned

    def _forget(self, endpoint_id: str) -> None:
        for each in (self._entries, self._due, self._failures):
            each.pop(endpoint_id, None)


def _id_of(name: str, state: MirrorState) -> str:
    endpoint_id = state.endpoint_ids.get(name)
    if endpoint_id is None:
        raise GatewayError(Code.NOT_FOUND, f"the mirror has no endpoint {name!r} at revision {state.revision}")
    return endpoint_id


def _uses(resolved: ResolvedGatewayEndpoint) -> frozenset[str]:
    return frozenset(each for model in resolved.models for each in (model.secret_id, model.model_definition_id))


def _models(
    endpoint: GatewayEndpoint, resolved: ResolvedGatewayEndpoint, state: MirrorState
) -> list[ResolvedGatewayModel] | None:
    """Return the resolved models of an endpoint as it is now; None if one needs a value that is not there."""
    known: dict[_Use | None, ResolvedGatewayModel] = {_known_use(model): model for model in resolved.models}
    etags: dict[str, str] = {}
    found: list[ResolvedGatewayModel] = []
    for mapping in endpoint.model_mappings:
        model = known.get(_use(mapping, state, etags))
        if model is None:
            return None
        if model.mapping_id != mapping.mapping_id:
            model = copy.copy(model)
            model.mapping_id = mapping.mapping_id
        found.append(model)
    return found


def _known_use(model: ResolvedGatewayModel) -> _Use:
    return model.model_definition_id, model.provider, model.model_name, model.secret_id, model.secret_etag


def _use(mapping: GatewayEndpointModelMapping, state: MirrorState, etags: dict[str, str]) -> _Use | None:
    definition = state.model_definitions.get(mapping.model_definition_id)
    secret = None if definition is None or definition.secret_id is None else state.secrets.get(definition.secret_id)
    if definition is None or secret is None:
        return None
    etag = etags.get(secret.secret_id) or etags.setdefault(secret.secret_id, secret.etag())
    return definition.model_definition_id, definition.provider, definition.model_name, secret.secret_id, etag


def _closed() -> GatewayError:
    return GatewayError(Code.CANCELLED, "the mirror is closed", reason="MIRROR_CLOSED")

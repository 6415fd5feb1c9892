"""Reads updates from the store, each in one read transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway_entities.entities.base import Entity
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.service.writes.mutation import identifier
from gateway_entities.server.watch import resume_token
from gateway_entities.server.watch.update import Update, UpdateEncoder

if TYPE_CHECKING:
    from gateway_entities.server.store import Store, Transaction
    from gateway_entities.server.store.repositories.state import State

_PAGE: Final = 500
"""Resources in memory at a time, before they are encoded."""
_FEW: Final = 32
"""Number of resources of a kind up to which they are read one by one."""
NOTHING: Final = -1
"""The revision of a watcher that has none."""


class _Kind(NamedTuple):
    """How the resources of a noun are read.

    Attributes:
        get: returns the resource with an id; None if it does not exist.
        list: the ``list`` of their repository.
        key: returns a resource's sort key.
    """

    get: Callable[[str], Entity[Any] | None]
    list: Callable[..., Sequence[Entity[Any]]]
    key: Callable[[Any], tuple[Any, ...]]


def read_state(store: Store) -> State:
    """Return the state of the store.

    Raises:
        GatewayError: UNAVAILABLE; it cannot be read.
    """
    with store.read() as transaction:
        return transaction.state.get()


def read_update(store: Store, store_id: str | None, since: int, alert_id: int = 0) -> Update | None:
    """Return what was written after a revision, as it is now, or all resources; None if nothing was written.

    Args:
        store: the store.
        store_id: the id that the store must have; None for any.
        since: the revision; NOTHING for all resources.
        alert_id: the last alert that watchers have had before.

    Raises:
        GatewayError: OUT_OF_RANGE (the store has another id, or has never had the revision, reason STORE_CHANGED; or the log
            does not have all changes after it, reason REVISION_COMPACTED) or UNAVAILABLE (it cannot be read).
    """
    with store.read() as transaction:
        state = transaction.state.get()
        if store_id is not None:
            resume_token.check_state(store_id, since, state)
        if since == state.last_revision:
            return None
        encoder = UpdateEncoder(state.store_id, since, state.last_revision)
        kinds = _kinds(transaction)
        if since == NOTHING:
            for kind in kinds.values():
                for resource in _pages(kind, None):
                    encoder.write(resource)
        else:
            if (oldest := transaction.changes.oldest()) > since + 1:
                raise _compacted(since, oldest)
            for name, group in groupby(sorted(transaction.changes.written(since)), key=lambda key: key[0]):
                _encode(encoder, name, kinds[name], [each for _, each in group], since)
        return encoder.finish(resume_token.create(store, state.store_id, state.last_revision, alert_id))


def _encode(encoder: UpdateEncoder, noun: str, kind: _Kind, ids: Sequence[str], since: int) -> None:
    missing = dict.fromkeys(ids)
    for resource in map(kind.get, ids) if len(ids) <= _FEW else _pages(kind, since):
        if resource is not None:
            missing.pop(identifier(resource), None)
            encoder.write(resource)
    for each in missing:
        encoder.remove(noun, each)


def _pages(kind: _Kind, written_since: int | None) -> Iterator[Entity[Any]]:
    after: tuple[Any, ...] | None = None
    while page := kind.list(written_since=written_since, after=after, limit=_PAGE):
        yield from page
        after = kind.key(page[-1])


def _kinds(transaction: Transaction) -> dict[str, _Kind]:
    """Return the kinds by noun. What others refer to comes first."""

    def binding(joined: str) -> Entity[Any] | None:
        return transaction.bindings.get(*joined.split("/", 2))

    def guardrail_config(joined: str) -> Entity[Any] | None:
        return transaction.guardrail_configs.get(*joined.split("/", 1))

    kinds: dict[str, tuple[Callable[[str], Entity[Any] | None], Callable[..., Sequence[Entity[Any]]], tuple[str, ...]]] = {
        "secret": (transaction.secrets.get, transaction.secrets.list, ("secret_id",)),
        "model_definition": (
            transaction.model_definitions.get,
            transaction.model_definitions.list,
            ("model_definition_id",),
        ),
        "endpoint": (transaction.endpoints.get, transaction.endpoints.list, ("endpoint_id",)),
        "binding": (binding, transaction.bindings.list, ("endpoint_id", "resource_type", "resource_id")),
        "budget_policy": (transaction.budget_policies.get, transaction.budget_policies.list, ("budget_policy_id",)),
        "guardrail": (transaction.guardrails.get, transaction.guardrails.list, ("guardrail_id",)),
        "guardrail_config": (
            guardrail_config,
            transaction.guardrail_configs.list,
            ("endpoint_id", "guardrail_id"),
        ),
    }
    # Their lists are in order of creation.
    return {noun: _Kind(get, pages, attrgetter("created_at", *ids)) for noun, (get, pages, ids) in kinds.items()}


def _compacted(since: int, oldest: int) -> GatewayError:
    return GatewayError(
        Code.OUT_OF_RANGE,
        f"The change log starts at revision {oldest}, and a change after revision {since} has been deleted; watch again "
        "without a resume_token",
        reason="REVISION_COMPACTED",
    )

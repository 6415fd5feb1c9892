"""What the services of all nouns share: the store, new ids, optional fields and filling of lists."""

# pyright: reportPrivateUsage=false
# Entity._write writes into a message of the response.

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, TypeVar

from gateway_entities.rules import NONE_ALLOWED, AllowedAddresses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
    from google.protobuf.message import Message

    from gateway_entities.entities.base import Entity
    from gateway_entities.server.store import Store

M = TypeVar("M", bound="Message")


class BaseService:
    """Base of the services. Stateless, therefore thread-safe.

    Attributes:
        store: the store.
        allowed_addresses: hosts of providers that need neither https nor a public address.
    """

    def __init__(self, store: Store, allowed_addresses: AllowedAddresses = NONE_ALLOWED) -> None:
        self.store = store
        self.allowed_addresses = allowed_addresses


def new_id(prefix: str) -> str:
    """Return a random id: the prefix, a hyphen and 32 hexadecimal digits."""
    return f"{prefix}-{uuid.uuid4().hex}"


def add_all(messages: RepeatedCompositeFieldContainer[M], entities: Iterable[Entity[M]]) -> None:
    """Append entities to a repeated field in place, which saves the copy of ``to_proto`` and ``append``.

    Raises:
        WireError: as in ``to_proto``.
    """
    for entity in entities:
        try:
            entity._write(messages.add())
        except Exception:
            # to_proto reports the invalid field.
            entity.to_proto()
            raise


def text_or_none(message: Message, field: str) -> str | None:
    """Return the value of a string field, None if it is absent."""
    return getattr(message, field) if message.HasField(field) else None


def positive_zero(amount: float) -> float:
    """Return a non-negative amount with -0.0 as 0.0, because SQLite and PostgreSQL store -0.0 differently."""
    return amount + 0.0

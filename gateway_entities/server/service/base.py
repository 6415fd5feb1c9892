"""What the services of all nouns share: the store, new ids, optional fields and filling of lists."""

# pyright: reportPrivateUsage=false
# Entity._write writes into a message of the response.

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from gateway_entities.entities import parts
from gateway_entities.rules import NONE_ALLOWED, AllowedAddresses
from gateway_entities.server.service.context import check_call

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
    from google.protobuf.message import Message

    from gateway_entities.entities.base import Entity
    from gateway_entities.server.store import Store, Transaction

M = TypeVar("M", bound="Message")


class BaseService:
    """Base of the services. Thread-safe.

    Attributes:
        store: the store.
        allowed_addresses: hosts of providers that need neither https nor a public address.
    """

    def __init__(self, store: Store, allowed_addresses: AllowedAddresses = NONE_ALLOWED) -> None:
        self.store = store
        self.allowed_addresses = allowed_addresses

    @contextmanager
    def read(self) -> Generator[Transaction]:
        """Open a read-only transaction, as ``Store.read``, for as long as the caller waits.

        Raises:
            GatewayError: as of ``Store.read``, and DEADLINE_EXCEEDED or CANCELLED.
        """
        with self.store.read() as transaction:
            # It may have waited for others.
            check_call()
            yield transaction
        check_call()

    @contextmanager
    def write(self) -> Generator[Transaction]:
        """Open a write transaction, as ``Store.write``. It is committed only if the caller still waits.

        Raises:
            GatewayError: as of ``Store.write``, and DEADLINE_EXCEEDED or CANCELLED.
        """
        with self.store.write() as transaction:
            check_call()
            yield transaction
            check_call()


def new_id(prefix: str) -> str:
    """Return a random id: the prefix, a hyphen and 32 hexadecimal digits."""
    return f"{prefix}-{uuid.uuid4().hex}"


def add_all(response: Message, messages: RepeatedCompositeFieldContainer[M], entities: Iterable[Entity[M]]) -> int | None:
    """Append entities to a repeated field in place, which saves the copy of ``to_proto`` and ``append``.

    Args:
        response: the message with the field.
        messages: the field.
        entities: entities of one class.

    Returns:
        What they add to the size of the response, in bytes; None if that was not counted.

    Raises:
        WireError: as in ``to_proto``.
    """
    added = list(entities)
    data = parts.encode(type(response), type(added[0]), added) if added else b""
    if data is not None:
        response.MergeFromString(data)
        return len(data)
    for entity in added:
        try:
            entity._write(messages.add())
        except Exception:
            # to_proto reports the invalid field.
            entity.to_proto()
            raise
    return None


def text_or_none(message: Message, field: str) -> str | None:
    """Return the value of a string field, None if it is absent."""
    return getattr(message, field) if message.HasField(field) else None


def positive_zero(amount: float) -> float:
    """Return a non-negative amount with -0.0 as 0.0, because SQLite and PostgreSQL store -0.0 differently."""
    return amount + 0.0

"""What the handlers of every noun share: the store, new ids, the clock, reading optional fields and filling lists."""

# pyright: reportPrivateUsage=false
# An entity is written as part of a response.

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
    from google.protobuf.message import Message

    from gateway_entities.entities.base import Entity
    from gateway_entities.server.store import Store

M = TypeVar("M", bound="Message")


class Handlers:
    """Functions that answer requests out of a store. They hold no state of their own, so any thread may call them.

    Attributes:
        store: the store.
    """

    def __init__(self, store: Store) -> None:
        self.store = store


def new_id(prefix: str) -> str:
    """Return a new identifier: the prefix, a hyphen and 32 random hexadecimal digits."""
    return f"{prefix}-{uuid.uuid4().hex}"


def now_ms() -> int:
    """Return the time in milliseconds since the Unix epoch, UTC."""
    return time.time_ns() // 1_000_000


def add_all(messages: RepeatedCompositeFieldContainer[M], entities: Iterable[Entity[M]]) -> None:
    """Append entities to a response's list, each written where it is to be: a message of its own would be copied there.

    Raises:
        WireError: as in ``to_proto``.
    """
    for entity in entities:
        try:
            entity._write(messages.add())
        except Exception:
            # It finds what is wrong, and raises that.
            entity.to_proto()
            raise


def text_or_none(message: Message, field: str) -> str | None:
    """Return a text field, ``""`` included; None if it is absent."""
    return getattr(message, field) if message.HasField(field) else None


def unsigned(amount: float) -> float:
    """Return an amount of 0 or more, its zero without a sign: not every database keeps that, so none is to."""
    return amount + 0.0

"""What the handlers of every noun share: the store, new ids, the clock, and reading optional fields."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from gateway_entities.server.store import Store


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


def text_or_none(message: Message, field: str) -> str | None:
    """Return a text field, ``""`` included; None if it is absent."""
    return getattr(message, field) if message.HasField(field) else None


def unsigned(amount: float) -> float:
    """Return an amount of 0 or more, its zero without a sign: not every database keeps that, so none is to."""
    return amount + 0.0

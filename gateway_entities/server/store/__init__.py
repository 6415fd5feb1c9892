"""The store: entities in, entities out, kept in SQLite or PostgreSQL with secret values encrypted."""

from __future__ import annotations

from gateway_entities.server.store.open import open_store
from gateway_entities.server.store.store import Store, Transaction

__all__ = ["Store", "Transaction", "open_store"]

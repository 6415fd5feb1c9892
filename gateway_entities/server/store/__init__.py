"""Persistence: transactions over entities, in SQLite or PostgreSQL, with encrypted secret values."""

from __future__ import annotations

from gateway_entities.server.store.open import open_store
from gateway_entities.server.store.store import Store, Transaction

__all__ = ["Store", "Transaction", "open_store"]

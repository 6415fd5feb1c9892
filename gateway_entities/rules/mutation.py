"""Rules of the fields that every request for a mutation has: etag and request_id."""

from __future__ import annotations

from typing import Final

from gateway_entities.rules.table import Field, optional
from gateway_entities.rules.values import NAME, text

ETAG: Final = text(32, 32, pattern="[0-9a-f]{32}", form="be an etag, 32 lower-case hexadecimal digits")

CREATES: Final[dict[str, Field]] = {"request_id": optional(NAME)}
"""Fields of a request that creates a resource."""
CHANGES: Final[dict[str, Field]] = {"etag": optional(ETAG), **CREATES}
"""Fields of a request that updates or deletes a resource."""

"""The quota of a store: a maximum size, with a reserve for what makes it smaller."""

from __future__ import annotations

from typing import Final

from gateway_entities.errors import Code, GatewayError

_RESERVE_SHARE: Final = 8
_GROWTH_BYTES_PER_S: Final = 512 * 1024 * 1024
_MAX_RESERVE_BYTES: Final = 64 * 1024 * 1024


class Quota:
    """A maximum size in bytes.

    The last eighth of it, at most 64 MiB, is the reserve: deletions may use it, because they first add to the change log.
    Reads and compaction are never refused.
    """

    def __init__(self, max_bytes: int) -> None:
        """Create a quota of so many bytes."""
        self._end = max_bytes
        self._start_of_reserve = max_bytes - min(max_bytes // _RESERVE_SHARE, _MAX_RESERVE_BYTES)

    def is_near(self, used: int) -> bool:
        """Return whether writes of a second may fill a store of this size in bytes."""
        return used >= self._start_of_reserve - _GROWTH_BYTES_PER_S

    def check(self, used: int, *, from_reserve: bool = False) -> None:
        """Check a size in bytes before a write.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED; it is too large for the write.
        """
        if used >= (self._end if from_reserve else self._start_of_reserve):
            raise GatewayError(
                Code.RESOURCE_EXHAUSTED,
                f"The store is full: it has {used} bytes of {self._end}, a part of which is reserved for deletions. Delete "
                "resources and compact the change log (gateway-entities db compact), which frees space after 24 hours, or "
                "raise --max-store-bytes",
                reason="STORE_FULL",
            )

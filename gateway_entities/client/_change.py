"""The change log: its operation, blocking and with asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_entities.client import _calls
from gateway_entities.client._send import AsyncSender, Sender

if TYPE_CHECKING:
    from gateway_entities.entities import GatewayChange


class ChangeMethods(Sender):
    """The change log."""

    def list_changes(self, *, since_revision: int | None = None, timeout: float | None = None) -> list[GatewayChange]:
        """List the changes of the configuration in their order, as many as there are.

        Args:
            since_revision: only changes of a higher revision, 0 or more; None for all.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT.
        """
        return self._collect(_calls.list_changes(since_revision=since_revision), timeout)


class AsyncChangeMethods(AsyncSender):
    """The change log with asyncio."""

    async def list_changes(self, *, since_revision: int | None = None, timeout: float | None = None) -> list[GatewayChange]:
        """List the changes of the configuration in their order, as many as there are.

        Args:
            since_revision: only changes of a higher revision, 0 or more; None for all.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT.
        """
        return await self._collect(_calls.list_changes(since_revision=since_revision), timeout)

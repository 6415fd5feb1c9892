"""The TLS files that a server uses now: they are read again when they change."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from typing import Final

from gateway_entities.errors import GatewayError
from gateway_entities.server.tls import LoadedTls, Tls, TlsContents

INTERVAL_S: Final = 10.0
"""Seconds between two readings of the files: new connections get a renewed certificate within this time."""

_log = logging.getLogger(__name__)


class CurrentTls:
    """The TLS files of a server. Files that cannot be used leave the former ones in use.

    ``reload``, ``watch`` and ``close`` are for one event loop; any thread may read ``current``.

    Attributes:
        current: the loaded files, for new connections. All of them are replaced together.
    """

    def __init__(self, files: Tls, report: Callable[[LoadedTls, bool], None]) -> None:
        """Load the files.

        Args:
            files: the files.
            report: receives the loaded files, and whether newer ones cannot be used, now and after each change.

        Raises:
            GatewayError: FAILED_PRECONDITION for a file that cannot be used.
        """
        self._files = files
        self._report = report
        self._lock = asyncio.Lock()
        self._problem: str | None = None
        self._watching: asyncio.Task[None] | None = None
        self.current = files.load()
        report(self.current, False)

    def context(self) -> ssl.SSLContext:
        """Return the SSL context for a new connection."""
        return self.current.context

    def contents(self) -> TlsContents:
        """Return the contents of the files for a new connection."""
        return self.current.contents

    async def reload(self) -> None:
        """Use the files as they are now. If they cannot be used, log why and go on with the former ones."""
        async with self._lock:
            try:
                changed = await asyncio.to_thread(self._load_changed)
            except GatewayError as error:
                if error.message != self._problem:
                    _log.error("%s; the former certificate stays in use", error.message)
                self._problem = error.message
                self._report(self.current, True)
                return
            if changed is not None:
                self.current = changed
            if changed is not None or self._problem is not None:
                self._problem = None
                self.log()
                self._report(self.current, False)

    def watch(self) -> None:
        """Reload every ``INTERVAL_S`` seconds until ``close``."""
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """End ``watch``."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self.reload()

    def _load_changed(self) -> LoadedTls | None:
        # By content: links, times and inodes change in more ways than one when files are renewed.
        return None if self._files.read() == self.current.contents else self._files.load()

    def log(self) -> None:
        """Log which certificate is in use."""
        _log.info("TLS certificate %s in use, valid until %s", self._files.cert_file, self.current.expires_at.isoformat())

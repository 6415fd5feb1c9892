"""The real mirrors with real clients, which note all that they show. They can be killed, and started again elsewhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, MutableSequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from gateway_entities import AsyncGatewayClient, GatewayClient
from gateway_entities.mirror import AsyncGatewayMirror, GatewayMirror, MirrorState, MirrorUpdate
from tests.mirror.ledger import Shown

T = TypeVar("T")


class _Notes:
    """Notes each update, with the events that a subscriber got for it."""

    def __init__(self, mirror: Any, shown: MutableSequence[Shown]) -> None:
        self._mirror = mirror
        self._shown = shown
        self._events: list[Any] = []
        mirror.subscribe(self._told)

    def _told(self, update: MirrorUpdate) -> None:
        self._events += update.events

    def received(self, *, is_complete: bool) -> bool:
        if is_complete:
            self._shown.append(Shown(self._mirror.state, tuple(self._events)))
            self._events.clear()
        return is_complete


class _Threaded(GatewayMirror):
    notes: _Notes

    def _receive(self, message: bytes) -> bool:
        return self.notes.received(is_complete=super()._receive(message))


class _Asynchronous(AsyncGatewayMirror):
    notes: _Notes

    def _receive(self, message: bytes) -> bool:
        return self.notes.received(is_complete=super()._receive(message))


class Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    @contextmanager
    def running(self) -> Iterator[Loop]:
        """Run it during the block."""
        self._thread.start()
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)


class Life(list[Shown]):
    """What a mirror showed from one start to its end.

    Attributes:
        before: the state that it started with.
    """

    def __init__(self, before: MirrorState) -> None:
        super().__init__()
        self.before = before


class RecordingMirror:
    """A mirror that is started on a target, and killed, any number of times. For one thread.

    Attributes:
        lives: what it showed.
    """

    def __init__(self, kind: str, file: Path, loop: Loop) -> None:
        """Create it.

        Args:
            kind: ``sync`` or ``async``.
            file: its last-known-good file.
            loop: where one of asyncio runs.
        """
        self._is_async = kind == "async"
        self._file = file
        self._loop = loop
        self._client: Any = None
        self._mirror: Any = None
        self.lives: list[Life] = []

    @property
    def state(self) -> MirrorState:
        """The current state."""
        return self._mirror.state

    @property
    def error(self) -> str:
        """What ended its last stream."""
        return str(self._mirror.error)

    def start(self, target: str, token: str | None = None) -> None:
        """Start it, from its file if there is one."""
        if self._is_async:
            self._loop.run(self._start(target, token))
            return
        self._client = GatewayClient(target, token=token)
        self._mirror = _Threaded(self._client, file=self._file)
        self._begin()

    async def _start(self, target: str, token: str | None = None) -> None:
        self._client = AsyncGatewayClient(target, token=token)
        self._mirror = _Asynchronous(self._client, file=self._file)
        self._begin()

    def _begin(self) -> None:
        self.lives.append(Life(self._mirror.state))
        self._mirror.notes = _Notes(self._mirror, self.lives[-1])
        self._mirror.start()

    def stop(self) -> None:
        """Stop it; the file has its last state."""
        if self._is_async:
            self._loop.run(self._mirror.close())
            self._loop.run(self._client.close())
        else:
            self._mirror.close()
            self._client.close()

    def kill(self) -> None:
        """Stop it without its last words: the file stays as it was."""
        kept = self._file.read_bytes() if self._file.exists() else None
        self.stop()
        if kept is None:
            self._file.unlink(missing_ok=True)
        else:
            self._file.write_bytes(kept)

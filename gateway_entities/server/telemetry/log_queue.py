"""A log handler that never blocks: a bounded queue of lines, written by a thread of its own.

A pipe that is not read, or a terminal that is stopped, blocks its writers. That must not stop the server.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from typing import Final

MAX_BYTES: Final = 8 * 1024 * 1024
"""Default size of the queue. Lines beyond it are dropped."""
_BATCH_S: Final = 0.02
"""Pause before a write, in which more lines come together: waking a thread for each costs more than the line."""
_LINGER_PAUSES: Final = 25
"""Pauses without a line after which the thread sleeps until it is woken. Waking it costs the caller more than a line."""
_FLUSH_S: Final = 1.0
"""Maximum wait for the queue at the end of the process."""

_log = logging.getLogger(__name__)
_dropped = 0


def dropped_lines() -> int:
    """Return the number of log lines that this process has dropped."""
    return _dropped


class LogQueue(logging.Handler):
    """Writes formatted records to a file descriptor. Lines that do not fit into the queue are dropped and counted."""

    def __init__(self, descriptor: int, max_bytes: int = MAX_BYTES) -> None:
        """Create a handler; its thread starts with the first record.

        Args:
            descriptor: the file descriptor, which stays open.
            max_bytes: the maximum size of all lines in the queue.
        """
        super().__init__()
        self._descriptor = descriptor
        self._max_bytes = max_bytes
        # Not the handler's own lock, which the end of the process holds during a flush.
        self._lines_lock = threading.Lock()
        self._lines: list[bytes] = []
        self._bytes = 0
        self._unreported = 0
        self._filled = threading.Event()
        self._is_awake = False
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record."""
        try:
            line = self._encode(record)
        except Exception:
            self.handleError(record)
            return
        with self._lines_lock:
            if self._bytes + len(line) > self._max_bytes:
                self._drop(1)
                return
            self._lines.append(line)
            self._bytes += len(line)
            is_asleep, self._is_awake = not self._is_awake, True
        if is_asleep:
            self._filled.set()
            self._start()

    def flush(self) -> None:
        """Wait until the queue is written, but not for a reader that does not read."""
        deadline = time.monotonic() + _FLUSH_S
        while self._bytes and time.monotonic() < deadline:
            time.sleep(_BATCH_S / 2)

    def _start(self) -> None:
        if self._thread is None:
            # A daemon, because a blocked write must not keep the process alive.
            self._thread = threading.Thread(target=self._run, name="gateway-log", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        empty_pauses = 0
        while True:
            self._filled.wait()
            time.sleep(_BATCH_S)
            with self._lines_lock:
                lines, self._lines = self._lines, []
                unreported, self._unreported = self._unreported, 0
                empty_pauses = 0 if lines or unreported else empty_pauses + 1
                if empty_pauses == _LINGER_PAUSES:
                    self._is_awake, empty_pauses = False, 0
                    self._filled.clear()
            if not (lines or unreported):
                continue
            data = b"".join(lines)
            report = self._report(unreported) if unreported else b""
            try:
                self._write(data + report)
            except OSError:
                # The other end is closed.
                with self._lines_lock:
                    self._drop(len(lines))
                    self._unreported += unreported
            with self._lines_lock:
                self._bytes -= len(data)

    def _drop(self, lines: int) -> None:
        global _dropped  # noqa: PLW0603 - of the process, whose metrics have it.
        _dropped += lines
        self._unreported += lines

    def _report(self, lines: int) -> bytes:
        text = "%d log lines were dropped, because the log was not read fast enough"
        return self._encode(_log.makeRecord(_log.name, logging.WARNING, __file__, 0, text, (lines,), None))

    def _encode(self, record: logging.LogRecord) -> bytes:
        return (self.format(record) + "\n").encode(errors="backslashreplace")

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                select.select((), (self._descriptor,), ())

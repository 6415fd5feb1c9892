"""The mirror of a program with threads."""

from __future__ import annotations

import os
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gateway_entities.errors import GatewayError, WireError
from gateway_entities.mirror.base import SILENCE_S, BaseMirror, ended, late, not_running, silent

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.transports.base import MessageStream


class GatewayMirror(BaseMirror):
    """The configuration of a gateway in memory, kept up to date by a thread.

        with GatewayClient(target, token=token) as client, GatewayMirror(client) as mirror:
            endpoint = mirror.endpoint("chat")

    It reconnects by itself, and continues where it was or, where the server cannot, begins with all resources. While the
    server is away it keeps what it has; ``age`` tells. Create it after a fork of the process, not before.
    """

    def __init__(self, client: GatewayClient, *, file: str | os.PathLike[str] | None = None) -> None:
        """Create a mirror; ``start`` begins.

        Args:
            client: a client of gRPC or Connect, whose token has the scope ``read``. It stays open.
            file: the last-known-good file, which is read now and then written after changes; None for none.

        Raises:
            GatewayError: as ``load_mirror``.
        """
        super().__init__(file)
        self._client = client
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._stream: MessageStream | None = None
        self._stream_began_at = 0.0
        self._is_silent = False
        self._threads = [
            threading.Thread(target=self._run, name="gateway-mirror", daemon=True),
            threading.Thread(target=self._guard, name="gateway-mirror-guard", daemon=True),
        ]

    def start(self) -> None:
        """Begin to follow the server. Once only.

        Raises:
            RuntimeError: it has been started before.
        """
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop, and write the file. The state stays readable. A second close does nothing."""
        self._closing.set()
        self._end_stream()
        for thread in self._threads:
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join()
        with self._changed:
            self._changed.notify_all()

    def wait_until_ready(self, timeout: float = 30.0) -> None:
        """Wait until there is a state.

        Raises:
            GatewayError: DEADLINE_EXCEEDED after so many seconds; CANCELLED when it is closed.
        """
        self.wait_for(0, timeout)

    def wait_for(self, revision: int, timeout: float = 30.0) -> None:
        """Wait until there is a state of a revision, or of a later one. Another store may have other revisions.

        Args:
            revision: the revision, such as a response to a change has it.
            timeout: seconds to wait at most.

        Raises:
            GatewayError: DEADLINE_EXCEEDED; CANCELLED when it is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_at(revision) or self._closing.is_set(), timeout)
        if self._is_at(revision):
            return
        raise not_running() if self._closing.is_set() else late(revision, self.revision, timeout, self.error)

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _is_at(self, revision: int) -> bool:
        return self.is_ready and self.revision >= revision

    def _run(self) -> None:
        while not self._closing.is_set():
            error = self._follow()
            if not self._closing.is_set():
                self._closing.wait(self._fail(error))
        self._save()

    def _follow(self) -> GatewayError | WireError:
        """Follow one stream to its end; return its error."""
        try:
            with self._client.watch(resume_token=self._core.resume_token or None) as stream:
                self._is_silent = False
                self._stream_began_at = time.monotonic()
                self._stream = stream
                if self._closing.is_set():
                    return not_running()
                for message in stream:
                    if self._receive(message):
                        with self._changed:
                            self._changed.notify_all()
        except (GatewayError, WireError) as error:
            return silent() if self._is_silent else error
        finally:
            self._stream = None
        return ended()

    def _guard(self) -> None:
        """End streams that are silent: a thread that waits for a message cannot notice it."""
        while not self._closing.wait(SILENCE_S / 10):
            if self._stream is not None and min(self.age, time.monotonic() - self._stream_began_at) > SILENCE_S:
                self._is_silent = True
                self._end_stream()

    def _end_stream(self) -> None:
        stream = self._stream
        if stream is not None:
            stream.close()

"""The mirror of a program with threads."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gateway_entities.errors import GatewayError, WireError
from gateway_entities.mirror.acknowledgement import Acknowledger
from gateway_entities.mirror.base import SILENCE_S, BaseMirror, ended, failed, late, late_resolution, not_running, silent
from gateway_entities.mirror.resolution import CALL_TIMEOUT_S

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import ResolvedGatewayEndpoint
    from gateway_entities.transports.base import MessageStream


class GatewayMirror(BaseMirror):
    """The configuration of a gateway in memory, kept up to date by a thread.

        with GatewayClient(target, token=token) as client, GatewayMirror(client) as mirror:
            endpoint = mirror.endpoint("chat")

    It reconnects by itself, and continues where it was or, where the server cannot, begins with all resources. While the
    server is away it keeps what it has; ``age`` tells. Create it after a fork of the process, not before: in a child its
    state stays as it was, and to wait or to resolve is FAILED_PRECONDITION.
    """

    def __init__(
        self,
        client: GatewayClient,
        *,
        file: str | os.PathLike[str] | None = None,
        resolve_jitter: float = 1.0,
        instance: str | None = None,
        acknowledges: bool = True,
    ) -> None:
        """Create a mirror; ``start`` begins.

        Args:
            client: a client of gRPC or Connect, which stays open. Its token has the scope ``read``, for ``resolve`` the
                scope ``resolve``, and ``node`` so that the server learns which revisions this mirror has applied.
            file: the last-known-good file, which is read now and then written after changes; None for none. It never has a
                value of a secret.
            resolve_jitter: maximum number of seconds until a resolved endpoint is resolved again, when its secret or its
                models have changed. Each mirror draws a moment within it, so that many spread their calls.
            instance: the name of this process among those with the same token, at most 255 characters; None for one of the
                host's name, the process id and a random part.
            acknowledges: whether it is a node, for whose acknowledgements others wait; False for one that only looks.

        Raises:
            GatewayError: as ``load_mirror``; INVALID_ARGUMENT for an invalid jitter.
        """
        self._acknowledging = Acknowledger(client, instance, acknowledges=acknowledges)
        super().__init__(file, resolve_jitter, self._acknowledging)
        self._client = client
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._due = threading.Event()
        self._starting = threading.Lock()
        self._resolver: threading.Thread | None = None
        self._stream: MessageStream | None = None
        self._stream_began_at = 0.0
        self._is_silent = False
        self._threads = [
            threading.Thread(target=self._run, name="gateway-mirror", daemon=True),
            threading.Thread(target=self._guard, name="gateway-mirror-guard", daemon=True),
            threading.Thread(target=self._acknowledging.run, name="gateway-mirror-node", daemon=True),
        ]

    def start(self) -> None:
        """Begin to follow the server. Once only.

        Raises:
            RuntimeError: it has been started before.
        """
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop, write the file, and forget all resolved endpoints. The state stays readable. A second close does nothing."""
        self._closing.set()
        self._resolutions.close()
        self._acknowledging.close()
        self._end_stream()
        for thread in self._threads:
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join()
        with self._changed:
            self._changed.notify_all()

    def wait_until_ready(self, timeout: float = 30.0) -> None:
        """Wait until there is a state.

        Raises:
            GatewayError: as ``wait_for``.
        """
        self.wait_for(0, timeout)

    def wait_for(self, revision: int, timeout: float = 30.0) -> None:
        """Wait until there is a state of a revision, or of a later one. Another store may have other revisions.

        Args:
            revision: the revision, such as a response to a change has it.
            timeout: seconds to wait at most.

        Raises:
            GatewayError: DEADLINE_EXCEEDED; CANCELLED when it is closed; FAILED_PRECONDITION after a fork. Without a state:
                UNAUTHENTICATED, PERMISSION_DENIED and UNIMPLEMENTED, as soon as the server says so.
        """
        self._check_process()
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_at(revision) or self._closing.is_set() or self._start_error() is not None, timeout
            )
        if self._is_at(revision):
            return
        error = self._start_error()
        if error is not None:
            raise error
        raise not_running() if self._closing.is_set() else late(revision, self.revision, timeout, self.error)

    def resolve(self, name: str, timeout: float = 30.0) -> ResolvedGatewayEndpoint:
        """Return the endpoint with a name and the credentials of its models.

        The first call for an endpoint waits for the server; all that wait share one request. Later ones return what is in
        memory: always with the mirror's weights, names and tags; with new credentials and models as soon as they have been
        resolved, and with the former ones until then, also while the server is away. After a change of its name the server
        is asked too, because tokens may be limited to names. It is the same object until something changes, so do not change
        it. Values are never in the file.

        Args:
            name: the endpoint's name.
            timeout: seconds to wait at most.

        Raises:
            GatewayError: NOT_FOUND (the mirror has no such endpoint, or the token is not for it); PERMISSION_DENIED (the
                token lacks the scope ``resolve``); FAILED_PRECONDITION (a model's secret was deleted; the store has no
                token); UNAVAILABLE (also before there is a state; reason MIRROR_NOT_READY); DEADLINE_EXCEEDED; CANCELLED
                when the mirror is closed. Before there is a state also the errors of ``wait_for``.
        """
        return self.resolve_all((name,), timeout)[0]

    def resolve_all(self, names: Iterable[str], timeout: float = 30.0) -> list[ResolvedGatewayEndpoint]:
        """Return endpoints with the credentials of their models, in the order of the names, as ``resolve`` does.

        It asks the server for all that are not in memory together, such as at the start of a gateway.

        Args:
            names: the endpoints' names.
            timeout: seconds to wait at most, for all of them.

        Raises:
            GatewayError: as ``resolve``, for the first endpoint that cannot be resolved.
        """
        self._check_process()
        if not self._closing.is_set():
            self._check_ready()
        until = time.monotonic() + timeout
        found: list[ResolvedGatewayEndpoint] = []
        for each in self._resolutions.get(names):
            if isinstance(each, Future):
                try:
                    found.append(each.result(max(0.0, until - time.monotonic())))
                except TimeoutError:
                    raise late_resolution(timeout) from None
            else:
                found.append(each)
        return found

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
                pause = self._fail(error)
                with self._changed:
                    self._changed.notify_all()
                self._closing.wait(pause)
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
        except Exception as error:
            return failed(error)
        finally:
            self._stream = None
        return ended()

    def _guard(self) -> None:
        """End streams that are silent: a thread that waits for a message cannot notice it."""
        while not self._closing.wait(SILENCE_S / 10):
            if self._stream is not None and min(self.age, time.monotonic() - self._stream_began_at) > SILENCE_S:
                self._is_silent = True
                self._end_stream()

    def _wake_resolver(self) -> None:
        self._due.set()
        if self._resolver is not None:
            return
        with self._starting:
            if self._resolver is None and not self._closing.is_set():
                self._resolver = threading.Thread(target=self._resolve_due, name="gateway-mirror-resolver", daemon=True)
                self._resolver.start()

    def _resolve_due(self) -> None:
        while not self._closing.is_set():
            self._due.clear()
            ids, pause = self._resolutions.take(time.monotonic())
            if ids:
                self._resolve(ids)
            else:
                self._due.wait(pause)

    def _resolve(self, ids: Sequence[str]) -> None:
        try:
            found = self._client.resolve_endpoints(endpoint_ids=ids, timeout=CALL_TIMEOUT_S)
            self._resolutions.resolved(ids, found, time.monotonic())
        except GatewayError as error:
            for part in self._resolutions.failed(ids, error, time.monotonic()):
                self._resolve(part)

    def _end_stream(self) -> None:
        stream = self._stream
        if stream is not None:
            stream.close()

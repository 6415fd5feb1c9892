"""The mirror of an asyncio program."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gateway_entities.errors import GatewayError, WireError
from gateway_entities.mirror.acknowledgement import AsyncAcknowledger
from gateway_entities.mirror.base import SILENCE_S, BaseMirror, ended, failed, late, late_resolution, not_running, silent
from gateway_entities.mirror.resolution import CALL_TIMEOUT_S

if TYPE_CHECKING:
    from gateway_entities.client import AsyncGatewayClient
    from gateway_entities.entities import ResolvedGatewayEndpoint


class AsyncGatewayMirror(BaseMirror):
    """The configuration of a gateway in memory, kept up to date by a task of the event loop.

        async with AsyncGatewayClient(target, token=token) as client, AsyncGatewayMirror(client) as mirror:
            endpoint = mirror.endpoint("chat")

    As GatewayMirror. The file is written on the loop, at most once a second.
    """

    def __init__(
        self,
        client: AsyncGatewayClient,
        *,
        file: str | os.PathLike[str] | None = None,
        resolve_jitter: float = 1.0,
        instance: str | None = None,
        acknowledges: bool = True,
    ) -> None:
        """Create a mirror; ``start`` begins. Arguments and errors as of GatewayMirror."""
        self._acknowledging = AsyncAcknowledger(client, instance, acknowledges=acknowledges)
        super().__init__(file, resolve_jitter, self._acknowledging)
        self._client = client
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._due = asyncio.Event()
        self._resolver: asyncio.Task[None] | None = None
        self._is_closed = False

    def start(self) -> None:
        """Begin to follow the server, on the running event loop. Once only.

        Raises:
            RuntimeError: it has been started before.
        """
        if self._task is not None:
            raise RuntimeError("the mirror has been started before")
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stop, write the file, and forget all resolved endpoints. The state stays readable. A second close does nothing."""
        self._is_closed = True
        self._resolutions.close()
        if self._resolver is not None:
            self._resolver.cancel()
            await asyncio.wait((self._resolver,))
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait((self._task,))
            self._save()
        async with self._changed:
            self._changed.notify_all()

    async def wait_until_ready(self, timeout: float = 30.0) -> None:
        """Wait until there is a state; errors as of ``wait_for``."""
        await self.wait_for(0, timeout)

    async def wait_for(self, revision: int, timeout: float = 30.0) -> None:
        """Wait until there is a state of a revision, or of a later one. Arguments and errors as of GatewayMirror."""
        self._check_process()
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(
                    lambda: self._is_at(revision) or self._is_closed or self._start_error() is not None
                )
        except TimeoutError:
            raise late(revision, self.revision, timeout, self.error) from None
        if not self._is_at(revision):
            raise self._start_error() or not_running()

    async def resolve(self, name: str, timeout: float = 30.0) -> ResolvedGatewayEndpoint:
        """Return the endpoint with a name and the credentials of its models. Arguments and errors as of GatewayMirror."""
        return (await self.resolve_all((name,), timeout))[0]

    async def resolve_all(self, names: Iterable[str], timeout: float = 30.0) -> list[ResolvedGatewayEndpoint]:
        """Return endpoints with the credentials of their models. Arguments and errors as of GatewayMirror."""
        self._check_process()
        if not self._is_closed:
            self._check_ready()
        found: list[ResolvedGatewayEndpoint] = []
        waiting = self._resolutions.get(names)
        try:
            async with asyncio.timeout(timeout):
                for each in waiting:
                    if isinstance(each, Future):
                        # Others may wait for it when this task is cancelled.
                        found.append(await asyncio.shield(asyncio.wrap_future(each)))
                    else:
                        found.append(each)
        except TimeoutError:
            raise late_resolution(timeout) from None
        return found

    async def __aenter__(self) -> Self:
        self.start()
        try:
            await self.wait_until_ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def _is_at(self, revision: int) -> bool:
        return self.is_ready and self.revision >= revision

    async def _run(self) -> None:
        acknowledging = asyncio.create_task(self._acknowledging.run())
        try:
            while True:
                pause = self._fail(await self._follow())
                async with self._changed:
                    self._changed.notify_all()
                await asyncio.sleep(pause)
        finally:
            acknowledging.cancel()

    async def _follow(self) -> GatewayError | WireError:
        """Follow one stream to its end; return its error."""
        try:
            async with self._client.watch(resume_token=self._core.resume_token or None) as stream:
                while True:
                    async with asyncio.timeout(SILENCE_S):
                        message = await anext(stream)
                    if self._receive(message):
                        async with self._changed:
                            self._changed.notify_all()
        except StopAsyncIteration:
            return ended()
        except TimeoutError:
            return silent()
        except (GatewayError, WireError) as error:
            return error
        except Exception as error:
            return failed(error)

    def _wake_resolver(self) -> None:
        self._due.set()
        if self._resolver is None and not self._is_closed:
            self._resolver = asyncio.get_running_loop().create_task(self._resolve_due())

    async def _resolve_due(self) -> None:
        while True:
            self._due.clear()
            ids, pause = self._resolutions.take(time.monotonic())
            if ids:
                await self._resolve(ids)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._due.wait()

    async def _resolve(self, ids: Sequence[str]) -> None:
        try:
            found = await self._client.resolve_endpoints(endpoint_ids=ids, timeout=CALL_TIMEOUT_S)
            self._resolutions.resolved(ids, found, time.monotonic())
        except GatewayError as error:
            for part in self._resolutions.failed(ids, error, time.monotonic()):
                await self._resolve(part)

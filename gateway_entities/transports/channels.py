"""The channel that new calls use: one for each process, replaced when it has gone silent. Without I/O."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Generic, Protocol, TypeVar
from weakref import ref

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports.deadline import closed
from gateway_entities.transports.fork import reset_in_children

C = TypeVar("C")

_WITHOUT_RESPONSE: Final = frozenset({Code.DEADLINE_EXCEEDED, Code.UNAVAILABLE, Code.CANCELLED})
"""Codes of calls that may have ended without a response."""

_FORK_WAIT_S: Final = 1.0
"""Seconds, at most, that a fork waits for the calls in flight."""


class Stream(Protocol):
    """A call with a stream of responses, as long as it may last. A fork ends it."""

    def end(self, error: GatewayError) -> None:
        """End it, in any thread: its reader gets the error."""
        ...


class Link(Generic[C]):
    """A channel and its use.

    Attributes:
        channel: the channel.
        callables: the callable objects of its RPCs, by path.
        calls: the number of calls in flight.
        heard_at: the time of the last response on the monotonic clock; None before the first.
    """

    __slots__ = ("callables", "calls", "channel", "heard_at")

    def __init__(self, channel: C) -> None:
        self.channel = channel
        self.callables: dict[str, Any] = {}
        self.calls = 0
        self.heard_at: float | None = None


class Channels(Generic[C]):
    """The channels of one transport. Thread-safe.

    A network can drop a flow without telling either end. Keepalive notices that in time; a caller notices it earlier, when
    its deadline passes. Then the next call gets a new channel, unless the old one has brought the response to some call
    meanwhile: its server is slow, not gone. The old one is closed after its last call.
    """

    def __init__(self, connect: Callable[[], C]) -> None:
        """Create a set without channels.

        Args:
            connect: creates a channel, which connects at its first call.
        """
        self._connect = connect
        self._current: Link[C] | None = None
        self._open: set[Link[C]] = set()
        self._inherited: list[Link[C]] = []
        self.is_closed = False
        reset_in_children(self)

    def begin(self) -> Link[C]:
        """Return the channel for a new call.

        Raises:
            GatewayError: CANCELLED after ``close``; FAILED_PRECONDITION in a process that was forked during a call.
        """
        with _CALLS.lock:
            link = self._begin()
            _CALLS.count += 1
            return link

    def begin_stream(self, stream: Stream) -> tuple[Link[C], object]:
        """Return the channel for a new stream, and the key that ``end_stream`` takes.

        Raises:
            GatewayError: as of ``begin``.
        """
        with _CALLS.lock:
            link, key = self._begin(), object()
            # A stream without a reader ends with its object.
            _CALLS.streams[key] = ref(stream)
            return link, key

    def _begin(self) -> Link[C]:
        _CALLS.wait_for_fork()
        if self.is_closed:
            raise closed()
        if self._current is None:
            self._current = Link(self._connect())
            self._open.add(self._current)
        self._current.calls += 1
        return self._current

    def end(self, link: Link[C], began: float, code: Code | None) -> C | None:
        """Count a call no longer, and return the channel if it has to be closed.

        Args:
            link: the call's.
            began: when the call began, on the monotonic clock.
            code: the code of its error; None if it has none.
        """
        with _CALLS.lock:
            _CALLS.count -= 1
            _CALLS.lock.notify_all()
            return self._end(link, began, code)

    def end_stream(self, key: object, link: Link[C], began: float, code: Code | None) -> C | None:
        """Count a stream no longer; see ``end``."""
        with _CALLS.lock:
            # It is gone if this is a forked child.
            if _CALLS.streams.pop(key, None) is None:
                return None
            _CALLS.lock.notify_all()
            return self._end(link, began, code)

    def _end(self, link: Link[C], began: float, code: Code | None) -> C | None:
        link.calls -= 1
        if code not in _WITHOUT_RESPONSE:
            link.heard_at = time.monotonic()
        elif code is Code.DEADLINE_EXCEEDED and link is self._current and _is_silent_since(link, began):
            self._current = None
        if link is self._current or link.calls or link not in self._open:
            return None
        self._open.discard(link)
        return link.channel

    def close(self) -> list[C]:
        """Refuse new calls, and return the channels to close."""
        with _CALLS.lock:
            self.is_closed = True
            self._current = None
            channels = [link.channel for link in self._open]
            self._open.clear()
            return channels

    def reset_after_fork(self) -> None:
        """Leave the channels to the parent process. Destroying one here could wait for threads that only the parent has."""
        self._inherited.extend(self._open)
        self._open.clear()
        self._current = None


class _CallsInFlight:
    """The calls of all channels of this process, which end before it forks.

    A child forked while a thread is inside gRPC gets its locks and lists in the middle of a change, and crashes or waits for
    ever at its first call: gRPC's own fork support has the same condition. So a fork waits for the calls in flight, and new
    ones wait for the fork. A stream may last for days, with a thread inside gRPC: the fork ends it, and it can begin again.

    Attributes:
        lock: protects the channels; it is notified when a call ends.
        count: the number of calls in flight.
        streams: the streams in flight, by a key of each.
    """

    def __init__(self) -> None:
        # It can be taken again by a signal handler that forks.
        self.lock = threading.Condition()
        self.count = 0
        self.streams: dict[object, ref[Stream]] = {}
        self._forking = False
        self._forked_in_call = False

    def wait_for_fork(self) -> None:
        """Wait until no other thread forks.

        Raises:
            GatewayError: FAILED_PRECONDITION if this process was forked during a call.
        """
        self.lock.wait_for(lambda: not self._forking)
        if self._forked_in_call:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                f"this process was forked while a gRPC call of its parent took longer than {_FORK_WAIT_S:g} s, so it cannot "
                "use gRPC; fork between calls, or use http:// or https://",
                reason="FORKED_IN_CALL",
            )

    def before_fork(self) -> None:
        """Wait for the calls in flight, and keep new ones waiting."""
        self.lock.acquire()
        self._forking = True
        for found in list(self.streams.values()):
            stream = found()
            if stream is not None:
                stream.end(_forked())
        self.lock.wait_for(lambda: not self.count and not self.streams, _FORK_WAIT_S)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._forking = False
        self.lock.notify_all()
        self.lock.release()

    def after_fork_in_child(self) -> None:
        """Begin without calls."""
        self._forked_in_call = self._forked_in_call or self.count > 0 or bool(self.streams)
        self.count = 0
        self.streams = {}
        self._forking = False
        self.lock = threading.Condition()


_CALLS: Final = _CallsInFlight()

# Windows cannot fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_CALLS.before_fork,
        after_in_parent=_CALLS.after_fork_in_parent,
        after_in_child=_CALLS.after_fork_in_child,
    )


def _forked() -> GatewayError:
    return GatewayError(Code.UNAVAILABLE, "the stream ended because this process forked; begin it again", reason="FORKED")


def _is_silent_since(link: Link[C], began: float) -> bool:
    # One that has never brought a response may still be connecting.
    return link.heard_at is not None and link.heard_at < began

"""A testee program at work: requests go in, answers come out, and a program that does not keep to the protocol is named.

Its requests are written by a thread of their own, so that the program always has the next one at hand; the pipe bounds how
many wait. A program that dies, falls silent or answers out of protocol raises TesteeError with the end of its standard
error.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from google.protobuf.message import DecodeError

from tests.interop.language import ROOT
from tests.interop.proto.testee_pb2 import TesteeRequest, TesteeResponse
from tests.messages import varint

SILENCE_S = 120.0
"""How long a testee may take for one answer. A browser has to start first."""

_CHUNK = 1 << 16
_LONGEST = 64 << 20
_STDERR_SHOWN = 4000


class TesteeError(Exception):
    """A testee does not keep to the protocol. Its text says how, and what the program wrote to its standard error."""

    # Its name is not that of a test.
    __test__ = False


class Testee:
    """One running testee. A context manager: at its end the program must end too, by itself, with status 0."""

    __test__ = False

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None, silence: float = SILENCE_S
    ) -> None:
        self.name = name
        self._silence = silence
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  # It is closed with the program.
        self._buffer = b""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def ask(self, requests: Sequence[TesteeRequest]) -> Iterator[TesteeResponse]:
        """Yield the answer to each request, in order. Raises TesteeError."""
        writer = threading.Thread(target=self._write, args=(requests,), daemon=True)
        writer.start()
        for position, request in enumerate(requests):
            data = self._read(f"{_shown(request)}, request {position + 1} of {len(requests)}")
            try:
                response = TesteeResponse.FromString(data)
            except DecodeError:
                raise self._broken(f"answered {_shown(request)} with what is no TesteeResponse: {data.hex()}") from None
            if response.WhichOneof("result") is None:
                raise self._broken(f"answered {_shown(request)} with a TesteeResponse that says nothing: {data.hex()}")
            yield response
        writer.join()

    def one(self, request: TesteeRequest) -> TesteeResponse:
        """Return the answer to one request. Raises TesteeError."""
        return next(iter([*self.ask([request])]))

    def close(self) -> None:
        """End the program's input and wait for its end. Raises TesteeError when it ends badly."""
        assert self._process.stdin is not None
        try:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            rest = self._buffer or (self._chunk("the end of its input") if self.running else b"")
            if rest:
                raise self._broken(f"answered more than it was asked: {rest[:80].hex()}")
            try:
                status = self._process.wait(self._silence)
            except subprocess.TimeoutExpired:
                raise self._broken(f"still runs {self._silence:.0f} seconds after its input ended") from None
            if status:
                raise self._broken("ended badly at the end of its input")
        finally:
            self.kill()

    def kill(self) -> None:
        """End the program immediately, whatever it does. Once it has ended this does nothing."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close() if kind is None else self.kill()

    def _write(self, requests: Sequence[TesteeRequest]) -> None:
        assert self._process.stdin is not None
        # That the program is gone is for the reader to say, which knows what it was asked last.
        with contextlib.suppress(BrokenPipeError, ValueError):
            for request in requests:
                self._process.stdin.write(frame(request.SerializeToString()))
            self._process.stdin.flush()

    def _read(self, wanted: str) -> bytes:
        while (found := split(self._buffer)) is None:
            # Before the last byte of a length is there, so many bytes can only be something else, such as a line of a log.
            if _hopeless(self._buffer):
                raise self._broken(f"wrote what is no length instead of an answer to {wanted}: {self._buffer[:80]!r}")
            chunk = self._chunk(wanted)
            if not chunk:
                # It has closed its output, so it is about to end, and its status says why.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(1)
                raise self._broken(f"ended without an answer to {wanted}")
            self._buffer += chunk
        data, self._buffer = found
        return data

    def _chunk(self, wanted: str) -> bytes:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], self._silence)[0]:
            raise self._broken(f"was silent for {self._silence:.0f} seconds before {wanted}")
        return os.read(self._process.stdout.fileno(), _CHUNK)

    def _broken(self, what: str) -> TesteeError:
        status = self._process.poll()
        self._process.kill()
        self._process.wait()
        self._stderr.seek(0)
        said = self._stderr.read().decode(errors="replace")[-_STDERR_SHOWN:]
        self.kill()
        ended = "it had not ended" if status is None else f"its status is {status}"
        return TesteeError(f"the testee of {self.name} {what} ({ended})" + (f"; it wrote:\n{said}" if said else ""))


def frame(data: bytes) -> bytes:
    """Return a message with its length before it."""
    return varint(len(data)) + data


def split(buffer: bytes) -> tuple[bytes, bytes] | None:
    """Return the first message of a buffer and what follows it; None when it is not all there."""
    length = 0
    for position, byte in enumerate(buffer[:10]):
        length |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            start = position + 1
            return (buffer[start : start + length], buffer[start + length :]) if len(buffer) >= start + length else None
    return None


def _hopeless(buffer: bytes) -> bool:
    length = 0
    for position, byte in enumerate(buffer[:10]):
        length |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return length > _LONGEST
    return len(buffer) >= 10


def _shown(request: TesteeRequest) -> str:
    operation = request.WhichOneof("operation")
    return f"{operation} of {request.call.path if operation == 'call' else request.message_type}"

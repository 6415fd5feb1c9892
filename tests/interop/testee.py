"""A running testee program: requests in, responses out, with protocol errors reported.

A separate thread writes the requests, so that the program never waits for the next one; the pipe bounds their number. A
program that dies, hangs or breaks the protocol raises TesteeError with the end of its standard error.
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
"""Timeout of one response in seconds. A browser has to start first."""

_CHUNK = 1 << 16
_LONGEST = 64 << 20
_STDERR_SHOWN = 4000


class TesteeError(Exception):
    """A protocol error of a testee. The text describes it, with the program's standard error."""

    # Not a test, in spite of its name.
    __test__ = False


class Testee:
    """One running testee. A context manager: at its end the program must exit by itself with status 0."""

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

    def send(self, requests: Sequence[TesteeRequest]) -> Iterator[TesteeResponse]:
        """Yield the response to each request, in order. Raises TesteeError."""
        writer = threading.Thread(target=self._write, args=(requests,), daemon=True)
        writer.start()
        for position, request in enumerate(requests):
            data = self._read(f"{_shown(request)}, request {position + 1} of {len(requests)}")
            try:
                response = TesteeResponse.FromString(data)
            except DecodeError:
                raise self._broken(f"sent no TesteeResponse for {_shown(request)}: {data.hex()}") from None
            if response.WhichOneof("result") is None:
                raise self._broken(f"sent an empty TesteeResponse for {_shown(request)}: {data.hex()}")
            yield response
        writer.join()

    def one(self, request: TesteeRequest) -> TesteeResponse:
        """Return the response to one request. Raises TesteeError."""
        return next(iter([*self.send([request])]))

    def close(self) -> None:
        """Close the program's input and wait for its exit. Raises TesteeError if it fails."""
        assert self._process.stdin is not None
        try:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            rest = self._buffer or (self._chunk("the end of its input") if self.running else b"")
            if rest:
                raise self._broken(f"wrote more than its responses: {rest[:80].hex()}")
            try:
                status = self._process.wait(self._silence)
            except subprocess.TimeoutExpired:
                raise self._broken(f"still runs {self._silence:.0f} seconds after its input ended") from None
            if status:
                raise self._broken("failed at the end of its input")
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill the program. No effect after its end."""
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
        # The reader reports a dead program, since it knows the last request.
        with contextlib.suppress(BrokenPipeError, ValueError):
            for request in requests:
                self._process.stdin.write(frame(request.SerializeToString()))
            self._process.stdin.flush()

    def _read(self, wanted: str) -> bytes:
        while (found := split(self._buffer)) is None:
            # This many bytes without the end of a length are something else, such as a log line.
            if _hopeless(self._buffer):
                raise self._broken(f"wrote no length but other data as response to {wanted}: {self._buffer[:80]!r}")
            chunk = self._chunk(wanted)
            if not chunk:
                # It closed its output, so it is about to exit; its status has the cause.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(1)
                raise self._broken(f"ended without a response to {wanted}")
            self._buffer += chunk
        data, self._buffer = found
        return data

    def _chunk(self, wanted: str) -> bytes:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], self._silence)[0]:
            raise self._broken(f"did not respond for {self._silence:.0f} seconds before {wanted}")
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
    """Return a message with its length prefix."""
    return varint(len(data)) + data


def split(buffer: bytes) -> tuple[bytes, bytes] | None:
    """Return the first message of a buffer and the rest; None if it is incomplete."""
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

"""Time and memory of the worst inputs of 1 MiB: ``python -m tests.benchmarks.wire_hostile``.

Each input is slow in another way: many fields, deep or empty groups, map entries, duplicates, malformed text, overlong
numbers. Times are processor times; memory is Python's peak allocation divided by the input's size.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator

from gateway_entities.wire import check, guess, inspect
from tests.wire.messages.samples import number, tag, text

SIZE = 1 << 20


def repeated(data: bytes) -> bytes:
    """Return the bytes repeated up to 1 MiB."""
    return data * (SIZE // len(data))


def distinct(field: int, key: bytes = b"", after: bytes = b"") -> bytes:
    """Return messages of one field with distinct texts."""
    parts: list[bytes] = []
    size = 0
    while size < SIZE - 40:
        parts.append(text(field, text(1, key + b"%x" % len(parts)) + after))
        size += len(parts[-1])
    return b"".join(parts)


def inputs() -> Iterator[tuple[str, str, bytes]]:
    """Yield the title, message type and bytes of each input."""
    endpoint = "GatewayEndpoint"
    yield "field number 0", endpoint, bytes(SIZE)
    yield "one endless varint", endpoint, b"\xff" * SIZE
    yield "half a million numbers, one field", endpoint, repeated(number(3, 1))
    yield "half a million unknown fields", endpoint, repeated(number(15, 1))
    yield "half a million empty models", endpoint, repeated(text(5, b""))
    yield "models with empty definitions", endpoint, repeated(text(5, text(4, b"")))
    yield "models that do not end", endpoint, repeated(text(5, b"\0"))
    yield "half a million empty tags", endpoint, repeated(text(8, b""))
    yield "tags of distinct keys", endpoint, distinct(8)
    yield "groups, empty", endpoint, repeated(tag(15, 3) + tag(15, 4))
    yield "groups, ever deeper", endpoint, repeated(tag(15, 3))
    yield "names that are not UTF-8", endpoint, repeated(text(2, b"\xff"))
    yield "overlong numbers", endpoint, repeated(b"\x98\x00\x81\x00")
    yield "map entries of distinct keys", "CreateGatewaySecretRequest", distinct(2, after=text(2, b"v"))
    yield "map entries, empty", "CreateGatewaySecretRequest", repeated(text(2, b""))
    yield "map entries with unknown fields", "CreateGatewaySecretRequest", repeated(text(2, number(3, 1)))
    yield "valid configs, all the same", "CreateGatewayEndpointRequest", repeated(text(2, text(1, "d") + number(2, 1)))
    yield "valid configs, all distinct", "CreateGatewayEndpointRequest", distinct(2, after=number(2, 1))
    yield "a list of empty endpoints", "ListGatewayEndpointsResponse", repeated(text(1, b""))


def main() -> None:
    """Measure and print."""
    print(f"{'input of 1 MiB':36} {'check s':>8} {'inspect s':>10} {'guess s':>8} {'memory':>8}")
    slowest = 0.0
    for name, kind, data in inputs():
        times: list[float] = []
        for work in (lambda: check(data, kind), lambda: sum(1 for _ in inspect(data, kind)), lambda: guess(data)):  # noqa: B023
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        tracemalloc.start()
        check(data, kind)
        peak = tracemalloc.get_traced_memory()[1] / len(data)
        tracemalloc.stop()
        slowest = max(slowest, *times)
        print(f"{name:36} {times[0]:8.2f} {times[1]:10.2f} {times[2]:8.2f} {peak:7.1f}x")
    print(f"slowest: {slowest:.2f} s")


if __name__ == "__main__":
    main()

"""What a check costs beside a plain parse: ``python -m tests.benchmarks.wire_check``. One clean endpoint of about 1.2 kB."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from gateway_entities import GatewayEndpoint, GatewayEndpointModelMapping, GatewayEndpointTag, GatewayModelDefinition
from gateway_entities.wire import check
from llm_gateway.v1 import endpoint_pb2

ROUNDS, CALLS = 31, 200


def clean_endpoint() -> bytes:
    """Return an endpoint with three models, four tags and a fallback."""
    identifier = "0123456789abcdef0123456789abcdef"
    secret, now = f"s-{identifier}", 1_795_291_800_000
    mappings = [
        GatewayEndpointModelMapping(
            f"m-{identifier}",
            f"e-{identifier}",
            f"d-{number}{identifier[1:]}",
            GatewayModelDefinition(
                f"d-{number}{identifier[1:]}",
                f"model-{number}",
                secret,
                "key",
                "openai",
                "gpt-4o",
                now,
                now,
                "ann",
            ),
            0.5,
            1 if number < 2 else 2,
            None if number < 2 else 0,
            now,
            "ann",
        )
        for number in range(3)
    ]
    tags = [GatewayEndpointTag(f"key-{number}", "a value of some length " * 3) for number in range(4)]
    return GatewayEndpoint(
        f"e-{identifier}", "support", now, now, mappings, tags, "ann", "bob", 1, usage_tracking=True
    ).to_bytes()


def main() -> None:
    """Measure both in turn, and print the medians and their ratio."""
    data = clean_endpoint()
    report = check(data, endpoint_pb2.GatewayEndpoint)
    assert report.ok, report.findings
    assert report.canonical
    subjects: dict[str, Callable[[], object]] = {
        "parse": lambda: endpoint_pb2.GatewayEndpoint.FromString(data),
        "check": lambda: check(data, endpoint_pb2.GatewayEndpoint),
    }
    samples: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(ROUNDS):
        for name, call in subjects.items():
            start = time.perf_counter()
            for _ in range(CALLS):
                call()
            samples[name].append((time.perf_counter() - start) / CALLS * 1e6)
    parse, checked = (statistics.median(samples[name]) for name in ("parse", "check"))
    print(f"{len(data)} bytes: parse {parse:.2f} us, check {checked:.1f} us, {checked / parse:.1f} times")


if __name__ == "__main__":
    main()

"""Targets of the figures, and whether a result meets them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tests.benchmarks.rounds import Result
from tests.benchmarks.row import UNITS


class Target(NamedTuple):
    """A bound on a median.

    Attributes:
        of: ``peer``: minimum ratio of the peer to ours. ``limit``: maximum ratio of ours to the limit. ``ours``: maximum of
            ours, in seconds, MiB or a count.
        bound: the bound.
    """

    of: Literal["peer", "limit", "ours"]
    bound: float

    def text(self, unit: str) -> str:
        """Return its text, for a row with this unit."""
        match self.of:
            case "peer":
                return f"≥ {self.bound:g}x peer"
            case "limit":
                return f"≤ {self.bound:g}x limit"
            case _:
                return f"≤ {self.bound * UNITS[unit]:g} {unit}"

    def is_met(self, result: Result) -> bool | None:
        """Return whether a result meets it; None if the figure was not measured."""
        if self.of == "peer":
            return None if result.to_peer is None else result.to_peer.median >= self.bound
        if self.of == "limit":
            return None if result.to_limit is None else result.to_limit.median <= self.bound
        return result.figures["ours"].median <= self.bound if result.figures else None


TARGETS: dict[str, tuple[Target, ...]] = {
    "decode": (Target("peer", 12), Target("limit", 3)),
    "encode": (Target("peer", 12), Target("limit", 1.8)),
    "decode-1000": (Target("peer", 12),),
    "decode-python": (Target("peer", 3.2), Target("limit", 14)),
    "encode-python": (Target("peer", 2.3), Target("limit", 12)),
    "decode-1000-python": (Target("peer", 3),),
    "decode-protobuf-py": (Target("peer", 2.5),),
    "encode-protobuf-py": (Target("peer", 2.5),),
    "list-1000-codec": (Target("peer", 3),),
    "list-1000-codec-changed": (Target("peer", 2),),
    "import-time": (Target("peer", 15), Target("ours", 0.060)),
    "import-memory": (Target("ours", 25),),
    "get-http-sync-1": (Target("peer", 25),),
    "get-grpc-sync-1": (Target("peer", 12),),
    "get-http-sync-8": (Target("peer", 25),),
    "get-grpc-sync-8": (Target("peer", 12),),
    "list-1000-http": (Target("peer", 25),),
    "list-1000-grpc": (Target("peer", 25),),
    # Per endpoint a list of ten times the length may cost a little more, for its memory.
    "list-growth-http": (Target("limit", 1.3),),
    "list-growth-grpc": (Target("limit", 1.3),),
    "list-queries": (Target("limit", 1),),
    # Reads must meet their targets on cache misses too.
    "get-http-anew": (Target("peer", 25),),
    "get-grpc-anew": (Target("peer", 12),),
    "list-1000-http-anew": (Target("peer", 25),),
    "list-1000-grpc-anew": (Target("peer", 25),),
    "create-http-sync-1": (Target("peer", 12),),
    "create-grpc-sync-1": (Target("peer", 12),),
    "get-10000-http": (Target("limit", 1.3),),
    "get-10000-grpc": (Target("limit", 1.3),),
    "overhead-http": (Target("limit", 1.6),),
    "overhead-grpc": (Target("limit", 1.6),),
    "start": (Target("ours", 1.5),),
    "server-memory": (Target("ours", 120),),
    # 1,000 pairs a second.
    "spend-sqlite": (Target("ours", 0.001),),
    "overspend": (Target("ours", 0),),
    "fan-out-http": (Target("ours", 0.100),),
    "fan-out-grpc": (Target("limit", 1.5),),
    "watcher-memory-http": (Target("ours", 24),),
    "watcher-memory-grpc": (Target("limit", 1.3),),
    "watch-writes": (Target("limit", 2),),
    "watch-idle": (Target("ours", 0.03),),
    "config-plan-1000": (Target("ours", 3),),
    "config-apply-1000": (Target("ours", 3),),
    "config-unchanged-1000": (Target("ours", 1),),
}
"""Targets by row. Other rows are informative, and compared with earlier runs."""


def target_text(result: Result) -> str:
    """Return the text of a row's targets, each with ``met`` or ``missed``; empty without targets."""
    words: list[str] = []
    for target in TARGETS.get(result.row, ()):
        met = target.is_met(result)
        words.append(f"{target.text(result.unit)}: {'not measured' if met is None else 'met' if met else 'missed'}")
    return "; ".join(words)

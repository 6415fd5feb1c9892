"""Inputs of every language: golden vectors, bad vectors, bad JSON, and messages that hypothesis generates.

    seed, size -> the same messages, on every machine with the same contract and the same hypothesis

Generating is slow, about 2 ms a message, so the results are cached in .cache/interop/corpus.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import google.protobuf
import hypothesis
from google.protobuf.message import Message
from hypothesis import HealthCheck, Phase, given, settings

from gateway_entities.wire import MESSAGE_TYPES
from tests.interop.language import CACHE
from tests.messages import messages

VECTORS = Path(__file__).resolve().parents[1] / "wire" / "vectors"
PACKAGE = "gatewayentities.v1"


@dataclass(frozen=True, slots=True)
class Case:
    """One input.

    Attributes:
        name: its source, ``HEAD/``, ``bad/``, ``json/``, ``sample/`` or ``generated/``, and its name there.
        message_type: the name of its type, without the package.
        data: its bytes; None if it is JSON only.
        text: its JSON, if it is JSON only.
    """

    name: str
    message_type: str
    data: bytes | None = None
    text: str | None = None


def vectors() -> Iterator[Case]:
    """Yield the golden vectors, the bad vectors, and the bad JSON."""
    for entry in json.loads((VECTORS / "HEAD" / "manifest.json").read_text(encoding="utf-8"))["vectors"]:
        data = (VECTORS / "HEAD" / f"{entry['name']}.binpb").read_bytes()
        yield Case(f"HEAD/{entry['name']}", entry["type"].rpartition(".")[2], data)
    for name, entry in json.loads((VECTORS / "bad" / "manifest.json").read_text(encoding="utf-8")).items():
        yield Case(f"bad/{name}", entry["type"], (VECTORS / "bad" / f"{name}.binpb").read_bytes())
    for position, (message_type, text) in enumerate(BAD_JSON):
        yield Case(f"json/{position}", message_type, text=text)


BAD_JSON = (
    ("FallbackConfig", ""),
    ("FallbackConfig", "{"),
    ("FallbackConfig", "[]"),
    ("FallbackConfig", '"text"'),
    ("FallbackConfig", '{"max_attempts": 1.5}'),
    ("FallbackConfig", '{"max_attempts": 2147483648}'),
    ("FallbackConfig", '{"max_attempts": "many"}'),
    ("FallbackConfig", '{"max_attempts": true}'),
    ("FallbackConfig", '{"max_attempts": {}}'),
    ("FallbackConfig", '{"strategy": "NO_SUCH_STRATEGY"}'),
    ("FallbackConfig", '{"strategy": 2147483648}'),
    ("GatewaySecretInfo", '{"created_at": 9223372036854775808}'),
    ("GatewaySecretInfo", '{"secret_id": 5}'),
    ("GatewaySecretInfo", '{"secret_id": "\\ud800"}'),
    ("GatewaySecretInfo", '{"masked_values": []}'),
    ("GatewaySecretInfo", '{"masked_values": {"api_key": 1}}'),
    ("GatewaySecretInfo", '{"masked_values": {"api_key": null}}'),
    ("GatewayEndpoint", '{"usage_tracking": "yes"}'),
    ("GatewayEndpoint", '{"usage_tracking": 1}'),
    ("GatewayEndpoint", '{"model_mappings": {}}'),
    ("GatewayEndpoint", '{"model_mappings": [null]}'),
    ("GatewayEndpoint", '{"model_mappings": [{"weight": "heavy"}]}'),
    ("GatewayEndpoint", '{"model_mappings": [{"weight": 1e39}]}'),
    ("GatewayEndpoint", '{"endpoint_id": "a"} {"endpoint_id": "b"}'),
)
"""Invalid proto3 JSON. Python decides whether a language must reject it."""


def generated(count: int, seed: int, report: Callable[[int], None] = lambda done: None) -> list[Case]:
    """Return generated messages, of every type in turn.

    Every second one is two concatenated messages of its type: bytes that decode to their merge.

    Args:
        count: number of messages.
        seed: seed of the generator.
        report: called with the number generated so far.
    """
    kept = CACHE / "corpus" / f"{_digest(count, seed)}.jsonl"
    if not kept.exists():
        lines: list[str] = []
        for position, kind in enumerate(MESSAGE_TYPES.values()):
            # The first types get the remainder of the division.
            wanted = (count - position + len(MESSAGE_TYPES) - 1) // len(MESSAGE_TYPES)
            lines += [json.dumps([kind.DESCRIPTOR.name, data.hex()]) for data in _of_kind(kind, wanted, seed)]
            report(len(lines))
        kept.parent.mkdir(parents=True, exist_ok=True)
        # Other runs may read or write the same file.
        draft = kept.with_suffix(f".{os.getpid()}")
        draft.write_text("\n".join(lines), encoding="utf-8")
        draft.replace(kept)
    found = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    report(len(found))
    return [Case(f"generated/{position}", name, bytes.fromhex(data)) for position, (name, data) in enumerate(found)]


def _of_kind(kind: type[Message], count: int, seed: int) -> list[bytes]:
    drawn: list[bytes] = []
    wanted = (count + 1) // 2
    if not wanted:
        return []

    @hypothesis.seed(seed)
    @settings(
        max_examples=wanted,
        database=None,
        derandomize=False,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(messages(kind, complete=False))
    def draw(message: Message) -> None:
        _name_paths(message)
        # Runtimes differ most in unknown fields. Half of the messages have none, to cover the rest well.
        if len(drawn) % 4 < 2:
            message.DiscardUnknownFields()
        drawn.append(message.SerializeToString(deterministic=True))

    draw()
    # A type with few values is exhausted early.
    once = [drawn[position % len(drawn)] for position in range(wanted)]
    twice = [first + second for first, second in zip(once, [*once[1:], once[0]], strict=True)]
    return [data for pair in zip(once, twice, strict=True) for data in pair][:count]


def _name_paths(message: Message) -> None:
    """Fill the message's field mask with field names. JSON has no form for other paths."""
    if "update_mask" in message.DESCRIPTOR.fields_by_name and message.HasField("update_mask"):
        names = [field.name for field in message.DESCRIPTOR.fields]
        paths = message.update_mask.paths
        paths[:] = [names[len(path) % len(names)] for path in paths]


def _digest(count: int, seed: int) -> str:
    files = {kind.DESCRIPTOR.file.name: kind.DESCRIPTOR.file.serialized_pb for kind in MESSAGE_TYPES.values()}
    sources = [Path(__file__).read_bytes(), Path(messages.__wrapped__.__code__.co_filename).read_bytes()]
    versions = f"{hypothesis.__version__} {google.protobuf.__version__} {count} {seed}".encode()
    return hashlib.sha256(b"\0".join([*sorted(files.values()), *sources, versions])).hexdigest()[:32]

"""Breakdown of decoding and encoding an endpoint: protobuf's share, call by call, and the rest."""

from __future__ import annotations

import timeit
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities import GatewayEndpoint
from gatewayentities.v1.endpoint_pb2 import GatewayEndpoint as Proto
from tests.benchmarks import example

_CALLS, _REPEATS = 2000, 15


def decoding() -> Mapping[str, float]:
    """Return the parts of bytes -> GatewayEndpoint, in seconds, the total first."""
    data = example.endpoint().to_bytes()
    tree = Proto.FromString(data)
    messages = list(_messages(tree))
    reads = [(attrgetter(*_scalars(message)), message) for message in messages]
    empty = [(message.HasField, name) for message in messages for name in _scalars(message) if not getattr(message, name)]
    parse = _seconds(lambda: Proto.FromString(data))
    return _with_rest(
        _seconds(lambda: GatewayEndpoint.from_bytes(data)),
        {
            "parse": parse,
            f"make {len(messages)} messages reachable from Python": _seconds(lambda: _reach(Proto.FromString(data))) - parse,
            f"read {sum(len(_scalars(message)) for message in messages)} fields": _seconds(
                lambda: [read(message) for read, message in reads]
            ),
            f"test the presence of {len(empty)} empty fields": _seconds(lambda: [has(name) for has, name in empty]),
            f"read the unknown fields of {len(messages)} messages": _seconds(lambda: [*map(UnknownFieldSet, messages)]),
        },
    )


def encoding() -> Mapping[str, float]:
    """Return the parts of GatewayEndpoint -> bytes, in seconds, the total first."""
    entity = example.endpoint()
    tree = entity.to_proto()
    messages = list(_messages(tree))
    values = [
        (message, name, getattr(message, name))
        for message in messages
        for name in _scalars(message)
        if message.HasField(name)
    ]
    return _with_rest(
        _seconds(entity.to_bytes),
        {
            f"make {len(messages)} messages": _seconds(lambda: _make(entity)),
            f"set {len(values)} fields": _seconds(_setter(values)),
            "serialize, deterministically": _seconds(lambda: tree.SerializeToString(deterministic=True)),
        },
    )


def show(title: str, parts: Mapping[str, float]) -> None:
    """Print parts, in microseconds."""
    print(f"--- {title}")
    for name, seconds in parts.items():
        print(f"{seconds * 1e6:8.2f} us  {name}")
    print()


def _with_rest(whole: float, parts: Mapping[str, float]) -> Mapping[str, float]:
    protobuf = {f"  protobuf: {name}": seconds for name, seconds in parts.items()}
    return {"total": whole, **protobuf, "  rest: Python": whole - sum(parts.values())}


def _seconds(call: Callable[[], object]) -> float:
    return min(timeit.repeat(call, number=_CALLS, repeat=_REPEATS)) / _CALLS


def _scalars(message: Message) -> list[str]:
    return [field.name for field in message.DESCRIPTOR.fields if field.message_type is None]


def _messages(message: Any) -> Iterator[Message]:
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in value if field.is_repeated else (value,):
                yield from _messages(each)


def _reach(proto: Proto) -> object:
    definitions = [mapping.model_definition for mapping in proto.model_mappings[:]]
    return definitions, proto.tags[:], proto.fallback_config


def _make(entity: GatewayEndpoint) -> object:
    proto = Proto()
    add_mapping, add_tag = proto.model_mappings.add, proto.tags.add
    definitions = [add_mapping().model_definition for _ in entity.model_mappings]
    tags = [add_tag() for _ in entity.tags]
    return definitions, tags, proto.fallback_config


def _setter(values: list[tuple[Message, str, object]]) -> Callable[[], object]:
    """Return a function that sets fields one by one, as converters do: a loop would cost more than the fields."""
    names: dict[str, Any] = {f"m{number}": message for number, (message, _, _) in enumerate(values)}
    names |= {f"v{number}": value for number, (_, _, value) in enumerate(values)}
    lines = (f" m{number}.{name} = v{number}" for number, (_, name, _) in enumerate(values))
    # Default values, because locals are the fastest to read.
    source = "\n".join([f"def set_all({', '.join(f'{name}={name}' for name in names)}):", *lines])
    exec(source, names)
    set_all: Callable[[], object] = names["set_all"]
    return set_all

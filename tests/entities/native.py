"""The native codec beside the Python converters, which are its oracle.

As a program it compares them on messages of a seed, with a module of the codec that the command names, such as one that was
compiled with sanitizers:

    python -m tests.entities.native MODULE SEED GENERATED MUTATED
"""

from __future__ import annotations

import codecs
import dataclasses
import importlib.util
import struct
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

MODULE = "gateway_entities.entities._native._codec"


class Text(str):
    """Text that is no plain str."""

    __slots__ = ()


ODD_VALUES: list[Any] = [
    *(
        None,
        0,
        -1,
        1,
        True,
        False,
        2**31,
        -(2**31) - 1,
        2**63,
        -(2**63) - 1,
        2**70,
        10**400,
        1.5,
        -0.0,
        1e39,
        3.4028235677973366e38,
    ),
    *(
        float("nan"),
        float("inf"),
        Fraction(1, 3),
        1j,
        "",
        "x",
        "\ud800",
        "scorer",
        "é\U0010ffff",
        Text("text"),
        b"x",
        bytearray(b"x"),
    ),
    *(
        [],
        [None],
        (),
        {},
        {"a": 1},
        {1: "a"},
        {"\ud800": "x"},
        {Text("a"): "x"},
        {"b": "", "a": "", "é": "", "a\0": "x"},
        object(),
    ),
]
ODD_UNKNOWN: list[Any] = [
    b"\n\1x",
    b"\x08\1",
    b"\xa2\x06\1x",
    b"\xff",
    b"\xa3\x06\xa4\x06",
    b"\xa3\x06",
    None,
    "x",
    bytearray(b"\xa0\6\1"),
]
"""Unknown fields that are known, unknown, malformed, or no bytes."""


def load(path: str) -> ModuleType:
    """Import another module of the codec in place of the package's own, before anything imports that."""
    assert MODULE not in sys.modules
    spec = importlib.util.spec_from_file_location(MODULE, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[MODULE] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def without_codec() -> Generator[None]:
    """Have only the Python converters, in this process, for as long as the context is open."""
    from gateway_entities.entities import base, parts

    places = [(base, "decode"), (base, "encode"), (parts, "decode_in"), (parts, "encode_in")]
    before = [(module, name, getattr(module, name)) for module, name in places]
    for module, name in places:
        setattr(module, name, None)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


@contextmanager
def strict_handler(handler: Callable[[UnicodeError], Any]) -> Generator[None]:
    """Have a program's own handler of what cannot be encoded or decoded, for as long as the context is open."""
    codecs.register_error("strict", handler)
    try:
        yield
    finally:
        codecs.register_error("strict", codecs.strict_errors)


def outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a call returns, exactly, or its error."""
    try:
        return exactly(call(*arguments))
    except Exception as error:  # Every error counts.
        return type(error), str(error)


def exactly(value: Any) -> Any:
    """Return what is compared of a value: types and bits, at every depth, but no order of dicts."""
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return type(value), [exactly(getattr(value, name)) for name in [*names, "_unknown_fields"]]
    if isinstance(value, list):
        return [exactly(each) for each in value]
    if isinstance(value, dict):
        return sorted(value.items())
    return type(value), struct.pack("<d", value) if isinstance(value, float) else value


def reference_decode(kind: Any, data: bytes) -> Any:
    """Decode with protobuf and the Python converters alone."""
    from gateway_entities.entities import diagnosis
    from gateway_entities.errors import WireError

    try:
        proto = kind._message.FromString(data)
    except Exception:
        raise WireError(kind.__name__, "the bytes are not a message of this type") from None
    try:
        return kind._read(proto)
    except Exception:
        raise diagnosis.unreadable(kind, proto) from None


def reference_encode(entity: Any) -> bytes:
    """Encode with protobuf and the Python converters alone."""
    from gateway_entities.entities import canonical, diagnosis

    proto = entity._message()
    try:
        entity._write(proto)
    except Exception:
        raise diagnosis.unwritable(entity) from None
    return canonical.to_bytes(proto)


def compare(kind: Any, data: bytes) -> Any:
    """Decode some bytes both ways, encode what they are both ways, and return the entity; None for an error."""
    expected = outcome(reference_decode, kind, data)
    assert outcome(kind.from_bytes, data) == expected, (kind.__name__, data.hex())
    if isinstance(expected[0], type) and issubclass(expected[0], Exception):
        return None
    entity = kind.from_bytes(data)
    assert outcome(entity.to_bytes) == outcome(reference_encode, entity), (kind.__name__, data.hex())
    message = kind._message.FromString(data)
    assert outcome(kind.from_proto, message) == expected, (kind.__name__, data.hex())
    assert entity.to_proto().SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True), (
        data.hex()
    )
    return entity


def compare_damaged(random: Random, entity: Any) -> None:
    """Set one attribute to an odd value, at any depth, and encode both ways."""
    part: Any = entity
    while True:
        names = [field.name for field in dataclasses.fields(part)]
        name = random.choice([*names, "_unknown_fields"])
        value = getattr(part, name)
        below = value[random.randrange(len(value))] if isinstance(value, list) and value else value
        if dataclasses.is_dataclass(below) and random.random() < 0.8:
            part = below
            continue
        break
    odd = random.choice(ODD_UNKNOWN if name == "_unknown_fields" else ODD_VALUES)
    if random.random() < 0.02:
        delattr(part, name)
    else:
        setattr(part, name, odd)
    assert outcome(entity.to_bytes) == outcome(reference_encode, entity), (type(entity).__name__, name, odd)


def compare_emptied() -> None:
    """Encode text that has no UTF-8 while a handler of the program empties what is being encoded."""
    from gateway_entities import GatewayEndpoint, GatewayEndpointTag, GatewaySecretInfo, WireError

    def raising(error: UnicodeError) -> Any:
        empty()
        raise error

    def replacing(error: Any) -> tuple[str, int]:
        empty()
        return "?", error.end

    for handler in (raising, replacing):
        for count in (4, 100):
            # Texts that nothing else has, and whose UTF-8 is memory of their own.
            mapping = {f"\u6f22{number}" * 20: f"\u00e9{number}" * 20 for number in range(count)}
            secret = GatewaySecretInfo("s-1", "name", {**mapping, "\ud800": "x"}, 1, 1)
            endpoint = GatewayEndpoint("e-1", None, 1, 1, tags=[GatewayEndpointTag(key, "v") for key in mapping])
            del mapping
            endpoint.tags[1].value = "\ud800"

            def empty(secret: Any = secret, endpoint: Any = endpoint) -> None:
                secret.masked_values.clear()
                endpoint.tags.clear()

            with strict_handler(handler):
                found = [outcome(secret.to_bytes), outcome(endpoint.to_bytes)]
            assert all(kind in (WireError, bytes) for kind, _ in found), found


def compare_generated(kind: Any, random: Random, count: int) -> int:
    """Compare generated messages, and what happens to damaged entities; return how many of them are valid."""
    from tests.entities.wire_messages import generated

    valid = 0
    for _ in range(count):
        entity = compare(kind, generated(random, kind._message.DESCRIPTOR))
        if entity is not None:
            valid += 1
            compare_damaged(random, entity)
    return valid


def compare_mutated(kind: Any, random: Random, count: int) -> int:
    """Compare corrupted messages; return how many of them are valid."""
    from tests.entities.test_mutations import mutated
    from tests.entities.wire_messages import generated

    valid = 0
    seeds: list[bytes] = []
    for number in range(count):
        if number % 200 == 0:
            seeds = [generated(random, kind._message.DESCRIPTOR) or b"\0" for _ in range(8)]
        valid += compare(kind, mutated(random, seeds)) is not None
    return valid


def main(path: str, seed: str, generated: int, mutated: int) -> None:
    """Compare so many messages of each entity."""
    codec = load(path)
    from gateway_entities import NATIVE, GatewayEndpointTag
    from gateway_entities.entities._native import extension
    from tests.entities.entity_types import KINDS

    assert NATIVE
    assert extension is codec
    assert codec.decode(GatewayEndpointTag, b"\n\1k") == GatewayEndpointTag("k", None)
    compare_emptied()
    for kind in KINDS:
        random = Random(f"{seed} {kind.__name__}")
        compare_generated(kind, random, generated)
        compare_mutated(kind, random, mutated)
    print("equal")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

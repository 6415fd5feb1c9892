"""Comparison of services and their RPCs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from gateway_entities.wire.schemas.model.schema import Schema
from gateway_entities.wire.schemas.pairing.matching import Matching
from gateway_entities.wire.schemas.pairing.pairs import Lead, Pairs
from gateway_entities.wire.schemas.report import Difference, DifferenceKind, DifferenceLevel, Direction, Element

_ALL: Final = frozenset(DifferenceLevel)
_SIDES: Final = (
    (Direction.NEW_READS_OLD, "new servers", "old clients"),
    (Direction.OLD_READS_NEW, "old servers", "new clients"),
)


def compare_services(old: Schema, new: Schema, matching: Matching) -> Iterator[Difference]:
    """Yield the differences of services and RPCs, but not of their messages."""
    matched = {matching.names[name] for name in old.services if matching.names.get(name) in new.services}
    for name, service in sorted(old.services.items()):
        other = new.services.get(matching.names.get(name, ""))
        if other is None:
            yield _unavailable(Element.SERVICE, name, name)
            continue
        yield from _compare(service, other)
    for name in sorted(new.services.keys() - matched):
        yield _new(Element.SERVICE, name, name)


def lead_to_messages(service: ServiceDescriptor, other: ServiceDescriptor, pairs: Pairs) -> None:
    """Add the requests and responses of two services to the pairs that are compared."""
    for method in service.methods:
        found = other.methods_by_name.get(method.name)
        if found is not None:
            lead = Lead(None, method, found, _ALL)
            pairs.add(method.input_type, found.input_type, lead)
            pairs.add(method.output_type, found.output_type, lead)


def _compare(old: ServiceDescriptor, new: ServiceDescriptor) -> Iterator[Difference]:
    if old.full_name != new.full_name:
        # The path of every RPC has the name of its service.
        for direction, servers, clients in _SIDES:
            name = old.full_name if direction is Direction.NEW_READS_OLD else new.full_name
            text = f"has another name for {servers}, which do not know that of {clients}"
            yield _break(direction, DifferenceKind.UNAVAILABLE, Element.SERVICE, name, text, owner=name)
    for method in old.methods:
        other = new.methods_by_name.get(method.name)
        if other is None:
            yield _unavailable(Element.RPC, method.full_name, old.full_name)
        else:
            yield from _compare_rpcs(method, other)
    for method in new.methods:
        if method.name not in old.methods_by_name:
            yield _new(Element.RPC, method.full_name, new.full_name)


def _compare_rpcs(old: MethodDescriptor, new: MethodDescriptor) -> Iterator[Difference]:
    streams = [(m.client_streaming, m.server_streaming) for m in (old, new)]
    for what, before, after in zip(("requests", "responses"), *streams, strict=True):
        if before != after:
            forms = ["a stream" if each else "a single message" for each in (before, after)]
            text = f"has {what} that are {forms[0]} in the old schema and {forms[1]} in the new one"
            for direction in Direction:
                method = old if direction is Direction.NEW_READS_OLD else new
                owner = method.containing_service.full_name
                yield _break(direction, DifferenceKind.STREAMING, Element.RPC, method.full_name, text, owner=owner)
    yield from _compare_idempotency(old, new)
    for what, ours, theirs in (
        ("request", old.input_type.full_name, new.input_type.full_name),
        ("response", old.output_type.full_name, new.output_type.full_name),
    ):
        if ours != theirs:
            text = f"has the {what} type {ours} in the old schema and {theirs} in the new one"
            yield _note(DifferenceKind.RENAMED, Direction.NEW_READS_OLD, Element.RPC, old, text)


def _compare_idempotency(old: MethodDescriptor, new: MethodDescriptor) -> Iterator[Difference]:
    before, after = old.GetOptions().idempotency_level, new.GetOptions().idempotency_level
    if before == after:
        return
    # Clients may send such calls as GET requests, which servers without this option refuse.
    reads = MethodOptions.NO_SIDE_EFFECTS
    names = [MethodOptions.IdempotencyLevel.Name(level) for level in (before, after)]
    text = f"has the idempotency level {names[0]} in the old schema and {names[1]} in the new one"
    if reads in (before, after):
        direction = Direction.NEW_READS_OLD if before == reads else Direction.OLD_READS_NEW
        method = old if before == reads else new
        text = f"{text}: servers without side effects ruled out refuse its GET requests"
        owner = method.containing_service.full_name
        yield _break(direction, DifferenceKind.UNAVAILABLE, Element.RPC, method.full_name, text, owner=owner)
    else:
        yield _note(DifferenceKind.IDEMPOTENCY, Direction.NEW_READS_OLD, Element.RPC, old, text)


def _unavailable(element: Element, name: str, owner: str) -> Difference:
    text = "was removed: new servers refuse the calls of old clients"
    return _break(Direction.NEW_READS_OLD, DifferenceKind.UNAVAILABLE, element, name, text, owner=owner)


def _new(element: Element, name: str, owner: str) -> Difference:
    text = "is new: old servers refuse the calls of new clients"
    direction, level = Direction.OLD_READS_NEW, DifferenceLevel.CALLS
    return Difference(direction, level, DifferenceKind.NEW, name, text, owner, 0, None, element)


def _break(direction: Direction, kind: DifferenceKind, element: Element, name: str, text: str, *, owner: str) -> Difference:
    return Difference(direction, DifferenceLevel.CALLS, kind, name, text, owner, 0, None, element)


def _note(kind: DifferenceKind, direction: Direction, element: Element, method: MethodDescriptor, text: str) -> Difference:
    owner = method.containing_service.full_name
    return Difference(direction, DifferenceLevel.CALLS, kind, method.full_name, text, owner, 0, None, element)

"""Compatibility check of two schemas: every break, with a message that shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, ServiceDescriptor

from gateway_entities.errors import Code, GatewayError
from gateway_entities.wire.schemas.found import Found
from gateway_entities.wire.schemas.model.load import load
from gateway_entities.wire.schemas.model.locate import located
from gateway_entities.wire.schemas.model.schema import Schema
from gateway_entities.wire.schemas.model.signature import fields_of
from gateway_entities.wire.schemas.pairing.enum_pairs import compare_enums
from gateway_entities.wire.schemas.pairing.extensions import foreign_extended
from gateway_entities.wire.schemas.pairing.matching import Matching, Rename, match
from gateway_entities.wire.schemas.pairing.message_pairs import MessagePairs
from gateway_entities.wire.schemas.pairing.pairs import Pairs, blame_leads
from gateway_entities.wire.schemas.pairing.services import compare_services, lead_to_messages
from gateway_entities.wire.schemas.proof.packed import compare_packed_names
from gateway_entities.wire.schemas.report import Comparison, Difference, DifferenceLevel, Direction


def compare(
    old: Schema | str | Path | ModuleType,
    new: Schema | str | Path | ModuleType,
    *,
    only: str | None = None,
    renames: Sequence[Rename] = (),
) -> Comparison:
    """Compare two schemas.

    Messages, enums and services are matched by full name, or by a rename. Two types with different names are compared where
    a field or an RPC had one and has the other, which is then reported as a difference of the field or RPC.

    Args:
        old: the schema in use, or a source for ``load``.
        new: the schema to replace it, or a source for ``load``.
        only: a regular expression searched in full names; compares the matching elements and those reachable from them.
        renames: additional matches; the first pattern that matches the whole full name of an old element, and whose new name
            exists, applies.

    Raises:
        GatewayError: INVALID_ARGUMENT or FAILED_PRECONDITION if a schema cannot be read; INVALID_ARGUMENT for an invalid
            regular expression; FAILED_PRECONDITION if there is nothing to compare.
    """
    old, new = (s if isinstance(s, Schema) else load(s) for s in (old, new))
    try:
        matching = match(old, new, renames)
        selected = None if only is None else re.compile(only)
    except (re.error, IndexError) as error:
        pattern = getattr(error, "pattern", None) or "a pattern of a rename"
        raise GatewayError(Code.INVALID_ARGUMENT, f"{pattern!r} is not a regular expression: {error}") from error

    def chosen(*elements: Any) -> bool:
        return selected is None or any(selected.search(each.full_name) for each in elements)

    return _Comparison(old, new, matching, chosen).run()


def _becomes_set(old: Descriptor, new: Descriptor) -> bool:
    return old.GetOptions().message_set_wire_format is not new.GetOptions().message_set_wire_format


class _Comparison:
    """One comparison."""

    def __init__(self, old: Schema, new: Schema, matching: Matching, chosen: Callable[..., bool]) -> None:
        self._old, self._new, self._matching, self._chosen = old, new, matching, chosen
        self._left_out = [*old.left_out, *(text for text in new.left_out if text not in old.left_out), *matching.unused]
        self._pairs = Pairs(matching)

    def run(self) -> Comparison:
        services = self._services()
        self._collect(services)
        self._compare_pairs()
        calls = Found()
        blame_leads(self._pairs, calls)
        differences = [
            located(each, self._old, self._new, (pair.old, pair.new))
            for pair in self._pairs
            if pair.belong
            for each in pair.found.differences
        ]
        differences += [
            located(each, self._old, self._new, None)
            for each in (*calls.differences, *compare_services(self._old, self._new, self._matching))
            if self._chosen_service(each.message_type)
        ]
        self._nothing_compared(services)
        return self._result(differences, len(services))

    def _chosen_service(self, name: str) -> bool:
        service = self._old.services.get(name) or self._new.services.get(name)
        return service is None or self._chosen(service)

    def _services(self) -> list[tuple[ServiceDescriptor, ServiceDescriptor]]:
        found = self._matching.pairs(self._old.services, self._new.services)
        return [pair for pair in found if self._chosen(*pair)]

    def _collect(self, services: Sequence[tuple[ServiceDescriptor, ServiceDescriptor]]) -> None:
        for kind in ("messages", "enums"):
            for pair in self._matching.pairs(getattr(self._old, kind), getattr(self._new, kind)):
                if self._chosen(*pair):
                    self._pairs.add(*pair)
        for service, other in services:
            lead_to_messages(service, other, self._pairs)
        for name, ours, theirs in foreign_extended(self._old, self._new, self._chosen):
            if ours is not None and theirs is not None:
                self._pairs.add(ours, theirs)
            else:
                side = "old" if theirs is None else "new"
                self._left_out.append(f"Extensions of {name} were not compared: only the {side} schema imports it.")

    def _compare_pairs(self) -> None:
        limits = None if self._old.limits is None or self._new.limits is None else (self._old.limits, self._new.limits)
        messages = MessagePairs(limits)
        for pair in self._pairs:
            if isinstance(pair.old, EnumDescriptor) and isinstance(pair.new, EnumDescriptor):
                compare_enums(pair.old, pair.new, pair.use, pair.found)
            elif isinstance(pair.old, Descriptor) and isinstance(pair.new, Descriptor):
                if not messages.compare(pair.old, pair.new, pair):
                    text = "was not compared: it requires itself, or messages more than 100 deep, so neither schema has one."
                    self._left_out.append(f"{pair.old.full_name} {text}")
                elif pair.belong:
                    if _becomes_set(pair.old, pair.new) and not fields_of(pair.old) + fields_of(pair.new):
                        text = "is a MessageSet in one schema only; its extensions are in neither, and were not compared."
                        self._left_out.append(f"{pair.old.full_name} {text}")
                    compare_packed_names(pair.old, pair.new, self._old, self._new, pair.found)
        if messages.skips_text:
            text = "Text that is not UTF-8 was not compared: the pure Python protobuf checks text in every syntax."
            self._left_out.append(text)

    def _nothing_compared(self, services: Sequence[object]) -> None:
        if any(True for _ in self._pairs) or services:
            return
        if self._old.is_empty and any(map(self._chosen, self._elements(self._new))):
            return
        if self._matching.names:
            shared = "message, enum or service that the two schemas share"
            text = f"nothing was compared: no {shared} has a full name that was selected"
            raise GatewayError(Code.FAILED_PRECONDITION, text, reason="NOTHING_COMPARED")
        packages = [
            ", ".join(sorted({each.file.package or "(no package)" for each in self._elements(schema)}) or ["none"])
            for schema in (self._old, self._new)
        ]
        text = (
            f"nothing was compared: {self._old.name} and {self._new.name} have no message, enum or service of one full name "
            f"(packages {', and '.join(packages)}); renames pair those of different packages"
        )
        raise GatewayError(Code.FAILED_PRECONDITION, text, reason="NOTHING_COMPARED")

    @staticmethod
    def _elements(schema: Schema) -> list[Any]:
        return [*schema.messages.values(), *schema.enums.values(), *schema.services.values(), *schema.extensions.values()]

    def _result(self, differences: Sequence[Difference], services: int) -> Comparison:
        order = {member: i for enum in (Direction, DifferenceLevel) for i, member in enumerate(enum)}

        def sort_key(d: Difference) -> tuple[int, int, str, int, str]:
            return order[d.direction], order[d.level], d.message_type, d.number, d.subject

        ordered = sorted(differences, key=sort_key)
        pairs = list(self._pairs)
        return Comparison(
            self._old.name,
            self._new.name,
            [d for d in ordered if d.kind.breaks],
            [d for d in ordered if not d.kind.breaks],
            sum(isinstance(pair.old, Descriptor) for pair in pairs),
            self._matching.only_old,
            self._matching.only_new,
            self._old.limits is not None and self._new.limits is not None,
            self._left_out,
            sum(isinstance(pair.old, EnumDescriptor) for pair in pairs),
            services,
        )

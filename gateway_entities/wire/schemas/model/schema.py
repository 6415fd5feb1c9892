"""A schema to compare: message types in a separate descriptor pool, so that several schemas may define the same names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from gateway_entities.wire.schemas.limits import Limits
from gateway_entities.wire.schemas.model.places import Places
from gateway_entities.wire.sources.errors import unreadable
from gateway_entities.wire.sources.pool import RUNTIME_FILES, build_pool


@dataclass(frozen=True, slots=True)
class Schema:
    """The types and services of a schema, and the limits of fields.

    Attributes:
        name: the source, for display.
        messages: its own message types by full name, nested ones included, without those of imported files.
        limits: limits by full field name; a field without an entry has none. None: the rules are unknown.
        enums: its own enums by full name.
        services: its own services by full name.
        extensions: its own extensions by full name.
        pool: the descriptor pool of all of it.
        places: where everything is declared.
        left_out: what is not compared and why, as sentences: what the runtime cannot represent, and what is not there yet.
    """

    name: str
    messages: Mapping[str, Descriptor]
    limits: Limits | None = None
    enums: Mapping[str, EnumDescriptor] = field(default_factory=dict[str, EnumDescriptor])
    services: Mapping[str, ServiceDescriptor] = field(default_factory=dict[str, ServiceDescriptor])
    extensions: Mapping[str, FieldDescriptor] = field(default_factory=dict[str, FieldDescriptor])
    pool: DescriptorPool = field(default_factory=DescriptorPool, repr=False)
    places: Places = field(default_factory=lambda: Places(()), repr=False)
    left_out: Sequence[str] = ()

    @classmethod
    def from_files(cls, name: str, files: FileDescriptorSet, own: Collection[str] | None = None) -> Schema:
        """Build a schema from a descriptor set.

        Args:
            name: the source, for display.
            files: the files in any order. Missing google/protobuf files come from the runtime.
            own: the files whose elements belong to the schema; None: all but those of google/protobuf.

        Raises:
            GatewayError: INVALID_ARGUMENT if the files conflict, lack an import, or define nothing that can be compared.
        """
        pool, left_out = build_pool(name, files)
        names = [f.name for f in files.file if not f.name.startswith(RUNTIME_FILES)] if own is None else own
        found = [pool.FindFileByName(n) for n in names]
        messages = {m.full_name: m for file in found for m in _messages(file)}
        nested = [enum for m in messages.values() for enum in m.enum_types]
        enums = {e.full_name: e for e in (*(e for f in found for e in f.enum_types_by_name.values()), *nested)}
        services = {s.full_name: s for file in found for s in file.services_by_name.values()}
        inside = [extension for m in messages.values() for extension in m.extensions]
        outside = [extension for file in found for extension in file.extensions_by_name.values()]
        extensions = {e.full_name: e for e in (*outside, *inside)}
        if not messages and not enums and not services and not extensions:
            raise unreadable(name, "it defines no message, enum, service or extension")
        return cls(name, messages, None, enums, services, extensions, pool, Places(files.file), left_out)

    @property
    def is_empty(self) -> bool:
        """Whether it has nothing, as before its first file was added."""
        return not (self.messages or self.enums or self.services or self.extensions)

    def with_limits(self, limits: Limits | None) -> Schema:
        """Return a copy with these limits."""
        return replace(self, limits=limits)


def _messages(file: FileDescriptor) -> Iterator[Descriptor]:
    waiting = list(file.message_types_by_name.values())
    while waiting:
        message = waiting.pop()
        if not message.GetOptions().map_entry:
            yield message
            waiting += message.nested_types

"""A schema as compiled files, with the places of their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType

from google.protobuf.descriptor_pb2 import FileDescriptorSet


@dataclass(frozen=True, slots=True)
class SchemaFiles:
    """The files of a schema.

    Attributes:
        name: the source, for display.
        files: the files and all that they import, those of google/protobuf perhaps left out.
        own: the names of the files that belong to the schema: not those that it only imports.
        paths: the paths of the .proto files on disk by file name, relative to the working directory where they are below
            it; a file without an entry has no source there.
        module: the Python module that it was read from; None for other sources.
        absent: what was to be read and is not there, as in a commit from before it was added; as sentences.
    """

    name: str
    files: FileDescriptorSet
    own: tuple[str, ...]
    paths: Mapping[str, str] = field(default_factory=dict[str, str])
    module: ModuleType | None = None
    absent: tuple[str, ...] = ()

"""Loading of schemas from everything that ``wire.sources`` reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from gateway_entities.wire.schemas.model.schema import Schema
from gateway_entities.wire.schemas.rule_limits import rule_limits
from gateway_entities.wire.sources.files import SchemaFiles
from gateway_entities.wire.sources.module import own_files, read_module
from gateway_entities.wire.sources.read import read_schema


def load(source: str | Path | ModuleType, import_paths: Sequence[Path] = ()) -> Schema:
    """Load a schema.

    Args:
        source: a folder of .proto files (imports are relative to it; needs grpcio-tools), a workspace of buf, one .proto
            file, a file with a FileDescriptorSet or a buf image (binary, JSON or gzip), a Python module or its name, or
            ``mlflow`` (the installed one). Existing files and folders take precedence over modules.
        import_paths: further folders that the imports of .proto files are relative to.

    Raises:
        GatewayError: INVALID_ARGUMENT if it cannot be read; FAILED_PRECONDITION if grpcio-tools is needed and missing.
    """
    if isinstance(source, ModuleType):
        return schema_of(read_module(source.__name__, source))
    return schema_of(read_schema(source, import_paths))


def schema_of(files: SchemaFiles) -> Schema:
    """Return the schema of files. That of a module of the contract has its rules as limits; that of no files has nothing.

    Raises:
        GatewayError: INVALID_ARGUMENT if the files conflict, lack an import, or define nothing.
    """
    if files.absent and not files.files.file:
        return Schema(files.name, {}, left_out=files.absent)
    schema = Schema.from_files(files.name, files.files, files.own)
    schema = replace(schema, left_out=[*schema.left_out, *files.absent])
    if files.module is None:
        return schema
    return schema.with_limits(rule_limits(own_files(files.name, files.module)) or None)

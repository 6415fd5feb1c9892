"""Schemas of Python modules: generated ``_pb2`` modules, and packages of them."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from gateway_entities.wire.sources.errors import unreadable
from gateway_entities.wire.sources.files import SchemaFiles

# MLflow's stubs are not in its top-level package.
_ALIASES: Mapping[str, str] = {"mlflow": "mlflow.protos.service_pb2"}
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def import_schema(name: str, valid: str) -> ModuleType:
    """Import a module by name.

    Args:
        name: the module, or ``mlflow``.
        valid: what else the name could have been, for the error.

    Raises:
        GatewayError: INVALID_ARGUMENT if it is no name of a module, or cannot be imported.
    """
    if _NAME.fullmatch(name) is None:
        raise unreadable(name, f"there is no such file. Valid: {valid}")
    try:
        return import_module(_ALIASES.get(name, name))
    except ImportError as error:
        raise unreadable(name, f"there is no such file, and it cannot be imported as a module: {error}") from error


def own_files(name: str, module: ModuleType) -> list[FileDescriptor]:
    """Return the descriptors of a module and of the ``_pb2`` modules directly below it.

    Raises:
        GatewayError: INVALID_ARGUMENT if there is none.
    """
    files = [
        found for m in (module, *_stubs_below(module)) if isinstance(found := getattr(m, "DESCRIPTOR", None), FileDescriptor)
    ]
    if not files:
        raise unreadable(name, "neither the module nor any _pb2 module below it has a DESCRIPTOR")
    return files


def read_module(name: str, module: ModuleType) -> SchemaFiles:
    """Return the files of a module, with all that they import.

    Raises:
        GatewayError: INVALID_ARGUMENT if it has none.
    """
    own = own_files(name, module)
    closure: dict[str, FileDescriptor] = {}
    waiting = list(own)
    while waiting:
        file = waiting.pop()
        if file.name not in closure:
            closure[file.name] = file
            waiting += file.dependencies
    described = [FileDescriptorProto.FromString(file.serialized_pb) for file in closure.values()]
    return SchemaFiles(name, FileDescriptorSet(file=described), tuple(file.name for file in own), module=module)


def _stubs_below(module: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if info.name.endswith("_pb2"):
            yield import_module(f"{module.__name__}.{info.name}")

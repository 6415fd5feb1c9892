"""A schema to compare: message types in a separate descriptor pool, so that several schemas may define the same names."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from gateway_entities.errors import Code, GatewayError
from gateway_entities.wire.schemas.limits import Limits

FORMS = (
    "a folder of .proto files, one .proto file, a file with a FileDescriptorSet or a buf image, "
    "an importable Python module such as gatewayentities.v1, or mlflow"
)
# MLflow's stubs are not in its top-level package.
_ALIASES: Mapping[str, str] = {"mlflow": "mlflow.protos.service_pb2"}
_RUNTIME_FILES = "google/protobuf/"


@dataclass(frozen=True, slots=True)
class Schema:
    """Message types and the limits of their fields.

    Attributes:
        name: the source, for display.
        messages: its own message types by full name, nested ones included, without those of imported files.
        limits: limits by full field name; a field without an entry has none. None: the rules are unknown.
    """

    name: str
    messages: Mapping[str, Descriptor]
    limits: Limits | None = None

    @classmethod
    def from_files(cls, name: str, files: FileDescriptorSet, own: Collection[str] | None = None) -> Schema:
        """Build a schema from a descriptor set.

        Args:
            name: the source, for display.
            files: the files in any order. Missing google/protobuf files come from the runtime.
            own: the files whose messages belong to the schema; None: all but those of google/protobuf.

        Raises:
            GatewayError: INVALID_ARGUMENT if the files conflict, lack an import, or define no message.
        """
        pool = DescriptorPool()
        by_name = {file.name: file for file in files.file}
        try:
            for file in _imports_first(by_name):
                pool.AddSerializedFile(file.SerializeToString())
        except (TypeError, KeyError, ValueError) as error:
            raise _unreadable(name, str(error)) from error
        names = [n for n in by_name if not n.startswith(_RUNTIME_FILES)] if own is None else own
        messages = {m.full_name: m for n in names for m in _messages(pool.FindFileByName(n))}
        if not messages:
            raise _unreadable(name, "it defines no message")
        return cls(name, messages)

    def with_limits(self, limits: Limits | None) -> Schema:
        """Return a copy with these limits."""
        return replace(self, limits=limits)


def load(source: str | Path | ModuleType) -> Schema:
    """Load a schema.

    Args:
        source: a folder of .proto files (imports are relative to it; needs grpcio-tools), one .proto file, a file with a
            FileDescriptorSet or a buf image, a Python module or its name, or ``mlflow`` (the installed one). Existing files
            and folders take precedence over modules.

    Raises:
        GatewayError: INVALID_ARGUMENT if it cannot be read; FAILED_PRECONDITION if grpcio-tools is needed and missing.
    """
    if isinstance(source, ModuleType):
        return _of_module(source.__name__, source)
    path = Path(source)
    if path.is_dir():
        return _of_protos(str(source), path, sorted(path.rglob("*.proto")))
    if path.is_file() and path.suffix == ".proto":
        return _of_protos(str(source), path.parent, [path])
    if path.is_file():
        return _of_descriptor_set(path)
    name = str(source)
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", name):
        raise _unreadable(name, f"there is no such file. Valid: {FORMS}")
    try:
        module = _imported(_ALIASES.get(name, name))
    except ImportError as error:
        raise _unreadable(name, f"there is no such file, and it cannot be imported as a module: {error}") from error
    return _of_module(name, module)


def _of_descriptor_set(path: Path) -> Schema:
    try:
        files = FileDescriptorSet.FromString(path.read_bytes())
    except (DecodeError, OSError) as error:
        raise _unreadable(str(path), f"it is not a FileDescriptorSet: {error}") from error
    return Schema.from_files(str(path), files)


def _of_protos(name: str, root: Path, protos: list[Path]) -> Schema:
    if not protos:
        raise _unreadable(name, "it contains no .proto file")
    if importlib.util.find_spec("grpc_tools") is None:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"{name}: compiling .proto files needs grpcio-tools; pip install grpcio-tools installs it. Or compile them "
            "elsewhere (protoc --include_imports --descriptor_set_out, buf build -o) and name the resulting file",
        )
    own = [proto.relative_to(root).as_posix() for proto in protos]
    root = root.resolve()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "schema.binpb"
        # In a child process: the compiler always writes to standard error.
        compiler = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={root}", "--include_imports"]
        done = subprocess.run(  # noqa: S603 - the compiler of this environment; no shell is involved.
            [*compiler, f"--descriptor_set_out={target}", *(str(root / name) for name in own)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise _unreadable(name, done.stderr.strip())
        files = FileDescriptorSet.FromString(target.read_bytes())
    return Schema.from_files(name, files, own)


def _of_module(name: str, module: ModuleType) -> Schema:
    from gateway_entities.wire.schemas.rule_limits import rule_limits

    own = [module, *_stubs_below(module)]
    files = [found for m in own if isinstance(found := getattr(m, "DESCRIPTOR", None), FileDescriptor)]
    if not files:
        raise _unreadable(name, "neither the module nor any _pb2 module below it has a DESCRIPTOR")
    closure: dict[str, FileDescriptor] = {}
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file.name not in closure:
            closure[file.name] = file
            waiting += file.dependencies
    described = [FileDescriptorProto.FromString(file.serialized_pb) for file in closure.values()]
    schema = Schema.from_files(name, FileDescriptorSet(file=described), [file.name for file in files])
    return schema.with_limits(rule_limits(files) or None)


def _stubs_below(module: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if info.name.endswith("_pb2"):
            yield _imported(f"{module.__name__}.{info.name}")


def _imports_first(files: Mapping[str, FileDescriptorProto]) -> Iterator[FileDescriptorProto]:
    """Yield each file after its imports. Raises ValueError if one is missing or imports itself."""
    done: set[str] = set()
    waiting = [(name, False) for name in files]
    open_: set[str] = set()
    while waiting:
        name, imports_done = waiting.pop()
        if imports_done:
            open_.discard(name)
            done.add(name)
            yield _file(files, name)
        elif name in open_:
            raise ValueError(f"{name} imports itself")
        elif name not in done:
            open_.add(name)
            waiting.append((name, True))
            waiting += [(other, False) for other in _file(files, name).dependency if other not in done]


def _file(files: Mapping[str, FileDescriptorProto], name: str) -> FileDescriptorProto:
    if name in files:
        return files[name]
    if not name.startswith(_RUNTIME_FILES):
        raise ValueError(f"{name} is imported, but is not in the schema")
    module = name.removesuffix(".proto").replace("/", ".") + "_pb2"
    try:
        return FileDescriptorProto.FromString(_imported(module).DESCRIPTOR.serialized_pb)
    except ImportError as error:
        raise ValueError(f"{name} is imported, but is neither in the schema nor in the runtime") from error


def _imported(name: str) -> ModuleType:
    return importlib.import_module(name)


def _messages(file: FileDescriptor) -> Iterator[Descriptor]:
    waiting = list(file.message_types_by_name.values())
    while waiting:
        message = waiting.pop()
        if not message.GetOptions().map_entry:
            yield message
            waiting += message.nested_types


def _unreadable(name: str, reason: str) -> GatewayError:
    return GatewayError(Code.INVALID_ARGUMENT, f"cannot read the schema {name}: {reason}", reason="SCHEMA_UNREADABLE")

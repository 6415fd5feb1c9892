"""Message types by name: those of the contract, and those of any other schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Final, cast

from google.protobuf import symbol_database
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.rules.responses import CONTRACT_FILES
from gateway_entities.wire.sources.pool import build_pool
from gateway_entities.wire.sources.read import read_schema

MESSAGE_TYPES: Final[dict[str, type[Message]]] = {
    name: getattr(file, name) for file in CONTRACT_FILES for name in file.DESCRIPTOR.message_types_by_name
}
"""The message types of the contract by short name."""
_MOST_PARTS: Final = 12
_OF_CONTRACT: Final = frozenset(MESSAGE_TYPES.values())


def message_type_named(name: str) -> type[Message]:
    """Return a message type of the contract, or of the default symbol database by full name.

    Args:
        name: a short name (``GatewayEndpoint``), a full one (``gatewayentities.v1.GatewayEndpoint``), or MLflow's, where a
            request has the name of its RPC (``CreateGatewayEndpoint``, ``mlflow.CreateGatewayEndpoint.Response``).

    Raises:
        LookupError: no type has this name.
    """
    short = name.removeprefix("gatewayentities.v1.").removeprefix("mlflow.")
    mlflow = short.removesuffix(".Response") + "Response" if short.endswith(".Response") else f"{short}Request"
    if short == "ListGatewayBudgetWindows.BudgetWindow":
        mlflow = "GatewayBudgetWindow"
    found = MESSAGE_TYPES.get(short) or MESSAGE_TYPES.get(mlflow)
    if found is None:
        try:
            found = symbol_database.Default().GetSymbol(name)
        except KeyError:
            raise LookupError(f"no message type is named {name!r}") from None
    return found


def of_contract(kind: type[Message]) -> bool:
    """Return whether a type is one of the contract's own."""
    return kind in _OF_CONTRACT


def display_name(kind: type[Message]) -> str:
    """Return the name of a type in reports: the short one of a type of the contract, otherwise the full one."""
    descriptor = cast("Descriptor", kind.DESCRIPTOR)
    return descriptor.name if of_contract(kind) else descriptor.full_name


class MessageTypes(Mapping[str, type[Message]]):
    """The message types of a schema by full name. They work without generated code.

    Types look up extensions, and the types of Any payloads, in their own schema only.
    """

    def __init__(self, files: FileDescriptorSet, own: Iterable[str] | None = None, *, name: str = "the schema") -> None:
        """Build the types.

        Args:
            files: the files in any order. Missing google/protobuf files come from the runtime.
            own: the files whose types have short names too; None: all but those of google/protobuf.
            name: the source, for error texts.

        Raises:
            GatewayError: INVALID_ARGUMENT if the files conflict or lack an import.
        """
        self._name = name
        pool, _ = build_pool(name, files)
        self._types: dict[str, Descriptor] = {}
        short: Counter[str] = Counter()
        names = {file.name for file in files.file if not file.name.startswith("google/protobuf/")} if own is None else {*own}
        self._short: dict[str, str] = {}
        for file in (pool.FindFileByName(file.name) for file in files.file):
            for message in _messages(file.message_types_by_name.values()):
                self._types[message.full_name] = message
                if file.name in names:
                    local = message.full_name.removeprefix(f"{file.package}.")
                    for each in {local, message.name}:
                        short[each] += 1
                        self._short[each] = message.full_name
        self._ambiguous = {each for each, number in short.items() if number > 1}

    def __getitem__(self, name: str) -> type[Message]:
        return GetMessageClass(self._types[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def named(self, name: str) -> type[Message]:
        """Return a type by its full name, or by its name without the package if that is unique in the schema.

        Raises:
            LookupError: no type has this name, or several have.
        """
        if name in self._types:
            return self[name]
        if name in self._ambiguous:
            full = sorted(each for each in self._types if each.endswith(f".{name}"))
            raise LookupError(
                f"{name!r} is the name of several message types in {self._name}; name one of {', '.join(full[:5])}"
            )
        if name not in self._short:
            raise LookupError(f"no message type is named {name!r} in {self._name}{_similar(name, self._types)}")
        return self[self._short[name]]


class NamedTypes:
    """Message types by their names and by the names of files.

    Attributes:
        of_contract: whether they are the contract's.
    """

    def __init__(self, named: Callable[[str], type[Message]], *, of_contract: bool) -> None:
        """Create the types from a look-up that raises LookupError for an unknown name."""
        self.named: Final = named
        self.of_contract: Final = of_contract

    def of_file(self, path: str) -> type[Message] | None:
        """Return the type that the start of a file name names, as in ``Order.full.binpb``; None if it names none."""
        parts = PurePath(path).name.split(".")
        # A full name has dots itself: the longest is tried first.
        for length in range(min(len(parts) - 1, _MOST_PARTS), 0, -1):
            try:
                return self.named(".".join(parts[:length]))
            except LookupError:
                continue
        return None


def named_types(schema: str | None, import_paths: Sequence[Path] = ()) -> NamedTypes:
    """Return the types of a schema, or of the contract for None.

    Args:
        schema: everything that ``wire.sources`` reads.
        import_paths: further folders that the imports of .proto files are relative to.

    Raises:
        GatewayError: INVALID_ARGUMENT if it cannot be read; FAILED_PRECONDITION if a compiler is needed and missing.
    """
    if schema is None:
        return NamedTypes(message_type_named, of_contract=True)
    read = read_schema(schema, import_paths)
    return NamedTypes(MessageTypes(read.files, read.own, name=schema).named, of_contract=False)


def _similar(name: str, names: Iterable[str]) -> str:
    last = name.rpartition(".")[2].lower()
    near = sorted(each for each in names if each.rpartition(".")[2].lower() == last)
    return f"; similar: {', '.join(near[:5])}" if near else ""


def _messages(top: Iterable[Descriptor]) -> Iterator[Descriptor]:
    waiting = list(top)
    while waiting:
        message = waiting.pop()
        if not message.GetOptions().map_entry:
            yield message
            waiting += message.nested_types

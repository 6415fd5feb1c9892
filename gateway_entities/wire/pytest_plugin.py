"""pytest plugin that checks a repository's recorded messages and its schemas.

Configuration in pyproject.toml::

    [tool.pytest.ini_options]
    addopts = "-p gateway_entities.wire.pytest_plugin"
    gateway_wire_messages = ["tests/recorded"]
    gateway_wire_message_schema = "proto"
    gateway_wire_schemas = ["proto"]
    gateway_wire_against = "origin/main"

Each file below a folder of messages is a test that fails if the message is invalid. Files are named
``<Message>.<anything>.binpb``; one whose name is no type fails. Without ``gateway_wire_message_schema`` the types are the
contract's. Each schema (a folder of protos, a descriptor set, a Python module) is a test that fails unless it is fully
compatible with this package's protos, or with itself at the commit ``gateway_wire_against``.

A run without arguments has all of them; with arguments, a test runs if its file is below one of them. The tests of schemas
belong to the configuration file: ``pytest pyproject.toml::proto``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import pytest

if TYPE_CHECKING:
    from gateway_entities.wire import Comparison
    from gateway_entities.wire.messages.types import NamedTypes

_MESSAGES: Final = "gateway_wire_messages"
_MESSAGE_SCHEMA: Final = "gateway_wire_message_schema"
_SCHEMAS: Final = "gateway_wire_schemas"
_AGAINST: Final = "gateway_wire_against"
_IMPORTS: Final = "gateway_wire_import_paths"
_SUFFIXES: Final = {".binpb", ".pb", ".bin"}
_OURS: Final = "gatewayentities.v1"

_NodeT = TypeVar("_NodeT", bound=pytest.Item | pytest.File)


class BrokenError(Exception):
    """The findings of a check, as text."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings."""
    parser.addini(_MESSAGES, "Folders of recorded messages to check.", type="linelist")
    parser.addini(_MESSAGE_SCHEMA, "Schema of the recorded messages. Default: the contract of gateway-entities.", default="")
    parser.addini(_SCHEMAS, "Schemas to compare.", type="linelist")
    parser.addini(
        _AGAINST, "Commit of git to compare the schemas with. Default: the contract of gateway-entities.", default=""
    )
    parser.addini(_IMPORTS, "Further folders that imports of .proto files are relative to.", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Check the settings, and add their files to a run without arguments."""
    wanted: list[Path] = []
    for name in config.getini(_MESSAGES):
        folder = config.rootpath / name
        if not folder.is_dir():
            raise pytest.UsageError(f"{_MESSAGES}: {name} is not a folder")
        if not any(_is_message(path) for path in folder.rglob("*")):
            raise pytest.UsageError(f"{_MESSAGES}: {name} has no message; the suffixes are {', '.join(sorted(_SUFFIXES))}")
        wanted.append(folder)
    if config.getini(_SCHEMAS):
        if config.inipath is None:
            raise pytest.UsageError(f"{_SCHEMAS}: it has to be in a configuration file, whose tests the schemas are")
        wanted.append(config.inipath)
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        given = [(config.invocation_params.dir / arg).resolve() for arg in config.args]
        config.args += [str(path) for path in wanted if not any(path.resolve().is_relative_to(each) for each in given)]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Collect a recorded message, or the schemas that the configuration file names."""
    config = parent.config
    if file_path == config.inipath and config.getini(_SCHEMAS):
        return _new(SchemaFile, parent, path=file_path)
    if not _is_message(file_path):
        return None
    folders = [config.rootpath / name for name in config.getini(_MESSAGES)]
    return _new(MessageFile, parent, path=file_path) if any(map(file_path.is_relative_to, folders)) else None


def _is_message(path: Path) -> bool:
    return path.suffix in _SUFFIXES and path.is_file()


def _new(kind: type[_NodeT], parent: pytest.Collector, **arguments: Any) -> _NodeT:
    # pytest does not type the arguments of from_parent.
    return cast("_NodeT", kind.from_parent(parent, **arguments))  # pyright: ignore[reportUnknownMemberType]


class MessageFile(pytest.File):
    """One recorded message."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield its test."""
        yield _new(MessageItem, self, name="message")


class SchemaFile(pytest.File):
    """The configuration file, with a test for each schema that it names."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the tests."""
        for name in self.config.getini(_SCHEMAS):
            yield _new(SchemaItem, self, name=name)


class _Item(pytest.Item):
    """One check."""

    def runtest(self) -> None:
        """Fail with the findings."""
        from gateway_entities.errors import GatewayError

        try:
            self.check()
        except GatewayError as error:
            raise BrokenError(f"{self.name}: {error.message}") from None

    @abstractmethod
    def check(self) -> None:
        """Check it. Raises BrokenError with what is wrong."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Return the findings, or pytest's text for any other failure."""
        if isinstance(excinfo.value, BrokenError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the file, and the name of the test."""
        return self.path, None, self.nodeid

    def import_paths(self) -> list[Path]:
        """Return the folders that imports are relative to."""
        return [self.config.rootpath / name for name in self.config.getini(_IMPORTS)]

    def source(self, name: str) -> str:
        """Return a schema's name: paths are relative to the configuration file, not to the current folder."""
        path = self.config.rootpath / name
        return str(path) if path.exists() else name


class MessageItem(_Item):
    """Checks one recorded message."""

    def check(self) -> None:
        """Fail if the message has errors."""
        from gateway_entities.wire import check, guess

        data = self.path.read_bytes()
        types = self._types()
        name = self.path.relative_to(self.config.rootpath).as_posix()
        kind = types.of_file(self.path.name)
        if kind is None:
            guesses = guess(data) if types.of_contract else []
            looks = f"; it looks like {guesses[0].message_type}" if guesses else ""
            raise BrokenError(f"{name}: the name starts with no message type; call it <Message>.<anything>.binpb{looks}")
        report = check(data, kind)
        if not report.ok:
            lines = [
                f"{finding.severity} {finding.rule} at byte {finding.offset}: {finding.message}"
                for finding in report.findings
            ]
            raise BrokenError("\n".join([f"{name}, as {report.message_type}:", *lines]))

    def _types(self) -> NamedTypes:
        from gateway_entities.wire.messages.types import named_types

        found = self.config.stash.get(_TYPES, None)
        if found is None:
            schema = self.config.getini(_MESSAGE_SCHEMA)
            found = named_types(self.source(schema) if schema else None, self.import_paths())
            self.config.stash[_TYPES] = found
        return found


class SchemaItem(_Item):
    """Compares one schema with this package's protos, or with itself at a commit."""

    def check(self) -> None:
        """Fail on any break, in either direction, and if nothing was compared."""
        result = self._compare()
        breaks = [
            f"{each.direction.value}, {each.level.value}: {each.subject} {each.message} [{each.rule}]"
            for each in result.breaks
        ]
        if breaks:
            raise BrokenError("\n".join([f"{self.name}, against {result.old}:", *breaks]))

    def _compare(self) -> Comparison:
        from gateway_entities.wire import compare, load
        from gateway_entities.wire.schemas.load import schema_of
        from gateway_entities.wire.sources.git import find_commit
        from gateway_entities.wire.sources.read import read_commit

        source, imports = self.source(self.name), self.import_paths()
        against = self.config.getini(_AGAINST)
        if not against:
            return compare(load(_OURS), load(source, imports))
        old = read_commit(find_commit(Path(source), against), [Path(source)], imports)
        return compare(schema_of(old), load(source, imports))


_TYPES: Final = pytest.StashKey["NamedTypes"]()

"""pytest plugin that checks a repository's recorded messages and its copy of the protos.

Configuration in pyproject.toml::

    [tool.pytest.ini_options]
    addopts = "-p gateway_entities.wire.pytest_plugin"
    gateway_wire_messages = ["tests/recorded"]
    gateway_wire_schemas = ["proto"]

Each file below a folder of messages is a test that fails if the message is invalid. Files are named
``<Message>.<anything>.binpb``; with another name the type is guessed. Each schema (a folder of protos, a descriptor set, a
Python module) is a test that fails unless it is fully compatible with this package's protos.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

_MESSAGES: Final = "gateway_wire_messages"
_SCHEMAS: Final = "gateway_wire_schemas"
_SUFFIXES: Final = {".binpb", ".pb", ".bin"}
_OURS: Final = "gatewayentities.v1"

_ItemT = TypeVar("_ItemT", bound=pytest.Item)


class BrokenError(Exception):
    """The findings of a check, as text."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two settings."""
    parser.addini(_MESSAGES, "Folders of recorded messages to check.", type="linelist")
    parser.addini(_SCHEMAS, "Schemas to compare with this package's protos.", type="linelist")


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for each configured message and schema."""
    items.extend(_messages(session, config.rootpath, config.getini(_MESSAGES)))
    items.extend(_schemas(session, config.rootpath, config.getini(_SCHEMAS)))


def _messages(session: pytest.Session, root: Path, folders: list[str]) -> Iterator[pytest.Item]:
    for name in folders:
        folder = root / name
        if not folder.is_dir():
            raise pytest.UsageError(f"{_MESSAGES}: {name} is not a folder")
        for path in sorted(folder.rglob("*")):
            if path.suffix in _SUFFIXES:
                yield _new(MessageItem, session, path.relative_to(root).as_posix(), path)


def _schemas(session: pytest.Session, root: Path, schemas: list[str]) -> Iterator[pytest.Item]:
    for schema in schemas:
        item = _new(SchemaItem, session, schema, root / schema)
        # Paths are relative to the configuration file, not to the current folder.
        item.schema = str(root / schema) if (root / schema).exists() else schema
        yield item


def _new(kind: type[_ItemT], session: pytest.Session, name: str, path: Path) -> _ItemT:
    # pytest does not type the arguments of from_parent.
    item: _ItemT = kind.from_parent(session, name=name, path=path)  # pyright: ignore[reportUnknownMemberType]
    return item


class _Item(pytest.Item):
    """One check."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Return the findings, or pytest's text for any other failure."""
        if isinstance(excinfo.value, BrokenError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the file or schema."""
        return self.path, None, self.name


class MessageItem(_Item):
    """Checks one recorded message."""

    def runtest(self) -> None:
        """Fail if the message has errors."""
        from gateway_entities.wire import check, guess, message_type_named

        data = self.path.read_bytes()
        name = self.path.name.partition(".")[0]
        try:
            message_type_named(name)
        except LookupError:
            guesses = guess(data)
            if not guesses:
                raise BrokenError(f"{self.name} is not a message of the contract") from None
            name = guesses[0].message_type
        report = check(data, name)
        if not report.ok:
            lines = [
                f"{finding.severity} {finding.rule} at byte {finding.offset}: {finding.message}"
                for finding in report.findings
            ]
            raise BrokenError("\n".join([f"{self.name}, as {report.message_type}:", *lines]))


class SchemaItem(_Item):
    """Compares one schema with this package's protos."""

    schema: str

    def runtest(self) -> None:
        """Fail on any break, in either direction."""
        from gateway_entities.wire import compare

        breaks = [
            f"{each.direction.value}, {each.level.value}: {each.subject} {each.message}"
            for each in compare(self.schema, _OURS).breaks
        ]
        if breaks:
            raise BrokenError("\n".join([f"{self.name}, against {_OURS}:", *breaks]))

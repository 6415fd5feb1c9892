"""pytest plugin that checks a repository's recorded messages and its schemas.

Configuration in pyproject.toml::

    [tool.pytest.ini_options]
    addopts = "-p gateway_entities.wire.pytest_plugin"
    gateway_wire_messages = ["tests/recorded"]
    gateway_wire_message_schema = "proto"
    gateway_wire_schemas = ["proto"]
    gateway_wire_against = "origin/main"
    gateway_wire_merge_base = true
    gateway_wire_ignore = "accepted.toml"

Each file below a folder of messages is a test that fails if a message in it is invalid. Files are named
``<Message>.<anything>.binpb``, or with another suffix of ``wire check``, such as ``.json`` and ``.hex``; one whose name is
no type fails. Files with other suffixes are not checked, and the summary of the run names them. Without
``gateway_wire_message_schema`` the types are the contract's. Each schema (a folder of protos, a descriptor set, a Python
module) is a test that fails unless it is fully compatible with this package's protos, or with itself at the commit
``gateway_wire_against`` or at its merge base with HEAD, but for what the file ``gateway_wire_ignore`` accepts.

A run without arguments has all of them; with arguments, a test runs if its file is below one of them. The tests of schemas
belong to the configuration file: ``pytest pyproject.toml::proto``.
"""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import pytest

if TYPE_CHECKING:
    from gateway_entities.wire.messages.inputs import InputFormat
    from gateway_entities.wire.messages.output import Checked
    from gateway_entities.wire.messages.types import NamedTypes
    from gateway_entities.wire.reviews.review import Review
    from gateway_entities.wire.sources.files import SchemaFiles

_MESSAGES: Final = "gateway_wire_messages"
_MESSAGE_SCHEMA: Final = "gateway_wire_message_schema"
_SCHEMAS: Final = "gateway_wire_schemas"
_AGAINST: Final = "gateway_wire_against"
_MERGE_BASE: Final = "gateway_wire_merge_base"
_IGNORE: Final = "gateway_wire_ignore"
_IMPORTS: Final = "gateway_wire_import_paths"
_OURS: Final = "gatewayentities.v1"
_MOST_NAMES: Final = 5
_REMARKS: Final = "remarks of the comparison"

_NodeT = TypeVar("_NodeT", bound=pytest.Item | pytest.File)


class BrokenError(Exception):
    """The findings of a check, as text."""


@dataclass(frozen=True, slots=True)
class _Settings:
    """The settings, checked. Paths are absolute: they are relative to the root of the run, not to the current folder."""

    messages: list[Path]
    message_schema: str
    schemas: list[str]
    against: str
    merge_base: bool
    ignore: Path | None
    import_paths: list[Path]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings."""
    parser.addini(_MESSAGES, "Folders of recorded messages to check.", type="linelist")
    parser.addini(_MESSAGE_SCHEMA, "Schema of the recorded messages. Default: the contract of gateway-entities.", default="")
    parser.addini(_SCHEMAS, "Schemas to compare.", type="linelist")
    parser.addini(
        _AGAINST, "Commit of git to compare the schemas with. Default: the contract of gateway-entities.", default=""
    )
    parser.addini(_MERGE_BASE, "Compare with the merge base of that commit and HEAD.", type="bool", default=False)
    parser.addini(_IGNORE, "TOML file of accepted breaks, as for wire compare --ignore.", default="")
    parser.addini(_IMPORTS, "Further folders that imports of .proto files are relative to.", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Check the settings, and add their files to a run without arguments."""
    settings = config.stash[_SETTINGS] = _read_settings(config)
    wanted = list(settings.messages)
    for folder in settings.messages:
        name = _name(folder, config)
        if not folder.is_dir():
            raise pytest.UsageError(f"{_MESSAGES}: {name} is not a folder")
        if not any(_is_message(path) for path in folder.rglob("*")):
            raise pytest.UsageError(f"{_MESSAGES}: {name} has no message; the suffixes are {', '.join(_suffixes())}")
    if settings.schemas:
        if config.inipath is None:
            raise pytest.UsageError(f"{_SCHEMAS}: it has to be in a configuration file, whose tests the schemas are")
        wanted.append(config.inipath)
    at_root = config.invocation_params.dir == config.rootpath
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS or (
        config.args_source is pytest.Config.ArgsSource.INVOCATION_DIR and at_root
    ):
        given = _given(config)
        config.args += [str(path) for path in wanted if not any(path.resolve().is_relative_to(each) for each in given)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write what passed and was not compared in full, and which files were not checked, of the folders that the run has."""
    for report in terminalreporter.stats.get("passed", []):
        for title, content in report.sections:
            if _REMARKS in title:
                for line in content.splitlines():
                    terminalreporter.write_line(f"{report.nodeid}: {line}")
    for folder in config.stash[_SETTINGS].messages:
        if not any(folder.resolve().is_relative_to(each) for each in _given(config)):
            continue
        others = [path.as_posix() for path in _not_checked(folder, config.getini("norecursedirs"))]
        if others:
            names = ", ".join(others[:_MOST_NAMES]) + (", ..." if len(others) > _MOST_NAMES else "")
            reason = "they have no suffix of messages, or pytest skips their folder (norecursedirs)"
            text = f"{_MESSAGES}: {len(others)} of the files in {folder.name} are not checked, as {reason}"
            terminalreporter.write_line(f"{text}: {names}")


def _not_checked(folder: Path, skipped: list[str]) -> Iterator[Path]:
    """Yield the files in a folder of messages that have no test, relative to it."""
    from gateway_entities.wire.recorded import unrecorded

    yield from (path.relative_to(folder) for path in unrecorded(folder))
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if _is_message(path) and any(fnmatch(part, pattern) for part in below.parts[:-1] for pattern in skipped):
            yield below


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Collect a recorded message, or the schemas that the configuration file names."""
    settings = parent.config.stash[_SETTINGS]
    if file_path == parent.config.inipath and settings.schemas:
        return _new(SchemaFile, parent, path=file_path)
    if not any(map(file_path.is_relative_to, settings.messages)) or not _is_message(file_path):
        return None
    return _new(MessageFile, parent, path=file_path)


def _read_settings(config: pytest.Config) -> _Settings:
    settings = _Settings(
        # Files have no .. in their paths.
        messages=[Path(os.path.normpath(config.rootpath / name)) for name in _several(config, _MESSAGES)],
        message_schema=_one(config, _MESSAGE_SCHEMA),
        schemas=_several(config, _SCHEMAS),
        against=_one(config, _AGAINST),
        merge_base=bool(_setting(config, _MERGE_BASE)),
        ignore=config.rootpath / name if (name := _one(config, _IGNORE)) else None,
        import_paths=[config.rootpath / name for name in _several(config, _IMPORTS)],
    )
    if settings.merge_base and not settings.against:
        raise pytest.UsageError(f"{_MERGE_BASE}: it needs {_AGAINST}, the commit whose merge base with HEAD is meant")
    return settings


def _setting(config: pytest.Config, name: str) -> object:
    try:
        with warnings.catch_warnings():
            # A list in place of a text is an error below.
            warnings.simplefilter("ignore")
            return config.getini(name)
    except (TypeError, ValueError) as error:
        raise pytest.UsageError(f"{name}: {error}") from None


def _one(config: pytest.Config, name: str) -> str:
    value = _setting(config, name)
    if not isinstance(value, str):
        raise pytest.UsageError(f'{name}: it is one text, not {value!r}; write {name} = "..."')
    return value.strip()


def _several(config: pytest.Config, name: str) -> list[str]:
    value = _setting(config, name)
    names = cast("list[object]", value) if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in names):
        raise pytest.UsageError(f'{name}: it is a list of texts, not {value!r}; write {name} = ["..."]')
    return cast("list[str]", names)


def _given(config: pytest.Config) -> list[Path]:
    """Return the files and folders that the run has as arguments."""
    return [(config.invocation_params.dir / arg.partition("::")[0]).resolve() for arg in config.args]


def _name(path: Path, config: pytest.Config) -> str:
    return (path.relative_to(config.rootpath) if path.is_relative_to(config.rootpath) else path).as_posix()


def _is_message(path: Path) -> bool:
    from gateway_entities.wire.recorded import is_recorded

    return is_recorded(path)


def _suffixes() -> list[str]:
    from gateway_entities.wire.messages.inputs import INPUT_FORMATS

    return sorted(INPUT_FORMATS)


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
        for name in self.config.stash[_SETTINGS].schemas:
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

    @property
    def settings(self) -> _Settings:
        """The settings of the run."""
        return self.config.stash[_SETTINGS]

    def source(self, name: str) -> str:
        """Return a schema's name: paths are relative to the root of the run, not to the current folder."""
        path = self.config.rootpath / name
        return str(path) if path.exists() else name


class MessageItem(_Item):
    """Checks the messages of one file."""

    def check(self) -> None:
        """Fail if a message has errors."""
        from gateway_entities.wire.messages.inputs import INPUT_FORMATS, UnreadableError
        from gateway_entities.wire.recorded import checked, content

        name = _name(self.path, self.config)
        form = INPUT_FORMATS[self.path.suffix]
        types = self._types()
        kind = types.of_file(self.path.name)
        try:
            data = content(self.path.read_bytes(), form)
            if kind is None:
                looks = _looks_like(data, form) if types.of_contract else ""
                raise BrokenError(
                    f"{name}: the name starts with no message type; call it <Message>.<anything>{self.path.suffix}{looks}"
                )
            found = list(checked(name, data, form, lambda _: (kind, ())))
        except UnreadableError as error:
            raise BrokenError(f"{name}: {error}") from None
        lines = [line for each in found if not each.report.ok for line in _lines(each)]
        if lines:
            raise BrokenError("\n".join(lines))

    def _types(self) -> NamedTypes:
        from gateway_entities.wire.messages.types import named_types

        found = self.config.stash.get(_TYPES, None)
        if found is None:
            schema = self.settings.message_schema
            found = named_types(self.source(schema) if schema else None, self.settings.import_paths)
            self.config.stash[_TYPES] = found
        return found


def _looks_like(data: bytes, form: InputFormat) -> str:
    from gateway_entities.wire import guess, guess_json

    guesses = [] if form == "stream" else guess_json(data) if form == "json" else guess(data)
    return f"; it looks like {guesses[0].message_type}" if guesses else ""


def _lines(each: Checked) -> Iterator[str]:
    yield f"{each.location}, as {each.report.message_type}:"
    for finding in each.report.findings:
        where = "" if (offset := each.at(finding)) is None else f" at byte {offset}"
        yield f"{finding.severity} {finding.rule}{where}: {finding.message}"


class SchemaItem(_Item):
    """Compares one schema with this package's protos, or with itself at a commit."""

    def check(self) -> None:
        """Fail on any break that is not accepted, in either direction, and if nothing was compared."""
        from gateway_entities.wire.reviews.review import remarks

        result = self._review()
        breaks = [
            f"{where}{each.difference.direction.value}, {each.difference.level.value}: {each.difference.subject} "
            f"{each.difference.message} [{each.difference.rule}]"
            for each in result.breaks
            if each.fails
            for where in (f"{each.where}: " if each.where is not None else "",)
        ]
        said = remarks(result)
        if breaks:
            raise BrokenError("\n".join([f"{self.name}, against {result.comparison.old}:", *breaks, *said]))
        if said:
            self.add_report_section("call", _REMARKS, "\n".join(said))

    def _review(self) -> Review:
        from gateway_entities.wire import compare
        from gateway_entities.wire.reviews.ignores import read_ignores
        from gateway_entities.wire.reviews.review import Policy, review
        from gateway_entities.wire.schemas.model.load import schema_of

        settings = self.settings
        ignores = [] if settings.ignore is None else read_ignores(settings.ignore)
        old, new = self._read()
        return review(
            compare(schema_of(old), schema_of(new)),
            Policy(),
            ignores,
            today=datetime.now(UTC).date(),
            old_paths=old.paths,
            new_paths=new.paths,
        )

    def _read(self) -> tuple[SchemaFiles, SchemaFiles]:
        from gateway_entities.wire.sources.git import find_commit
        from gateway_entities.wire.sources.read import read_commit, read_schema

        settings = self.settings
        source = self.source(self.name)
        new = read_schema(source, settings.import_paths)
        if not settings.against:
            return read_schema(_OURS), new
        if not Path(source).exists():
            raise BrokenError(f"{self.name}: a module is in no commit; {_AGAINST} is for files and folders")
        commit = find_commit(Path(source), settings.against, merge_base=settings.merge_base)
        return read_commit(commit, [Path(source)], settings.import_paths), new


_SETTINGS: Final = pytest.StashKey["_Settings"]()
_TYPES: Final = pytest.StashKey["NamedTypes"]()

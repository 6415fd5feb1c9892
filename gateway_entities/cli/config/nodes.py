"""YAML documents as trees of nodes with their positions, read within bounds.

Only the parser is ruamel.yaml's: its events are counted while they come, so that no document costs more than its limits.
Aliases share a node, and count as often as they are used. Scalars keep their text; the reader of a field gives it its type.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from gateway_entities.extras import not_installed

MAX_FILE_BYTES: Final = 8 << 20
"""Maximum size of a file in bytes."""
MAX_NODES: Final = 1_000_000
"""Maximum number of nodes in all documents of a configuration, those of aliases included each time."""
MAX_DOCUMENTS: Final = 10_000
"""Maximum number of documents in a file."""
MAX_ITEMS: Final = 10_000
"""Maximum number of items of a list, and of entries of a mapping."""
MAX_DEPTH: Final = 32
"""Maximum depth of lists and mappings."""

_LONGEST_NUMBER: Final = 400
_NULL: Final = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NON_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class Mark(NamedTuple):
    """A position in a file; line and column start with 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(NamedTuple):
    """What is wrong at a position."""

    mark: Mark
    description: str


class DocumentError(Exception):
    """A document that cannot be read."""

    def __init__(self, mark: Mark, description: str) -> None:
        super().__init__(f"{mark}: {description}")
        self.problem = Problem(mark, description)


@dataclass(slots=True)
class ScalarNode:
    """A scalar: its text, whether it is written without quotes, and whether a variable was replaced in it."""

    text: str
    plain: bool
    mark: Mark
    replaced: bool = False

    @property
    def size(self) -> int:
        """Number of nodes."""
        return 1


@dataclass(slots=True)
class ListNode:
    """A list."""

    mark: Mark
    items: list[Node] = field(default_factory=list["Node"])
    size: int = 1


@dataclass(slots=True)
class MappingNode:
    """A mapping; its keys differ."""

    mark: Mark
    entries: dict[str, Node] = field(default_factory=dict[str, "Node"])
    keys: dict[str, Mark] = field(default_factory=dict[str, Mark])
    size: int = 1


Node: TypeAlias = ScalarNode | ListNode | MappingNode


def value(node: ScalarNode) -> object:
    """Return the value of a scalar in YAML's core schema: None, bool, int, float or text."""
    text = node.text
    if not node.plain:
        return text
    if text in _NULL:
        return None
    return _BOOLEANS[text] if text in _BOOLEANS else _number(text)


def _number(text: str) -> int | float | str:
    if len(text) <= _LONGEST_NUMBER:
        if _INTEGER.fullmatch(text):
            return int(text, 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10)
        if _FLOAT.fullmatch(text):
            return float(text)
        if _NON_FINITE.fullmatch(text):
            return math.nan if "n" in text.lower()[-1:] else -math.inf if text.startswith("-") else math.inf
    return text


def is_null(node: Node) -> bool:
    """Return whether a node is null."""
    return isinstance(node, ScalarNode) and node.plain and node.text in _NULL


def plain(node: Node) -> Any:
    """Return a node as dicts, lists and scalars."""
    if isinstance(node, ScalarNode):
        return value(node)
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return {key: plain(item) for key, item in node.entries.items()}


@dataclass(slots=True)
class Allowance:
    """How many more nodes the documents of a configuration may have. What is refused has used it too."""

    nodes: int = MAX_NODES


def documents(file: str, text: str, allowance: Allowance | None = None) -> list[Node]:
    """Return the documents of a file; empty ones are left out.

    Args:
        file: its name, for positions.
        text: its content.
        allowance: what all files of the configuration share; None for a file alone.

    Raises:
        DocumentError: it is not YAML, or goes beyond a limit.
        GatewayError: FAILED_PRECONDITION; ruamel.yaml is not installed.
    """
    composer = _Composer(file, allowance or Allowance())
    for event in _events(file, text):
        composer.add(event)
    return [node for node in composer.documents if not is_null(node)]


def has_aliases(file: str, text: str) -> bool:
    """Return whether a file that ``documents`` has read uses aliases."""
    return any(type(event).__name__ == "AliasEvent" for event in _events(file, text))


def _events(file: str, text: str) -> Iterator[Any]:
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError
    except ModuleNotFoundError as error:
        raise not_installed(f"reading YAML needs {error.name}", "config") from error
    parser: Any = YAML(typ="safe", pure=True)
    try:
        yield from parser.parse(text)
    except MarkedYAMLError as error:
        found: Any = error
        mark = found.problem_mark or found.context_mark
        raise DocumentError(Mark(file, mark.line + 1, mark.column + 1), f"is not YAML: {found.problem}") from None
    except (YAMLError, RecursionError, ValueError) as error:
        description = f"is not YAML: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        raise DocumentError(Mark(file, 1, 1), description) from None


class _Composer:
    """Builds nodes of events; iterative, so that depth costs no stack."""

    def __init__(self, file: str, allowance: Allowance) -> None:
        self.documents: list[Node] = []
        self._file = file
        self._allowance = allowance
        self._started = 0
        self._anchors: dict[str, Node] = {}
        self._open: list[ListNode | MappingNode] = []
        self._key: list[ScalarNode | None] = []
        self._anchor: list[str | None] = []
        self._merged: list[list[MappingNode]] = []

    def add(self, event: Any) -> None:
        kind = type(event).__name__
        mark = Mark(self._file, event.start_mark.line + 1, event.start_mark.column + 1)
        if kind == "DocumentStartEvent":
            self._anchors = {}
            self._started += 1
            if self._started > MAX_DOCUMENTS:
                raise DocumentError(mark, f"is beyond the limit of {MAX_DOCUMENTS} documents in one file")
        elif kind == "AliasEvent":
            self._alias(str(event.anchor), mark)
        elif kind == "ScalarEvent":
            self._refuse_tag(event, mark)
            # A plain scalar has no style; a tag of text makes it text.
            is_plain = bool(event.implicit[0]) and event.style in (None, "")
            self._place(ScalarNode(event.value, is_plain, mark), event.anchor)
        elif kind in ("SequenceStartEvent", "MappingStartEvent"):
            self._refuse_tag(event, mark)
            self._start(ListNode(mark) if kind == "SequenceStartEvent" else MappingNode(mark), event.anchor)
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            self._end()

    def _refuse_tag(self, event: Any, mark: Mark) -> None:
        if event.tag is not None and str(event.tag) not in ("tag:yaml.org,2002:str", "!"):
            raise DocumentError(mark, "has a tag; tags are not supported")

    def _alias(self, anchor: str, mark: Mark) -> None:
        if anchor not in self._anchors:
            raise DocumentError(mark, "is an alias of an anchor that is not complete before it")
        self._place(self._anchors[anchor], None, mark)

    def _start(self, node: ListNode | MappingNode, anchor: str | None) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise DocumentError(node.mark, f"is nested more than {MAX_DEPTH} levels deep")
        if self._open and isinstance(self._open[-1], MappingNode) and self._key[-1] is None:
            raise DocumentError(node.mark, "is a key that is not text")
        self._open.append(node)
        self._key.append(None)
        self._anchor.append(anchor)
        self._merged.append([])

    def _end(self) -> None:
        node = self._open.pop()
        self._key.pop()
        merged = self._merged.pop()
        if isinstance(node, MappingNode):
            for other in merged:
                for key, item in other.entries.items():
                    if key not in node.entries:
                        node.entries[key] = item
                        node.keys[key] = other.keys[key]
        self._place(node, self._anchor.pop())

    def _place(self, node: Node, anchor: str | None, mark: Mark | None = None) -> None:
        """Put a complete node into the one that is open."""
        at = mark or node.mark
        if anchor:
            self._anchors[str(anchor)] = node
        # What is inside was counted when it was placed, except that of an alias.
        self._allowance.nodes -= node.size if mark is not None else 1
        if self._allowance.nodes < 0:
            raise DocumentError(at, f"is beyond the limit of {MAX_NODES} nodes in all documents, those of aliases included")
        if not self._open:
            self.documents.append(node)
            return
        parent = self._open[-1]
        if isinstance(parent, ListNode):
            parent.items.append(node)
            parent.size += node.size
            self._refuse_many(len(parent.items), parent.mark, at)
        elif (key := self._key[-1]) is None:
            if not isinstance(node, ScalarNode):
                raise DocumentError(at, "is a key that is not text")
            self._key[-1] = ScalarNode(node.text, node.plain, at)
        else:
            self._key[-1] = None
            self._enter(parent, key, node)

    def _enter(self, parent: MappingNode, key: ScalarNode, node: Node) -> None:
        parent.size += node.size + 1
        if key.plain and key.text == "<<":
            sources = node.items if isinstance(node, ListNode) else [node]
            maps = [source for source in sources if isinstance(source, MappingNode)]
            if len(maps) != len(sources):
                raise DocumentError(key.mark, "merges what is not a mapping")
            self._merged[-1] += maps
            return
        if key.text in parent.entries:
            first = parent.keys[key.text]
            raise DocumentError(key.mark, f"is a key that line {first.line} has already")
        parent.entries[key.text] = node
        parent.keys[key.text] = key.mark
        self._refuse_many(len(parent.entries), parent.mark, key.mark)

    def _refuse_many(self, number: int, start: Mark, mark: Mark) -> None:
        if number > MAX_ITEMS:
            raise DocumentError(mark, f"is beyond the limit of {MAX_ITEMS} items; the list starts in line {start.line}")

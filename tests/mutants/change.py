"""A small change of one source file, and its place."""

from __future__ import annotations

import ast
import hashlib
from typing import NamedTuple


class Change(NamedTuple):
    """One replacement in one file.

    Attributes:
        file: the path below the repository's root.
        line: the first line of what is replaced, from 1.
        kind: a key of ``kinds.KINDS``.
        number: which of the changes of this kind on this line, from 1.
        function: the qualified name of the function or class around it; empty at module level.
        what: the old and the new code, on one line.
        start: the first byte that is replaced.
        end: the byte behind the last.
        code: the new code.
    """

    file: str
    line: int
    kind: str
    number: int
    function: str
    what: str
    start: int
    end: int
    code: bytes

    @property
    def key(self) -> str:
        """``FILE:LINE:KIND``, with ``#2`` behind it for the second of its kind on the line."""
        return f"{self.file}:{self.line}:{self.kind}" + (f"#{self.number}" if self.number > 1 else "")

    def applied(self, source: bytes) -> bytes:
        """Return the changed source."""
        return source[: self.start] + self.code + source[self.end :]

    def rank(self, seed: int) -> str:
        """Return the place in the order of a seed. It depends on nothing else in the file."""
        return hashlib.sha256(
            f"{seed} {self.file} {self.function} {self.kind} {self.what} {self.number}".encode()
        ).hexdigest()


class Source:
    """A parsed file.

    Attributes:
        file: the path below the repository's root.
        data: its bytes.
        tree: its syntax tree.
    """

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.data = data
        self.tree = ast.parse(data)
        self._starts = [0]
        for line in data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return the first byte of a node and the byte behind its last."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

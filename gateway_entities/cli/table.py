"""Tables that fit the terminal."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_GAP: Final = 2
_NARROWEST: Final = 8
"""Least width of a cell that is cut, unless its heading is wider."""
_COMFORTABLE: Final = 20
"""Width of a cell for which columns that can be spared are left out."""
_CUT: Final = "…"


def terminal_width() -> int | None:
    """Return the number of columns of the terminal that standard output is; None if it is none: nothing is cut there."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    width: int | None = None,
    spare: Sequence[int] = (),
    whole: Sequence[int] = (),
) -> str:
    """Return rows as aligned columns with headings.

    Args:
        headings: one for each column.
        rows: the cells, each printable.
        width: the maximum width of a line. The widest cells are cut to it, the first column the least, and where that is not
            enough the last columns are left out. None cuts nothing.
        spare: the columns that are left out before others are cut to less than 20, and never cut.
        whole: the columns that are never cut but where one column alone is too wide, such as those of numbers: a part of one
            is another number.
    """
    return "\n".join(aligned([[heading.upper() for heading in headings], *rows], width=width, spare=spare, whole=whole))


def aligned(
    rows: Sequence[Sequence[str]], *, width: int | None = None, spare: Sequence[int] = (), whole: Sequence[int] = ()
) -> list[str]:
    """Return rows as lines of aligned columns; the first row has the headings. The other arguments are as of ``table``."""
    widths = dict(enumerate(max(map(text_width, column)) for column in zip(*rows, strict=True)))
    if width is not None:
        widths = _fitted(widths, [text_width(heading) for heading in rows[0]], max(width, 1), spare, whole)
    return [
        (" " * _GAP).join(_padded(cut(row[column], size), size) for column, size in widths.items()).rstrip() for row in rows
    ]


def text_width(text: str) -> int:
    """Return the number of columns that a text takes."""
    return sum(map(_columns, text))


def cut(text: str, width: int) -> str:
    """Return a text of at most a width, with an ellipsis in place of what was cut."""
    if text_width(text) <= width:
        return text
    kept, left = "", width - 1
    for character in text:
        left -= _columns(character)
        if left < 0:
            break
        kept += character
    return kept + _CUT


def _fitted(
    widths: Mapping[int, int], headings: Sequence[int], width: int, spare: Sequence[int], whole: Sequence[int]
) -> dict[int, int]:
    """Return the widths of the columns that fit, the first at least."""
    kept = dict(widths)

    def floors(narrowest: int, first: int) -> list[int]:
        return [
            size
            if column in spare or column in whole
            else min(size, max(narrowest, headings[column], 0 if column else first))
            for column, size in kept.items()
        ]

    for column in reversed(spare):
        if column and _total(floors(_COMFORTABLE, width // 2)) > width:
            del kept[column]
    while len(kept) > 1 and _total(floors(_NARROWEST, width // 3)) > width:
        kept.popitem()
    least = floors(_NARROWEST, width // 3)
    if _total(least) > width:
        return {0: width}
    level = width
    while _total(found := [min(size, max(floor, level)) for size, floor in zip(kept.values(), least, strict=True)]) > width:
        level -= 1
    return dict(zip(kept, found, strict=True))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - text_width(text))


def _columns(character: str) -> int:
    return 0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1

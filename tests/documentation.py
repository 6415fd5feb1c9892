"""The code blocks of the documentation, by page and heading."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
# Generated from the comments of the protos, which have no examples.
GENERATED = ROOT / "docs" / "reference" / "protos"
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if GENERATED not in path.parents
)
_HEADING_OR_BLOCK = re.compile(
    r"^(?:#+ (?P<heading>[^\n]+)|```(?P<language>\w+)\n(?P<text>.*?)^```)$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """A fenced code block and its heading."""

    page: str
    heading: str
    language: str
    text: str


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """Return the code blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found: list[Block] = []
    heading = ""
    for match in _HEADING_OR_BLOCK.finditer(text):
        if match["heading"]:
            heading = match["heading"]
        else:
            found.append(Block(page, heading, match["language"], match["text"]))
    # An indented fence or one without a language would be ignored, and a comment in an open one taken for a heading.
    assert text.count("```") == 2 * len(found), f"{page} has code blocks of another form"
    return tuple(found)


def block(page: str, heading: str, language: str) -> str:
    """Return the text of the one block of a language under a heading."""
    (text,) = (each.text for each in blocks(page) if (each.heading, each.language) == (heading, language))
    return text

"""A review as Markdown, for a comment on a pull request or the summary of a job."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from gateway_entities.wire.reviews.review import Review, Reviewed, affected, by_subject, compared, counted, remarks
from gateway_entities.wire.schemas.report import Comparison

MAX_ROWS: Final = 100
"""The number of elements in one table; further ones are counted. A comment of GitHub has 65,536 characters."""
MAX_PROOFS: Final = 20
"""The number of proofs."""

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>|#~])")
_LISTED: Final = 5
_WIDEST: Final = 200


def to_markdown(result: Review) -> Iterator[str]:
    """Yield the lines."""
    name, _, meaning = result.compatibility.value.partition(": ")
    yield f"## {'❌' if result.failed else '✅'} Schema compatibility: {name}{result.levels}"
    yield ""
    first, _, rest = meaning.partition("; ")
    yield f"**{_sentence(first)}** {_sentence(rest)}"
    yield ""
    comparison = result.comparison
    subject = "" if comparison.new == "." else f" of {_code(comparison.new)}"
    yield f"{compared(result)}{subject} compared with {_code(comparison.old)}.{_unmatched(comparison)}"
    failing = [each for each in (*result.breaks, *result.notes) if each.fails]
    other = [each for each in result.breaks if not each.fails and each.ignored is None]
    ignored = [each for each in result.breaks if each.ignored is not None]
    if failing:
        yield from _section("Breaks", failing)
    if other:
        yield from _section("Breaks that do not fail this check", other)
    if ignored:
        yield from _ignored(ignored)
    if result.notes:
        yield from _notes([each for each in result.notes if not each.fails])
    if found := remarks(result):
        yield ""
        yield from (f"- {_escape(_sentence(text))}" for text in found)


def _unmatched(comparison: Comparison) -> str:
    parts = [
        f"{counted(len(names), 'message')} only in the {side} schema: {', '.join(map(_code, names[:_LISTED]))}"
        + (", ..." if len(names) > _LISTED else "")
        for side, names in (("old", comparison.only_old), ("new", comparison.only_new))
        if names
    ]
    return "".join(f" {part}." for part in parts)


def _section(title: str, found: Sequence[Reviewed]) -> Iterator[str]:
    groups = by_subject(found)
    yield ""
    yield f"### {title}: {counted(len(groups), 'element')}"
    yield ""
    yield "| Where | What | Affects |"
    yield "|---|---|---|"
    for each in groups[:MAX_ROWS]:
        first = each[0].difference
        number = f" ({first.number})" if first.number else ""
        unstable = " · unstable package" if first.unstable else ""
        what = f"{_code(first.subject)}{number} {_escape(first.message)}{unstable}"
        yield f"| {_places(each[0])} | {what} | {affected(each)} |"
    if len(groups) > MAX_ROWS:
        yield ""
        yield f"... and {len(groups) - MAX_ROWS} more."
    proofs = [proof for each in groups[:MAX_PROOFS] for proof in _proof(each)]
    if proofs:
        yield ""
        yield "<details><summary>Messages that prove it</summary>"
        yield ""
        yield from proofs
        yield ""
        yield "</details>"


def _proof(found: Sequence[Reviewed]) -> Iterator[str]:
    """Yield the first witness of a subject as an item of a list."""
    for each in found:
        witness = each.difference.witness
        if witness is not None:
            data = witness.data.hex(" ")
            yield (
                f"- {_code(each.difference.subject)}: {_code(witness.message_type)} "
                f"{_code(data) if data else 'without a byte'} · old schema: {_reading(witness.old)} · new schema: "
                f"{_reading(witness.new)}"
            )
            return


def _reading(reading: tuple[str | None, str | None, str | None]) -> str:
    text, json, fault = reading
    if fault is not None:
        return f"rejected, {_escape(_cut(fault))}"
    shown = text if text is not None else json
    return _code(shown) if shown else "empty"


def _ignored(found: Sequence[Reviewed]) -> Iterator[str]:
    yield ""
    yield "### Ignored"
    yield ""
    yield "| Where | What | Until | Reason |"
    yield "|---|---|---|---|"
    for each in [group[0] for group in by_subject(found)][:MAX_ROWS]:
        difference, entry = each.difference, each.ignored
        if entry is not None:
            what = f"{_code(difference.subject)} {_escape(difference.message)}"
            yield f"| {_places(each)} | {what} | {entry.expires} | {_escape(entry.reason)} |"


def _notes(notes: Sequence[Reviewed]) -> Iterator[str]:
    groups = by_subject(notes)
    if not groups:
        return
    yield ""
    yield f"<details><summary>{counted(len(groups), 'compatible change')}</summary>"
    yield ""
    for each in groups[:MAX_ROWS]:
        difference = each[0].difference
        yield f"- {_code(difference.subject)} {_escape(difference.message)}"
    if len(groups) > MAX_ROWS:
        yield f"- ... and {len(groups) - MAX_ROWS} more"
    yield ""
    yield "</details>"


def _places(each: Reviewed) -> str:
    where = each.where
    if where is None:
        return ""
    shown = _code(str(where))
    if each.new is None or each.old is None or each.old == each.new:
        return shown
    before = f"line {each.old.line}" if each.old.path == each.new.path and each.old.line else _code(str(each.old))
    return f"{shown} (was {before})"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text and not text.endswith(".") else text


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _code(text: str) -> str:
    # A pipe ends the cell of a table even in code.
    shown = "".join(each if each.isprintable() else " " for each in _cut(text)).replace("|", "\\|")
    fence = "``" if "`" in shown else "`"
    return f"{fence} {shown} {fence}" if "`" in shown else f"{fence}{shown}{fence}"


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))

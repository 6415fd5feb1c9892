"""Plans as text for a terminal, or as Markdown for the comment of a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import click

from gateway_entities.cli.cells import printable
from gateway_entities.entities import GatewayFieldDifference, GatewayPlanAction, GatewayPlannedChange

_SIGNS: Final[Mapping[int, str]] = {
    GatewayPlanAction.GATEWAY_PLAN_ACTION_CREATE: "+",
    GatewayPlanAction.GATEWAY_PLAN_ACTION_UPDATE: "~",
    GatewayPlanAction.GATEWAY_PLAN_ACTION_DELETE: "-",
}
_STYLES: Final = {"+": "green", "~": "yellow", "-": "red", "!": "yellow"}
MAX_MARKDOWN: Final = 60_000
"""Maximum characters of a plan in Markdown: a comment on GitHub has at most 65536."""


class _Line(NamedTuple):
    sign: str
    text: str


def text(changes: Sequence[GatewayPlannedChange], effects: Sequence[GatewayPlannedChange]) -> str:
    """Return changes and their effects as text with terminal styles."""
    lines = [click.style(f"{sign} {line}" if sign else line, fg=_STYLES.get(sign)) for sign, line in _lines(changes)]
    if effects:
        lines.append("This affects:")
        lines += [click.style(f"  {sign} {line}".rstrip(), fg=_STYLES.get(sign)) for sign, line in _lines(effects)]
    return "\n".join([*lines, summary(changes)])


def markdown(changes: Sequence[GatewayPlannedChange], effects: Sequence[GatewayPlannedChange]) -> str:
    """Return changes and their effects as Markdown: a heading and a ``diff`` block for each."""
    parts = [f"**{summary(changes)}**"]
    for heading, found in (("", changes), ("This affects:", effects)):
        if found:
            # "~" is no sign of a diff; "!" is shown as a change.
            body = "\n".join(f"{'!' if sign == '~' else sign or ' '} {line}" for sign, line in _lines(found))
            if len(body) > MAX_MARKDOWN:
                body = body[:MAX_MARKDOWN].rsplit("\n", 1)[0] + "\n  ... cut; see the plan as text"
            longest = max((len(run) for run in re.findall("`+", body)), default=0)
            fence = "`" * max(3, longest + 1)
            parts += [heading, f"{fence}diff\n{body}\n{fence}"]
    return "\n\n".join(part for part in parts if part)


def summary(changes: Sequence[GatewayPlannedChange]) -> str:
    """Return the sentence with the number of changes."""
    if not changes:
        return "No changes."
    verbs = (("+", "create"), ("~", "update"), ("-", "delete"))
    counts = {sign: sum(_sign(change) == sign for change in changes) for sign, _ in verbs}
    return f"{', '.join(f'{counts[sign]} to {verb}' for sign, verb in verbs)}."


def _sign(change: GatewayPlannedChange) -> str:
    return _SIGNS.get(change.action, "?")


def _lines(changes: Iterable[GatewayPlannedChange]) -> Iterator[_Line]:
    for change in changes:
        cause = "" if change.cause is None else f"  (because of {change.cause})"
        yield _Line(_sign(change), printable(f"{change.noun} {change.name}{cause}"))
        for difference in change.fields:
            created = change.action == GatewayPlanAction.GATEWAY_PLAN_ACTION_CREATE
            yield _Line("", printable(f"    {_difference(difference, created=created)}"))
        for note in change.notes:
            yield _Line("!", printable(f"  {note.description}"))


def _difference(difference: GatewayFieldDifference, *, created: bool) -> str:
    if difference.before is None and difference.after is None:
        return f"{difference.path}: (secret)"
    before, after = ("(absent)" if text is None else text for text in (difference.before, difference.after))
    return f"{difference.path}: {after}" if created else f"{difference.path}: {before} -> {after}"

"""A review as GitHub's workflow commands, which become annotations of a pull request's files."""

from __future__ import annotations

from collections.abc import Iterator

from gateway_entities.wire.reviews.review import Review, Reviewed, affected, by_subject, remarks


def to_github(result: Review) -> Iterator[str]:
    """Yield one command a line: an error for what fails the check, a warning for other breaks, a notice for a note."""
    failing = [each for each in (*result.breaks, *result.notes) if each.fails]
    for group in by_subject(failing):
        yield _command("error", group)
    for group in by_subject([each for each in result.breaks if not each.fails]):
        yield _command("warning", group)
    for group in by_subject([each for each in result.notes if not each.fails]):
        yield _command("notice", group)
    for text in remarks(result):
        yield f"::notice title=wire compare::{_data(text)}"


def _command(word: str, group: list[Reviewed]) -> str:
    """Return one annotation for a subject: GitHub shows ten of each kind for a step."""
    each = group[0]
    difference, where = each.difference, each.where
    properties = {"title": difference.rule}
    if where is not None:
        properties = {"file": where.path, **({"line": str(where.line)} if where.line else {}), **properties}
    text = f"{difference.subject} {difference.message}\nAffects {affected(group)}"
    if each.new is not None and each.old is not None and each.new != each.old:
        text += f"\nIn the old schema: {each.old}"
    if difference.witness is not None:
        text += f"\nProof: {difference.witness.message_type} {difference.witness.data.hex(' ')[:300] or 'without a byte'}"
    if each.ignored is not None:
        text += f"\nIgnored until {each.ignored.expires}: {each.ignored.reason}"
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{word} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

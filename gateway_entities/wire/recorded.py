"""Files of recorded messages, in every input format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from google.protobuf.message import Message

from gateway_entities.text import decode_text
from gateway_entities.wire.messages.check import check
from gateway_entities.wire.messages.inputs import (
    INPUT_FORMATS,
    InputFormat,
    InputMessage,
    UnreadableError,
    check_json,
    from_base64,
    from_hex,
    from_stream,
)
from gateway_entities.wire.messages.output import Checked
from gateway_entities.wire.vectors import is_manifest

TypeOf = Callable[[bytes], tuple[type[Message] | str, tuple[str, ...]]]
"""Returns the type of some bytes, and the reasons if it is a guess. Raises UnreadableError if it does not know one."""


def is_recorded(path: Path) -> bool:
    """Return whether a file has a suffix of messages. The manifest of golden vectors is no message."""
    return path.suffix in INPUT_FORMATS and path.is_file() and not is_manifest(path)


def unrecorded(folder: Path) -> list[Path]:
    """Return the files in a folder of messages that have no suffix of messages, without hidden files such as .gitignore."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not is_recorded(path) and not is_manifest(path) and not path.name.startswith(".")
    ]


def content(data: bytes, form: InputFormat) -> bytes:
    """Return what an input holds: the bytes of hexadecimal or base64 text, and everything else as it is.

    Raises:
        UnreadableError: it does not have its format.
    """
    if form not in ("hex", "base64", "json"):
        return data
    try:
        text = decode_text(data).encode()
    except ValueError as error:
        raise UnreadableError(f"it {error}") from None
    if form == "json":
        # JSON has no byte order mark, and its parsers refuse one.
        return data
    return from_hex(text) if form == "hex" else from_base64(text)


def checked(source: str, data: bytes, form: InputFormat, type_of: TypeOf) -> Iterator[Checked]:
    """Check every message of an input.

    Args:
        source: its name, for the reports.
        data: what it holds.
        form: its format.
        type_of: the type of its messages.

    Raises:
        UnreadableError: it has no message, or one whose type is unknown.
    """
    if form == "json":
        kind, reasons = type_of(data)
        yield Checked(source, None, 0, check_json(data, kind), reasons)
        return
    is_stream = form == "stream"
    if is_stream and not data:
        raise UnreadableError("it is a stream without a message")
    for position, part in enumerate(from_stream(data) if is_stream else [InputMessage(0, data)]):
        yield _checked_part(source, position if is_stream else None, part, type_of)


def _checked_part(source: str, position: int | None, part: InputMessage, type_of: TypeOf) -> Checked:
    try:
        kind, reasons = type_of(part.data)
    except UnreadableError:
        if part.finding is None or part.data:
            raise
        raise UnreadableError(f"{part.finding.message} (byte {part.offset})") from None
    report = check(part.data, kind)
    if part.finding is not None:
        # Its offset is in the stream; those of a report are relative to the message.
        report.findings.insert(0, part.finding._replace(offset=(part.finding.offset or 0) - part.offset))
    return Checked(source, position, part.offset, report, reasons)

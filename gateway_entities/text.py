"""Text that people save in files, pipe into commands or set in the environment, with or without a byte order mark."""

from __future__ import annotations

import codecs
import os
from typing import Final

TOKEN_VARIABLE: Final = "GATEWAY_ENTITIES_TOKEN"  # noqa: S105 - the name of a variable.
"""The environment variable with the bearer token of clients and commands."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MARK = "\ufeff"


def decode_text(data: bytes) -> str:
    """Decode UTF-8 text, without the byte order marks that some editors and shells put before it.

    Raises:
        ValueError: it is UTF-16 or not text at all. The message is the end of a sentence, and has nothing of the text.
    """
    if data.startswith(_UTF_16) or b"\0" in data:
        raise ValueError("is UTF-16 or binary, not UTF-8 text; save it as UTF-8")
    try:
        return without_mark(data.decode())
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text; save it as UTF-8") from None


def token_of_environment() -> str | None:
    """Return the value of TOKEN_VARIABLE; None if it is not set or empty."""
    return without_mark(os.environ.get(TOKEN_VARIABLE, "")) or None


def without_mark(text: str) -> str:
    """Return the text without the byte order marks at its start: some programs add another one."""
    return text.lstrip(_MARK)


def refuse_mark(data: bytes) -> None:
    """Refuse a byte order mark, where another library reads the file itself.

    Raises:
        ValueError: there is one. The message is the end of a sentence.
    """
    if data.startswith((codecs.BOM_UTF8, *_UTF_16)):
        raise ValueError("starts with a byte order mark; save it as plain ASCII")

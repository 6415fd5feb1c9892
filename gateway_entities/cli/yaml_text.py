"""YAML text, written by ruamel.yaml."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any, Final, cast

from gateway_entities.extras import not_installed

_MODELINE: Final = "# yaml-language-server: $schema="
"""Comment in which editors find the schema of a file."""
_WIDTH: Final = 1 << 20
_OTHER_TYPE: Final = re.compile(r"(?i:y|n|yes|no|on|off)|[-+]?[0-9][0-9_:.]*")
"""Text that readers of YAML 1.1 take for a boolean or a number."""


def dump(value: Mapping[str, Any] | list[dict[str, Any]], *, schema: str | None = None) -> str:
    """Return a mapping or a list of them as YAML, as it is."""
    stream = io.StringIO()
    emit = emitter()
    first = "" if schema is None else f"{_MODELINE}{schema}\n"
    emit.dump(quoted(value), stream)
    text = stream.getvalue() if value else "[]\n" if isinstance(value, list) else "{}\n"
    # What a terminal would interpret is in double quotes.
    return first + "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


def quoted(value: object) -> Any:
    """Return dicts, lists and texts with texts in double quotes that some reader of YAML would not read as they are."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, dict):
        return {quoted(key): quoted(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [quoted(item) for item in items]
    if isinstance(value, str) and (not value.isprintable() or _OTHER_TYPE.fullmatch(value)):
        return DoubleQuotedScalarString(value)
    return value


def commented(value: object) -> Any:
    """Return dicts and lists as those of ruamel.yaml, which can have comments."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, dict):
        return CommentedMap((key, commented(item)) for key, item in cast("dict[str, Any]", value).items())
    if isinstance(value, list):
        items = cast("list[object]", value)
        return CommentedSeq(commented(item) for item in items)
    return value


def emitter(*, mapping: int = 2, sequence: int = 4, offset: int = 2) -> Any:
    """Return ruamel.yaml's reader and writer that keeps comments, with the indentation of a file.

    Raises:
        GatewayError: FAILED_PRECONDITION; it is not installed.
    """
    try:
        from ruamel.yaml import YAML
    except ModuleNotFoundError as error:
        raise not_installed(f"writing YAML needs {error.name}", "config") from error
    yaml: Any = YAML(typ="rt", pure=True)
    yaml.indent(mapping=mapping, sequence=sequence, offset=offset)
    yaml.width = _WIDTH
    yaml.preserve_quotes = True
    yaml.allow_unicode = True
    return yaml

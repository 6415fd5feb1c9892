"""A configuration file that is brought to what a gateway has, with its comments, its order and its variables."""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from gateway_entities.cli.config import comments
from gateway_entities.cli.config.difference import DEFAULTS, MODEL_DEFAULTS
from gateway_entities.cli.config.nodes import Mark, ScalarNode, has_aliases
from gateway_entities.cli.config.nodes import value as scalar_value
from gateway_entities.cli.config.reading import SCHEMA, VALUE_FROM
from gateway_entities.cli.config.variables import replace
from gateway_entities.cli.config.writing import escaped
from gateway_entities.cli.yaml_text import commented, emitter, quoted
from gateway_entities.errors import Code, GatewayError

Identity = Callable[[Mapping[str, Any]], object]

_INDENT: Final = re.compile(r"^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)(-?)", re.MULTILINE)
_FILE_ONLY: Final = frozenset((SCHEMA, VALUE_FROM, "renamed_from"))
"""Fields that no export has."""


class _ListRule(NamedTuple):
    """How the items of a list are known, and whether their order counts."""

    identity: tuple[str, ...]
    ordered: bool = False


_LISTS: Final[Mapping[str, _ListRule]] = {
    "secrets": _ListRule(("name",)),
    "model_definitions": _ListRule(("name",)),
    "endpoints": _ListRule(("name",)),
    "budget_policies": _ListRule(("target_scope", "target_value", "budget_unit", "duration", "budget_action")),
    "guardrails": _ListRule(("name", "scorer_id", "stage")),
    "models": _ListRule(("model_definition", "linkage_type"), ordered=True),
    "items": _ListRule(("resource_type", "resource_id")),
}


def rewrite(file: str, text: str, wanted: Mapping[str, Any], environment: Mapping[str, str], *, bindings: bool) -> str:
    """Return the text of a file with the values of a configuration.

    What has its value already stays as it is written, a variable included.

    Args:
        file: its name, for errors.
        text: its text, one document that can be read.
        wanted: the configuration, as ``to_dict`` returns it.
        environment: the variables.
        bindings: whether the configuration has bindings; if not, those of the file stay.

    Raises:
        GatewayError: FAILED_PRECONDITION; values that would change are shared by aliases.
    """
    yaml = emitter(**_indentation(text))
    document = yaml.load(text)
    if document is None:
        document = {}
    merge = _Merge(environment, frozenset(_FILE_ONLY if bindings else {*_FILE_ONLY, "bindings"}))
    merge.mapping(document, wanted)
    if not merge.changed:
        return text
    if has_aliases(file, text):
        raise GatewayError(
            Code.FAILED_PRECONDITION, f"{file} uses aliases, whose values would change together; export without --into"
        )
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def write(path: Path, text: str) -> None:
    """Replace a file in one step. It keeps its mode; a new one has that of the process.

    Raises:
        GatewayError: FAILED_PRECONDITION; it cannot be written.
    """
    try:
        _replace(path.resolve(), text)
    except OSError as error:
        # Its own names are those of a temporary file.
        raise GatewayError(Code.FAILED_PRECONDITION, f"Cannot write {path}: {error.strerror}") from None


def _replace(target: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~mask)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _indentation(text: str) -> dict[str, int]:
    found = {"mapping": 2, "sequence": 4, "offset": 2}
    seen: set[bool] = set()
    for match in _INDENT.finditer(text):
        is_list, step = bool(match[3]), len(match[2]) - len(match[1])
        if is_list in seen or step < (0 if is_list else 1):
            continue
        seen.add(is_list)
        found |= {"offset": step, "sequence": step + 2} if is_list else {"mapping": step}
    return found


class _Merge:
    """Brings ruamel.yaml's mappings and lists to wanted values, and notes whether anything changed."""

    def __init__(self, environment: Mapping[str, str], kept: frozenset[str]) -> None:
        self.changed = False
        self._environment = environment
        self._kept = kept

    def mapping(self, found: Any, wanted: Mapping[str, Any], defaults: Mapping[str, object] = DEFAULTS) -> None:
        for key in [each for each in found if each not in wanted and each not in self._kept]:
            if not self._is_default(found[key], defaults.get(key)):
                self._remove(found, key)
        for key, value in wanted.items():
            if isinstance(value, dict) and isinstance(found.get(key), dict):
                self.mapping(found[key], cast("dict[str, Any]", value), {} if key in ("tags", "auth_config") else DEFAULTS)
            elif isinstance(value, list) and isinstance(found.get(key), list) and key in _LISTS:
                self._list(found[key], cast("list[object]", value), _LISTS[key])
            elif key not in found or not self._equal(found[key], value):
                self._put(found, key, value)

    def _list(self, found: Any, wanted: list[Any], rule: _ListRule) -> None:
        defaults = MODEL_DEFAULTS if rule.ordered else DEFAULTS
        waiting: dict[object, list[Any]] = {}
        for value in wanted:
            waiting.setdefault(self._identity(value, rule, written=False), []).append(value)
        pairs: list[tuple[Any, Any]] = []
        for position in reversed(range(len(found))):
            matches = waiting.get(self._identity(found[position], rule))
            if matches:
                pairs.append((found[position], matches.pop()))
            else:
                self._remove(found, position)
        pairs.reverse()
        paired = {id(value) for _, value in pairs}
        remaining = [value for value in wanted if id(value) not in paired]
        for item, value in pairs:
            self.mapping(item, value, defaults)
        if rule.ordered and [value for _, value in pairs] + remaining != wanted:
            written = {id(value): item for item, value in pairs}
            items = [written.get(id(value), commented(quoted(escaped(value)))) for value in wanted]
            found[:] = items
            self.changed = True
        else:
            for value in remaining:
                self._put(found, None, value)

    def _remove(self, found: Any, key: Any) -> None:
        previous, lines = comments.before(found, key), comments.take(found, key)
        del found[key]
        if previous is not None:
            comments.put(found, previous, lines)
        self.changed = True

    def _put(self, found: Any, key: Any, value: Any) -> None:
        """Set the value of a key, or append an item if the key is None."""
        end = comments.last(found)
        moved = key is None or key not in found or key == end
        lines = comments.take(found, end) if moved and end is not None and hasattr(found, "ca") else ""
        if key is None:
            found.append(commented(quoted(escaped(value))))
        else:
            found[key] = commented(quoted(escaped(value)))
        comments.put(found, comments.last(found), lines)
        self.changed = True

    def _identity(self, item: Any, rule: _ListRule, *, written: bool = True) -> object:
        """Return what an item is known by; one that is written in the file may have variables."""
        if not isinstance(item, dict):
            return None
        found = cast("dict[str, Any]", item)
        values = (found.get(name) or MODEL_DEFAULTS.get(name) for name in rule.identity)
        return tuple(repr(self._plain(escaped(value) if not written else value)) for value in values)

    def _plain(self, value: Any) -> Any:
        """Return a value with its variables replaced, as one of Python's own types."""
        if isinstance(value, dict):
            return {key: self._plain(item) for key, item in sorted(cast("dict[str, Any]", value).items())}
        if isinstance(value, str):
            if "${" not in value:
                return str(value)
            node, _ = replace(ScalarNode(str(value), plain=True, mark=Mark("", 1, 1)), self._environment)
            return scalar_value(node) if isinstance(node, ScalarNode) else None
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value

    def _equal(self, found: Any, wanted: Any) -> bool:
        mine = self._plain(found)
        return mine == wanted or (isinstance(wanted, str) and "${" in str(found) and str(mine) == wanted)

    def _is_default(self, found: Any, default: object) -> bool:
        return found is None or found in ([], {}) or (default is not None and self._plain(found) == default)

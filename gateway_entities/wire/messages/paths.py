"""Paths of fields in a scan, such as ``model_mappings[2].weight``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from gateway_entities.rules.values import entry
from gateway_entities.wire.messages.frame import Frame, Tree
from gateway_entities.wire.messages.scan import Record

_STEP: Final = re.compile(r"((?:[A-Za-z0-9_]+|\[[\w.]+\])(?:\[\d+\])?)\.")


def path_of(record: Record) -> str:
    """Return the path of a record's field; an unknown field is its number, such as ``#17``."""
    base, slot = frame_path(record.frame), record.slot
    if slot is None:
        return join(base, f"#{record.number}") if record.number else base
    if slot.repeated and not slot.is_map and record.wire in slot.wires:
        return f"{join(base, slot.name)}[{record.frame.counts[slot.number] - 1}]"
    return join(base, slot.name)


def frame_path(frame: Frame) -> str:
    """Return the path of a message; "" at the top level."""
    steps: list[str] = []
    at = frame
    while at.parent is not None:
        slot = at.slot
        if slot is None:
            steps.append(f"#{at.group}")
        else:
            steps.append(f"{slot.name}[{at.index}]" if slot.repeated else slot.name)
        at = at.parent
    return ".".join(reversed(steps))


def entry_path(frame: Frame) -> str:
    """Return the path of a map entry, such as ``auth_config["region"]``."""
    key = (frame.first or b"").decode("utf-8", "replace")
    if frame.parent is None or frame.slot is None:
        return ""
    return entry(join(frame_path(frame.parent), frame.slot.name), key)


def join(base: str, name: str) -> str:
    """Return the path of a field of the message at ``base``."""
    return f"{base}.{name}" if base else name


def _steps(path: str) -> Iterator[str]:
    while found := _STEP.match(path):
        yield found[1]
        path = path[found.end() :]
    yield path


def path_tree(paths: Iterable[str]) -> Tree:
    """Return the paths as a prefix tree. A map key is part of the last step."""
    root: Tree = {}
    for path in paths:
        at = root
        for step in _steps(path):
            at = at.setdefault(step, {})
    return root

"""Comments between the parts of a YAML file.

ruamel.yaml keeps the lines between two parts with the last scalar before them. Code that removes or appends a part moves
them. A part is an item of a list or an entry of a mapping, named by its container and its key.
"""

from __future__ import annotations

from typing import Any


def take(container: Any, key: Any) -> str:
    """Remove the lines after a part and return them; "" if there are none. The comment on its own line stays."""
    holder, slot, index = _last(container, key)
    found = holder.ca.items.get(slot)
    token = found[index] if found and len(found) > index else None
    if token is None or isinstance(token, list):
        return ""
    own, _, lines = str(token.value).partition("\n")
    if not own:
        found[index] = None
    elif lines:
        token.value = f"{own}\n"
    return lines


def put(container: Any, key: Any, lines: str) -> None:
    """Add lines after a part, before those that it has."""
    if not lines:
        return
    from ruamel.yaml.error import CommentMark
    from ruamel.yaml.tokens import CommentToken

    holder, slot, index = _last(container, key)
    found = holder.ca.items.setdefault(slot, [None, None, None, None])
    if found[index] is None or isinstance(found[index], list):
        found[index] = CommentToken(f"\n{lines}", CommentMark(0), None)
    else:
        own, _, others = str(found[index].value).partition("\n")
        found[index].value = f"{own}\n{lines}{others}"


def before(container: Any, key: Any) -> Any:
    """Return the key of the part before a part; None if it is the first."""
    if not hasattr(container, "keys"):
        return key - 1 if key else None
    keys: list[Any] = list(container)
    position = keys.index(key)
    return keys[position - 1] if position else None


def last(container: Any) -> Any:
    """Return the key of the last part; None if there is none."""
    if not container:
        return None
    return list(container)[-1] if hasattr(container, "keys") else len(container) - 1


def _last(container: Any, key: Any) -> tuple[Any, Any, int]:
    """Return where ruamel.yaml keeps the lines after a part: a container, its key and the place in its comments."""
    while True:
        value = container[key]
        if not hasattr(value, "ca") or not value or value.fa.flow_style():
            return container, key, 2 if hasattr(container, "keys") else 0
        container, key = value, last(value)

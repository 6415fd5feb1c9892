"""The state of one message or group in a scan."""

from __future__ import annotations

from typing import TypeAlias

from gateway_entities.wire.messages.layout import Layout, Slot

Tree: TypeAlias = "dict[str, Tree]"
"""Field paths as a prefix tree."""


class Frame:
    """A message or group being scanned.

    Attributes:
        parent: the enclosing frame; None at the top level.
        layout: the message type; None if unknown.
        slot: the field that contains it; None at the top level and for unknown groups.
        index: its zero-based position in that field.
        start: the offset of its head.
        end: the end of its content; for a group, the end of the enclosing message.
        group: the field number of a group; 0 for a message.
        depth: the nesting depth; 0 at the top level.
        counts: the number of values so far, by field number.
        boxed: the number of Anys in whose payloads it is, one within the other: a parser of the whole message reads none.
        base: the depth of the innermost of these payloads, which a parser of its own reads; 0 for none.
    """

    # State of the validator. Class attributes, because few frames need it.
    last = 0
    loose = False
    mistyped = False
    first: bytes | None = None
    keys: dict[int, set[bytes]] | None = None
    wanted: Tree | None = None
    members: dict[str, int] | None = None
    boxed = base = 0
    # What the payload of an Any or of an entry of a MessageSet is, once it was looked for.
    payload: tuple[str, Layout | None] | None = None

    def __init__(  # noqa: PLR0917 - created up to half a million times; keyword arguments are slower.
        self, parent: Frame | None, layout: Layout | None, slot: Slot | None, start: int, end: int, group: int
    ) -> None:
        self.parent = parent
        self.layout = layout
        self.slot = slot
        self.start = start
        self.end = end
        self.group = group
        self.counts: dict[int, int] = {}
        if parent is None:
            self.depth = self.index = 0
        else:
            self.depth = parent.depth + 1
            self.index = parent.counts[slot.number] - 1 if slot is not None else 0
            if parent.boxed:
                self.boxed = parent.boxed
                self.base = parent.base

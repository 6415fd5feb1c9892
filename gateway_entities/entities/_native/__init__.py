"""The native codec, an optional C extension: entities to and from bytes without a protobuf message in between.

It obeys every law of the Python converters. What it does not know, such as subclasses of entities, and what is wrong it
leaves to them: they raise the error. ``GATEWAY_ENTITIES_NATIVE`` is read once, here: ``off`` does without the extension,
``require`` makes its absence an ImportError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway_entities.entities._native.mode import OFF, REQUIRE, VARIABLE, mode

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Protocol, TypeVar

    E = TypeVar("E")

    class _Decode(Protocol):
        def __call__(self, kind: type[E], data: object, /) -> E | None: ...

    class _DecodeIn(Protocol):
        def __call__(self, kind: type[E], number: int, data: object, /) -> tuple[list[E], bytes] | None: ...


_INTERFACE = 2
"""As in module.c."""


def _load() -> ModuleType | None:
    wanted = mode()
    if wanted == OFF:
        return None
    try:
        from gateway_entities.entities._native import _codec

        if getattr(_codec, "INTERFACE", None) != _INTERFACE:
            raise ImportError("it was compiled from other sources: python -m gateway_entities.entities._native.compile")
    except ImportError as error:
        if wanted == REQUIRE:
            raise ImportError(f"{VARIABLE}=require, but the native codec cannot be imported: {error}") from error
        return None
    return _codec


extension: Any = _load()
"""The extension; None without it."""

NATIVE: bool = extension is not None
"""Whether the native codec is in use."""

decode: _Decode | None = extension and extension.decode
"""Return the entity of some bytes; None if the Python converters must decide."""
encode: Callable[[object], bytes | None] | None = extension and extension.encode
"""Return the canonical bytes of an entity; None if the Python converters must decide."""
decode_in: _DecodeIn | None = extension and extension.decode_in
"""Return the entities in one field of a message, and its other bytes; None if the Python converters must decide."""
encode_in: Callable[[type[Any], int, object], bytes | None] | None = extension and extension.encode_in
"""Return entities as one field of a message; None if the Python converters must decide."""

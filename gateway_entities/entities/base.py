"""What every entity is and does, and the few functions that converters are made of.

An entity's own converters are ``_read`` and ``_write``. They take the straight path and stop at the first thing that is
wrong, with any exception; ``faults`` then finds the field and names it. So what is right pays nothing for good errors.

In ``_write``, text is written as ``value + ""``: that fails for bytes, which protobuf would take for text, and costs a tenth
of what a function call does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from operator import index
from typing import Any, ClassVar, Final, Generic, Protocol, Self, TypeVar

from google.protobuf.message import Message

from gateway_entities.entities import diagnosis
from gateway_entities.errors import WireError

M = TypeVar("M", bound=Message)
E = TypeVar("E", bound=IntEnum)
T = TypeVar("T")


class _New(Protocol):
    def __call__(self, kind: type[T], /) -> T: ...


new: Final[_New] = object.__new__
"""Make an entity whose fields are then set one by one: ``__init__`` would take half as long again to do the same."""

number: Final[Callable[[int], Any]] = index
"""Return the value of an enum field. Protobuf by itself takes names too, and its types know no open enums."""


@dataclass(slots=True)
class Entity(ABC, Generic[M]):
    """One resource of the gateway's configuration: a dataclass that converts to and from its proto message without loss.

    ``None`` means that a field is absent on the wire, and nothing else does. Fields that this version does not know are kept
    out of sight, count in comparisons, and are written back.
    """

    _message: ClassVar[Any]
    """The generated class of this entity's message."""

    _unknown_fields: bytes = field(default=b"", kw_only=True, repr=False)

    def to_proto(self) -> M:
        """Return this entity as a new message.

        Raises:
            WireError: a field holds what its wire type cannot: the wrong type, a number out of range, text that is not
                Unicode, or None where a value is required.
        """
        proto: M = self._message()
        try:
            self._write(proto)
        except Exception:  # Whatever a wrong value does, the answer is the same. See faults.
            raise diagnosis.unwritable(self) from None
        return proto

    @classmethod
    def from_proto(cls, proto: M) -> Self:
        """Return the entity that a message describes. The message is not changed and not kept.

        Args:
            proto: a message of this entity's type.

        Raises:
            WireError: a required field is missing, at any depth, or the message is of another type.
        """
        if not isinstance(proto, cls._message):
            raise diagnosis.unreadable(cls, proto)
        try:
            return cls._read(proto)
        except Exception:  # As in to_proto.
            raise diagnosis.unreadable(cls, proto) from None

    def to_bytes(self) -> bytes:
        """Return this entity in the protobuf wire format: the same bytes for equal entities, map entries sorted by key.

        Raises:
            WireError: as in to_proto.
        """
        return self.to_proto().SerializeToString(deterministic=True)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the entity that a message in the protobuf wire format describes.

        Raises:
            WireError: the bytes are not a message, or one that from_proto refuses.
        """
        try:
            proto: M = cls._message.FromString(data)
        except Exception:  # The pure-Python parser raises more than DecodeError.
            raise WireError(cls.__name__, "the bytes are not a message of this type") from None
        return cls.from_proto(proto)

    def etag(self) -> str:
        """Return the entity's version tag: the first 32 hexadecimal digits of the SHA-256 of ``to_bytes()``.

        Raises:
            WireError: as in to_proto.
        """
        from hashlib import sha256

        return sha256(self.to_bytes()).hexdigest()[:32]

    @classmethod
    @abstractmethod
    def _read(cls, proto: M) -> Self:
        """Return the entity of a message, or stop at the first thing that is wrong, with any exception."""

    @abstractmethod
    def _write(self, proto: M) -> None:
        """Fill an empty message with this entity, or stop at the first thing that is wrong, with any exception."""


def required(proto: Message, name: str) -> Any:
    """Return a required field's value, which is empty. Converters call this only then: most values need no question."""
    if not proto.HasField(name):
        raise LookupError(name)
    return getattr(proto, name)


def unknown_fields(proto: Message) -> bytes:
    """Return the fields of this message, not of the messages in it, that its type does not define, byte for byte."""
    rest = type(proto)()
    rest.CopyFrom(proto)
    for descriptor, _ in rest.ListFields():
        rest.ClearField(descriptor.name)
    return rest.SerializeToString()


def double(value: Any) -> float:
    """Return the value of a double field. Protobuf by itself takes everything that has a float, which may be another number.

    Raises:
        TypeError: it is not a float or an int.
    """
    if not isinstance(value, (float, int)):
        raise TypeError
    return value


def truth(value: bool) -> bool:
    """Return the value of a bool field. Protobuf by itself takes every number, and forgets which.

    Raises:
        TypeError: it is not a bool.
    """
    if type(value) is not bool:
        raise TypeError
    return value


def members(enum: type[E]) -> dict[int | None, E]:
    """Return the members of an enum by number. ``get(number, number)`` is then a member, an unknown number, or None."""
    return {member.value: member for member in enum}

"""The base class of entities, and functions that their converters share.

An entity's own converters are ``_read`` and ``_write``. They do not validate: they fail at the first fault with any
exception, and ``diagnosis`` then names the field, so that precise errors cost valid values nothing.

``_write`` writes text as ``value + ""``: that fails for bytes, which protobuf would accept as text, and costs a tenth of a
function call.
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
"""Create an entity without ``__init__``, which is 1.5 times as slow as setting the fields one by one."""

number: Final[Callable[[int], Any]] = index
"""Return the number of an enum field. Protobuf also accepts names, and its type stubs have no open enums."""


@dataclass(slots=True)
class Entity(ABC, Generic[M]):
    """One resource of the gateway's configuration: a dataclass that converts to and from its proto message without loss.

    Only ``None`` means that a field is absent on the wire. Unknown fields are preserved, compared and written back.
    """

    _message: ClassVar[Any]
    """The generated class of this entity's message."""

    _unknown_fields: bytes = field(default=b"", kw_only=True, repr=False)

    def to_proto(self) -> M:
        """Return this entity as a new message.

        Raises:
            WireError: a field holds a value of the wrong type, a number out of range, text that is not Unicode, or None
                where a value is required.
        """
        proto: M = self._message()
        try:
            self._write(proto)
        except Exception:  # A wrong value can raise anything; diagnosis finds the field.
            raise diagnosis.unwritable(self) from None
        return proto

    @classmethod
    def from_proto(cls, proto: M) -> Self:
        """Create an entity from a message, which is neither changed nor referenced.

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
        """Encode this entity in the protobuf wire format: equal entities give equal bytes, map entries are sorted by key.

        Raises:
            WireError: as in to_proto.
        """
        return self.to_proto().SerializeToString(deterministic=True)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode an entity from the protobuf wire format.

        Raises:
            WireError: the bytes are not a message, or one that from_proto rejects.
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
        """Create the entity of a message; raise any exception at the first fault."""

    @abstractmethod
    def _write(self, proto: M) -> None:
        """Fill an empty message with this entity; raise any exception at the first fault."""


def required(proto: Message, name: str) -> Any:
    """Return the empty value of a required field. Converters call this for empty values only: others are present.

    Raises:
        LookupError: the field is absent.
    """
    if not proto.HasField(name):
        raise LookupError(name)
    return getattr(proto, name)


def unknown_fields(proto: Message) -> bytes:
    """Return the unknown fields of a message, without those of its submessages, byte for byte."""
    rest = type(proto)()
    rest.CopyFrom(proto)
    for descriptor, _ in rest.ListFields():
        rest.ClearField(descriptor.name)
    return rest.SerializeToString()


def double(value: Any) -> float:
    """Return the value of a double field. Protobuf accepts anything with ``__float__``, which may be another number.

    Raises:
        TypeError: it is not a float or an int.
    """
    if not isinstance(value, (float, int)):
        raise TypeError
    return value


def truth(value: bool) -> bool:
    """Return the value of a bool field. Protobuf accepts every number.

    Raises:
        TypeError: it is not a bool.
    """
    if type(value) is not bool:
        raise TypeError
    return value


def members(enum: type[E]) -> dict[int | None, E]:
    """Return the members of an enum by number. ``get(number, number)`` is then a member, an unknown number, or None."""
    return {member.value: member for member in enum}

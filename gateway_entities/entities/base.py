"""The base class of entities, and functions that their converters share.

An entity's own converters are ``_read`` and ``_write``. They do not validate: they fail at the first fault with any
exception, and ``diagnosis`` then names the field, so that precise errors cost valid values nothing.

``_write`` writes text as ``value + ""``: that fails for bytes, which protobuf would accept as text, and costs a tenth of a
function call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, Self, TypeVar

from google.protobuf.message import Message

from gateway_entities.entities import canonical
from gateway_entities.entities._native import decode, encode
from gateway_entities.errors import WireError

M = TypeVar("M", bound=Message)
T = TypeVar("T")


class _New(Protocol):
    def __call__(self, kind: type[T], /) -> T: ...


new: Final[_New] = object.__new__
"""Create an entity without ``__init__``, which is 1.5 times as slow as setting the fields one by one."""


class Entity(ABC, Generic[M]):  # noqa: PLW1641 - what can be changed has no hash.
    """One resource of the gateway's configuration: a dataclass that converts to and from its proto message without loss.

    Only ``None`` means that a field is absent on the wire. Fields that this version does not know are preserved and written
    back. They are not a field of the dataclass, so ``dataclasses.fields``, ``asdict``, pydantic and JSON have none of them;
    copies and pickles have them, ``dataclasses.replace`` drops them. To change a copy that has them, use ``copy.copy`` and
    set its attributes.

    Two entities are equal if they are of one class, and their fields and their unknown fields are equal. Entities can be
    changed, so they have no hash.

    A subclass with a ``__post_init__`` of its own calls that of its base class.
    """

    if not TYPE_CHECKING:
        # Mypy takes the fields of a dataclass for all of its slots.
        __slots__ = ("_unknown_fields",)

    _message: ClassVar[Any]
    """The generated class of this entity's message."""

    _unknown_fields: bytes

    def __post_init__(self) -> None:
        self._unknown_fields = b""

    def __eq__(self, other: object) -> bool:
        if self.__class__ is not other.__class__:
            return NotImplemented
        values = _values(self.__class__)
        return values(self) == values(other)

    def to_proto(self) -> M:
        """Return this entity as a new message.

        Raises:
            WireError: a field holds a value of the wrong type, a number out of range, text that is not Unicode, or None
                where a value is required.
        """
        if encode is not None and (data := encode(self)) is not None:
            encoded: M = self._message.FromString(data)
            return encoded
        proto: M = self._message()
        try:
            self._write(proto)
        except Exception:  # A wrong value can raise anything; diagnosis finds the field.
            raise _diagnosis().unwritable(self) from None
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
            raise _diagnosis().unreadable(cls, proto)
        try:
            if decode is not None and (entity := decode(cls, proto.SerializeToString())) is not None:
                return entity
            return cls._read(proto)
        except Exception:  # As in to_proto.
            raise _diagnosis().unreadable(cls, proto) from None

    def to_bytes(self) -> bytes:
        """Encode this entity in the protobuf wire format, in one order everywhere: equal entities give equal bytes.

        Known fields come by number, map entries by the UTF-8 bytes of their keys, and then the unknown fields as they came.

        Raises:
            WireError: as in to_proto.
        """
        if encode is not None and (data := encode(self)) is not None:
            return data
        return canonical.to_bytes(self.to_proto())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode an entity from the protobuf wire format.

        Raises:
            WireError: the bytes are not a message, or one that from_proto rejects.
        """
        if decode is not None and (entity := decode(cls, data)) is not None:
            return entity
        try:
            proto: M = cls._message.FromString(data)
        except Exception:  # The pure-Python parser raises more than DecodeError.
            raise WireError(cls.__name__, "the bytes are not a message of this type") from None
        return cls.from_proto(proto)

    def to_dict(self) -> dict[str, Any]:
        """Return this entity as a dict for JSON or YAML, with the names of the proto fields.

        Enums are names, or numbers that this version does not know; bytes are base64. Integers are ints, floats are floats.
        Absent fields and empty lists and maps are omitted. Unknown fields have no name, so they are omitted too.

        Raises:
            WireError: as in to_proto.
        """
        from gateway_entities.entities import json_form

        return json_form.to_dict(self.to_proto())

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Create an entity from a dict such as ``to_dict`` returns.

        Names of fields are those of the proto or lowerCamelCase. A number may be text, and an enum a name or a number.
        None is absent.

        Raises:
            WireError: a name is not one of a field, a value does not fit its field, or a required field is missing. It has
                the path of the field, never the value.
        """
        from gateway_entities.entities import json_form

        return cls.from_proto(json_form.from_dict(cls, value))

    def to_json(self) -> str:
        """Return this entity as JSON text: as ``to_dict``, with integers beyond 2^53 and non-finite floats as text.

        Raises:
            WireError: as in to_proto.
        """
        from gateway_entities.entities import json_form

        return json_form.to_json(self.to_proto())

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Create an entity from JSON text, at most 8 MiB; bytes are UTF-8.

        Raises:
            WireError: the text is too long, is not a JSON object, or is one that from_dict rejects.
        """
        from gateway_entities.entities import json_form

        return cls.from_dict(json_form.load(cls.__name__, text))

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


def _diagnosis() -> Any:
    # Most programs never need it.
    from gateway_entities.entities import diagnosis

    return diagnosis


@cache
def _values(kind: type[Any]) -> Callable[[object], tuple[object, ...]]:
    """Return a function that returns what is compared of an entity, as a tuple."""
    return attrgetter(*(field.name for field in fields(kind)), "_unknown_fields")


def required(proto: Message, name: str) -> Any:
    """Return the empty value of a required field. Converters call this for empty values only: others are present.

    Raises:
        LookupError: the field is absent.
    """
    if not proto.HasField(name):
        raise LookupError(name)
    return getattr(proto, name)

"""Request messages from arguments. Errors name the field of an invalid value, never the value: it may be a secret."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, ParamSpec, Protocol, TypeVar, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from gateway_entities.entities import SecretValue
from gateway_entities.errors import FieldViolation, GatewayError, WireError
from gatewayentities.v1 import endpoint_pb2
from gatewayentities.v1.configuration_pb2 import GatewaySecretAssignment

P = ParamSpec("P")
M = TypeVar("M", bound=Message)
M_co = TypeVar("M_co", bound=Message, covariant=True)

# Protobuf's errors for a value that a field cannot hold. Their text may quote the value, so it is never used.
_FIELD_ERRORS = (TypeError, ValueError, AttributeError)

_EXPECTED = {
    FieldDescriptor.TYPE_STRING: "must be text that UTF-8 can encode",
    FieldDescriptor.TYPE_BOOL: "must be True or False",
    FieldDescriptor.TYPE_FLOAT: "must be a number",
    FieldDescriptor.TYPE_DOUBLE: "must be a number",
    FieldDescriptor.TYPE_INT32: "must be a whole number of 32 bits",
    FieldDescriptor.TYPE_INT64: "must be a whole number of 64 bits",
}


class ApplyResult(NamedTuple):
    """How much an apply or a rollback has changed. The change log has what.

    Attributes:
        revision: the revision of the change, or the last one if nothing differed.
        created: the number of resources that were created.
        updated: the number of resources that were updated.
        deleted: the number of resources that were deleted.
    """

    revision: int
    created: int
    updated: int
    deleted: int


class Entity(Protocol[M_co]):
    """An entity that converts to a message."""

    def to_proto(self) -> M_co:
        """Return the message."""
        ...


def build(kind: Callable[P, M], *args: P.args, **fields: P.kwargs) -> M:
    """Return a request; a field that is None stays absent.

    Raises:
        GatewayError: INVALID_ARGUMENT naming every field whose value cannot be encoded.
    """
    try:
        return kind(*args, **fields)
    except _FIELD_ERRORS:
        pass
    # Outside the handler, or the error would keep protobuf's own, with the value in it, as its context.
    raise GatewayError.invalid(_violations(cast("type[Message]", kind), fields))


def message(path: str, kind: type[Entity[M]], value: object) -> M | None:
    """Return the message of an entity; None for None.

    Raises:
        GatewayError: INVALID_ARGUMENT naming the field, for another type, or an entity that cannot be encoded.
    """
    if value is None:
        return None
    if not isinstance(value, cast("type[object]", kind)):
        raise GatewayError.invalid([FieldViolation(path, f"must be a {kind.__name__}")])
    try:
        return cast("Entity[M]", value).to_proto()
    except WireError as error:
        violations = [
            FieldViolation(path + v.field.removeprefix(kind.__name__), v.description) for v in error.field_violations
        ]
    raise GatewayError.invalid(violations)


def messages(path: str, kind: type[Entity[M]], values: Iterable[object] | None) -> list[M] | None:
    """Return the messages of many entities; None for None.

    Raises:
        GatewayError: INVALID_ARGUMENT naming the field and the position.
    """
    if values is None:
        return None
    if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise GatewayError.invalid([FieldViolation(path, f"must be a list of {kind.__name__}")])
    found = [message(f"{path}[{index}]", kind, value) for index, value in enumerate(values)]
    if None in found:
        raise GatewayError.invalid([FieldViolation(f"{path}[{found.index(None)}]", f"must be a {kind.__name__}")])
    return cast("list[M]", found)


def splits_traffic(configs: Iterable[Message] | None) -> bool:
    """Return whether models have weights that only count with a routing strategy: several are PRIMARY, one with a weight."""
    found = (each for each in configs or () if isinstance(each, endpoint_pb2.GatewayEndpointModelConfig))
    primary = [each for each in found if each.linkage_type == endpoint_pb2.PRIMARY]
    return len(primary) > 1 and any(each.HasField("weight") for each in primary)


def mask(paths: Iterable[str] | None) -> FieldMask | None:
    """Return an update mask; None for None. A single string is refused: it is a mistake for a list of one.

    Raises:
        GatewayError: INVALID_ARGUMENT for anything but a list of names.
    """
    if paths is None:
        return None
    if not isinstance(paths, str):
        try:
            return FieldMask(paths=paths)
        except _FIELD_ERRORS:
            pass
    raise GatewayError.invalid([FieldViolation("update_mask", "must be a list of field names")])


def texts(path: str, values: Iterable[str] | None) -> list[str] | None:
    """Return a list of texts; None for None. A single string is refused: it is a mistake for a list of one.

    Raises:
        GatewayError: INVALID_ARGUMENT naming the field.
    """
    if values is None:
        return None
    if not isinstance(values, str):
        # A caller may pass anything.
        with contextlib.suppress(TypeError):
            found = list(values)
            if all(map(_is_text, found)):
                return found
    raise GatewayError.invalid([FieldViolation(path, "must be a list of text")])


def assignments(
    values: Mapping[str, Mapping[str, str] | SecretValue] | None,
) -> list[GatewaySecretAssignment] | None:
    """Return the messages of the values of secrets; None for None.

    Raises:
        GatewayError: INVALID_ARGUMENT; they are not such values. It shows none of them.
    """
    if values is None:
        return None
    if isinstance(values, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        try:
            return [
                GatewaySecretAssignment(name=name, secret_value=value.reveal() if isinstance(value, SecretValue) else value)
                for name, value in values.items()
            ]
        except _FIELD_ERRORS:
            pass
    description = "must be a mapping of names of secrets to mappings of text to text"
    raise GatewayError.invalid([FieldViolation("secret_values", description)])


def _violations(kind: type[Message], fields: Mapping[str, object]) -> Iterator[FieldViolation]:
    text = _EXPECTED[FieldDescriptor.TYPE_STRING]
    for name, value in fields.items():
        try:
            kind(**{name: value})
            continue
        except _FIELD_ERRORS:
            field = kind.DESCRIPTOR.fields_by_name[name]
        # Of the fields that take an argument as it comes, those of message type are the maps.
        if field.enum_type is not None:
            known = ", ".join(each.name for each in field.enum_type.values if each.number)
            yield FieldViolation(name, f"must be one of {known}, or a whole number of 32 bits")
        elif field.message_type is None:
            yield FieldViolation(name, _EXPECTED[field.type])
        elif not isinstance(value, Mapping):
            yield FieldViolation(name, "must be a mapping of text to text")
        else:
            for key, item in cast("Mapping[object, object]", value).items():
                if not _is_text(key):
                    yield FieldViolation(name, f"every key {text}")
                elif not _is_text(item):
                    yield FieldViolation(f'{name}["{key}"]', text)


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True

"""Steps of plans, and what plans of all nouns share. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple, NoReturn, TypeVar

from google.protobuf.message import Message

from gateway_entities import rules
from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method


class Step(NamedTuple):
    """One request to the server.

    Attributes:
        method: the RPC.
        request: its request message.
        may_be_gone: whether NOT_FOUND counts as success, because somebody else has removed the resource already: another
            writer, or a server that removes it along with what refers to it.
    """

    method: Method[Any, Any]
    request: Message
    may_be_gone: bool = False


Plan = Generator[Step, Any, Any]
"""Yields steps, is sent their responses, returns the response of the whole call."""

Planner = Callable[[Method[Any, Any], Any], Plan]
"""Creates the plan of a method and its request."""

R = TypeVar("R", bound=Message)


def copy_of(message: R) -> R:
    """Return a copy of a message."""
    copied = type(message)()
    copied.CopyFrom(message)
    return copied


def without_unspecified(request: R) -> R:
    """Return a request without the enums that are unspecified, which the contract treats as absent ones.

    MLflow stores nothing for them, which would look like a loss.
    """
    sent = copy_of(request)
    _clear_unspecified(sent)
    return sent


def _clear_unspecified(message: Message) -> None:
    for field, value in message.ListFields():
        if field.is_repeated:
            continue
        if field.message_type is not None:
            _clear_unspecified(value)
        elif field.enum_type is not None and value == 0:
            message.ClearField(field.name)


def without_mask(request: R, clearable: Iterable[str] = ("auth_config",)) -> R:
    """Return an update with only the fields that it writes, since MLflow has no mask.

    Raises:
        GatewayError: UNIMPLEMENTED when it clears a field that is not in ``clearable``.
    """
    written = rules.written_fields(request)
    sent = copy_of(request)
    sent.ClearField("update_mask")
    given = {field.name for field, _ in sent.ListFields()}
    for name in sorted(written - given - set(clearable)):
        unimplemented("cannot clear this field", name)
    for name in given - written:
        # The first field identifies the resource.
        if name not in {sent.DESCRIPTOR.fields[0].name, "updated_by"}:
            sent.ClearField(name)
    return sent


def by_name(noun: str, field: str, name: str, listed: Iterable[R]) -> R:
    """Return the one of some resources that has a name.

    Raises:
        GatewayError: NOT_FOUND; none has it.
    """
    for each in listed:
        if getattr(each, field) == name:
            return each
    raise GatewayError(Code.NOT_FOUND, f"{noun} not found ({field}='{name}')", reason="NOT_FOUND")


def in_order(messages: Iterable[R], *key: str) -> list[R]:
    """Return resources in the order of the contract: by creation, then by the fields of their key."""
    return sorted(messages, key=lambda message: tuple(getattr(message, name) for name in ("created_at", *key)))


def differences(sent: Message, received: Message, *, except_for: Iterable[str] = ()) -> list[str]:
    """Return the names of the request's fields whose value the response does not have."""
    lost: list[str] = []
    for field, value in sent.ListFields():
        name = "last_updated_by" if field.name == "updated_by" else field.name
        if field.name in except_for or name not in received.DESCRIPTOR.fields_by_name:
            continue
        # An empty value and an absent one read the same.
        absent = not field.is_repeated and not received.HasField(name)
        if absent or getattr(received, name) != value:
            lost.append(field.name)
    return lost


def reject_loss(lost: list[str]) -> None:
    """Check that no field of a request was lost.

    Raises:
        GatewayError: DATA_LOSS; some were.
    """
    if lost:
        raise GatewayError(
            Code.DATA_LOSS,
            f"the MLflow server stored other values than were sent, in {', '.join(lost)}",
            reason="MLFLOW_STORED_OTHERWISE",
        )


def unimplemented(what: str, field: str) -> NoReturn:
    """Raise UNIMPLEMENTED for what MLflow cannot do with a field."""
    raise GatewayError(Code.UNIMPLEMENTED, f"MLflow {what}: {field}", reason="MLFLOW_CANNOT")

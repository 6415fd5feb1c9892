"""Strategies for messages of every shape, built from their descriptors, for all property tests.

A new field of a proto is filled without a change here, so a converter without it fails.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from gatewayentities.v1 import (
    binding_pb2,
    budget_pb2,
    change_pb2,
    configuration_pb2,
    convergence_pb2,
    endpoint_pb2,
    guardrail_pb2,
    model_definition_pb2,
    resolution_pb2,
    secret_pb2,
    spend_pb2,
)

FILES: tuple[ModuleType, ...] = (
    binding_pb2,
    budget_pb2,
    change_pb2,
    configuration_pb2,
    convergence_pb2,
    endpoint_pb2,
    guardrail_pb2,
    model_definition_pb2,
    resolution_pb2,
    secret_pb2,
    spend_pb2,
)

RESOURCES: dict[str, type[Message]] = {
    name: getattr(file, name)
    for file in FILES
    for name in file.DESCRIPTOR.message_types_by_name
    if not name.endswith(("Request", "Response"))
}
"""Every message that is not the request or response of an RPC, by name."""

ENUMS: dict[str, EnumDescriptor] = {
    name: descriptor for file in FILES for name, descriptor in file.DESCRIPTOR.enum_types_by_name.items()
}

REQUIRED: dict[str, tuple[str, ...]] = {
    "GatewaySecretInfo": ("secret_id", "secret_name", "created_at", "last_updated_at"),
    "GatewayModelDefinition": (
        *("model_definition_id", "name", "provider", "model_name"),
        *("created_at", "last_updated_at"),
    ),
    "GatewayEndpointModelMapping": ("mapping_id", "endpoint_id", "model_definition_id", "created_at"),
    "GatewayEndpointModelConfig": ("model_definition_id",),
    "GatewayEndpointTag": ("key",),
    "GatewayEndpoint": ("endpoint_id", "created_at", "last_updated_at"),
    "FallbackConfig": (),
    "GatewayEndpointBinding": ("endpoint_id", "resource_type", "resource_id", "created_at", "last_updated_at"),
    "GatewayBudgetPolicy": (
        *("budget_policy_id", "budget_unit", "budget_amount", "duration", "target_scope", "budget_action"),
        *("created_at", "last_updated_at"),
    ),
    "BudgetDuration": ("unit", "value"),
    "GatewayBudgetWindow": ("budget_policy_id", "window_start_ms", "window_end_ms", "current_spend"),
    "GatewayBudgetCheck": ("allowed",),
    "GatewayBudgetOverrun": ("cause", "amount_nanos"),
    "GatewayBudgetBalance": (
        *("budget_policy_id", "window_start_ms", "window_end_ms", "budget_unit"),
        *("recorded_nanos", "reserved_nanos", "overrun_nanos"),
    ),
    "GatewaySpendAlert": ("alert_id", "share_percent", "budget_policy", "balance", "raised_at"),
    "GatewaySpendReservation": (
        *("reservation_id", "endpoint_id", "budget_unit", "amount_nanos", "state"),
        *("created_at", "expires_at", "workspace"),
    ),
    "GatewaySpendRefusal": ("budget_policy", "balance"),
    "GatewaySpendAdjustment": (
        *("budget_policy_id", "window_start_ms", "window_end_ms", "budget_unit"),
        *("before_nanos", "after_nanos", "reason"),
    ),
    "GatewaySpendTotal": ("budget_unit", "amount_nanos", "charges"),
    "GatewayConfiguration": (),
    "GatewaySecretConfiguration": ("name",),
    "GatewayModelDefinitionConfiguration": ("name", "provider", "model_name"),
    "GatewayEndpointConfiguration": ("name",),
    "GatewayEndpointModelConfiguration": ("model_definition",),
    "GatewayEndpointBindingsConfiguration": (),
    "GatewayEndpointBindingConfiguration": ("resource_type", "resource_id"),
    "GatewayBudgetPolicyConfiguration": ("target_scope", "budget_unit", "budget_amount", "duration", "budget_action"),
    "GatewayGuardrailConfiguration": ("name", "scorer_id", "scorer_version", "stage", "action"),
    "GatewayGuardrailEndpointConfiguration": ("name",),
    "GatewaySecretAssignment": ("name",),
    "GatewayResourceVersion": ("noun", "name"),
    "GatewayPlanBasis": ("store_id",),
    "GatewayPlanNote": ("kind", "description"),
    "GatewayPlannedChange": ("action", "noun", "name"),
    "GatewayConfigurationPlan": ("basis",),
    "GatewayFieldDifference": ("path",),
    "GatewayChangeEffect": ("noun", "id"),
    "GatewayChange": ("revision", "changed_at", "rpc", "change"),
    "GatewayResource": ("noun", "id", "content_etag"),
    "GatewayResourceKey": ("noun", "id"),
    "GatewayNode": ("name", "instance", "state", "last_seen_at"),
    "ResolvedGatewayModel": (
        *("mapping_id", "model_definition_id", "provider", "model_name"),
        *("secret_id", "secret_etag"),
    ),
    "ResolvedGatewayEndpoint": ("endpoint",),
    "Scorer": (),
    "GatewayGuardrail": ("guardrail_id", "name", "created_at", "last_updated_at"),
    "GatewayGuardrailConfig": ("endpoint_id", "guardrail_id", "created_at"),
    "GatewaySecretAccess": ("secret_id", "endpoint_id", "actor", "accessed_at"),
}
"""The required fields of resources, as in the contract."""

M = TypeVar("M", bound=Message)


@functools.cache
def messages(kind: type[M], *, complete: bool = True) -> st.SearchStrategy[M]:
    """Return messages with any subset of the optional fields, any values, and unknown fields, at every depth.

    Args:
        kind: the class of the messages.
        complete: whether required fields are always present, at every depth.
    """
    descriptor = kind.DESCRIPTOR
    required = REQUIRED.get(descriptor.name, ()) if complete else ()
    values = {field.name: _values(field, complete) for field in descriptor.fields}
    known = st.fixed_dictionaries(
        {name: values[name] for name in required},
        optional={name: strategy for name, strategy in values.items() if name not in required},
    )
    return st.builds(functools.partial(_build, kind), known, st.just(b"") | unknown_fields(descriptor))


def full(kind: type[M]) -> M:
    """Return a message of this class with every field set to a distinct value."""
    message = kind()
    for field in kind.DESCRIPTOR.fields:
        number = field.number
        if is_map(field):
            getattr(message, field.name).update({f"{field.name}-{key}": f"{key}" for key in range(2)})
        elif field.message_type is not None and field.is_repeated:
            getattr(message, field.name).extend([full(field.message_type._concrete_class)] * 3)
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(full(field.message_type._concrete_class))
        elif field.is_repeated:
            getattr(message, field.name).extend([_FULL[field.type](field.name, key) for key in range(2)])
        else:
            setattr(message, field.name, _FULL[field.type](field.name, number))
    return message


_FULL: dict[int, Callable[[str, int], Any]] = {
    FieldDescriptor.TYPE_STRING: lambda name, number: f"{name}-{number}",
    FieldDescriptor.TYPE_BOOL: lambda name, number: True,
    FieldDescriptor.TYPE_INT32: lambda name, number: number,
    FieldDescriptor.TYPE_ENUM: lambda name, number: 1,
    FieldDescriptor.TYPE_INT64: lambda name, number: 1_700_000_000_000 + number,
    FieldDescriptor.TYPE_FLOAT: lambda name, number: number / 10,
    FieldDescriptor.TYPE_DOUBLE: lambda name, number: number / 10,
}


def scalars(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    """Return values of a scalar field, including the empty one and the limits."""
    return _SCALARS[field.type]


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def missing(message: Message, path: str) -> Iterator[str]:
    """Yield the path of every missing required field of a message, at every depth."""
    for name in REQUIRED[message.DESCRIPTOR.name]:
        if not message.HasField(name):
            yield f"{path}.{name}"
    for field, value in message.ListFields():
        if field.message_type is None or is_map(field):
            continue
        if field.is_repeated:
            for position, item in enumerate(value):
                yield from missing(item, f"{path}.{field.name}[{position}]")
        else:
            yield from missing(value, f"{path}.{field.name}")


_TEXT = st.sampled_from(["", "x", "scorer", "scorer_job", "e-1", "\0", "\U0010ffff", "é"]) | st.text(max_size=8)
_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_ENUM: st.integers(0, 6) | st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_FLOAT: st.floats(width=32),
    FieldDescriptor.TYPE_DOUBLE: st.floats(),
}


def _values(field: FieldDescriptor, complete: bool) -> st.SearchStrategy[Any]:
    if is_map(field):
        return st.dictionaries(_TEXT, _TEXT, max_size=3)
    if field.message_type is not None:
        one: st.SearchStrategy[Any] = messages(field.message_type._concrete_class, complete=complete)
    else:
        one = scalars(field)
    return st.lists(one, max_size=3) if field.is_repeated else one


def _build(kind: type[M], known: dict[str, Any], unknown: bytes) -> M:
    message = kind()
    for name, value in known.items():
        if isinstance(value, Message):
            getattr(message, name).SetInParent()
            getattr(message, name).MergeFrom(value)
        elif isinstance(value, dict):
            getattr(message, name).update(value)
        elif isinstance(value, list):
            getattr(message, name).extend(value)
        else:
            setattr(message, name, value)
    message.MergeFromString(unknown)
    return message


WIRE_TYPES = {
    FieldDescriptor.TYPE_STRING: 2,
    FieldDescriptor.TYPE_MESSAGE: 2,
    FieldDescriptor.TYPE_FLOAT: 5,
    FieldDescriptor.TYPE_DOUBLE: 1,
}


def varint(value: int, padding: int = 0) -> bytes:
    """Return a varint with this number of redundant bytes, which parsers accept."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F)
    digits += [0] * padding
    return bytes([*(digit | 0x80 for digit in digits[:-1]), digits[-1]])


def unknown_fields(descriptor: Descriptor) -> st.SearchStrategy[bytes]:
    """Return the bytes of fields that a message type does not define: other numbers, or its own in another wire type."""
    free = [number for number in (12, 100, 999, 1000, 2**29 - 1) if number not in descriptor.fields_by_number]
    foreign = [
        (field.number, wire_type)
        for field in descriptor.fields
        if not field.is_repeated
        for wire_type in (0, 1, 2, 5)
        if wire_type != WIRE_TYPES.get(field.type, 0)
    ]
    tags = st.tuples(st.sampled_from(free), st.sampled_from((0, 1, 2, 3, 5)))
    if foreign:
        tags |= st.sampled_from(foreign)
    return st.lists(tags.flatmap(_unknown_field), max_size=2).map(b"".join)


@functools.cache
def _unknown_field(tag: tuple[int, int]) -> st.SearchStrategy[bytes]:
    number, wire_type = tag
    key = number << 3 | wire_type
    padding = st.integers(0, 2)
    opened = padding.map(functools.partial(varint, key) if key < 2**28 else lambda _: varint(key))
    payload = {
        0: st.builds(varint, st.integers(0, 2**40), padding),
        1: st.binary(min_size=8, max_size=8),
        2: st.binary(max_size=6).map(lambda data: varint(len(data)) + data),
        3: st.sampled_from((0, 1, 2, 5))
        .flatmap(lambda inner: _unknown_field((7, inner)))
        .map(lambda g: g + varint(key + 1)),
        5: st.binary(min_size=4, max_size=4),
    }[wire_type]
    return st.tuples(opened, payload).map(b"".join)

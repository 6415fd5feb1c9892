"""Encode messages as the dialect's JSON: proto field names, int64 as numbers, enums by name, unset fields omitted."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Final, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.entities import weights

_EMPTY: Final = b"{}"
_END_OF_LIST: Final = b"\n  ]\n}"
_FIRST_ADDED_NUMBER: Final = 1000
"""Fields of MLflow's messages from this number on are additions of the contract."""
_ALWAYS_PRESENT: Final = {
    "GatewayEndpoint": ("created_by", "last_updated_by"),
    "GatewayBudgetPolicy": ("created_by", "last_updated_by"),
    "GatewayGuardrail": ("created_by", "last_updated_by"),
    "GatewayGuardrailConfig": ("created_by",),
}
"""Fields that MLflow's server sends as "" if they were never set, by message. It omits those of other messages."""


def to_json(message: Message) -> bytes:
    """Encode a message as MLflow's server does: indented by 2, ASCII only, fields in the order of their numbers."""
    return json.dumps(to_dict(message), indent=2).encode()


def join_pages(pages: Sequence[bytes]) -> bytes:
    """Join the JSON of pages that have one list and nothing else, as ``to_json`` encodes the whole list.

    Joining bytes takes far less memory than encoding the joined messages.
    """
    lists = [page for page in pages if page != _EMPTY]
    if len(lists) < 2:
        return lists[0] if lists else _EMPTY
    start = lists[0].index(b"[") + 1
    items = b",".join(page[start : -len(_END_OF_LIST)] for page in lists)
    return b"%b%b%b" % (lists[0][:start], items, _END_OF_LIST)


def to_dict(message: Message) -> dict[str, Any]:
    """Return the JSON object of a message.

    Unknown fields have no name, so JSON cannot carry them. The contract's additions to MLflow's messages are omitted.
    """
    fields = {field.number: (field, value) for field, value in message.ListFields() if field.number < _FIRST_ADDED_NUMBER}
    for name in _ALWAYS_PRESENT.get(message.DESCRIPTOR.name, ()):
        field = cast("FieldDescriptor", message.DESCRIPTOR.fields_by_name[name])
        fields.setdefault(field.number, (field, ""))
    return {field.name: _value(field, value) for _, (field, value) in sorted(fields.items())}


def _value(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return dict(value)
    if field.is_repeated:
        return [_single(field, item) for item in value]
    return _single(field, value)


def _single(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Message):
        return to_dict(value)
    if field.enum_type is not None:
        member = field.enum_type.values_by_number.get(value)
        return value if member is None else member.name
    if isinstance(value, float):
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return weights.shortest_decimal(value) if field.type == FieldDescriptor.TYPE_FLOAT else value
    return value

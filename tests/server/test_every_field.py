"""Every field of every request that writes configuration is stored: no field is lost between proto and table.

The values come from the descriptors, so a new field is tested without a line here. A failure names the field, and the first
place where it was missing.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.mlflow_rest import exchange
from gateway_entities.mlflow_rest.steps import Step
from gateway_entities.server.server import Server
from gateway_entities.server.store.admin.backup import write_backup
from gateway_entities.server.store.admin.restore import restore_backup
from gateway_entities.server.store.open import find_database
from gatewayentities.v1.endpoint_pb2 import GatewayEndpoint
from tests.client.recording_transports import MessageTransport
from tests.mutations import LOGGED, METHOD_OF, new_name, subject
from tests.server.raw import post_json, request
from tests.stores import KINDS, Place, postgresql_place, serving, sqlite_place

WRITES = tuple(m for m in LOGGED if not m.name.startswith(("Adjust", "Apply", "Delete", "Detach", "Remove", "Rollback")))
# The last does not carry fields with numbers from 1000 up.
TRANSPORTS = ("grpc", "proto", "json", "rest")
# Fields of requests that are not fields of a resource: they say how to write.
CONTROL = {"request_id", "etag", "update_mask"}
# The resource's field of a request's field, where the names differ. Of secret_value only the masked form is shown.
SHOWN_AS = {
    "updated_by": "last_updated_by",
    "model_configs": "model_mappings",
    "key": "tags",
    "value": "tags",
    "secret_value": "masked_values",
    "scorer_id": "scorer",
    "scorer_version": "scorer",
}
# Values that rules or references ask for, in two variants: what a resource is created with, and what it is changed to.
VALUES: dict[str, tuple[Any, Any]] = {
    "experiment_id": ("1", "2"),
    "resource_type": ("type_1", "type_2"),
    "target_scope": (3, 4),
    "usage_tracking": (False, True),
}
# Writes that change an endpoint, and whose responses do not show it.
ON_ENDPOINT = ("AttachModelToGatewayEndpoint", "SetGatewayEndpointTag")
ATTACH = "AttachModelToGatewayEndpointRequest"
_TEXT = {FieldDescriptor.TYPE_STRING}
_FLOATS = {FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT}


class Written(NamedTuple):
    """A write, and what it must leave behind."""

    request: Any
    key: Any

    def read(self, do: Callable[[Any], Any]) -> Any:
        resource = subject(do, self.key)
        if self.request.DESCRIPTOR.name != ATTACH:
            return resource
        model = self.request.model_config.model_definition_id
        return next(mapping for mapping in resource.model_mappings if mapping.model_definition_id == model)


class Filler:
    """Fills requests: fields with numbers up to ``last``. ``ids`` are those of existing resources."""

    def __init__(self, variant: int, ids: dict[str, Any], last: int) -> None:
        self.variant = variant
        self.ids = ids
        self.last = last

    def fill(self, message: Any, **given: Any) -> Any:
        for field in message.DESCRIPTOR.fields:
            if field.name not in CONTROL and field.number <= self.last:
                self._set(message, field, given)
        return message

    def _set(self, message: Any, field: FieldDescriptor, given: dict[str, Any]) -> None:
        name = field.name
        if name in given or name in self.ids:
            setattr(message, name, given.get(name, self.ids.get(name)))
        elif field.message_type is not None and field.message_type.GetOptions().map_entry:
            getattr(message, name)[f"{name}_{self.variant}"] = f"{name} {self.variant}"
        elif name == "model_configs":
            for linkage, model in enumerate(self.ids["models"], start=1):
                self.fill(message.model_configs.add(), linkage_type=linkage, model_definition_id=model)
        elif field.message_type is not None:
            assert not field.is_repeated, f"say here how {field.full_name} is filled"
            model = self.ids["models"][-1]
            self.fill(getattr(message, name), linkage_type=2, model_definition_id=model)
        else:
            setattr(message, name, self._scalar(field))

    def _scalar(self, field: FieldDescriptor) -> Any:
        if field.name in VALUES and field.type != FieldDescriptor.TYPE_INT32:
            return VALUES[field.name][self.variant - 1]
        if field.enum_type is not None:
            numbers = sorted(value.number for value in field.enum_type.values if value.number)
            return numbers[min(self.variant, len(numbers)) - 1]
        if field.type in _TEXT:
            return new_name(f"{field.name}-{self.variant}")
        if field.type == FieldDescriptor.TYPE_BOOL:
            return self.variant == 2
        return self.variant / 4 if field.type in _FLOATS else self.variant


def lost(written: Written, resource: Any) -> list[str]:
    """Name each field of a request that its resource does not show."""
    found: list[str] = []
    for field, value in written.request.ListFields():
        name = SHOWN_AS.get(field.name, field.name)
        if field.name in CONTROL:
            continue
        if field.name == "model_config":
            # Its fields are those of the mapping itself.
            found += [f"{field.full_name}: sent {value!r}".replace("\n", " ")] * (not same(value, resource))
        elif name not in resource.DESCRIPTOR.fields_by_name:
            found.append(f"{field.full_name}: {resource.DESCRIPTOR.name} has no such field")
        elif not shows(field.name, value, getattr(resource, name)):
            found.append(f"{field.full_name}: sent {value!r}, {name} is {getattr(resource, name)!r}".replace("\n", " "))
    return found


def shows(name: str, sent: Any, shown: Any) -> bool:
    if name == "secret_value":
        return set(shown) == set(sent)
    if name in {"scorer_id", "scorer_version"}:
        return bool(getattr(shown, name) == sent)
    if name in {"key", "value"}:
        return any(getattr(tag, name) == sent for tag in shown)
    if name == "model_configs":
        return len(sent) == len(shown) and all(same(*pair) for pair in zip(sent, shown, strict=True))
    return same(sent, shown)


def same(sent: Any, shown: Any) -> bool:
    """Whether a value equals another; a message only has to show every field of one that may be of another type."""
    if isinstance(sent, Message):
        return all(same(value, getattr(shown, field.name)) for field, value in sent.ListFields())
    return bool(sent == shown)


@contextmanager
def sender(transport: str, served: Server) -> Iterator[Callable[[Any], Any]]:
    """Return a function that sends a request message over a transport, and returns the response message."""
    if transport in {"grpc", "proto"}:
        carrier = MessageTransport(served.grpc_target if transport == "grpc" else served.http_target, "sync")
        try:
            yield carrier
        finally:
            carrier.close()
    elif transport == "json":
        yield lambda message: _json(served.http_target, message)
    else:
        yield lambda message: _rest(served.http_target, message)


def _json(target: str, message: Any) -> Any:
    method = METHOD_OF[type(message)]
    answer = post_json(target, method, json_format.MessageToDict(message))
    assert answer.status == 200, answer.body
    return json_format.ParseDict(json.loads(answer.body), method.response_type())


def _rest(target: str, message: Any) -> Any:
    step = Step(METHOD_OF[type(message)], message)
    sent = exchange.write(step)
    answer = request(target, sent.verb, sent.path, sent.body, {"content-type": "application/json"})
    return exchange.read(step, answer.status, answer.body)


def write_everything(do: Callable[[Any], Any], last: int) -> tuple[list[Written], list[str]]:
    """Create and change one of every resource with every field set; return the last write of each, and what was lost."""
    ids: dict[str, Any] = {}
    final: list[Written] = []
    faults: list[str] = []

    def send(method: Any, variant: int, **given: Any) -> Any:
        message = Filler(variant, ids, last).fill(method.request_type(), **given)
        response = do(message)
        resource = getattr(response, response.DESCRIPTOR.fields[0].name)
        if method.name in ON_ENDPOINT:
            final.append(Written(message, GatewayEndpoint(endpoint_id=ids["endpoint_id"])))
        else:
            final.append(Written(message, resource))
            faults.extend(f"{fault} in the response: the service forgot it" for fault in lost(final[-1], resource))
        return resource

    by_name = {method.name: method for method in WRITES}
    done = set[str]()

    def both(noun: str, id_field: str) -> Any:
        created = send(by_name[f"CreateGateway{noun}"], 1)
        done.update({f"CreateGateway{noun}", f"UpdateGateway{noun}"})
        if f"UpdateGateway{noun}" in by_name:
            before = final.pop()
            faults.extend(f"{fault} in the store" for fault in lost(before, before.read(do)))
            send(by_name[f"UpdateGateway{noun}"], 2, **{id_field: getattr(created, id_field)})
        return getattr(created, id_field)

    ids["secret_id"] = both("Secret", "secret_id")
    ids["models"] = [both("ModelDefinition", "model_definition_id") for _ in range(3)]
    third = ids["models"].pop()
    ids["endpoint_id"] = both("Endpoint", "endpoint_id")
    ids["target_value"] = ids["endpoint_id"]
    ids["models"].append(third)
    send(by_name["AttachModelToGatewayEndpoint"], 1)
    send(by_name["SetGatewayEndpointTag"], 1)
    send(by_name["CreateGatewayEndpointBinding"], 1)
    both("BudgetPolicy", "budget_policy_id")
    ids["action_endpoint_id"] = ids["endpoint_id"]
    ids["scorer_id"] = "scorer-1"
    created = send(by_name["CreateGatewayGuardrail"], 1)
    ids["guardrail_id"] = created.guardrail_id
    send(by_name["AddGuardrailToEndpoint"], 1)
    final.pop()
    send(by_name["UpdateEndpointGuardrailConfig"], 2)
    done.update({*ON_ENDPOINT, "CreateGatewayEndpointBinding", "CreateGatewayGuardrail"})
    done.update({"AddGuardrailToEndpoint", "UpdateEndpointGuardrailConfig"})
    assert set(by_name) <= done, f"say here how to send {sorted(set(by_name) - done)}"
    return final, faults


@pytest.fixture
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Place]]:
    """Return a function that makes an empty place of a kind of store. They share one key."""
    with ExitStack() as undo:
        numbers = iter(range(10))

        def make(kind: str) -> Place:
            if kind == "sqlite":
                return sqlite_place(tmp_path / f"{next(numbers)}.sqlite")
            return undo.enter_context(postgresql_place(request.getfixturevalue("postgresql"), tmp_path / "key"))

        yield make


def move(place: Place, other: Place, backup: Path) -> None:
    """Back up one store, and restore the backup into another, which gets the same keys."""
    for step, at, options in ((write_backup, place, {}), (restore_backup, other, {"accept_unsealed": True})):
        database = find_database(at.url)
        step(database, backup, lambda _done, _all: None, **options)
        database.dispose()
    if place.path is not None and other.path is not None:
        shutil.copy(f"{place.path}.key", f"{other.path}.key")


def unread(final: list[Written], served: Server, where: str) -> list[str]:
    """Read every resource over gRPC, and name what it lacks."""
    with sender("grpc", served) as do:
        return [f"{fault} {where}" for written in final for fault in lost(_settled(written), written.read(do))]


def _settled(written: Written) -> Written:
    """Return a write without what a later one replaced: attaching a model adds to the models of the update before it."""
    if written.request.DESCRIPTOR.name == "UpdateGatewayEndpointRequest":
        kept = type(written.request)()
        kept.CopyFrom(written.request)
        kept.ClearField("model_configs")
        kept.ClearField("updated_by")
        return Written(kept, written.key)
    return written


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_stored(kind: str, transport: str, places: Callable[[str], Place], tmp_path: Path) -> None:
    place = places(kind)
    with serving(place) as served:
        with sender(transport, served) as do:
            final, faults = write_everything(do, 999 if transport == "rest" else 1 << 29)
        faults += unread(final, served, "in the store")
    with serving(place) as served:
        faults += unread(final, served, "after a restart")
    other = places(kind)
    move(place, other, tmp_path / "backup")
    with serving(other) as served:
        faults += unread(final, served, "in a restored backup")
    assert not faults, "\n".join(["", *dict.fromkeys(faults)])

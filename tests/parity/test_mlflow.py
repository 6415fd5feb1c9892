"""Our messages are MLflow's: the same fields, the same bytes, the same entities. Checked against the installed MLflow."""

from __future__ import annotations

import dataclasses
import inspect
import struct
import subprocess
import sys
import warnings
from enum import Enum
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import given

from gateway_entities import entities
from gateway_entities.methods import METHODS, Method
from gatewayentities.v1 import configuration_pb2, spend_pb2
from tests.entities.entity_types import KINDS, message_type, public
from tests.messages import ENUMS, RESOURCES, full, is_map, messages

with warnings.catch_warnings():
    # Importing MLflow raises warnings about other libraries.
    warnings.simplefilter("ignore")
    pytest.importorskip("mlflow", reason="MLflow is not installed: pip install 'gateway-entities[test]'")
    import mlflow.entities as their_entities
    from mlflow.protos import service_pb2 as theirs

OWN_NUMBERS = range(1000, 2**29)
"""Numbers of our own fields, which MLflow will not use."""
OWN_METHODS = {
    "RecordGatewaySpend": "MLflow counts what passes through itself, and takes no report from elsewhere",
    "CheckGatewayBudget": "MLflow checks what passes through itself, and tells nobody else",
    "ListGatewayChanges": "MLflow keeps no change log",
    "ResolveGatewayEndpoint": "MLflow calls the models itself, and hands its credentials to nobody",
    "ListGatewaySecretAccesses": "the record of that",
    "WatchGateway": "MLflow streams nothing: its gateways poll",
    "AcknowledgeGatewayRevision": "MLflow does not know who has applied what",
    "RefuseGatewayRevision": "as AcknowledgeGatewayRevision",
    "ListGatewayNodes": "as AcknowledgeGatewayRevision",
    "WaitForGatewayConvergence": "as AcknowledgeGatewayRevision",
    "ExportGatewayConfiguration": "MLflow has no form of a whole configuration, and changes one resource at a time",
    "PlanGatewayConfiguration": "as ExportGatewayConfiguration",
    "ApplyGatewayConfiguration": "as ExportGatewayConfiguration",
    "RollbackGatewayConfiguration": "as ExportGatewayConfiguration",
    "ReserveGatewaySpend": "MLflow charges a request when it is over, and reserves nothing",
    "CommitGatewaySpend": "as ReserveGatewaySpend",
    "ReleaseGatewaySpend": "as ReserveGatewaySpend",
    "ExtendGatewaySpend": "as ReserveGatewaySpend",
    "AdjustGatewaySpend": "MLflow corrects nothing",
    "ListGatewayBudgetBalances": "MLflow's windows have neither what is reserved nor a history",
    "ListGatewaySpend": "MLflow reports costs from traces",
}
"""Our own RPCs, with the reasons."""
OWN_RESOURCES = {
    "GatewayBudgetCheck": "the result of CheckGatewayBudget",
    "GatewayChange": "a line of the change log",
    "GatewayChangeEffect": "a part of such a line",
    "ResolvedGatewayEndpoint": "the result of ResolveGatewayEndpoint",
    "ResolvedGatewayModel": "a part of it",
    "GatewaySecretAccess": "the record of that",
    "GatewayResource": "a part of the stream of WatchGateway",
    "GatewayResourceKey": "a part of it",
    "GatewayNode": "as AcknowledgeGatewayRevision",
    "GatewayFieldDifference": "a part of a line of the change log, or of a plan",
    **{
        name: "as ExportGatewayConfiguration"
        for name in configuration_pb2.DESCRIPTOR.message_types_by_name
        if name in RESOURCES
    },
    **{name: "as ReserveGatewaySpend" for name in spend_pb2.DESCRIPTOR.message_types_by_name if name in RESOURCES},
    "GatewayBudgetBalance": "as ListGatewayBudgetBalances",
    "GatewayBudgetOverrun": "a part of it",
    "GatewaySpendAlert": "MLflow alerts by a webhook only",
    "GatewaySpendAdjustment": "as AdjustGatewaySpend",
}
"""Our own resource messages, with the reasons."""
OWN_ENUMS = {
    "GatewayNodeState": "as AcknowledgeGatewayRevision",
    "GatewayPlanAction": "as ExportGatewayConfiguration",
    "GatewayPlanNoteKind": "as ExportGatewayConfiguration",
    "BudgetOverrunCause": "as ListGatewayBudgetBalances",
    "GatewayReservationState": "as ReserveGatewaySpend",
    "GatewaySpendGrouping": "as ListGatewaySpend",
}
"""Our own enums, with the reasons."""
MIRRORED_METHODS = [method for method in METHODS if method.name not in OWN_METHODS]
MIRRORED_RESOURCES = [name for name in RESOURCES if name not in OWN_RESOURCES]


def test_our_own_additions_are_not_in_mlflow():
    assert OWN_METHODS.keys() == {method.name for method in METHODS if not hasattr(theirs, method.name)}
    assert OWN_RESOURCES.keys() <= RESOURCES.keys()
    assert not [name for name in OWN_RESOURCES if hasattr(theirs, name)]


def their_resource(name: str) -> Any:
    """Return MLflow's class of a resource message. Its window is nested in the request that lists windows."""
    return theirs.ListGatewayBudgetWindows.BudgetWindow if name == "GatewayBudgetWindow" else getattr(theirs, name)


def shape(field: FieldDescriptor) -> tuple[Any, ...]:
    """Return the properties of a field that determine its bytes and JSON."""
    target: Any = None
    if is_map(field):
        target = [part.type for part in field.message_type.fields]
    elif field.message_type is not None:
        target = field.message_type.name.removeprefix("Gateway")
    elif field.enum_type is not None:
        target = field.enum_type.name
    label = (field.is_repeated, field.is_required, field.has_presence)
    return (field.name, field.number, field.json_name, field.type, *label, target)


def shapes(descriptor: Descriptor) -> dict[str, tuple[Any, ...]]:
    return {field.name: shape(field) for field in descriptor.fields}


def wire(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


@pytest.mark.parametrize("name", MIRRORED_RESOURCES)
def test_a_resource_has_mlflow_s_fields_and_no_others(name: str):
    assert shapes(RESOURCES[name].DESCRIPTOR) == shapes(their_resource(name).DESCRIPTOR)


@pytest.mark.parametrize("method", MIRRORED_METHODS, ids=lambda method: method.name)
def test_requests_and_responses_have_mlflow_s_fields_and_ours_from_1000(method: Method[Any, Any]):
    request = getattr(theirs, method.name)
    for ours, its in ((method.request_type, request), (method.response_type, request.Response)):
        own = shapes(ours.DESCRIPTOR)
        mirrored = shapes(its.DESCRIPTOR)
        assert {name: own.pop(name, None) for name in mirrored} == mirrored
        assert all(number in OWN_NUMBERS for _, number, *_ in own.values())


def test_every_rpc_of_the_gateway_is_mirrored():
    words = ("Gateway", "Guardrail")
    gateway = {
        name for name in dir(theirs) if any(word in name for word in words) and hasattr(getattr(theirs, name), "Response")
    }
    assert {method.name for method in MIRRORED_METHODS} == gateway


@pytest.mark.parametrize("name", [name for name in ENUMS if name not in OWN_ENUMS])
def test_an_enum_has_mlflow_s_names_and_numbers(name: str):
    assert {value.name: value.number for value in ENUMS[name].values} == dict(getattr(theirs, name).items())


@pytest.mark.parametrize("name", MIRRORED_RESOURCES)
def test_filled_messages_are_the_same_bytes_both_ways(name: str):
    ours, its = full(RESOURCES[name]), full(their_resource(name))
    assert len(ours.ListFields()) == len(ours.DESCRIPTOR.fields)
    assert wire(ours) == wire(its)
    assert wire(type(its).FromString(wire(ours))) == wire(its)
    assert wire(type(ours).FromString(wire(its))) == wire(ours)
    assert not UnknownFieldSet(type(its).FromString(wire(ours)))
    assert not UnknownFieldSet(type(ours).FromString(wire(its)))


@pytest.mark.parametrize("method", MIRRORED_METHODS, ids=lambda method: method.name)
def test_filled_requests_and_responses_are_the_same_bytes(method: Method[Any, Any]):
    request = getattr(theirs, method.name)
    for ours, its in ((method.request_type, request), (method.response_type, request.Response)):
        filled = full(its)
        read = ours.FromString(wire(filled))
        assert not UnknownFieldSet(read)
        assert wire(read) == wire(filled)


@pytest.mark.parametrize("name", MIRRORED_RESOURCES)
def test_any_message_passes_through_mlflow(name: str):
    """MLflow treats unknown enum numbers as unknown fields, so the order of the bytes may change."""
    ours, its = RESOURCES[name], their_resource(name)

    @given(messages(ours))
    def law(message: Message):
        assert wire(ours.FromString(its.FromString(wire(message)).SerializeToString())) == wire(message)

    law()


WITHOUT_THEIR_ENTITY = {"GatewayBudgetWindow", "Scorer", *OWN_RESOURCES}
THEIR_NAMES = {"action_endpoint_name": "action_endpoint_id"}
"""Attributes of MLflow's entities that are named for what its server writes into the field."""


def test_mlflow_has_entities_for_all_of_its_own_but_windows_and_scorers():
    assert {kind.__name__ for kind in KINDS if not hasattr(their_entities, kind.__name__)} == WITHOUT_THEIR_ENTITY


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.__name__ not in WITHOUT_THEIR_ENTITY])
def test_both_sides_entities_agree(kind: Any):
    message: Any = full(message_type(kind))
    if "resource_type" in public(kind):
        message.resource_type = "scorer"
    ours = kind.from_proto(message)
    its = getattr(their_entities, kind.__name__).from_proto(their_resource(kind.__name__).FromString(ours.to_bytes()))
    check_agreement(ours, its)
    assert wire(its.to_proto()) == ours.to_bytes()
    assert kind.from_bytes(wire(its.to_proto())) == ours


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.__name__ not in WITHOUT_THEIR_ENTITY])
def test_a_positional_argument_means_the_same_on_both_sides(kind: Any):
    """From where MLflow's order differs, ours are keyword-only: MLflow has a workspace there."""
    theirs = [THEIR_NAMES.get(name, name) for name in inspect.signature(getattr(their_entities, kind.__name__)).parameters]
    ours = list(inspect.signature(kind).parameters.values())
    positional = [part.name for part in ours if part.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert positional == theirs[: len(positional)]
    assert [part.name for part in ours] == [name for name in theirs if name != "workspace"]
    values = [f"value-{position}" for position in range(len(theirs))]
    for count in range(len(positional) + 1, len(theirs) + 1):
        with pytest.raises(TypeError, match="positional argument"):
            kind(*values[:count])


def check_agreement(ours: Any, its: Any) -> None:
    if isinstance(ours, entities.Scorer):
        # MLflow's is no dataclass.
        assert wire(its.to_proto()) == ours.to_bytes()
    elif dataclasses.is_dataclass(ours):
        names = [field.name for field in dataclasses.fields(its) if field.name != "workspace"]
        assert [THEIR_NAMES.get(name, name) for name in names] == public(type(ours))
        for name in names:
            check_agreement(getattr(ours, THEIR_NAMES.get(name, name)), getattr(its, name))
    elif isinstance(ours, list):
        assert len(ours) == len(its)
        for one, other in zip(ours, its, strict=True):
            check_agreement(one, other)
    elif isinstance(ours, entities.GatewayResourceType):
        assert ours == its.value
    elif isinstance(ours, Enum):
        assert ours.name == its.value
    elif isinstance(ours, float):
        assert ours == its or struct.pack("<f", ours) == struct.pack("<f", its)
    else:
        assert ours == its


@pytest.mark.parametrize("first", ["mlflow.entities, mlflow.protos.service_pb2", "gateway_entities"])
def test_both_packages_import_in_either_order(first: str):
    second = {"gateway_entities": "mlflow.entities, mlflow.protos.service_pb2"}.get(first, "gateway_entities")
    script = f"""
import {first}
import {second}
ours = gateway_entities.GatewayEndpointTag("key", "value")
its = mlflow.protos.service_pb2.GatewayEndpointTag.FromString(ours.to_bytes())
assert mlflow.entities.GatewayEndpointTag.from_proto(its).key == "key"
assert gateway_entities.GatewayEndpointTag.from_bytes(its.SerializeToString()) == ours
print("both")
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert found.stdout == "both\n", found.stderr

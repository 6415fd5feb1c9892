"""Every rule of every request: violations, their paths and their descriptions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from gateway_entities import rules
from gateway_entities.methods import METHODS
from gateway_entities.rules.responses import RESOURCES
from gatewayentities.v1 import binding_pb2, budget_pb2, endpoint_pb2, model_definition_pb2, secret_pb2

ANYTHING = "naïve \u202e 🙂 'quoted' \n"
REQUESTS = [method.request_type for method in METHODS]

CreateSecret = secret_pb2.CreateGatewaySecretRequest
UpdateSecret = secret_pb2.UpdateGatewaySecretRequest
CreateDefinition = model_definition_pb2.CreateGatewayModelDefinitionRequest
UpdateDefinition = model_definition_pb2.UpdateGatewayModelDefinitionRequest
CreateEndpoint = endpoint_pb2.CreateGatewayEndpointRequest
UpdateEndpoint = endpoint_pb2.UpdateGatewayEndpointRequest
Attach = endpoint_pb2.AttachModelToGatewayEndpointRequest
SetTag = endpoint_pb2.SetGatewayEndpointTagRequest
CreateBinding = binding_pb2.CreateGatewayEndpointBindingRequest
CreatePolicy = budget_pb2.CreateGatewayBudgetPolicyRequest
UpdatePolicy = budget_pb2.UpdateGatewayBudgetPolicyRequest
RecordSpend = budget_pb2.RecordGatewaySpendRequest
CheckBudget = budget_pb2.CheckGatewayBudgetRequest


def config(**fields: object) -> dict[str, object]:
    merged = {"model_definition_id": "d-1", "linkage_type": "PRIMARY", **fields}
    return {name: value for name, value in merged.items() if value is not None}


def mask(*paths: str) -> dict[str, object]:
    return {"paths": list(paths)}


def test_every_request_type_has_rules(check: Any, valid: Any) -> None:
    assert set(valid) == set(REQUESTS)
    for request_type in REQUESTS:
        assert check(request_type) == []


def test_a_message_of_another_contract_is_rejected() -> None:
    with pytest.raises(TypeError, match=r"google\.protobuf\.FieldMask is not a message of the contract"):
        rules.check(FieldMask())


def texts(descriptor: Descriptor, prefix: tuple[FieldDescriptor, ...] = ()) -> Iterator[tuple[FieldDescriptor, ...]]:
    """Yield the path of each text field, including maps."""
    for field in descriptor.fields:
        way = (*prefix, field)
        if field.message_type is None:
            if field.type == FieldDescriptor.TYPE_STRING:
                yield way
        elif field.message_type.GetOptions().map_entry:
            yield way
        else:
            yield from texts(field.message_type, way)


def plant(message: Message, way: tuple[FieldDescriptor, ...], key: str, value: str) -> None:
    """Set the text at a path; a map gets it as an entry."""
    field, *rest = way
    if rest:
        held = getattr(message, field.name)
        plant((held or [held.add()])[0] if field.is_repeated else held, tuple(rest), key, value)
    elif field.message_type is not None:
        getattr(message, field.name)[key] = value
    elif field.is_repeated:
        getattr(message, field.name)[:] = [value]
    else:
        setattr(message, field.name, value)


@pytest.mark.parametrize("request_type", REQUESTS, ids=lambda request_type: request_type.DESCRIPTOR.name)
@pytest.mark.parametrize(("key", "value"), [("key", "a\0b"), ("a\0b", "value")])
def test_nul_is_rejected_in_every_text(valid: Any, request_type: type[Message], key: str, value: str) -> None:
    for way in texts(request_type.DESCRIPTOR):
        # Only a map has a key.
        text = (value, key) if "\0" in key and way[-1].message_type is None else (key, value)
        request = request_type(**valid[request_type])
        plant(request, way, *text)
        where = ".".join(field.name for field in way)
        assert any(violation.field.startswith(way[0].name) for violation in rules.check(request)), where


@pytest.mark.parametrize(
    ("request_type", "field", "least", "most", "filler"),
    [
        (CreateSecret, "secret_name", 1, 255, "🙂"),
        (CreateSecret, "provider", 0, 64, "é"),
        (CreateSecret, "created_by", 1, 255, "x"),
        (UpdateSecret, "updated_by", 1, 255, "x"),
        (CreateDefinition, "name", 1, 255, "🙂"),
        (CreateDefinition, "provider", 1, 64, "x"),
        (CreateDefinition, "model_name", 1, 256, "x"),
        (CreateDefinition, "created_by", 1, 255, "x"),
        (UpdateDefinition, "updated_by", 1, 255, "x"),
        (CreateEndpoint, "name", 1, 255, "x"),
        (CreateEndpoint, "created_by", 1, 255, "x"),
        (CreateEndpoint, "experiment_id", 1, 255, "1"),
        (UpdateEndpoint, "updated_by", 1, 255, "x"),
        (Attach, "created_by", 1, 255, "x"),
        (SetTag, "key", 1, 250, "🙂"),
        (SetTag, "value", 0, 5000, "🙂"),
        (CreateBinding, "resource_type", 1, 50, "x"),
        (CreateBinding, "resource_id", 1, 255, "🙂"),
        (CreateBinding, "created_by", 1, 255, "x"),
        (CreatePolicy, "created_by", 1, 255, "x"),
        (UpdatePolicy, "updated_by", 1, 255, "x"),
        (RecordSpend, "workspace", 0, 255, "x"),
        (RecordSpend, "user", 0, 255, "🙂"),
        (RecordSpend, "request_id", 1, 255, "🙂"),
        (CheckBudget, "workspace", 0, 255, "x"),
        (CheckBudget, "user", 0, 255, "🙂"),
    ],
)
def test_lengths_are_counted_in_characters(
    check: Any, request_type: type[Message], field: str, least: int, most: int, filler: str
) -> None:
    limits = f"{least} to {most}" if least else f"at most {most}"
    assert check(request_type, **{field: filler * least}) == []
    assert check(request_type, **{field: filler * most}) == []
    assert check(request_type, **{field: filler * (most + 1)}) == [(field, f"must be {limits} characters, has {most + 1}")]
    if least:
        assert check(request_type, **{field: ""}) == [(field, f"must be {limits} characters, has 0")]


@pytest.mark.parametrize(
    ("request_type", "field", "most"),
    [
        (UpdateDefinition, "name", 255),
        (UpdateDefinition, "provider", 64),
        (UpdateDefinition, "model_name", 256),
        (UpdateEndpoint, "name", 255),
    ],
)
def test_an_update_has_the_limits_of_a_create_and_empty_is_unchanged(
    check: Any, request_type: type[Message], field: str, most: int
) -> None:
    assert check(request_type, **{field: "x" * most}) == check(request_type, **{field: ""}) == []
    assert check(request_type, **{field: "x" * (most + 1)}) == [(field, f"must be 1 to {most} characters, has {most + 1}")]


@pytest.mark.parametrize("request_type", REQUESTS)
def test_required_fields(check: Any, valid: Any, request_type: type[Message]) -> None:
    for field in valid[request_type]:
        ((path, description),) = check(request_type, **{field: None})
        assert (path, description.startswith("is required")) == (field, True)
        if request_type.DESCRIPTOR.fields_by_name[field].type == FieldDescriptor.TYPE_STRING:
            assert [path for path, _ in check(request_type, **{field: ""})] == [field]


@pytest.mark.parametrize(
    ("request_type", "first", "second"),
    [
        (secret_pb2.GetGatewaySecretInfoRequest, "secret_id", "secret_name"),
        (model_definition_pb2.GetGatewayModelDefinitionRequest, "model_definition_id", "name"),
        (endpoint_pb2.GetGatewayEndpointRequest, "endpoint_id", "name"),
    ],
)
def test_exactly_one_of_id_and_name(check: Any, request_type: type[Message], first: str, second: str) -> None:
    assert check(request_type, **{first: "x"}) == check(request_type, **{first: "", second: ANYTHING}) == []
    neither, both = (
        [(first, f"is required, unless {second} is given")],
        [(first, f"must not be given together with {second}")],
    )
    assert check(request_type, **{first: None}) == check(request_type, **{first: "", second: ""}) == neither
    assert check(request_type, **{first: "x", second: "y"}) == both


NAME_FORM = "must contain only letters (a to z, A to Z), digits, underscores, hyphens and dots"
TYPE_FORM = "must be a lower-case letter, then lower-case letters, digits and underscores"


@pytest.mark.parametrize(
    ("request_type", "field", "form", "valid", "invalid"),
    [
        (CreateEndpoint, "name", NAME_FORM, ["a", ".", "...", "A-z_0.9"], ["ep 1", "a\n", "é", "a/b", "٣"]),
        (UpdateEndpoint, "name", NAME_FORM, ["a"], ["ep 1"]),
        (
            CreateEndpoint,
            "experiment_id",
            "must be decimal digits",
            ["0", "007", "123"],
            ["abc", "-1", "1.0", " 1", "1\n", "٣"],
        ),
        (UpdateEndpoint, "experiment_id", "must be decimal digits", ["1", ""], ["abc"]),
        (
            CreateBinding,
            "resource_type",
            TYPE_FORM,
            ["scorer", "scorer_job", "a", "a1_"],
            ["Scorer", "1a", "_a", "a-b", "a\n"],
        ),
    ],
)
def test_forms(check: Any, request_type: type[Message], field: str, form: str, valid: list[str], invalid: list[str]) -> None:
    for value in valid:
        assert check(request_type, **{field: value}) == []
    for value in invalid:
        assert check(request_type, **{field: value}) == [(field, form)]


@pytest.mark.parametrize("name", [ANYTHING, " ", "a/b"])
def test_names_of_secrets_and_definitions_are_free(check: Any, name: str) -> None:
    assert check(CreateSecret, secret_name=name) == check(CreateDefinition, name=name) == []


@pytest.mark.parametrize("page", [0, 1, 1000])
@pytest.mark.parametrize("request_type", [t for t in REQUESTS if "page_size" in t.DESCRIPTOR.fields_by_name])
def test_page_size(check: Any, request_type: type[Message], page: int) -> None:
    assert check(request_type, page_size=page) == []
    for wrong in (-1, 1001, 2**31 - 1):
        assert check(request_type, page_size=wrong) == [("page_size", f"must be 0 to 1000, is {wrong}")]


@pytest.mark.parametrize(("value", "valid"), [(0, True), (50_000, True), (-1, False), (50_001, False), (-(2**63), False)])
def test_max_results(check: Any, value: int, valid: bool) -> None:
    expected = [] if valid else [("max_results", f"must be 0 to 50000, is {value}")]
    assert check(budget_pb2.ListGatewayBudgetPoliciesRequest, max_results=value) == expected


MASKABLE = {
    UpdateSecret: (["secret_value"], ["auth_config"]),
    UpdateDefinition: (["name", "model_name", "provider"], ["secret_id"]),
    UpdateEndpoint: (["name", "model_configs"], ["routing_strategy", "fallback_config", "experiment_id", "usage_tracking"]),
    UpdatePolicy: (["budget_unit", "budget_amount", "duration", "target_scope", "budget_action"], ["target_value"]),
}
"""For each update, the required fields and the clearable ones."""
CLEARED = "is named in update_mask and must have a value: it cannot be cleared"


@pytest.mark.parametrize("request_type", MASKABLE)
def test_update_masks(check: Any, valid: Any, request_type: type[Message]) -> None:
    kept, clearable = MASKABLE[request_type]
    assert check(request_type, update_mask=mask(*clearable)) == []
    assert check(request_type, update_mask=mask(*reversed(kept))) == [(name, CLEARED) for name in kept]
    identifier = next(iter(valid[request_type]))
    for path in "updated_by", identifier, "*", "", f"{kept[0]}.x", "Name\0":
        ((field, description),) = check(request_type, update_mask=mask(path))
        assert field == "update_mask"
        assert all(name in description for name in kept + clearable)
    assert rules.written_fields(request_type(update_mask=mask(*kept, *clearable, "nope"))) == {*kept, *clearable}


def test_a_masked_update_ignores_the_fields_that_its_mask_does_not_name(check: Any) -> None:
    assert check(UpdateEndpoint, name="not a name", experiment_id="x", update_mask=mask("usage_tracking")) == []
    assert check(UpdatePolicy, target_scope=0, target_value="x", update_mask=mask("target_value")) == []


@pytest.mark.parametrize(
    ("request_type", "fields", "written"),
    [
        (UpdateSecret, {}, set()),
        (UpdateSecret, {"secret_value": {"k": "v"}, "updated_by": "me"}, {"secret_value"}),
        (UpdateDefinition, {"name": "", "secret_id": "", "model_name": "m", "provider": ""}, {"model_name"}),
        (UpdateEndpoint, {"name": "", "routing_strategy": 0, "experiment_id": "", "model_configs": []}, set()),
        (UpdateEndpoint, {"usage_tracking": False, "fallback_config": {}}, {"usage_tracking", "fallback_config"}),
        (UpdateEndpoint, {"name": "n", "update_mask": mask()}, {"name"}),
        (UpdateEndpoint, {"name": "n", "update_mask": mask("experiment_id")}, {"experiment_id"}),
        (UpdatePolicy, {"budget_amount": 0.0, "target_value": ""}, {"budget_amount", "target_value"}),
    ],
)
def test_written_fields(request_type: type[Message], fields: dict[str, object], written: set[str]) -> None:
    assert rules.written_fields(request_type(**fields)) == written


def test_a_masked_empty_text_is_a_cleared_one(check: Any) -> None:
    assert check(UpdateDefinition, name="", update_mask=mask("name")) == [("name", CLEARED)]
    assert check(UpdateDefinition, secret_id="", update_mask=mask("secret_id")) == []


def test_all_violations_are_reported_in_the_order_of_the_fields() -> None:
    request = CreateEndpoint(
        name="ep 1",
        model_configs=[config(weight=-1.0), config(linkage_type=3, fallback_order=-2), config(model_definition_id=None)],
        created_by="",
        routing_strategy=4,
        fallback_config={"max_attempts": 0},
        experiment_id="x",
    )
    assert [violation.field for violation in rules.check(request)] == [
        "name",
        "model_configs[0].weight",
        "model_configs[1].linkage_type",
        "model_configs[1].fallback_order",
        "model_configs[2].model_definition_id",
        "created_by",
        "routing_strategy",
        "fallback_config.max_attempts",
        "experiment_id",
    ]
    policy = CreatePolicy(target_scope="USER", budget_amount=math.nan, duration={})
    assert [violation.field for violation in rules.check(policy)] == [
        "budget_unit",
        "budget_amount",
        "duration.unit",
        "duration.value",
        "budget_action",
        "target_value",
    ]


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.DESCRIPTOR.name)
def test_every_field_of_a_resource_has_a_rule(resource: type[Message]) -> None:
    assert set(RESOURCES[resource].fields) == set(resource.DESCRIPTOR.fields_by_name)

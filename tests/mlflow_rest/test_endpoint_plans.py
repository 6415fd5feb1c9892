"""The plans of calls that concern endpoints and their models; MLflow loses parts of them."""

from __future__ import annotations

import pytest

from gateway_entities.errors import Code
from gatewayentities.v1 import budget_pb2, endpoint_pb2
from tests.mlflow_rest.driven_plans import drive, error_of, lost

PRIMARY, FALLBACK = endpoint_pb2.PRIMARY, endpoint_pb2.FALLBACK
Config, Mapping = endpoint_pb2.GatewayEndpointModelConfig, endpoint_pb2.GatewayEndpointModelMapping
Endpoint = endpoint_pb2.GatewayEndpoint
GetEndpoint, EndpointResponse = endpoint_pb2.GetGatewayEndpointRequest, endpoint_pb2.GetGatewayEndpointResponse
SEQUENTIAL = endpoint_pb2.FallbackConfig(strategy="SEQUENTIAL")


def create_endpoint(*configs, **fields):
    return endpoint_pb2.CreateGatewayEndpointRequest(name="e", model_configs=configs, **fields)


def stored_endpoint(*mappings, **fields):
    fields = {"name": "e", **fields}
    return endpoint_pb2.CreateGatewayEndpointResponse(
        endpoint=Endpoint(endpoint_id="e-1", model_mappings=mappings, **fields)
    )


def test_fallback_models_get_a_strategy():
    first = Config(model_definition_id="d-1", linkage_type="PRIMARY")
    second = Config(model_definition_id="d-2", linkage_type="FALLBACK", fallback_order=1)
    mappings = [
        Mapping(model_definition_id="d-1", linkage_type="PRIMARY", weight=1.0),
        Mapping(model_definition_id="d-2", linkage_type="FALLBACK", weight=1.0, fallback_order=1),
    ]
    stored = stored_endpoint(*mappings, fallback_config=SEQUENTIAL)
    sent, response = drive(create_endpoint(first, second), stored)
    assert sent == [create_endpoint(first, second, fallback_config=SEQUENTIAL)]
    assert response == stored
    assert drive(create_endpoint(first), stored_endpoint(mappings[0]))[0] == [create_endpoint(first)]
    own = endpoint_pb2.FallbackConfig(max_attempts=3)
    given = create_endpoint(first, second, fallback_config=own)
    assert drive(given, stored_endpoint(*mappings, fallback_config=own))[0] == [given]
    assert lost(create_endpoint(first, second), stored_endpoint(*mappings)) == "fallback_config"
    assert lost(create_endpoint(first), stored_endpoint(*mappings)) == "model_configs"


def test_unspecified_enums_are_not_sent():
    config = Config(model_definition_id="d-1", linkage_type="PRIMARY")
    mapping = Mapping(model_definition_id="d-1", linkage_type="PRIMARY", weight=1.0)
    attempts = endpoint_pb2.FallbackConfig(max_attempts=3)
    unspecified = endpoint_pb2.FallbackConfig(strategy=0, max_attempts=3)
    request = create_endpoint(config, routing_strategy=0, fallback_config=unspecified)
    sent, _ = drive(request, stored_endpoint(mapping, fallback_config=attempts))
    assert sent == [create_endpoint(config, fallback_config=attempts)]


@pytest.mark.parametrize(
    "stored",
    [
        {"model_definition_id": "d-2"},
        {"linkage_type": "FALLBACK"},
        {"weight": 0.25},
        {"fallback_order": 1},
    ],
)
def test_models_that_were_stored_otherwise(stored):
    config = Config(model_definition_id="d-1", linkage_type="PRIMARY", weight=0.5)
    mapping = Mapping(**{"model_definition_id": "d-1", "linkage_type": "PRIMARY", "weight": 0.5, **stored})
    assert lost(create_endpoint(config), stored_endpoint(mapping)) == "model_configs"
    attach = endpoint_pb2.AttachModelToGatewayEndpointRequest(endpoint_id="e-1", model_config=config)
    mapping.endpoint_id = "e-1"
    assert lost(attach, endpoint_pb2.AttachModelToGatewayEndpointResponse(mapping=mapping)) == "model_config"


def test_one_linkage_twice_is_not_sent():
    configs = [Config(model_definition_id="d-1", linkage_type="PRIMARY")] * 2
    update = endpoint_pb2.UpdateGatewayEndpointRequest(endpoint_id="e-1", model_configs=configs)
    for request in (create_endpoint(*configs), update):
        code, reason, message = error_of(request)
        assert (code, reason) == (Code.ALREADY_EXISTS, "LINKAGE_EXISTS")
        assert "'d-1'" in message


def test_an_endpoint_by_name_is_one_request():
    request = GetEndpoint(name="e")
    assert drive(request, EndpointResponse())[0] == [request]


@pytest.mark.parametrize("now", [None, endpoint_pb2.FallbackConfig(max_attempts=3)])
@pytest.mark.parametrize("linkage", [PRIMARY, FALLBACK])
def test_new_models_keep_the_fallback_config(now, linkage):
    configs = [
        Config(model_definition_id="d-1", linkage_type="PRIMARY"),
        Config(model_definition_id="d-2", linkage_type=linkage),
    ]
    if linkage == PRIMARY:
        configs[1].weight = 0.5
    request = endpoint_pb2.UpdateGatewayEndpointRequest(endpoint_id="e-1", model_configs=configs)
    expected = now or (SEQUENTIAL if linkage == FALLBACK else None)
    mappings = [
        Mapping(
            model_definition_id=config.model_definition_id, linkage_type=config.linkage_type, weight=config.weight or 1.0
        )
        for config in configs
    ]
    stored = Endpoint(endpoint_id="e-1", model_mappings=mappings, fallback_config=expected)
    response = endpoint_pb2.UpdateGatewayEndpointResponse(endpoint=stored)
    sent, _ = drive(request, EndpointResponse(endpoint=Endpoint(fallback_config=now)), response)
    wanted = endpoint_pb2.UpdateGatewayEndpointRequest(endpoint_id="e-1", model_configs=configs, fallback_config=expected)
    assert sent == [GetEndpoint(endpoint_id="e-1"), wanted]


def test_the_default_of_usage_tracking_is_sent():
    request = endpoint_pb2.UpdateGatewayEndpointRequest(endpoint_id="e-1", update_mask={"paths": ["usage_tracking"]})
    stored = endpoint_pb2.UpdateGatewayEndpointResponse(endpoint=Endpoint(endpoint_id="e-1", usage_tracking=True))
    expected = endpoint_pb2.UpdateGatewayEndpointRequest(endpoint_id="e-1", usage_tracking=True)
    assert drive(request, stored)[0] == [expected]
    off = endpoint_pb2.UpdateGatewayEndpointRequest(endpoint_id="e-1", usage_tracking=False)
    stored.endpoint.usage_tracking = False
    assert drive(off, stored)[0] == [off]
    named = endpoint_pb2.UpdateGatewayEndpointRequest(endpoint_id="e-1", name="n")
    assert drive(named, endpoint_pb2.UpdateGatewayEndpointResponse(endpoint=Endpoint(endpoint_id="e-1", name="n")))[0] == [
        named
    ]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["e-1", "e-2", "e-3"]),
        ({"secret_id": "s-1"}, ["e-1", "e-2"]),
        ({"provider": "p", "secret_id": "s-1"}, ["e-1"]),
        ({"provider": "p"}, ["e-1", "e-2", "e-3"]),
        ({"secret_id": "s-3"}, []),
    ],
)
def test_endpoints_are_filtered_by_secret_here(filters, found):
    def endpoint(number, *models):
        mappings = [{"model_definition": {"secret_id": secret, "provider": provider}} for secret, provider in models]
        return Endpoint(endpoint_id=f"e-{number}", created_at=number, model_mappings=mappings)

    endpoints = [endpoint(3, ("s-2", "p")), endpoint(2, ("s-1", "q"), ("s-2", "p")), endpoint(1, ("s-1", "p"))]
    request = endpoint_pb2.ListGatewayEndpointsRequest(**filters)
    sent, response = drive(request, endpoint_pb2.ListGatewayEndpointsResponse(endpoints=endpoints))
    assert sent == [endpoint_pb2.ListGatewayEndpointsRequest(provider=filters.get("provider"))]
    assert [endpoint.endpoint_id for endpoint in response.endpoints] == found


def test_a_deleted_endpoint_takes_its_budgets_along():
    def policy(number, scope, value):
        return budget_pb2.GatewayBudgetPolicy(budget_policy_id=f"bp-{number}", target_scope=scope, target_value=value)

    policies = [
        policy(1, "ENDPOINT", "e-1"),
        policy(2, "ENDPOINT", "e-2"),
        policy(3, "USER", "e-1"),
        policy(4, "ENDPOINT", "e-1"),
    ]
    request = endpoint_pb2.DeleteGatewayEndpointRequest(endpoint_id="e-1")
    deleted = budget_pb2.DeleteGatewayBudgetPolicyResponse()
    response = endpoint_pb2.DeleteGatewayEndpointResponse()
    listed = budget_pb2.ListGatewayBudgetPoliciesResponse(budget_policies=policies)
    sent, result = drive(request, listed, response, deleted, deleted)
    assert result is response
    assert sent[1:] == [
        request,
        *(budget_pb2.DeleteGatewayBudgetPolicyRequest(budget_policy_id=f"bp-{number}") for number in (1, 4)),
    ]


def attached(linkage):
    config = Config(model_definition_id="d-1", linkage_type=linkage)
    request = endpoint_pb2.AttachModelToGatewayEndpointRequest(endpoint_id="e-1", model_config=config)
    mapping = Mapping(endpoint_id="e-1", model_definition_id="d-1", linkage_type=linkage, weight=1.0)
    return request, endpoint_pb2.AttachModelToGatewayEndpointResponse(mapping=mapping)


def test_an_attached_fallback_model_is_tried():
    request, response = attached(FALLBACK)
    update = endpoint_pb2.UpdateGatewayEndpointRequest(endpoint_id="e-1", fallback_config=SEQUENTIAL)
    get = GetEndpoint(endpoint_id="e-1")
    sent, result = drive(request, response, EndpointResponse(), endpoint_pb2.UpdateGatewayEndpointResponse())
    assert (sent, result) == ([request, get, update], response)
    has_one = EndpointResponse(endpoint=Endpoint(fallback_config=endpoint_pb2.FallbackConfig()))
    assert drive(request, response, has_one) == ([request, get], response)
    request, response = attached(PRIMARY)
    assert drive(request, response) == ([request], response)


@pytest.mark.parametrize(("sent", "stored"), [(1, 2), (1, None), (None, 1), (0, None), (None, 0)])
def test_another_order_is_a_loss(sent, stored):
    request, response = attached(FALLBACK)
    if sent is not None:
        request.model_config.fallback_order = sent
    if stored is not None:
        response.mapping.fallback_order = stored
    assert lost(request, response) == "model_config"


@pytest.mark.parametrize(
    ("others", "error"),
    [
        ([("d-2", PRIMARY, 1.0)], None),
        ([("d-2", PRIMARY, 0.0)], "LAST_PRIMARY_MODEL"),
        ([("d-2", FALLBACK, 1.0)], "LAST_PRIMARY_MODEL"),
        ([], "LAST_PRIMARY_MODEL"),
    ],
)
@pytest.mark.parametrize("linkages", [[PRIMARY], [PRIMARY, FALLBACK]])
def test_every_linkage_is_detached_but_not_of_the_last_model(others, error, linkages):
    going = [("d-1", linkage, 1.0) for linkage in linkages]
    mappings = [Mapping(model_definition_id=d, linkage_type=linkage, weight=w) for d, linkage, w in [*going, *others]]
    request = endpoint_pb2.DetachModelFromGatewayEndpointRequest(endpoint_id="e-1", model_definition_id="d-1")
    now = EndpointResponse(endpoint=Endpoint(model_mappings=mappings))
    response = endpoint_pb2.DetachModelFromGatewayEndpointResponse()
    if error:
        code, reason, message = error_of(request, now)
        assert (code, reason) == (Code.FAILED_PRECONDITION, error)
        assert "'d-1'" in message
    else:
        sent, result = drive(request, now, *[response] * len(linkages))
        assert (sent, result) == ([GetEndpoint(endpoint_id="e-1"), *[request] * len(linkages)], response)


def test_a_model_that_is_not_attached_is_mlflows_error():
    request = endpoint_pb2.DetachModelFromGatewayEndpointRequest(endpoint_id="e-1", model_definition_id="d-9")
    assert drive(request, EndpointResponse(), endpoint_pb2.DetachModelFromGatewayEndpointResponse())[0][1] == request

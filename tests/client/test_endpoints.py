"""Endpoints, their models and their tags through every client."""

from __future__ import annotations

import pytest

from gateway_entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    Code,
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpointModelConfig,
    GatewayEndpointTag,
    GatewayError,
    GatewayModelLinkageType,
    RoutingStrategy,
)

PRIMARY, FALLBACK = GatewayModelLinkageType.PRIMARY, GatewayModelLinkageType.FALLBACK


def primary(definition, weight=None):
    return GatewayEndpointModelConfig(definition.model_definition_id, PRIMARY, weight)


def fallback(definition, order=None):
    return GatewayEndpointModelConfig(definition.model_definition_id, FALLBACK, None, order)


def test_lifecycle(client, other, define, unique):
    name, first, second, third = unique("endpoint"), define(), define(), define()
    made = client.create_endpoint(
        name,
        [primary(first, 0.7), primary(second, 0.3), fallback(third, 0)],
        routing_strategy=RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT,
        fallback_config=FallbackConfig(FallbackStrategy.SEQUENTIAL, 2),
        usage_tracking=False,
        created_by="ann",
    )
    assert made.endpoint_id.startswith("e-")
    assert [mapping.weight for mapping in made.model_mappings] == [0.7, 0.3, 1.0]
    assert [mapping.model_definition for mapping in made.model_mappings] == [first, second, third]
    assert [mapping.linkage_type for mapping in made.model_mappings] == [PRIMARY, PRIMARY, FALLBACK]
    assert [mapping.fallback_order for mapping in made.model_mappings] == [None, None, 0]
    assert made.routing_strategy is RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT
    assert made.fallback_config == FallbackConfig(FallbackStrategy.SEQUENTIAL, 2)
    assert (made.usage_tracking, made.created_by, made.last_updated_by) == (False, "ann", "ann")
    assert other.get_endpoint(endpoint_id=made.endpoint_id) == made
    assert other.get_endpoint(name=name) == made
    assert made in other.list_endpoints()

    renamed = client.update_endpoint(made.endpoint_id, name=name + ".v2", updated_by="bob")
    assert renamed.name == name + ".v2"
    assert renamed.model_mappings == made.model_mappings
    assert other.get_endpoint(name=name + ".v2") == renamed

    client.delete_endpoint(made.endpoint_id)
    with pytest.raises(GatewayError) as caught:
        other.get_endpoint(endpoint_id=made.endpoint_id)
    assert caught.value.code is Code.NOT_FOUND


def test_defaults(client, define, unique):
    made = client.create_endpoint(unique("endpoint"), [primary(define())])
    assert made.usage_tracking is True
    assert made.model_mappings[0].weight == 1.0
    assert made.model_mappings[0].fallback_order is None
    assert (made.routing_strategy, made.fallback_config, made.experiment_id, made.created_by) == (None, None, None, None)
    assert made.tags == []


def test_weights_of_several_primary_models_are_not_ignored(client, define, unique):
    first, second = define(), define()
    split = client.create_endpoint(unique("endpoint"), [primary(first, 0.7), primary(second)], usage_tracking=False)
    assert split.routing_strategy is RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT
    for configs in ([primary(first, 0.7), fallback(second)], [primary(first), primary(second)]):
        assert client.create_endpoint(unique("endpoint"), configs, usage_tracking=False).routing_strategy is None


def test_an_experiment_id_is_kept_as_sent(client, define, unique):
    made = client.create_endpoint(unique("endpoint"), [primary(define())], experiment_id="0017")
    assert made.experiment_id == "0017"
    assert client.update_endpoint(made.endpoint_id, experiment_id="18").experiment_id == "18"


@pytest.mark.parametrize("how", ["create", "attach", "replace"])
def test_the_first_fallback_model_sets_the_strategy(client, define, unique, how):
    main, spare = primary(define()), fallback(define())
    if how == "create":
        made = client.create_endpoint(unique("endpoint"), [main, spare])
    else:
        made = client.create_endpoint(unique("endpoint"), [main])
        if how == "attach":
            client.attach_model(made.endpoint_id, spare)
        else:
            client.update_endpoint(made.endpoint_id, model_configs=[main, spare])
    assert client.get_endpoint(endpoint_id=made.endpoint_id).fallback_config == FallbackConfig(FallbackStrategy.SEQUENTIAL)


def test_replacing_models_leaves_the_fallback_config(client, define, unique):
    config = FallbackConfig(FallbackStrategy.SEQUENTIAL, 3)
    made = client.create_endpoint(unique("endpoint"), [primary(define())], fallback_config=config)
    changed = client.update_endpoint(made.endpoint_id, model_configs=[primary(define(), 2.5)])
    assert changed.fallback_config == config
    assert [mapping.weight for mapping in changed.model_mappings] == [2.5]
    assert changed.model_mappings[0].mapping_id != made.model_mappings[0].mapping_id


def test_an_empty_fallback_config_is_a_value(client, define, unique):
    made = client.create_endpoint(unique("endpoint"), [primary(define())], fallback_config=FallbackConfig())
    assert made.fallback_config == FallbackConfig()
    assert client.get_endpoint(endpoint_id=made.endpoint_id).fallback_config == FallbackConfig()


def test_absent_and_empty_leave_fields_and_the_mask_clears_them(client, define, unique):
    made = client.create_endpoint(
        unique("endpoint"),
        [primary(define())],
        routing_strategy=RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT,
        fallback_config=FallbackConfig(FallbackStrategy.SEQUENTIAL),
        experiment_id="1",
        usage_tracking=False,
    )
    same = client.update_endpoint(made.endpoint_id, name="", model_configs=[], routing_strategy=0, experiment_id="")
    same.last_updated_at = made.last_updated_at
    assert same == made
    cleared = client.update_endpoint(
        made.endpoint_id, update_mask=["routing_strategy", "fallback_config", "experiment_id", "usage_tracking"]
    )
    assert (cleared.routing_strategy, cleared.fallback_config, cleared.experiment_id) == (None, None, None)
    assert cleared.usage_tracking is True


def test_attach_and_detach(client, other, define, unique):
    first, second = define(), define()
    made = client.create_endpoint(unique("endpoint"), [primary(first)])
    mapping = client.attach_model(made.endpoint_id, primary(second, 0.25), created_by="cat")
    assert (mapping.endpoint_id, mapping.weight, mapping.created_by) == (made.endpoint_id, 0.25, "cat")
    assert mapping.model_definition == second
    both = other.get_endpoint(endpoint_id=made.endpoint_id)
    assert both.model_mappings[-1] == mapping
    assert both.last_updated_by == "cat"
    client.attach_model(made.endpoint_id, fallback(second))
    client.detach_model(made.endpoint_id, second.model_definition_id)
    left = other.get_endpoint(endpoint_id=made.endpoint_id)
    assert [mapping.model_definition_id for mapping in left.model_mappings] == [first.model_definition_id]


@pytest.mark.parametrize("left", [[], ["fallback"], ["weightless"]])
def test_the_last_primary_cannot_be_detached(client, define, unique, left):
    main, rest = define(), define()
    configs = {"fallback": fallback(rest), "weightless": primary(rest, 0.0)}
    made = client.create_endpoint(unique("endpoint"), [primary(main), *(configs[kind] for kind in left)])
    with pytest.raises(GatewayError) as caught:
        client.detach_model(made.endpoint_id, main.model_definition_id)
    assert caught.value.code is Code.FAILED_PRECONDITION
    assert client.get_endpoint(endpoint_id=made.endpoint_id) == made


def test_tags(client, other, define, unique):
    made = client.create_endpoint(unique("endpoint"), [primary(define())])
    client.set_endpoint_tag(made.endpoint_id, "team", "search")
    client.set_endpoint_tag(made.endpoint_id, "empty", "")
    client.set_endpoint_tag(made.endpoint_id, "none", None)
    client.set_endpoint_tag(made.endpoint_id, "team", "ranking")
    tagged = other.get_endpoint(endpoint_id=made.endpoint_id)
    assert tagged.tags == [
        GatewayEndpointTag("team", "ranking"),
        GatewayEndpointTag("empty", ""),
        GatewayEndpointTag("none", ""),
    ]
    assert tagged.last_updated_at == made.last_updated_at
    client.delete_endpoint_tag(made.endpoint_id, "team")
    client.delete_endpoint_tag(made.endpoint_id, "never there")
    assert [tag.key for tag in other.get_endpoint(endpoint_id=made.endpoint_id).tags] == ["empty", "none"]
    for call, more in ((client.set_endpoint_tag, ["value"]), (client.delete_endpoint_tag, [])):
        with pytest.raises(GatewayError) as caught:
            call("e-none", "key", *more)
        assert caught.value.code is Code.NOT_FOUND


def test_list_filters_by_provider_and_secret_of_one_model(client, define, unique):
    provider = unique("provider")
    secret = client.create_secret(unique("secret"), {"k": "v"})
    here = client.create_endpoint(unique("endpoint"), [primary(define(provider=provider, secret_id=secret.secret_id))])
    apart = client.create_endpoint(
        unique("endpoint"), [primary(define(provider=provider)), fallback(define(secret_id=secret.secret_id))]
    )
    assert client.list_endpoints(provider=provider) == [here, apart] or client.list_endpoints(provider=provider) == [
        apart,
        here,
    ]
    assert {e.endpoint_id for e in client.list_endpoints(secret_id=secret.secret_id)} == {
        here.endpoint_id,
        apart.endpoint_id,
    }
    assert client.list_endpoints(provider=provider, secret_id=secret.secret_id) == [here]


def test_deleting_an_endpoint_takes_what_belongs_to_it(client, define, unique):
    made = client.create_endpoint(unique("endpoint"), [primary(define())])
    client.create_binding(made.endpoint_id, "scorer", unique("resource"))
    budget = client.create_budget_policy(
        budget_unit=BudgetUnit.USD,
        budget_amount=1.0,
        duration=BudgetDuration(BudgetDurationUnit.DAYS, 1),
        target_scope=BudgetTargetScope.ENDPOINT,
        budget_action=BudgetAction.ALERT,
        target_value=made.endpoint_id,
    )
    client.delete_endpoint(made.endpoint_id)
    assert client.list_bindings(endpoint_id=made.endpoint_id) == []
    with pytest.raises(GatewayError) as caught:
        client.get_budget_policy(budget.budget_policy_id)
    assert caught.value.code is Code.NOT_FOUND


def test_unknown_definitions_are_all_named(client, define, unique):
    configs = [primary(define()), GatewayEndpointModelConfig("d-x", PRIMARY), GatewayEndpointModelConfig("d-y", FALLBACK)]
    with pytest.raises(GatewayError) as caught:
        client.create_endpoint(unique("endpoint"), configs)
    assert caught.value.code is Code.NOT_FOUND
    assert [violation.field for violation in caught.value.field_violations] == [
        "model_configs[1].model_definition_id",
        "model_configs[2].model_definition_id",
    ]


@pytest.mark.parametrize("weight", [0.1, 1 / 3, 16777217.0, 1e-45, 3.4028234663852886e38, 0.3])
def test_weights_come_back_as_the_number_the_wire_names(client, define, unique, weight):
    config = primary(define(), weight)
    made = client.create_endpoint(unique("endpoint"), [config])
    assert made.model_mappings[0].weight == config.weight
    assert client.get_endpoint(endpoint_id=made.endpoint_id).model_mappings[0].weight == config.weight

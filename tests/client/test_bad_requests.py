"""What the server refuses, through every client: the code, and every violation of a request in one error."""

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
    GatewayEndpointModelConfig,
    GatewayError,
    GatewayModelLinkageType,
)

PRIMARY, FALLBACK = GatewayModelLinkageType.PRIMARY, GatewayModelLinkageType.FALLBACK
LONG = "x" * 256
VALUE = {"api_key": "sk-0123456789abcdef"}
BUDGET = {
    "budget_unit": BudgetUnit.USD,
    "budget_amount": 1.0,
    "duration": BudgetDuration(BudgetDurationUnit.DAYS, 1),
    "target_scope": BudgetTargetScope.GLOBAL,
    "budget_action": BudgetAction.ALERT,
}


def refused(call, *args, **kwargs):
    """Make a call that must be refused as invalid; return the paths of its violations."""
    with pytest.raises(GatewayError) as caught:
        call(*args, **kwargs)
    assert caught.value.code is Code.INVALID_ARGUMENT, caught.value
    for violation in caught.value.field_violations:
        assert violation.description
    return [violation.field for violation in caught.value.field_violations]


class TestSecrets:
    """Rows 6 and 9, reserved keys and unsafe addresses."""

    @pytest.mark.parametrize("name", ["", LONG, "a\0b"])
    def test_name(self, client, name):
        assert refused(client.create_secret, name, VALUE) == ["secret_name"]

    def test_longest_name_counts_characters(self, client, unique):
        name = (unique("s") + "\U0001f600" * 255)[:255]
        assert client.create_secret(name, VALUE).secret_name == name

    def test_value(self, client, unique):
        assert refused(client.create_secret, unique("s"), {}) == ["secret_value"]
        assert refused(client.create_secret, unique("s"), {"a": "", "b": "x", "": "y"})
        assert refused(client.create_secret, unique("s"), {"base_url": "x"}) == ['secret_value["base_url"]']

    def test_every_violation_in_one_error(self, client):
        paths = refused(client.create_secret, "", {}, provider="p" * 65, auth_config={"model_list": "x"}, created_by=LONG)
        assert paths == ["secret_name", "secret_value", "provider", 'auth_config["model_list"]', "created_by"]

    def test_empty_actor(self, client, unique):
        assert refused(client.create_secret, unique("s"), VALUE, created_by="") == ["created_by"]

    @pytest.mark.parametrize(
        "address",
        [
            "http://api.example.com",
            "https://user:password@api.example.com",
            "https://",
            "https://127.0.0.1/v1",
            "https://10.0.0.1",
            "https://[::1]/",
            "https://0x7f000001/",
            "https://127.1/",
            "https://169.254.169.254/latest",
            "ftp://api.example.com",
        ],
    )
    def test_api_base(self, client, unique, address):
        assert refused(client.create_secret, unique("s"), VALUE, auth_config={"api_base": address}) == [
            'auth_config["api_base"]'
        ]

    def test_lookup_needs_exactly_one(self, client, secret):
        assert refused(client.get_secret)
        assert refused(client.get_secret, secret_id=secret.secret_id, secret_name=secret.secret_name)

    def test_mask(self, client, secret):
        assert refused(client.update_secret, secret.secret_id, update_mask=["secret_name"]) == ["update_mask"]
        assert refused(client.update_secret, secret.secret_id, update_mask=["secret_value"]) == ["secret_value"]

    def test_a_refused_value_is_never_shown(self, client, unique):
        canary = "canary-7f3a"
        with pytest.raises(GatewayError) as caught:
            client.create_secret(unique("s"), {"k": canary + "\0", "base_url": canary, "": canary})
        assert canary not in str(caught.value) + repr(caught.value) + repr(caught.value.field_violations)


class TestModelDefinitions:
    """Row 6."""

    def test_every_violation_in_one_error(self, client):
        paths = refused(
            client.create_model_definition, "", secret_id="", provider="p" * 65, model_name="m" * 257, created_by=LONG
        )
        assert paths == ["name", "secret_id", "provider", "model_name", "created_by"]

    def test_lookup_needs_exactly_one(self, client, define):
        made = define()
        assert refused(client.get_model_definition)
        assert refused(client.get_model_definition, model_definition_id=made.model_definition_id, name=made.name)

    def test_what_cannot_be_cleared(self, client, define):
        made = define()
        paths = refused(
            client.update_model_definition, made.model_definition_id, update_mask=["name", "provider", "model_name"]
        )
        assert sorted(paths) == ["model_name", "name", "provider"]


class TestEndpoints:
    """Rows 3, 6, 7, 8 and 12."""

    @pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "a\n", "x" * 256, "a\0"])
    def test_name(self, client, define, name):
        config = GatewayEndpointModelConfig(define().model_definition_id, PRIMARY)
        assert set(refused(client.create_endpoint, name, [config])) == {"name"}

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"weight": -1.0}, "model_configs[0].weight"),
            ({"weight": float("nan")}, "model_configs[0].weight"),
            ({"weight": float("inf")}, "model_configs[0].weight"),
            ({"weight": 0.0}, "model_configs"),
            ({"fallback_order": -1}, "model_configs[0].fallback_order"),
            ({"linkage_type": 0}, "model_configs[0].linkage_type"),
            ({"linkage_type": 9}, "model_configs[0].linkage_type"),
            ({"linkage_type": None}, "model_configs[0].linkage_type"),
            ({"linkage_type": FALLBACK}, "model_configs"),
            ({"model_definition_id": ""}, "model_configs[0].model_definition_id"),
        ],
    )
    def test_configs(self, client, define, unique, changes, path):
        fields = {"model_definition_id": define().model_definition_id, "linkage_type": PRIMARY, **changes}
        assert path in refused(client.create_endpoint, unique("e"), [GatewayEndpointModelConfig(**fields)])

    def test_no_models(self, client, unique):
        assert refused(client.create_endpoint, unique("e"), []) == ["model_configs"]

    def test_every_violation_in_one_error(self, client, define):
        definition = define().model_definition_id
        paths = refused(
            client.create_endpoint,
            "not a name",
            [
                GatewayEndpointModelConfig(definition, PRIMARY, -1.0),
                GatewayEndpointModelConfig(definition, FALLBACK, 1.0, -2),
            ],
            created_by="",
            routing_strategy=7,
            fallback_config=FallbackConfig(strategy=5, max_attempts=0),
            experiment_id="one",
        )
        assert paths == [
            "name",
            "model_configs[0].weight",
            "model_configs[1].fallback_order",
            "created_by",
            "routing_strategy",
            "fallback_config.strategy",
            "fallback_config.max_attempts",
            "experiment_id",
        ]

    def test_an_unknown_enum_number_is_answered_with_the_known_ones(self, client, define, unique):
        config = GatewayEndpointModelConfig(define().model_definition_id, 9)
        with pytest.raises(GatewayError) as caught:
            client.create_endpoint(unique("e"), [config])
        (description,) = {v.description for v in caught.value.field_violations if v.field == "model_configs[0].linkage_type"}
        assert "PRIMARY" in description
        assert "FALLBACK" in description

    def test_tags(self, client, define, unique):
        endpoint = client.create_endpoint(unique("e"), [GatewayEndpointModelConfig(define().model_definition_id, PRIMARY)])
        assert refused(client.set_endpoint_tag, endpoint.endpoint_id, "", "v") == ["key"]
        assert refused(client.set_endpoint_tag, endpoint.endpoint_id, "k" * 251, "v" * 5001) == ["key", "value"]
        assert refused(client.set_endpoint_tag, endpoint.endpoint_id, "a\0", "b\0") == ["key", "value"]
        client.set_endpoint_tag(endpoint.endpoint_id, "k" * 250, "v" * 5000)

    def test_updates_keep_the_rules(self, client, define, unique):
        definition = define().model_definition_id
        endpoint = client.create_endpoint(unique("e"), [GatewayEndpointModelConfig(definition, PRIMARY)])
        only_fallback = [GatewayEndpointModelConfig(definition, FALLBACK)]
        assert refused(client.update_endpoint, endpoint.endpoint_id, model_configs=only_fallback) == ["model_configs"]
        assert refused(client.update_endpoint, endpoint.endpoint_id, update_mask=["model_configs"]) == ["model_configs"]
        assert refused(client.update_endpoint, endpoint.endpoint_id, update_mask=["name"]) == ["name"]
        assert refused(client.update_endpoint, endpoint.endpoint_id, update_mask=["tags", "nothing"])
        assert client.get_endpoint(endpoint_id=endpoint.endpoint_id) == endpoint


class TestBindings:
    """Rows 6 and 12."""

    def test_every_violation_in_one_error(self, client):
        assert refused(client.create_binding, "", "Scorer", "", created_by="") == [
            "endpoint_id",
            "resource_type",
            "resource_id",
            "created_by",
        ]

    @pytest.mark.parametrize("resource_type", ["", "1a", "_a", "a-b", "a" * 51, "A", "a\n"])
    def test_resource_type(self, client, resource_type):
        assert refused(client.create_binding, "e-1", resource_type, "r") == ["resource_type"]

    def test_delete_needs_all_three(self, client):
        assert refused(client.delete_binding, "", "", "") == ["endpoint_id", "resource_type", "resource_id"]


class TestBudgets:
    """Rows 6, 7 and 12."""

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"budget_unit": 0}, "budget_unit"),
            ({"budget_unit": 9}, "budget_unit"),
            ({"budget_amount": -0.01}, "budget_amount"),
            ({"budget_amount": float("nan")}, "budget_amount"),
            ({"budget_amount": float("inf")}, "budget_amount"),
            ({"duration": BudgetDuration(0, 1)}, "duration.unit"),
            ({"duration": BudgetDuration(BudgetDurationUnit.DAYS, 0)}, "duration.value"),
            ({"duration": BudgetDuration(BudgetDurationUnit.DAYS, 36526)}, "duration.value"),
            ({"duration": BudgetDuration(BudgetDurationUnit.MONTHS, 1201)}, "duration.value"),
            ({"target_scope": 0}, "target_scope"),
            ({"budget_action": 3}, "budget_action"),
            ({"target_scope": BudgetTargetScope.USER}, "target_value"),
            ({"target_scope": BudgetTargetScope.USER, "target_value": LONG}, "target_value"),
            ({"target_value": "ann"}, "target_value"),
        ],
    )
    def test_fields(self, client, changes, path):
        assert refused(client.create_budget_policy, **{**BUDGET, **changes}) == [path]

    def test_longest_window(self, client):
        duration = BudgetDuration(BudgetDurationUnit.MONTHS, 1200)
        assert client.create_budget_policy(**{**BUDGET, "duration": duration}).duration == duration

    def test_everything_missing(self, client):
        nothing = dict.fromkeys(BUDGET)
        assert refused(client.create_budget_policy, **nothing) == list(BUDGET)


class TestDuplicates:
    """Row 3: every duplicate is ALREADY_EXISTS, and nothing of the database shows."""

    def check(self, call, *args, **kwargs):
        with pytest.raises(GatewayError) as caught:
            call(*args, **kwargs)
        assert caught.value.code is Code.ALREADY_EXISTS
        for word in ("INSERT", "UPDATE", "UNIQUE", "constraint", "sqlite"):
            assert word.lower() not in caught.value.message.lower()
        return caught.value.message

    def test_secret(self, client, secret):
        assert secret.secret_name in self.check(client.create_secret, secret.secret_name, VALUE)

    def test_model_definition(self, client, define, secret):
        taken, made = define(), define()
        fields = {"secret_id": secret.secret_id, "provider": "openai", "model_name": "m"}
        assert taken.name in self.check(client.create_model_definition, taken.name, **fields)
        self.check(client.update_model_definition, made.model_definition_id, name=taken.name)

    def test_endpoint(self, client, define, unique):
        config = GatewayEndpointModelConfig(define().model_definition_id, PRIMARY)
        taken, made = (client.create_endpoint(unique("e"), [config]) for _ in range(2))
        assert taken.name in self.check(client.create_endpoint, taken.name, [config])
        self.check(client.update_endpoint, made.endpoint_id, name=taken.name)
        client.update_endpoint(made.endpoint_id, name=made.name)

    def test_linkage(self, client, define, unique):
        config = GatewayEndpointModelConfig(define().model_definition_id, PRIMARY)
        self.check(client.create_endpoint, unique("e"), [config, config])
        made = client.create_endpoint(unique("e"), [config])
        self.check(client.attach_model, made.endpoint_id, config)
        self.check(client.update_endpoint, made.endpoint_id, model_configs=[config, config])
        assert client.get_endpoint(endpoint_id=made.endpoint_id) == made


def test_both_transports_give_the_same_error(clients, unique):
    seen = set()
    for client in clients.values():
        with pytest.raises(GatewayError) as caught:
            client.create_secret("", {}, provider="p" * 65)
        error = caught.value
        seen.add((error.code, error.message, error.reason, error.field_violations))
    assert len(seen) == 1
    assert next(iter(seen))[2]

"""Secrets."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway_entities.errors import Code
from gatewayentities.v1.model_definition_pb2 import GetGatewayModelDefinitionRequest
from gatewayentities.v1.secret_pb2 import (
    CreateGatewaySecretRequest,
    DeleteGatewaySecretRequest,
    GatewaySecretInfo,
    GetGatewaySecretInfoRequest,
    ListGatewaySecretInfosRequest,
    UpdateGatewaySecretRequest,
)

ANY_TEXT = " naïve \u202e 🙂 '\"; -- "


def revealed(gateway: Any, secret_id: str) -> dict[str, str]:
    with gateway.store.read() as transaction:
        return transaction.secrets.reveal(secret_id)


def get(gateway: Any, secret_id: str) -> GatewaySecretInfo:
    return gateway.do(GetGatewaySecretInfoRequest(secret_id=secret_id)).secret


def test_create_with_all_fields(gateway: Any) -> None:
    value = {"api_key": "sk-01234567890123456789", ANY_TEXT: ANY_TEXT * 9}
    settings = {"region": "", ANY_TEXT: ANY_TEXT, "api_base": "  https://api.example.com/v1 \n"}
    secret = gateway.secret(
        secret_name=ANY_TEXT, secret_value=value, provider="openai", auth_config=settings, created_by=ANY_TEXT
    )
    assert re.fullmatch("s-[0-9a-f]{32}", secret.secret_id)
    assert secret == GatewaySecretInfo(
        secret_id=secret.secret_id,
        secret_name=ANY_TEXT,
        masked_values={"api_key": "sk-...6789", ANY_TEXT: " na... -- "},
        created_at=secret.created_at,
        last_updated_at=secret.created_at,
        provider="openai",
        created_by=ANY_TEXT,
        last_updated_by=ANY_TEXT,
        auth_config={**settings, "api_base": "https://api.example.com/v1"},
    )
    assert revealed(gateway, secret.secret_id) == value
    by_id = GetGatewaySecretInfoRequest(secret_id=secret.secret_id)
    by_name = GetGatewaySecretInfoRequest(secret_name=ANY_TEXT)
    assert gateway.do(by_id).secret == gateway.do(by_name).secret == secret


def test_create_with_required_fields_only(gateway: Any) -> None:
    secret = gateway.secret(secret_name="n", secret_value={"k": "v"})
    assert secret == GatewaySecretInfo(
        secret_id=secret.secret_id,
        secret_name="n",
        masked_values={"k": "***"},
        created_at=secret.created_at,
        last_updated_at=secret.created_at,
    )
    assert get(gateway, secret.secret_id) == secret


def test_an_empty_provider_differs_from_an_absent_one(gateway: Any) -> None:
    empty, absent = gateway.secret(provider=""), gateway.secret()
    assert get(gateway, empty.secret_id).HasField("provider")
    assert not get(gateway, absent.secret_id).HasField("provider")


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("x", "***"),
        ("0123456789012345678", "***"),
        ("01234567890123456789", "012...6789"),
        ("🙂" * 19, "***"),
        ("🙂" * 20, "🙂🙂🙂...🙂🙂🙂🙂"),
    ],
)
def test_masking(gateway: Any, value: str, masked: str) -> None:
    assert gateway.secret(secret_value={"k": value}).masked_values == {"k": masked}


@pytest.mark.parametrize("blank", ["", "  \t"])
def test_a_blank_api_base_is_dropped(gateway: Any, blank: str) -> None:
    secret = gateway.secret(auth_config={"api_base": blank, "region": "eu"})
    assert secret.auth_config == get(gateway, secret.secret_id).auth_config == {"region": "eu"}


def test_names_are_unique_and_case_sensitive(gateway: Any) -> None:
    gateway.secret(secret_name="k1")
    gateway.secret(secret_name="K1")
    error = gateway.refused(CreateGatewaySecretRequest(secret_name="k1", secret_value={"k": "v"}))
    assert (error.code, error.message) == (Code.ALREADY_EXISTS, "Secret with name 'k1' already exists")


def test_get_not_found(gateway: Any, not_found: Any) -> None:
    missing = "GatewaySecret not found (secret_name='nope')"
    not_found(gateway.refused(GetGatewaySecretInfoRequest(secret_name="nope")), missing)


def test_update_replaces_maps(gateway: Any) -> None:
    old = gateway.secret(secret_value={"a": "v", "b": "v"}, auth_config={"x": "1", "y": "2"}, created_by="ann")
    changes = {"secret_value": {"c": "0123456789abcdef89ab"}, "auth_config": {"z": "3"}, "updated_by": "bob"}
    new = gateway.do(UpdateGatewaySecretRequest(secret_id=old.secret_id, **changes)).secret
    expected = GatewaySecretInfo()
    expected.CopyFrom(old)
    expected.ClearField("masked_values")
    expected.masked_values["c"] = "012...89ab"
    expected.ClearField("auth_config")
    expected.auth_config["z"] = "3"
    expected.last_updated_by = "bob"
    expected.last_updated_at = new.last_updated_at
    assert new == get(gateway, old.secret_id) == expected
    assert new.last_updated_at > old.last_updated_at
    assert revealed(gateway, old.secret_id) == changes["secret_value"]


@pytest.mark.parametrize("changes", [{}, {"secret_value": {}, "auth_config": {}}, {"update_mask": {"paths": []}}])
def test_empty_update_changes_only_the_time(gateway: Any, changes: dict[str, Any]) -> None:
    old = gateway.secret(auth_config={"x": "1"}, created_by="ann")
    new = gateway.do(UpdateGatewaySecretRequest(secret_id=old.secret_id, **changes)).secret
    assert new.last_updated_at > old.last_updated_at
    new.last_updated_at = old.last_updated_at
    assert new == old
    assert revealed(gateway, old.secret_id) == {"api_key": "sk-0123456789"}


@pytest.mark.parametrize("changes", [{"update_mask": {"paths": ["auth_config"]}}, {"auth_config": {"api_base": " "}}])
def test_update_clears_auth_config(gateway: Any, changes: dict[str, Any]) -> None:
    old = gateway.secret(auth_config={"x": "1"})
    new = gateway.do(UpdateGatewaySecretRequest(secret_id=old.secret_id, **changes)).secret
    assert new.auth_config == get(gateway, old.secret_id).auth_config == {}
    assert new.masked_values == old.masked_values


MOVES = [
    ({"api_base": "https://a.example"}, {"api_base": "https://evil.example"}),
    ({"api_base": "https://a.example"}, {"region": "eu"}),
    ({"api_base": "https://a.example"}, {"api_base": " "}),
    ({"region": "eu"}, {"api_base": "https://evil.example"}),
    ({}, {"api_base": "https://evil.example"}),
]


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_a_stored_value_is_not_sent_to_another_address(gateway: Any, before: dict[str, str], after: dict[str, str]) -> None:
    old = gateway.secret(auth_config=before)
    for mask in ({}, {"update_mask": {"paths": ["auth_config"]}}):
        request = UpdateGatewaySecretRequest(secret_id=old.secret_id, auth_config=after, **mask)
        error = gateway.refused(request)
        assert error.code is Code.INVALID_ARGUMENT
        assert [violation.field for violation in error.field_violations] == ['auth_config["api_base"]']
        assert "unless secret_value is sent too" in error.message
    assert get(gateway, old.secret_id) == old
    # The mask decides what is written, so a value beside it does not count.
    masked = {"secret_value": {"api_key": "v"}, "update_mask": {"paths": ["auth_config"]}}
    unwritten = UpdateGatewaySecretRequest(secret_id=old.secret_id, auth_config=after, **masked)
    assert gateway.refused(unwritten).code is Code.INVALID_ARGUMENT
    request = UpdateGatewaySecretRequest(secret_id=old.secret_id, auth_config=after, secret_value={"api_key": "new"})
    gateway.do(request)
    assert revealed(gateway, old.secret_id) == {"api_key": "new"}


def test_clearing_the_settings_is_a_move_if_they_had_an_address(gateway: Any) -> None:
    old = gateway.secret(auth_config={"api_base": "https://a.example"})
    clear = UpdateGatewaySecretRequest(secret_id=old.secret_id, update_mask={"paths": ["auth_config"]})
    assert gateway.refused(clear).field_violations[0].field == 'auth_config["api_base"]'


def test_other_settings_change_without_the_value(gateway: Any) -> None:
    old = gateway.secret(auth_config={"api_base": "https://a.example"})
    settings = {"api_base": " https://a.example ", "region": "eu"}
    new = gateway.do(UpdateGatewaySecretRequest(secret_id=old.secret_id, auth_config=settings)).secret
    assert new.auth_config == {"api_base": "https://a.example", "region": "eu"}
    assert revealed(gateway, old.secret_id) == {"api_key": "sk-0123456789"}


def test_update_writes_only_the_fields_in_the_mask(gateway: Any) -> None:
    old = gateway.secret(auth_config={"x": "1"})
    changes = {"secret_value": {"c": "v"}, "auth_config": {"y": "2"}, "update_mask": {"paths": ["auth_config"]}}
    new = gateway.do(UpdateGatewaySecretRequest(secret_id=old.secret_id, **changes)).secret
    assert (new.auth_config, new.masked_values) == ({"y": "2"}, old.masked_values)
    assert revealed(gateway, old.secret_id) == {"api_key": "sk-0123456789"}


def test_update_cannot_clear_the_value(gateway: Any) -> None:
    secret = gateway.secret()
    request = UpdateGatewaySecretRequest(secret_id=secret.secret_id, update_mask={"paths": ["secret_value", "secret_name"]})
    assert [violation.field for violation in gateway.refused(request).field_violations] == ["secret_value", "update_mask"]
    assert get(gateway, secret.secret_id) == secret


def test_update_and_delete_not_found(gateway: Any, not_found: Any) -> None:
    for request in UpdateGatewaySecretRequest(secret_id="nope"), DeleteGatewaySecretRequest(secret_id="nope"):
        not_found(gateway.refused(request), "GatewaySecret not found (secret_id='nope')")


def test_delete_clears_references_in_definitions(gateway: Any, not_found: Any) -> None:
    definition = gateway.definition()
    gateway.do(DeleteGatewaySecretRequest(secret_id=definition.secret_id))
    not_found(
        gateway.refused(GetGatewaySecretInfoRequest(secret_id=definition.secret_id)),
        f"GatewaySecret not found (secret_id='{definition.secret_id}')",
    )
    orphan = gateway.do(GetGatewayModelDefinitionRequest(name=definition.name)).model_definition
    definition.ClearField("secret_id")
    definition.ClearField("secret_name")
    assert orphan == definition


def test_list_by_provider_in_order_of_creation(gateway: Any) -> None:
    first, other, last = gateway.secret(provider="a"), gateway.secret(provider="b"), gateway.secret(provider="a")

    def listed(**filters: str) -> list[GatewaySecretInfo]:
        return list(gateway.do(ListGatewaySecretInfosRequest(**filters)).secrets)

    assert listed() == listed(provider="") == [first, other, last]
    assert listed(provider="a") == [first, last]
    assert listed(provider="A") == []


def test_errors_never_contain_a_secret_value(gateway: Any) -> None:
    faulty = {"api_base": "canary", "n": "canary\0", "": "canary"}
    for request in (
        CreateGatewaySecretRequest(secret_name="n" * 999, secret_value=faulty),
        UpdateGatewaySecretRequest(secret_id="nope", secret_value=faulty),
        UpdateGatewaySecretRequest(secret_id="nope", secret_value={"k": "canary"}),
    ):
        error = gateway.refused(request)
        assert "canary" not in f"{error!r} {error} {error.field_violations}"

"""Secret metadata: two maps, never None."""

from __future__ import annotations

from gateway_entities import GatewaySecretInfo
from gatewayentities.v1 import secret_pb2


def test_absent_maps_are_empty():
    sent = secret_pb2.GatewaySecretInfo(secret_id="s-1", secret_name="", created_at=0, last_updated_at=0)
    read = GatewaySecretInfo.from_proto(sent)
    assert read == GatewaySecretInfo("s-1", "", {}, 0, 0)
    assert read.masked_values == read.auth_config == {}
    assert read.to_bytes() == sent.SerializeToString()


def test_equal_maps_have_equal_bytes_in_any_order():
    keys = [f"key-{number}" for number in range(20)]
    one = GatewaySecretInfo("s-1", "name", dict.fromkeys(keys, "***"), 1, 1, auth_config=dict.fromkeys(keys, ""))
    other = GatewaySecretInfo(
        "s-1", "name", dict.fromkeys(keys[::-1], "***"), 1, 1, auth_config=dict.fromkeys(keys[::-1], "")
    )
    assert one == other
    assert one.to_bytes() == other.to_bytes()
    assert one.etag() == other.etag()


def test_empty_keys_and_values_are_preserved():
    info = GatewaySecretInfo("s-1", "name", {"": "", "a": ""}, 1, 1)
    assert GatewaySecretInfo.from_bytes(info.to_bytes()).masked_values == {"": "", "a": ""}

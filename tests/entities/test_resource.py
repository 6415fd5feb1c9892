"""Resources of the watch stream: one kind each."""

from __future__ import annotations

import pytest

from gateway_entities import GatewayEndpoint, GatewayResource, GatewaySecretInfo, WireError

SECRET = GatewaySecretInfo("s-1", "key", {}, 1, 1)
ENDPOINT = GatewayEndpoint("e-1", "chat", 1, 1)


def test_two_kinds_in_one_resource_are_refused():
    """The message would keep the last one."""
    with pytest.raises(WireError, match=r"GatewayResource\.endpoint: cannot be set together with secret"):
        GatewayResource("secret", "s-1", "0" * 32, secret=SECRET, endpoint=ENDPOINT)
    resource = GatewayResource("secret", "s-1", "0" * 32, secret=SECRET)
    resource.endpoint = ENDPOINT
    with pytest.raises(WireError):
        resource.to_proto()


def test_an_empty_content_is_a_content():
    resource = GatewayResource("endpoint", "", "", endpoint=ENDPOINT)
    assert GatewayResource.from_bytes(resource.to_bytes()) == resource
    none = GatewayResource("quota", "q-1", "0" * 32)
    assert GatewayResource.from_bytes(none.to_bytes()) == none

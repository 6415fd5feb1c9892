"""Bindings: an open set of resource types."""

from __future__ import annotations

import pytest

from gateway_entities import GatewayEndpointBinding, GatewayResourceType


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("scorer", GatewayResourceType.SCORER),
        ("scorer_job", GatewayResourceType.SCORER_JOB),
        ("dashboard", "dashboard"),
        ("SCORER", "SCORER"),
        ("", ""),
    ],
)
def test_a_known_resource_type_is_a_member_and_another_is_text(sent: str, read: str):
    binding = GatewayEndpointBinding("e-1", sent, "r-1", 1, 1)
    again = GatewayEndpointBinding.from_bytes(binding.to_bytes())
    assert type(again.resource_type) is type(read)
    assert again == binding == GatewayEndpointBinding("e-1", read, "r-1", 1, 1)
    assert f"{again.resource_type}" == sent
    assert again.to_bytes() == binding.to_bytes()

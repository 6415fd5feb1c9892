"""Guessing the message type of bytes and JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities.wire import MESSAGE_TYPES, guess, guess_json
from gatewayentities.v1 import endpoint_pb2
from tests.wire.messages.samples import ENDPOINT, SECRET, endpoint, mapping, policy, secret


@pytest.mark.parametrize("message", [endpoint(), secret(provider="openai"), policy(), mapping(), mapping().model_definition])
def test_a_valid_message_is_guessed(message: object) -> None:
    best = guess(message.SerializeToString())[0]  # type: ignore[attr-defined]
    assert best.message_type == message.DESCRIPTOR.name  # type: ignore[attr-defined]
    assert "it breaks no rule of the contract" in best.reasons


def test_a_response_is_guessed() -> None:
    data = endpoint_pb2.ListGatewayEndpointsResponse(endpoints=[endpoint(), endpoint()]).SerializeToString()
    assert guess(data)[0].message_type == "ListGatewayEndpointsResponse"


def test_reasons_against_a_type() -> None:
    others = {one.message_type: one for one in guess(ENDPOINT)}
    assert any("rules of the contract" in reason for reason in others["GatewayEndpointBinding"].reasons)
    wrong = {one.message_type: one for one in guess(SECRET)}
    assert any("is not printable text" in reason for reason in wrong["GatewayEndpointTag"].reasons)


def test_without_evidence_nothing_is_guessed() -> None:
    assert guess(b"") == guess(b"\xff" * 20) == guess_json(b"[]") == guess_json(b"") == []


def test_json_is_guessed_by_field_names() -> None:
    assert guess_json(b'{"secret_name": "n", "secretValue": {}}')[0].message_type == "CreateGatewaySecretRequest"


@given(st.binary(max_size=100))
def test_guesses_are_ranked_and_never_fail(data: bytes) -> None:
    guesses = guess(data)
    assert [one.confidence for one in guesses] == sorted((one.confidence for one in guesses), reverse=True)
    assert all(0 < one.confidence <= 1 and one.reasons and one.message_type in MESSAGE_TYPES for one in guesses)

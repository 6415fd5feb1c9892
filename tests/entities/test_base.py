"""Behaviour of every entity besides conversion."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import pickle
from typing import Any

import pytest

from gateway_entities import GatewayEndpoint, GatewayEndpointTag
from tests.entities.entity_types import KINDS, OVERLONG, PLAIN_KINDS, filled, message_type
from tests.messages import full

every_entity = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", PLAIN_KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copy_is_equal_and_has_the_unknown_fields(kind: Any, again: Any):
    entity = filled(kind)
    assert again(entity) == entity
    assert again(entity).to_bytes() == entity.to_bytes()


@every_entity
def test_unknown_fields_are_written_back_byte_for_byte(kind: Any):
    plain = kind.from_proto(full(message_type(kind)))
    entity = filled(kind)
    assert OVERLONG in entity.to_bytes()
    assert entity != plain
    assert len(entity.to_bytes()) == len(plain.to_bytes()) + len(OVERLONG)
    assert repr(entity) == repr(plain)


def test_unknown_fields_are_written_back_at_every_depth():
    message: Any = full(message_type(GatewayEndpoint))
    places = [message, message.model_mappings[1], message.model_mappings[2].model_definition, message.tags[0]]
    for place in [*places, message.fallback_config]:
        place.MergeFromString(OVERLONG)
    data = GatewayEndpoint.from_bytes(message.SerializeToString()).to_bytes()
    assert data == message.SerializeToString(deterministic=True)
    assert data.count(OVERLONG) == 5


@every_entity
def test_positional_construction(kind: Any):
    entity = kind.from_proto(full(message_type(kind)))
    fields = dataclasses.fields(kind)
    positional = [getattr(entity, field.name) for field in fields if not field.kw_only]
    assert kind(*positional, **{field.name: getattr(entity, field.name) for field in fields if field.kw_only}) == entity


@every_entity
def test_an_etag_is_of_the_bytes(kind: Any):
    entity = filled(kind)
    assert entity.etag() == hashlib.sha256(entity.to_bytes()).hexdigest()[:32]
    assert entity.etag() != kind.from_proto(full(message_type(kind))).etag()


def test_an_entity_does_not_share_its_message():
    message: Any = full(message_type(GatewayEndpoint))
    entity = GatewayEndpoint.from_proto(message)
    written = entity.to_proto()
    message.tags[0].key = "changed"
    written.tags[0].key = "changed"
    assert entity.tags[0].key == "key-1"


def test_defaults_are_not_shared():
    one, other = GatewayEndpoint("e-1", "one", 1, 1), GatewayEndpoint("e-2", "other", 1, 1)
    one.tags.append(GatewayEndpointTag("k", "v"))
    assert other.tags == []

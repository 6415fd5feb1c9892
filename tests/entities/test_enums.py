"""Enums take names, and an entity converts or refuses a name when it is made."""

from __future__ import annotations

import dataclasses
import enum
import pickle
from typing import Any

import pytest

from gateway_entities import (
    BudgetAction,
    BudgetTargetScope,
    FallbackConfig,
    GatewayEndpointBinding,
    GatewayResourceType,
    WireError,
    entities,
)
from tests.entities.entity_types import KINDS, message_type
from tests.messages import full

ENUMS: list[Any] = [kind for kind in vars(entities).values() if isinstance(kind, type) and issubclass(kind, enum.Enum)]
FIELDS = [(kind, field) for kind in KINDS for field in message_type(kind).DESCRIPTOR.fields if field.enum_type is not None]
every_field = pytest.mark.parametrize(
    ("kind", "field"), FIELDS, ids=[f"{kind.__name__}.{field.name}" for kind, field in FIELDS]
)


def made_with(kind: Any, name: str, value: object) -> Any:
    entity = kind.from_proto(full(message_type(kind)))
    return kind(**{field: getattr(entity, field) for field in kind.__match_args__} | keywords(kind, entity) | {name: value})


def keywords(kind: Any, entity: Any) -> dict[str, Any]:
    return {name: getattr(entity, name) for name, field in kind.__dataclass_fields__.items() if field.kw_only}


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_an_enum_takes_names_and_values(kind: Any):
    for member in kind:
        assert kind(member.name) is kind(member.value) is member
    for wrong in ("NOPE", "", 99, None, 1.5):
        with pytest.raises(ValueError, match=kind.__name__):
            kind(wrong)


def test_the_error_of_an_enum_has_the_names():
    with pytest.raises(
        ValueError, match="'endpoint' is not a BudgetTargetScope; it is one of GLOBAL, WORKSPACE, ENDPOINT, U"
    ):
        BudgetTargetScope("endpoint")


def test_a_scope_of_a_newer_release_survives_every_form():
    newer = 5
    message = full(message_type(entities.GatewayBudgetPolicy))
    message.target_scope = newer
    policy = entities.GatewayBudgetPolicy.from_bytes(message.SerializeToString())
    assert policy.target_scope == newer
    for copied in (
        entities.GatewayBudgetPolicy.from_proto(policy.to_proto()),
        entities.GatewayBudgetPolicy.from_bytes(policy.to_bytes()),
        entities.GatewayBudgetPolicy.from_dict(policy.to_dict()),
        entities.GatewayBudgetPolicy.from_json(policy.to_json()),
        pickle.loads(pickle.dumps(policy)),
        dataclasses.replace(policy),
    ):
        assert copied.target_scope == newer
        assert copied.to_proto().target_scope == newer


@every_field
def test_a_constructor_takes_names_members_and_numbers(kind: Any, field: Any):
    known = getattr(entities, field.enum_type.name)
    for member in known:
        for given in (member, member.name, member.value):
            entity = made_with(kind, field.name, given)
            assert getattr(entity, field.name) is member
            assert kind.from_bytes(entity.to_bytes()) == entity
    for unknown in (99, -1, 2**31 - 1, -(2**31)):
        assert type(getattr(made_with(kind, field.name, unknown), field.name)) is int


@every_field
def test_a_constructor_refuses_what_is_no_value_of_the_enum(kind: Any, field: Any):
    other = next(each for each in ENUMS if each.__name__ != field.enum_type.name and issubclass(each, enum.IntEnum))
    for wrong in ("CANARY", "", b"USD", 1.0, True, [], 2**31, -(2**31) - 1, list(other)[1], object()):
        with pytest.raises(WireError) as caught:
            made_with(kind, field.name, wrong)
        assert caught.value.path == f"{kind.__name__}.{field.name}"
        assert all(value.name in str(caught.value) for value in field.enum_type.values if value.number)
        assert "CANARY" not in str(caught.value)


def test_an_error_names_the_class_at_fault():
    class Ours(FallbackConfig):
        __slots__ = ()

    with pytest.raises(
        WireError, match=r"Ours\.strategy: must be one of SEQUENTIAL, or a 32-bit integer; it is another text"
    ):
        Ours("PARALLEL")  # type: ignore[arg-type]


def test_an_enum_of_another_library_is_its_name():
    class BudgetActionOfOthers(str, enum.Enum):  # noqa: UP042 - as MLflow writes it.
        REJECT = "REJECT"

    assert BudgetAction(BudgetActionOfOthers.REJECT) is BudgetAction.REJECT
    entity = made_with(entities.GatewayBudgetPolicy, "budget_action", BudgetActionOfOthers.REJECT)
    assert entity.budget_action is BudgetAction.REJECT


def test_a_resource_type_is_text_that_may_be_known():
    made = [GatewayEndpointBinding("e-1", given, "r-1", 1, 1).resource_type for given in ("scorer", "SCORER", "other")]
    assert made == ["scorer", "SCORER", "other"]
    assert [type(value) for value in made] == [GatewayResourceType, str, str]


def test_pydantic_takes_names():
    pydantic = pytest.importorskip("pydantic", reason="pydantic is not installed: pip install pydantic")
    adapter = pydantic.TypeAdapter(FallbackConfig)
    assert adapter.validate_json('{"strategy": "SEQUENTIAL"}') == FallbackConfig(entities.FallbackStrategy.SEQUENTIAL)
    assert adapter.validate_json('{"strategy": 7}') == FallbackConfig(7)
    for wrong in ('"PARALLEL"', str(2**31)):
        with pytest.raises(pydantic.ValidationError):
            adapter.validate_json(f'{{"strategy": {wrong}}}')

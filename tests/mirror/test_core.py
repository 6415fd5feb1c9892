"""The core of a mirror: updates are applied as a whole, and readers see one revision."""

from __future__ import annotations

import dataclasses
from hashlib import sha256

import pytest

from gateway_entities.entities import GatewayResource
from gateway_entities.errors import Code, GatewayError, WireError
from gateway_entities.mirror import MirrorCore, MirrorState
from gatewayentities.v1 import change_pb2 as pb
from tests.mirror.messages import definition, endpoint, key, message, secret, snapshot


@pytest.fixture
def core() -> MirrorCore:
    """A mirror with two endpoints that share a definition."""
    core = MirrorCore()
    core.apply(snapshot(3, definition(1), endpoint(1, "chat", 1), endpoint(2, "code", 1, 2), definition(2)))
    return core


def names(state: MirrorState) -> dict[str, str | None]:
    return {
        mapping.mapping_id: mapping.model_definition and mapping.model_definition.name
        for each in state.endpoints.values()
        for mapping in each.model_mappings
    }


def test_a_snapshot_is_joined_and_found_by_name(core: MirrorCore) -> None:
    assert names(core.state) == {"m-1-1": "gpt", "m-2-1": "gpt", "m-2-2": "gpt"}
    found = core.state.endpoint("code")
    assert found is core.state.endpoints["e-2"]
    assert core.state.endpoint("none") is None
    shared = [core.state.endpoints[each].model_mappings[0].model_definition for each in ("e-1", "e-2")]
    assert shared[0] is shared[1] is core.state.model_definitions["d-1"]
    assert (core.state.revision, core.state.store_id, core.resume_token) == (3, "store", "token3")


def test_a_changed_definition_changes_the_endpoints_that_use_it(core: MirrorCore) -> None:
    before = core.state
    update = core.apply(message(4, definition(2, "claude")))
    assert update is not None
    assert names(update.state) == {"m-1-1": "gpt", "m-2-1": "gpt", "m-2-2": "claude"}
    assert [(event.noun, event.id, event.kind) for event in update.events] == [
        ("model_definition", "d-2", "changed"),
        ("endpoint", "e-2", "changed"),
    ]
    # A reader that still has the former state sees nothing of it, and what did not change is the same object.
    assert names(before) == {"m-1-1": "gpt", "m-2-1": "gpt", "m-2-2": "gpt"}
    assert update.state.endpoints["e-1"] is before.endpoints["e-1"]
    assert update.events[1].before is before.endpoints["e-2"]
    assert update.events[1].after is update.state.endpoints["e-2"]


def test_an_endpoint_that_no_longer_uses_a_definition_does_not_change_with_it(core: MirrorCore) -> None:
    core.apply(message(4, endpoint(2, "code", 2)))
    update = core.apply(message(5, definition(1, "claude")))
    assert update is not None
    assert [event.id for event in update.events] == ["d-1", "e-1"]
    core.apply(message(6, removed=[key("endpoint", "e-1")]))
    update = core.apply(message(7, definition(1, "other")))
    assert update is not None
    assert [event.id for event in update.events] == ["d-1"]


def test_parts_are_applied_together_at_the_last(core: MirrorCore) -> None:
    before = core.state
    assert core.apply(message(9, definition(1, "new"), is_partial=True)) is None
    assert core.apply(message(9, removed=[key("endpoint", "e-1")], is_partial=True)) is None
    assert (core.state, core.resume_token) == (before, "token3")
    update = core.apply(message(9, endpoint(3, "third", 1)))
    assert update is not None
    assert update.state.revision == 9
    assert names(update.state) == {"m-2-1": "new", "m-2-2": "gpt", "m-3-1": "new"}
    assert {event.id: event.kind for event in update.events} == {
        "d-1": "changed",
        "e-1": "removed",
        "e-2": "changed",
        "e-3": "added",
    }


def test_parts_of_a_stream_that_ended_are_forgotten(core: MirrorCore) -> None:
    core.apply(message(9, definition(1, "lost"), is_partial=True))
    core.forget_parts()
    core.apply(message(10, definition(2, "kept")))
    assert set(names(core.state).values()) == {"gpt", "kept"}


@pytest.mark.parametrize("other", [message(10), message(9, store_id="other"), snapshot(9)])
def test_a_part_of_another_update_is_refused(core: MirrorCore, other: bytes) -> None:
    before = core.state
    core.apply(message(9, definition(1, "new"), is_partial=True))
    with pytest.raises(GatewayError) as caught:
        core.apply(other)
    assert (caught.value.code, caught.value.reason) == (Code.INTERNAL, "BAD_STREAM")
    assert core.state is before


@pytest.mark.parametrize("other", [message(4, store_id="other"), message(2)])
def test_an_update_of_another_store_or_an_earlier_state_is_refused(core: MirrorCore, other: bytes) -> None:
    before = core.state
    with pytest.raises(GatewayError) as caught:
        core.apply(other)
    assert (caught.value.code, caught.value.reason) == (Code.OUT_OF_RANGE, "STORE_CHANGED")
    assert core.state is before


def test_an_update_cannot_be_the_first() -> None:
    with pytest.raises(GatewayError, match="watch again"):
        MirrorCore().apply(message(4))


def test_a_snapshot_of_another_store_replaces_everything(core: MirrorCore) -> None:
    kept = core.state.model_definitions["d-1"]
    update = core.apply(snapshot(1, definition(1), endpoint(5, "chat", 1), store_id="other"))
    assert update is not None
    assert update.is_snapshot
    assert (update.state.store_id, update.state.revision) == ("other", 1)
    assert list(update.state.endpoints) == ["e-5"]
    # It tells only what is different, so that a resynchronization costs a subscriber nothing.
    assert {(event.id, event.kind) for event in update.events} == {
        ("d-2", "removed"),
        ("e-1", "removed"),
        ("e-2", "removed"),
        ("e-5", "added"),
    }
    assert update.state.model_definitions["d-1"] is kept
    assert update.state.endpoint_ids == {"chat": "e-5"}


def test_the_state_does_not_go_back_to_an_earlier_snapshot(core: MirrorCore) -> None:
    core.apply(message(9, definition(1, "new")))
    before = core.state
    # Another server, which has seen less, sends a snapshot and what follows it.
    assert core.apply(snapshot(4, definition(2), is_partial=True)) is None
    assert core.apply(snapshot(4, definition(1), endpoint(1, "chat", 1), endpoint(2, "code", 1, 2))) is None
    assert core.apply(message(8, definition(1, "middle"))) is None
    assert core.state is before
    update = core.apply(message(10, definition(1, "new"), definition(2, "newer")))
    assert update is not None
    assert [(event.id, event.kind) for event in update.events] == [("d-2", "changed"), ("e-2", "changed")]
    assert (core.state.revision, core.resume_token) == (10, "token10")
    core.apply(message(11))
    assert core.state.revision == 11


def test_the_state_goes_back_with_a_store_that_did(core: MirrorCore) -> None:
    core.accept_earlier()
    update = core.apply(snapshot(1, definition(1)))
    assert update is not None
    assert (update.state.revision, list(update.state.model_definitions)) == (1, ["d-1"])
    assert core.apply(snapshot(0)) is None


def test_an_update_that_writes_the_same_again_changes_nothing(core: MirrorCore) -> None:
    before = core.state
    update = core.apply(message(8, definition(1), endpoint(2, "code", 1, 2), removed=[key("secret", "s-9")]))
    assert update is not None
    assert update.events == ()
    assert update.state.endpoints is before.endpoints
    assert update.state.revision == 8


def test_names_may_change_hands(core: MirrorCore) -> None:
    core.apply(message(4, endpoint(1, "code", 1), endpoint(2, "chat", 1), endpoint(3, None)))
    assert core.state.endpoint_ids == {"code": "e-1", "chat": "e-2"}
    core.apply(message(5, endpoint(3, "chat"), removed=[key("endpoint", "e-2")]))
    assert core.state.endpoint_ids == {"code": "e-1", "chat": "e-3"}


def test_the_digest_is_of_the_sorted_lines(core: MirrorCore) -> None:
    resources = [definition(1), endpoint(1, "chat", 1), endpoint(2, "code", 1, 2), definition(2)]
    lines = sorted(f"{each.noun} {each.id} {each.content_etag}\n".encode() for each in resources)
    assert core.digest() == sha256(b"".join(lines)).hexdigest()
    first = core.digest()
    core.apply(message(4))
    assert core.digest() == first
    core.apply(message(5, definition(1, "new")))
    assert core.digest() != first
    core.apply(message(6, definition(1)))
    assert core.digest() == first
    assert MirrorCore().digest() == sha256().hexdigest()


def test_a_kind_of_a_newer_server_counts_in_the_digest_alone(core: MirrorCore) -> None:
    first = core.digest()
    unknown = pb.GatewayResource(noun="quota", id="q-1", content_etag="0" * 32)
    unknown.MergeFromString(b"\xa2\x06\x03abc")
    update = core.apply(message(4, unknown))
    assert update is not None
    assert update.events == ()
    assert core.digest() != first
    again = MirrorCore()
    again.apply(core.snapshot())
    assert again.digest() == core.digest()
    assert b"abc" in again.snapshot()
    core.apply(message(5, removed=[key("quota", "q-1")]))
    assert core.digest() == first


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff",
        message(4, pb.GatewayResource(noun="secret", id="s-1", content_etag="0" * 32)),
        message(4, pb.GatewayResource(noun="secret", id="s-1")),
        message(4, removed=[pb.GatewayResourceKey(noun="secret")]),
    ],
)
def test_a_message_that_cannot_be_read_changes_nothing(core: MirrorCore, bad: bytes) -> None:
    before = core.state, core.digest(), core.resume_token
    with pytest.raises(WireError):
        core.apply(bad)
    assert (core.state, core.digest(), core.resume_token) == before
    core.apply(message(5, definition(1, "new")))
    assert core.state.revision == 5


def test_a_state_cannot_be_changed(core: MirrorCore) -> None:
    with pytest.raises(TypeError):
        core.state.endpoints["e-9"] = core.state.endpoints["e-1"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        core.state.revision = 9  # type: ignore[misc]


def test_a_snapshot_of_a_mirror_makes_an_equal_one(core: MirrorCore) -> None:
    core.apply(message(4, secret(1, auth_config={"region": "eu"})))
    again = MirrorCore()
    update = again.apply(core.snapshot())
    assert update is not None
    assert again.state.endpoints == core.state.endpoints
    assert again.state.secrets == core.state.secrets
    assert (again.digest(), again.resume_token) == (core.digest(), core.resume_token)
    assert (again.state.store_id, again.state.revision) == ("store", 4)
    # The etags are those of the stream.
    for resource in pb.WatchGatewayResponse.FromString(core.snapshot()).resources:
        entity = GatewayResource.from_proto(resource)
        assert getattr(entity, entity.noun).etag() == entity.content_etag

"""When a mirror resolves which endpoints, without a server and without a clock."""

from __future__ import annotations

import dataclasses
from concurrent.futures import Future
from typing import Any

import pytest

from gateway_entities import Code, GatewayError
from gateway_entities.client import EntityList
from gateway_entities.entities import (
    GatewayEndpoint,
    GatewayEndpointModelMapping,
    GatewayModelDefinition,
    GatewayModelLinkageType,
    GatewaySecretInfo,
    ResolvedGatewayEndpoint,
    ResolvedGatewayModel,
    SecretValue,
)
from gateway_entities.mirror import MirrorEvent, MirrorState, MirrorUpdate
from gateway_entities.mirror.resolution import Resolutions

AWAY = GatewayError(Code.UNAVAILABLE, "away")
GONE = GatewayError(Code.FAILED_PRECONDITION, "gone", reason="SECRET_VALUE_MISSING")


class World:
    """A store with endpoints ``e-0``, ``e-1`` and so on, each with one model and its secret, and a mirror of it."""

    def __init__(self, count: int = 1, *, jitter: float = 1.0) -> None:
        self.revision = 1
        self.versions = [1] * count
        self.store_id = "s"
        self.state = self._state()
        self.woken = 0
        self.resolutions = Resolutions(lambda: self.state, jitter, self._wake)

    def rotate(self, *numbers: int, now: float = 0.0, is_seen: bool = True) -> None:
        """Give secrets other values, in one change; the mirror sees it, or does not yet."""
        for number in numbers:
            self.versions[number] += 1
        self.revision += 1
        if is_seen:
            self.see(now)

    def see(self, now: float = 0.0) -> None:
        """Have the mirror see the store as it is."""
        before, self.state = self.state, self._state()
        events = [
            MirrorEvent("secret", key, before.secrets[key], secret)
            for key, secret in self.state.secrets.items()
            if secret != before.secrets[key]
        ]
        self.resolutions.update(MirrorUpdate(self.state, tuple(events), False), now)

    def response(self, *numbers: int) -> EntityList[ResolvedGatewayEndpoint]:
        """What the server would respond."""
        state = self._state()
        found: list[ResolvedGatewayEndpoint] = []
        for number in numbers:
            secret = state.secrets[f"k-{number}"]
            value = SecretValue({"api_key": f"{number}.{self.versions[number]}"})
            model = ResolvedGatewayModel("m", f"d-{number}", "openai", "gpt", secret.secret_id, secret.etag(), {}, value)
            found.append(ResolvedGatewayEndpoint(state.endpoints[f"e-{number}"], [model]))
        return EntityList(found, self.revision)

    def resolve(self, *numbers: int, now: float = 0.0) -> None:
        """Resolve endpoints: request them, and have the server respond."""
        self.resolutions.get([f"e-{number}" for number in numbers])
        ids, _ = self.resolutions.take(now)
        self.respond(ids, now)

    def respond(self, ids: Any, now: float = 0.0) -> None:
        self.resolutions.resolved(ids, self.response(*(int(each[2:]) for each in ids)), now)

    def key(self, number: int) -> str:
        (found,) = self.resolutions.get([f"e-{number}"])
        assert isinstance(found, ResolvedGatewayEndpoint)
        return found.models[0].secret_value.reveal()["api_key"]

    def _wake(self) -> None:
        self.woken += 1

    def _state(self) -> MirrorState:
        secrets, definitions, endpoints = {}, {}, {}
        for number, version in enumerate(self.versions):
            secrets[f"k-{number}"] = GatewaySecretInfo(f"k-{number}", f"k-{number}", {"api_key": "***"}, 1, version)
            definition = GatewayModelDefinition(f"d-{number}", f"d-{number}", f"k-{number}", "k", "openai", "gpt", 1, 1)
            definitions[f"d-{number}"] = definition
            mapping = GatewayEndpointModelMapping(
                "m", f"e-{number}", f"d-{number}", definition, 1.0, GatewayModelLinkageType.PRIMARY, None, 1
            )
            endpoints[f"e-{number}"] = GatewayEndpoint(f"e-{number}", f"e-{number}", 1, 1, [mapping])
        return MirrorState(
            store_id=self.store_id,
            revision=self.revision,
            secrets=secrets,
            model_definitions=definitions,
            endpoints=endpoints,
            endpoint_ids={each: each for each in endpoints},
        )


def test_the_first_is_due_immediately_and_those_who_ask_share_it() -> None:
    world = World(2)
    first, second = world.resolutions.get(["e-0", "e-1"])
    assert world.woken == 1
    assert world.resolutions.get(["e-0"]) == [first]
    assert isinstance(first, Future)
    assert isinstance(second, Future)
    assert world.resolutions.take(0.0) == (["e-0", "e-1"], None)
    # While it is asked for, it is not asked for again.
    assert world.resolutions.get(["e-0"]) == [first]
    assert world.resolutions.take(0.0) == ([], None)
    world.respond(["e-0", "e-1"])
    assert first.result(0).models[0].secret_value.reveal() == {"api_key": "0.1"}
    assert world.key(1) == "1.1"


def test_a_rotation_is_resolved_within_the_jitter_and_served_as_before_until_then() -> None:
    moments: list[float] = []
    for _ in range(40):
        world = World(3, jitter=2.0)
        world.resolve(0, 1, 2)
        world.rotate(2, now=100.0)
        world.rotate(0, now=100.0)
        assert world.resolutions.take(100.0 - 0.001)[0] == []
        ids, pause = world.resolutions.take(100.0)
        assert ids == []
        assert pause is not None
        moments.append(pause)
        assert world.key(0) == "0.1"
        # It is one call, whatever the number of endpoints and of rotations.
        assert world.resolutions.take(100.0 + pause) == (["e-2", "e-0"], None)
        world.respond(["e-2", "e-0"], 102.0)
        assert [world.key(number) for number in range(3)] == ["0.2", "1.1", "2.2"]
        assert world.resolutions.take(1000.0) == ([], None)
    assert 0 <= min(moments) < 0.7
    assert 1.3 < max(moments) <= 2.0


def test_a_response_that_is_older_than_the_mirror_is_followed_by_another() -> None:
    world = World()
    world.resolve(0)
    world.rotate(0, now=1.0)
    old = world.response(0)
    assert world.resolutions.take(10.0)[0] == ["e-0"]
    world.rotate(0, now=10.0)
    world.resolutions.resolved(["e-0"], old, 10.0)
    assert world.key(0) == "0.2"
    assert world.resolutions.take(11.0)[0] == ["e-0"]
    world.respond(["e-0"], 11.0)
    assert world.key(0) == "0.3"


def test_a_response_that_is_newer_than_the_mirror_needs_no_other() -> None:
    world = World()
    world.rotate(0, is_seen=False)
    world.resolve(0)
    assert world.key(0) == "0.2"
    assert world.resolutions.take(10.0) == ([], None)
    world.see(10.0)
    assert world.resolutions.take(100.0) == ([], None)
    assert world.key(0) == "0.2"


def test_after_another_store_its_lower_revisions_are_followed() -> None:
    world = World()
    world.revision = 50
    world.see()
    world.resolve(0)
    world.store_id, world.revision = "another", 3
    world.see()
    world.rotate(0, now=1.0)
    assert world.resolutions.take(2.0)[0] == ["e-0"]


@pytest.mark.parametrize("count", [1, 5])
def test_a_failed_call_is_repeated_after_pauses_that_double(count: int) -> None:
    world = World(count, jitter=0.0)
    numbers = range(count)
    world.resolve(*numbers)
    world.rotate(*numbers, now=0.0)
    now = 0.0
    for longest in (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0):
        ids, _ = world.resolutions.take(now)
        assert len(ids) == count
        assert world.resolutions.failed(ids, AWAY, now) == []
        ids, pause = world.resolutions.take(now)
        assert ids == []
        assert pause is not None
        assert longest / 2 <= pause <= longest
        now += longest
        assert world.key(0) == "0.1"
    world.respond(world.resolutions.take(now)[0], now)
    assert world.key(0) == "0.2"


def test_one_endpoint_that_fails_a_call_is_found_and_forgotten() -> None:
    world = World(5, jitter=0.0)
    world.resolve(*range(5))
    world.rotate(*range(5))
    pending = [world.resolutions.take(0.0)[0]]
    calls = 0
    while pending:
        ids = pending.pop()
        calls += 1
        if "e-3" in ids:
            pending += world.resolutions.failed(ids, GONE, 0.0)
        else:
            world.respond(ids)
    assert calls < 8
    assert [world.key(number) for number in (0, 1, 2, 4)] == ["0.2", "1.2", "2.2", "4.2"]
    assert world.resolutions.take(100.0) == ([], None)
    (waiting,) = world.resolutions.get(["e-3"])
    assert isinstance(waiting, Future)
    assert world.resolutions.failed(world.resolutions.take(0.0)[0], GONE, 0.0) == []
    assert waiting.exception(0) is GONE


def test_a_call_has_at_most_100_endpoints_and_a_response_that_is_too_large_is_divided() -> None:
    world = World(150)
    world.resolutions.get([f"e-{number}" for number in range(150)])
    first, second = world.resolutions.take(0.0)[0], world.resolutions.take(0.0)[0]
    assert (len(first), len(second)) == (100, 50)
    error = GatewayError(Code.RESOURCE_EXHAUSTED, "large", reason="TOO_MANY_ENDPOINTS")
    assert [len(part) for part in world.resolutions.failed(first, error, 0.0)] == [50, 50]


def test_a_response_of_other_endpoints_is_an_error() -> None:
    world = World(2)
    world.resolutions.get(["e-0"])
    ids, _ = world.resolutions.take(0.0)
    for other in ((1,), (), (0, 1)):
        with pytest.raises(GatewayError, match="other endpoints") as caught:
            world.resolutions.resolved(ids, world.response(*other), 0.0)
        assert caught.value.code is Code.INTERNAL


def test_after_the_end_nothing_is_there_and_nothing_comes() -> None:
    world = World(2)
    world.resolve(0)
    (waiting,) = world.resolutions.get(["e-1"])
    assert isinstance(waiting, Future)
    ids, _ = world.resolutions.take(0.0)
    world.resolutions.close()
    error = waiting.exception(0)
    assert isinstance(error, GatewayError)
    assert error.reason == "MIRROR_CLOSED"
    world.respond(ids)
    assert world.resolutions.failed(ids, AWAY, 0.0) == []
    with pytest.raises(GatewayError, match="closed"):
        world.resolutions.get(["e-0"])


def test_nothing_that_a_program_prints_has_a_value() -> None:
    world = World()
    world.resolve(0)
    texts = (repr(world.resolutions), repr(vars(world.resolutions)), repr(dataclasses.asdict(world.response(0)[0])))
    assert all("0.1" not in text for text in texts)


def test_a_store_that_was_set_back_to_a_copy_is_resolved_again() -> None:
    world = World()
    copied = (world.revision, list(world.versions))
    for _ in range(3):
        world.rotate(0, now=1.0)
    world.resolve(0, now=10.0)
    assert world.key(0) == "0.4"
    world.revision, world.versions = copied
    world.see(20.0)
    ids, _ = world.resolutions.take(30.0)
    assert ids == ["e-0"]
    world.respond(ids, 30.0)
    assert world.key(0) == "0.1"

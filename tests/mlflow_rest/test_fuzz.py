"""Whatever a request to the REST routes holds, the answer is JSON and no 5xx, and a rejected request has no effect."""

from __future__ import annotations

import http.client
import itertools
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from gateway_entities.mlflow_rest.routes import PREFIXES, Route
from gateway_entities.testing import gateway
from tests import profiles
from tests.mlflow_rest.requests import TOKENS, Pairs, Request, drafts, variants
from tests.mlflow_rest.rest import BUDGET, SECRET_VALUE

EACH = -(-20_000 // profiles.PROFILES["full"].examples)
"""Requests of one example: as many as make 20,000 in the full profile."""

STATUSES = {200, 400, 404, 405, 409, 415}


class World:
    """A gateway with one thing of each kind in it, at all times."""

    def __init__(self, target: str, store: sqlite3.Connection) -> None:
        self._connection = http.client.HTTPConnection(target.removeprefix("http://"), timeout=30)
        self._store = store
        self._numbers = itertools.count()
        self._ids: dict[str, str] = {}
        self.seen: Counter[int] = Counter()
        for place in ("secrets", "model-definitions", "endpoints"):
            self._restore(place)

    def check(self, request: Request) -> None:
        """Send a request and check its answer."""
        before = self._writes()
        response, answer = self._send(request)
        changed = self._writes() != before
        self.seen[response.status] += 1
        assert response.status in STATUSES
        assert response.getheader("content-type") == "application/json"
        if request.verb == "HEAD":
            assert answer == b""
        elif response.status == 200:
            assert isinstance(json.loads(answer), dict)
        else:
            assert set(json.loads(answer)) == {"error_code", "message"}
        if response.status != 200 or request.verb in {"GET", "HEAD"}:
            assert not changed
        elif changed:
            # What names itself as an earlier request did is answered as that was, and does nothing.
            self._tidy(request, answer)

    def close(self) -> None:
        self._connection.close()

    def _writes(self) -> int:
        """Return a number that changes with every transaction that another connection commits."""
        (version,) = self._store.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _send(self, request: Request) -> tuple[http.client.HTTPResponse, bytes]:
        target, body = request.target, request.body
        for token, known in self._ids.items():
            target, body = target.replace(token, known), body.replace(token.encode(), known.encode())
        headers = {"content-type": request.content_type} if request.content_type else {}
        self._connection.request(request.verb, target, body or None, headers)
        response = self._connection.getresponse()
        return response, response.read()

    def _tidy(self, request: Request, answer: bytes) -> None:
        """Make again what a request has removed, and remove what would pile up."""
        place, action = request.target.partition("?")[0].split("/")[-2:]
        if (place, action) == ("budgets", "create"):
            self._call(
                "DELETE", place, "delete", {"budget_policy_id": json.loads(answer)["budget_policy"]["budget_policy_id"]}
            )
        elif action == "delete" and place != "bindings":
            self._restore(place)

    def _restore(self, place: str) -> None:
        name = f"seed-{next(self._numbers)}"
        if place == "secrets":
            self._create(place, "secret", "secret_id", {"secret_name": name, "secret_value": SECRET_VALUE})
        elif place == "model-definitions":
            fields = {"name": name, "secret_id": self._ids[TOKENS["secret_id"]], "provider": "openai", "model_name": "x"}
            self._create(place, "model_definition", "model_definition_id", fields)
        elif place == "endpoints":
            model = {"model_definition_id": self._ids[TOKENS["model_definition_id"]], "linkage_type": "PRIMARY"}
            self._create(place, "endpoint", "endpoint_id", {"name": name, "model_configs": [model]})
        if place in {"endpoints", "budgets"}:
            # It may have been a budget of the endpoint, and gone with it.
            self._create("budgets", "budget_policy", "budget_policy_id", BUDGET)

    def _create(self, place: str, noun: str, key: str, fields: dict[str, Any]) -> None:
        self._ids[TOKENS[key]] = self._call("POST", place, "create", fields)[noun][key]

    def _call(self, verb: str, place: str, action: str, fields: dict[str, Any]) -> Any:
        target = f"{PREFIXES[0]}/{place}/{action}"
        response, answer = self._send(Request(verb, target, json.dumps(fields).encode(), "application/json"))
        assert response.status == 200, answer
        return json.loads(answer)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with (
        gateway() as running,
        closing(sqlite3.connect(f"file:{running.store_path}?mode=ro", uri=True, isolation_level=None)) as store,
        closing(World(running.http_target, store)) as world,
    ):
        yield world


@given(drafts(), st.integers(0, 2**64))
def test_every_request_gets_a_sound_answer(world: World, draft: tuple[Route, Pairs], seed: int) -> None:
    for request in variants(draft, seed, EACH):
        note(repr(request))
        world.check(request)


def test_the_requests_reached_the_service(world: World) -> None:
    """Requests that all fail early would show nothing about the rest."""
    total = sum(world.seen.values())
    assert total >= EACH * settings().max_examples
    assert world.seen[200] > total / 20
    assert {400, 404, 405, 415} <= world.seen.keys()

"""Fuzzing of the REST routes: every response is JSON and not 5xx, and an error has no effect."""

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
"""Requests of one example, for 20,000 in the full profile."""

STATUSES = {200, 204, 400, 404, 405, 409}


class World:
    """A gateway that always has one resource of each type."""

    def __init__(self, target: str, store: sqlite3.Connection) -> None:
        self._connection = http.client.HTTPConnection(target.removeprefix("http://"), timeout=30)
        self._store = store
        self._numbers = itertools.count()
        self._ids: dict[str, str] = {}
        self.seen: Counter[int] = Counter()
        for place in ("secrets", "model-definitions", "endpoints"):
            self._restore(place)

    def check(self, request: Request) -> None:
        """Send a request and check its response."""
        before = self._writes()
        response, content = self._send(request)
        changed = self._writes() != before
        self.seen[response.status] += 1
        assert response.status in STATUSES
        assert response.getheader("content-type") == (None if response.status == 204 else "application/json")
        if request.verb == "HEAD" or response.status == 204:
            assert content == b""
        elif response.status == 200:
            assert isinstance(json.loads(content), dict)
        else:
            assert set(json.loads(content)) == {"error_code", "message"}
        if response.status != 200 or request.verb in {"GET", "HEAD", "OPTIONS"}:
            assert not changed
        elif changed:
            # A repeated request_id returns the first response and changes nothing.
            self._tidy(request, content)

    def close(self) -> None:
        self._connection.close()

    def _writes(self) -> int:
        """Return a number that changes with every commit of another connection."""
        (version,) = self._store.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _send(self, request: Request) -> tuple[http.client.HTTPResponse, bytes]:
        target, body = request.target, request.body
        for token, value in self._ids.items():
            target, body = target.replace(token, value), body.replace(token.encode(), value.encode())
        headers = {"content-type": request.content_type} if request.content_type else {}
        self._connection.request(request.verb, target, body or None, headers)
        response = self._connection.getresponse()
        return response, response.read()

    def _tidy(self, request: Request, content: bytes) -> None:
        """Restore deleted resources, and delete budgets, which would accumulate."""
        place, action = request.target.partition("?")[0].split("/")[-2:]
        if (place, action) == ("budgets", "create"):
            self._call(
                "DELETE", place, "delete", {"budget_policy_id": json.loads(content)["budget_policy"]["budget_policy_id"]}
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
            # The budget may have been deleted with the endpoint.
            self._create("budgets", "budget_policy", "budget_policy_id", BUDGET)

    def _create(self, place: str, noun: str, key: str, fields: dict[str, Any]) -> None:
        self._ids[TOKENS[key]] = self._call("POST", place, "create", fields)[noun][key]

    def _call(self, verb: str, place: str, action: str, fields: dict[str, Any]) -> Any:
        target = f"{PREFIXES[0]}/{place}/{action}"
        response, content = self._send(Request(verb, target, json.dumps(fields).encode(), "application/json"))
        assert response.status == 200, content
        return json.loads(content)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with (
        gateway() as running,
        closing(sqlite3.connect(f"file:{running.store_path}?mode=ro", uri=True, isolation_level=None)) as store,
        closing(World(running.http_target, store)) as world,
    ):
        yield world


def test_every_request_gets_a_valid_response(world: World) -> None:
    @given(drafts(), st.integers(0, 2**64))
    def check(draft: tuple[Route, Pairs], seed: int) -> None:
        for request in variants(draft, seed, EACH):
            note(repr(request))
            world.check(request)

    check()
    # The test would show little if all requests failed early.
    total = sum(world.seen.values())
    assert total >= EACH * settings().max_examples
    assert world.seen[200] > total / 40
    assert {400, 404, 405} <= world.seen.keys()
    # A short run may have no OPTIONS.
    assert 204 in world.seen or profiles.NAME != "full"

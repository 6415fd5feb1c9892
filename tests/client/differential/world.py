"""One of the two servers: it always has the same resources, and its responses are made comparable."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from gateway_entities.mlflow_rest.routes import PREFIXES
from tests.client.differential.cases import DAY, KEY, Case

LEVELS = ("secrets", "model-definitions", "endpoints", "budgets", "guardrails")
"""Nouns, each before those whose resources refer to its own."""
LISTS = {
    "secrets": ["secrets/list"],
    "model-definitions": ["model-definitions/list"],
    "endpoints": ["endpoints/list", "endpoints/bindings/list"],
    "budgets": ["budgets/list"],
    "guardrails": ["guardrails/list", "guardrails/list-for-endpoint?endpoint_id={endpoint}"],
}
_ID = re.compile(r"\b(?:s|d|e|m|bp|gr)-[0-9a-f]{32}\b")
_TIMES = {"created_at", "last_updated_at", "window_start_ms", "window_end_ms", "creation_time"}
_UNORDERED = {
    *("secrets", "model_definitions", "endpoints", "bindings", "budget_policies", "guardrails", "windows"),
}


class Response(NamedTuple):
    """A response, comparable with that of the other server.

    Attributes:
        status: the HTTP status.
        kind: ``json``, or what else the body is.
        error_code: of an error in JSON; else "".
        message: likewise.
        body: the JSON of a success; None otherwise.
    """

    status: int
    kind: str
    error_code: str
    message: str
    body: Any

    @property
    def outcome(self) -> str:
        return f"{self.status} {self.error_code or self.kind}"


class World:
    """A server and its resources."""

    def __init__(self, target: str, scorer_id: str) -> None:
        """Prepare it.

        Args:
            target: its address, ``http://HOST:PORT``.
            scorer_id: the id of the scorer of its guardrails.
        """
        self._connection = http.client.HTTPConnection(target.removeprefix("http://"), timeout=60)
        self.ids = {"scorer": scorer_id}
        self._baseline: dict[str, Any] = {}
        # Other tests use MLflow's server too.
        self._remake(0)

    def close(self) -> None:
        self._connection.close()

    def send(self, case: Case) -> Response:
        """Send a request."""
        target = self._filled(case.target)
        body = None if case.body is None else self._filled(case.body.decode("latin-1")).encode("latin-1")
        status, content_type, content = self._raw(case.verb, target, body, case.headers)
        kind = "empty"
        if content:
            kind = content_type.partition(";")[0]
        if kind != "application/json":
            return Response(status, kind.rpartition("/")[2], "", "", None)
        text = self._comparable(content.decode())
        parsed = json.loads(text)
        if status == 200:
            return Response(status, "json", "", "", _normal(parsed))
        return Response(status, "json", parsed.get("error_code", ""), parsed.get("message", ""), None)

    def state(self, noun: str) -> dict[str, Any]:
        """Return the lists of what a request for a noun may have changed, comparable with those of the other server."""
        lists = self._lists(noun)
        return {path: _normal(json.loads(self._comparable(json.dumps(found)))) for path, found in lists.items()}

    def reset(self, noun: str) -> None:
        """Restore what a request for a noun has changed: delete what is new; if that is not enough, make all of it again."""
        for deleted in reversed(LEVELS[_level(noun) :]):
            listed, key, _ = _KEYS[deleted]
            kept = {each[key] for each in self._baseline[f"{deleted}/list"].get(listed, [])}
            for each in self._call("GET", f"{deleted}/list").get(listed, []):
                if each[key] not in kept:
                    self._delete(deleted, key, each[key])
        if not self.is_unchanged(noun):
            self._remake(_level(noun))

    def is_unchanged(self, noun: str) -> bool:
        """Whether the lists of what a request for a noun may change are those of the beginning."""
        return all(found == self._baseline[path] for path, found in self._lists(noun).items())

    def _lists(self, noun: str) -> dict[str, Any]:
        paths = [path for level in LEVELS[_level(noun) :] for path in LISTS[level]]
        found: dict[str, Any] = {}
        for path in paths:
            status, _, data = self._raw("GET", self._filled(f"{PREFIXES[0]}/{path}"), None, {})
            # The list of an endpoint that is gone is not there; MLflow's order differs from one request to the next.
            found[path] = _sorted(json.loads(data)) if status == 200 else {}
        return found

    def _remake(self, level: int) -> None:
        for deleted in reversed(LEVELS[level:]):
            listed, key, names = _KEYS[deleted]
            found = {each[key] for each in self._call("GET", f"{deleted}/list").get(listed, [])}
            # MLflow does not list endpoints without models.
            for identity in found | {self.ids[name] for name in names if name in self.ids}:
                self._delete(deleted, key, identity)
        self._make(level)

    def _delete(self, noun: str, key: str, identity: str) -> None:
        body = json.dumps({key: identity}).encode()
        self._raw("DELETE", f"{PREFIXES[0]}/{noun}/delete", body, {"content-type": "application/json"})

    def _make(self, level: int) -> None:
        for noun in LEVELS[level:]:
            for name, path, content, key in _resources(noun):
                made = self._call("POST", path, content)
                if key:
                    (resource,) = made.values()
                    self.ids[name] = resource[key]
        self._baseline.update(self._lists(LEVELS[level]))

    def _call(self, verb: str, path: str, content: Mapping[str, Any] | None = None) -> Any:
        body = None if content is None else self._filled(json.dumps(content)).encode()
        status, _, data = self._raw(verb, f"{PREFIXES[0]}/{path}", body, {"content-type": "application/json"})
        assert status == 200, (path, content, data)
        return json.loads(data)

    def _raw(self, verb: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        self._connection.request(verb, target, body, dict(headers))
        response = self._connection.getresponse()
        return response.status, response.getheader("content-type") or "", response.read()

    def _filled(self, text: str) -> str:
        for name, value in self.ids.items():
            text = text.replace(f"{{{name}}}", value).replace(quote(f"{{{name}}}"), quote(value))
        return text

    def _comparable(self, text: str) -> str:
        for name, value in self.ids.items():
            text = text.replace(value, f"{{{name}}}")
        return _ID.sub("{new}", text)


def _level(noun: str) -> int:
    return LEVELS.index(noun) if noun in LEVELS else len(LEVELS)


_DEFINITIONS = (
    ("definition", "base", "openai"),
    ("spare_definition", "spare", "anthropic"),
    ("unused_definition", "unused", "mistral"),
)
_KEYS = {
    "secrets": ("secrets", "secret_id", ("secret", "spare_secret")),
    "model-definitions": ("model_definitions", "model_definition_id", tuple(name for name, _, _ in _DEFINITIONS)),
    "endpoints": ("endpoints", "endpoint_id", ("endpoint", "other")),
    "budgets": ("budget_policies", "budget_policy_id", ("policy", "targeted_policy")),
    "guardrails": ("guardrails", "guardrail_id", ("guardrail", "spare_guardrail")),
}
"""The list of each noun, the field with the id, and the resources that are always there."""


def _resources(noun: str) -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """Yield the name of each resource, the path and the content that make it, and the field with its id."""
    if noun == "secrets":
        for name, stem in (("secret", "base"), ("spare_secret", "spare")):
            content = {"secret_name": stem, "secret_value": {"api_key": KEY}, "provider": "openai", "created_by": "ann"}
            yield name, "secrets/create", content, "secret_id"
    elif noun == "model-definitions":
        for name, stem, provider in _DEFINITIONS:
            content = {"name": stem, "secret_id": "{secret}", "provider": provider, "model_name": "x", "created_by": "ann"}
            yield name, "model-definitions/create", content, "model_definition_id"
    elif noun == "endpoints":
        primary = {"model_definition_id": "{definition}", "linkage_type": "PRIMARY", "weight": 0.5}
        fallback = {"model_definition_id": "{spare_definition}", "linkage_type": "FALLBACK", "fallback_order": 0}
        content = {"name": "base", "model_configs": [primary], "usage_tracking": False, "created_by": "ann"}
        yield "endpoint", "endpoints/create", content, "endpoint_id"
        config = {"strategy": "SEQUENTIAL", "max_attempts": 3}
        content = {"name": "other", "model_configs": [primary, fallback], "usage_tracking": False, "fallback_config": config}
        yield "other", "endpoints/create", content, "endpoint_id"
        yield "", "endpoints/set-tag", {"endpoint_id": "{endpoint}", "key": "team", "value": "search"}, ""
        yield (
            "",
            "endpoints/bindings/create",
            {"endpoint_id": "{endpoint}", "resource_type": "scorer", "resource_id": "9"},
            "",
        )
    elif noun == "budgets":
        content = {"budget_unit": "USD", "budget_amount": 5.5, "duration": DAY, "budget_action": "ALERT"}
        yield "policy", "budgets/create", {**content, "target_scope": "GLOBAL"}, "budget_policy_id"
        targeted = {**content, "target_scope": "ENDPOINT", "target_value": "{other}", "created_by": "ann"}
        yield "targeted_policy", "budgets/create", targeted, "budget_policy_id"
    else:
        for name, stem in (("guardrail", "base"), ("spare_guardrail", "spare")):
            content = {"name": stem, "scorer_id": "{scorer}", "scorer_version": 1, "stage": "BEFORE", "action": "VALIDATION"}
            yield name, "guardrails/create", content, "guardrail_id"
        attached = {"endpoint_id": "{endpoint}", "guardrail_id": "{guardrail}", "execution_order": 1}
        yield "", "guardrails/add-to-endpoint", attached, ""


def _sorted(lists: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) for name, items in lists.items()}


def _normal(value: Any, name: str = "") -> Any:
    """Replace what differs from run to run, and sort lists without an order."""
    if isinstance(value, dict):
        return {key: _normal(item, key) for key, item in value.items()}
    if isinstance(value, list):
        items = [_normal(item) for item in value]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if name in _UNORDERED else items
    if name in _TIMES:
        return "{time}" if isinstance(value, int) else value
    return "{token}" if name == "next_page_token" else value

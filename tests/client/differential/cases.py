"""Raw requests of the dialect, good and bad: for each route a valid one, and one for each fault that its fields can have.

Texts in braces stand for ids, which differ between servers.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from google.protobuf.descriptor import FieldDescriptor

from gateway_entities.mlflow_rest.routes import PREFIXES, ROUTES, Route
from tests.messages import is_map

JSON: Mapping[str, str] = {"content-type": "application/json"}
KEY = "sk-0123456789abcdefghijklmnop"
DAY = {"unit": "DAYS", "value": 1}
PRIMARY = {"model_definition_id": "{definition}", "linkage_type": "PRIMARY"}


class Case(NamedTuple):
    """One request.

    Attributes:
        name: unique: its HTTP method, its path, and what is special about it.
        verb: the HTTP method.
        target: path and query.
        body: the body; None for none.
        headers: the headers.
        noun: the first part of its path, such as ``secrets``.
    """

    name: str
    verb: str
    target: str
    body: bytes | None
    headers: Mapping[str, str]
    noun: str


VALID: dict[str, dict[str, Any]] = {
    "/secrets/create": {"secret_name": "new", "secret_value": {"api_key": KEY}, "provider": "openai", "created_by": "ann"},
    "/secrets/get": {"secret_id": "{secret}"},
    "/secrets/update": {"secret_id": "{spare_secret}", "secret_value": {"token": KEY}, "updated_by": "bob"},
    "/secrets/delete": {"secret_id": "{spare_secret}"},
    "/secrets/list": {"provider": "openai"},
    "/model-definitions/create": {
        "name": "new",
        "secret_id": "{secret}",
        "provider": "openai",
        "model_name": "gpt-4o",
        "created_by": "ann",
    },
    "/model-definitions/get": {"model_definition_id": "{definition}"},
    "/model-definitions/list": {"provider": "openai", "secret_id": "{secret}"},
    "/model-definitions/update": {"model_definition_id": "{definition}", "model_name": "gpt-5", "updated_by": "bob"},
    "/model-definitions/delete": {"model_definition_id": "{unused_definition}"},
    "/endpoints/create": {
        "name": "new",
        "model_configs": [{**PRIMARY, "weight": 0.3}],
        "created_by": "ann",
        "usage_tracking": False,
        "routing_strategy": "REQUEST_BASED_TRAFFIC_SPLIT",
        "fallback_config": {"strategy": "SEQUENTIAL", "max_attempts": 2},
    },
    "/endpoints/get": {"endpoint_id": "{endpoint}"},
    "/endpoints/update": {"endpoint_id": "{endpoint}", "name": "renamed", "usage_tracking": False, "updated_by": "bob"},
    "/endpoints/delete": {"endpoint_id": "{endpoint}"},
    "/endpoints/list": {"provider": "openai"},
    "/endpoints/models/attach": {
        "endpoint_id": "{endpoint}",
        "model_config": {"model_definition_id": "{spare_definition}", "linkage_type": "PRIMARY", "weight": 2},
        "created_by": "ann",
    },
    "/endpoints/models/detach": {"endpoint_id": "{other}", "model_definition_id": "{spare_definition}"},
    "/endpoints/bindings/create": {
        "endpoint_id": "{endpoint}",
        "resource_type": "scorer",
        "resource_id": "10",
        "created_by": "ann",
    },
    "/endpoints/bindings/delete": {"endpoint_id": "{endpoint}", "resource_type": "scorer", "resource_id": "9"},
    "/endpoints/bindings/list": {"endpoint_id": "{endpoint}", "resource_type": "scorer", "resource_id": "9"},
    "/endpoints/set-tag": {"endpoint_id": "{endpoint}", "key": "stage", "value": "test"},
    "/endpoints/delete-tag": {"endpoint_id": "{endpoint}", "key": "team"},
    "/budgets/create": {
        "budget_unit": "USD",
        "budget_amount": 12.5,
        "duration": DAY,
        "target_scope": "ENDPOINT",
        "budget_action": "ALERT",
        "created_by": "ann",
        "target_value": "{endpoint}",
    },
    "/budgets/get": {"budget_policy_id": "{policy}"},
    "/budgets/update": {"budget_policy_id": "{policy}", "budget_amount": 2, "updated_by": "bob"},
    "/budgets/delete": {"budget_policy_id": "{policy}"},
    "/budgets/list": {"max_results": "10"},
    "/budgets/windows": {},
    "/guardrails/create": {
        "name": "new",
        "scorer_id": "{scorer}",
        "scorer_version": 1,
        "stage": "BEFORE",
        "action": "VALIDATION",
        "action_endpoint_id": "{other}",
    },
    "/guardrails/get": {"guardrail_id": "{guardrail}"},
    "/guardrails/delete": {"guardrail_id": "{guardrail}"},
    "/guardrails/list": {"max_results": "10"},
    "/guardrails/add-to-endpoint": {"endpoint_id": "{endpoint}", "guardrail_id": "{spare_guardrail}", "execution_order": 2},
    "/guardrails/remove-from-endpoint": {"endpoint_id": "{endpoint}", "guardrail_id": "{guardrail}"},
    "/guardrails/list-for-endpoint": {"endpoint_id": "{endpoint}"},
    "/guardrails/update-config": {"endpoint_id": "{endpoint}", "guardrail_id": "{guardrail}", "execution_order": 7},
}
"""A valid request for each route."""

FALLBACK = {"model_definition_id": "{spare_definition}", "linkage_type": "FALLBACK", "fallback_order": 1}
MORE: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "/secrets/create": [
        ("name taken", {"secret_name": "base"}),
        ("short value", {"secret_value": {"api_key": "12345678"}}),
        ("settings", {"auth_config": {"auth_mode": "api_key", "api_base": " https://1.1.1.1/v1 "}}),
        ("blank api_base", {"auth_config": {"api_base": " "}}),
        ("api_base over http", {"auth_config": {"api_base": "http://1.1.1.1"}}),
        ("private api_base", {"auth_config": {"api_base": "https://10.0.0.1"}}),
        ("reserved key", {"secret_value": {"base_url": "x"}}),
        ("reserved setting", {"auth_config": {"fallbacks": "x"}}),
        ("long name", {"secret_name": "s" * 256}),
        ("name with NUL", {"secret_name": "a\0b"}),
        ("empty value of a key", {"secret_value": {"api_key": ""}}),
    ],
    "/secrets/get": [("both", {"secret_name": "base"}), ("by name", {"secret_id": None, "secret_name": "base"})],
    "/secrets/update": [
        ("nothing but the id", {"secret_value": {}, "updated_by": None}),
        ("api_base without a value", {"secret_value": {}, "auth_config": {"api_base": "https://1.1.1.1"}}),
        ("cleared settings", {"auth_config": {"api_base": ""}}),
    ],
    "/model-definitions/create": [
        ("name taken", {"name": "base"}),
        ("long model", {"model_name": "m" * 257}),
        ("long provider", {"provider": "p" * 65}),
        ("odd name", {"name": "é b\n"}),
    ],
    "/model-definitions/get": [("by name", {"model_definition_id": None, "name": "base"})],
    "/model-definitions/update": [("name taken", {"name": "spare"}), ("nothing but the id", {"model_name": None})],
    "/model-definitions/delete": [("in use", {"model_definition_id": "{definition}"})],
    "/endpoints/create": [
        ("name taken", {"name": "base"}),
        ("space in the name", {"name": "not a name"}),
        ("dots", {"name": "..."}),
        ("tracked", {"usage_tracking": True}),
        ("experiment", {"experiment_id": "0"}),
        ("unknown experiment", {"experiment_id": "987"}),
        ("experiment that is no number", {"experiment_id": "abc"}),
        ("fallback", {"model_configs": [PRIMARY, FALLBACK], "fallback_config": None}),
        ("fallback alone", {"model_configs": [FALLBACK]}),
        ("repeated model", {"model_configs": [PRIMARY, PRIMARY]}),
        ("both linkages", {"model_configs": [PRIMARY, {**FALLBACK, "model_definition_id": "{definition}"}]}),
        ("unknown model", {"model_configs": [{**PRIMARY, "model_definition_id": "d-none"}]}),
        ("no model", {"model_configs": [{"linkage_type": "PRIMARY"}]}),
        ("no linkage", {"model_configs": [{"model_definition_id": "{definition}"}]}),
        ("unknown linkage", {"model_configs": [{**PRIMARY, "linkage_type": "SECONDARY"}]}),
        ("negative weight", {"model_configs": [{**PRIMARY, "weight": -1}]}),
        ("zero weight", {"model_configs": [{**PRIMARY, "weight": 0}]}),
        ("infinite weight", {"model_configs": [{**PRIMARY, "weight": "Infinity"}]}),
        ("weight that is no number", {"model_configs": [{**PRIMARY, "weight": "x"}]}),
        ("negative order", {"model_configs": [PRIMARY, {**FALLBACK, "fallback_order": -1}]}),
        ("no attempts", {"fallback_config": {"strategy": "SEQUENTIAL", "max_attempts": 0}}),
        ("strategy of no name", {"fallback_config": {"strategy": "RANDOM"}}),
    ],
    "/endpoints/get": [
        ("both", {"name": "base"}),
        ("by name", {"endpoint_id": None, "name": "base"}),
        ("by unknown name", {"endpoint_id": None, "name": "none"}),
    ],
    "/endpoints/update": [
        ("name taken", {"name": "other"}),
        ("models", {"model_configs": [{**PRIMARY, "model_definition_id": "{spare_definition}"}]}),
        ("no models", {"model_configs": []}),
        ("fallback", {"fallback_config": {}}),
        ("bad name", {"name": "a/b"}),
        ("fallback alone", {"model_configs": [FALLBACK]}),
        ("nothing but the id", {"name": None, "usage_tracking": None, "updated_by": None}),
        ("mask", {"endpoint_id": "{other}", "update_mask": "fallback_config"}),
        ("unknown mask", {"update_mask": "colour"}),
        ("etag", {"etag": "0" * 32}),
        ("models keep the fallback", {"endpoint_id": "{other}", "name": None, "model_configs": [PRIMARY]}),
    ],
    "/endpoints/delete": [("targeted by a budget", {"endpoint_id": "{other}"})],
    "/endpoints/list": [("by secret", {"provider": None, "secret_id": "{spare_secret}"})],
    "/endpoints/models/attach": [
        ("again", {"model_config": PRIMARY}),
        ("fallback", {"model_config": FALLBACK}),
        ("unknown model", {"model_config": {**PRIMARY, "model_definition_id": "d-none"}}),
        ("no linkage", {"model_config": {"model_definition_id": "{definition}"}}),
    ],
    "/endpoints/models/detach": [
        ("the last", {"endpoint_id": "{endpoint}", "model_definition_id": "{definition}"}),
        ("not attached", {"endpoint_id": "{endpoint}"}),
    ],
    "/endpoints/bindings/create": [
        ("again", {"resource_id": "9"}),
        ("another type", {"resource_type": "batch_job"}),
        ("bad type", {"resource_type": "Batch job"}),
    ],
    "/endpoints/bindings/delete": [("unknown", {"resource_id": "none"})],
    "/endpoints/bindings/list": [
        ("unknown", {"resource_id": "none"}),
        ("all", dict.fromkeys(("endpoint_id", "resource_type", "resource_id"))),
    ],
    "/endpoints/set-tag": [("again", {"key": "team"}), ("long key", {"key": "k" * 251}), ("empty", {"value": ""})],
    "/endpoints/delete-tag": [("unknown", {"key": "none"})],
    "/budgets/create": [
        ("global", {"target_scope": "GLOBAL", "target_value": None}),
        ("global with a target", {"target_scope": "GLOBAL"}),
        ("user", {"target_scope": "USER", "target_value": "ann"}),
        ("role", {"target_scope": "ROLE", "target_value": "admins"}),
        ("role by number", {"target_scope": 5, "target_value": "admins"}),
        ("workspace", {"target_scope": "WORKSPACE", "target_value": None}),
        ("no target", {"target_value": None}),
        ("unknown target", {"target_value": "e-none"}),
        ("negative", {"budget_amount": -1}),
        ("zero", {"budget_amount": 0}),
        ("infinite", {"budget_amount": "Infinity"}),
        ("zero days", {"duration": {"unit": "DAYS", "value": 0}}),
        ("no unit", {"duration": {"value": 1}}),
        ("a thousand years", {"duration": {"unit": "MONTHS", "value": 12_000}}),
    ],
    "/budgets/update": [
        ("scope with the target of another", {"target_scope": "ENDPOINT"}),
        ("scope and target", {"target_scope": "ENDPOINT", "target_value": "{other}"}),
        ("new unit", {"duration": {"unit": "WEEKS", "value": 2}}),
        ("half a duration", {"duration": {"value": 2}}),
        ("role", {"target_scope": "ROLE"}),
        ("unspecified unit", {"budget_unit": "BUDGET_UNIT_UNSPECIFIED"}),
        ("nothing but the id", {"budget_amount": None, "updated_by": None}),
    ],
    "/budgets/list": [
        ("one", {"max_results": "1"}),
        ("zero", {"max_results": "0"}),
        ("negative", {"max_results": "-1"}),
        ("too many", {"max_results": "50001"}),
        ("bad token", {"page_token": "nonsense"}),
    ],
    "/guardrails/create": [
        ("name taken", {"name": "base"}),
        ("unknown scorer", {"scorer_id": "none"}),
        ("unknown version", {"scorer_version": 99}),
        ("version zero", {"scorer_version": 0}),
        ("unknown endpoint", {"action_endpoint_id": "e-none"}),
        ("no endpoint", {"action_endpoint_id": None}),
        ("long name", {"name": "g" * 256}),
        ("scorer that is no object", {"scorer": 5}),
        ("scorer of another id", {"scorer": {"scorer_id": "none"}}),
    ],
    "/guardrails/list": [
        ("one", {"max_results": "1"}),
        ("negative", {"max_results": "-1"}),
        ("bad token", {"page_token": "x"}),
    ],
    "/guardrails/list-for-endpoint": [("page token", {"page_size": "1", "page_token": "x"})],
    "/guardrails/add-to-endpoint": [
        ("again", {"guardrail_id": "{guardrail}"}),
        ("negative order", {"execution_order": -(2**63)}),
        ("no order", {"execution_order": None}),
    ],
    "/guardrails/update-config": [
        ("no order", {"execution_order": None}),
        ("not attached", {"guardrail_id": "{spare_guardrail}"}),
    ],
}
"""More requests of a route: what is special, and the fields that differ from the valid request; null removes one."""


def cases() -> list[Case]:
    """Return all cases, each with its own name."""
    found = [case for route in ROUTES for case in _of_route(route)]
    found += [*_of_no_route(), *_of_headers()]
    assert len({case.name for case in found}) == len(found)
    return found


def _of_route(route: Route) -> Iterator[Case]:
    valid = VALID[route.path]
    yield _case(route, "valid", valid)
    for what, changed in MORE.get(route.path, []):
        yield _case(route, what, {name: value for name, value in {**valid, **changed}.items() if value is not None})
    yield _case(route, "other prefix", valid, prefix=PREFIXES[1])
    yield _case(route, "unknown field", {**valid, "colour": {"of": [1]}})
    for field in route.method.request_type.DESCRIPTOR.fields:
        if field.number < 1000:
            yield from _of_field(route, field, valid)
    yield from _of_http(route, valid)


def _of_field(route: Route, field: FieldDescriptor, valid: dict[str, Any]) -> Iterator[Case]:
    name, without = field.name, {key: value for key, value in valid.items() if key != field.name}
    if name in valid:
        yield _case(route, f"without {name}", without)
        if field.json_name != name:
            yield _case(route, f"camel case {name}", {**without, field.json_name: valid[name]})
            yield _case(route, f"both spellings of {name}", {**valid, field.json_name: valid[name]})
    for what, value in _odd_values(field):
        # In a query every value is text.
        if route.verb != "GET" or isinstance(value, str):
            yield _case(route, f"{name} = {what}", {**without, name: value})
    if name.endswith("_id") and isinstance(valid.get(name), str) and "{" in valid[name]:
        yield _case(route, f"unknown {name}", {**valid, name: "none"})


def _odd_values(field: FieldDescriptor) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("null", None), ('""', "")]
    if is_map(field):
        found += [("a text", "x"), ("an array", []), ("{}", {}), ("pairs", [{"key": "api_key", "value": KEY}])]
        found += [("a number as value", {"a": 1}), ("null as value", {"a": None})]
    elif field.is_repeated:
        found += [("an object", {}), ("[null]", [None]), ("[5]", [5]), ("[]", [])]
    elif field.message_type is not None:
        found += [("a number", 5), ("an array", []), ("{}", {})]
    elif field.enum_type is not None:
        first = field.enum_type.values[1]
        found += [("an unknown name", "PURPLE"), ("an unknown number", 77), ("0", 0)]
        found += [("a name in lower case", first.name.lower()), ("a number", first.number)]
        found += [("the unspecified name", field.enum_type.values[0].name), ("true", True), ("a number with a point", 1.0)]
    elif field.type == FieldDescriptor.TYPE_STRING:
        found += [("a number", 5), ("true", True), ("an object", {})]
    elif field.type == FieldDescriptor.TYPE_BOOL:
        found += [("a text", "true"), ("1", 1)]
    elif field.type == FieldDescriptor.TYPE_DOUBLE:
        found += [("a text", "x"), ("a number in a text", "2.5"), ("NaN", "NaN"), ("true", True)]
        found += [("a number with a plus", "+2.5")]
    else:
        found += [("a text", "x"), ("a number in a text", "3"), ("3.0", 3.0), ("1.5", 1.5), ("true", True)]
        found += [("a number with a plus", "+3"), ("a number out of range", 2**63)]
    return found


def _of_http(route: Route, valid: dict[str, Any]) -> Iterator[Case]:
    for verb in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {route.verb}:
        yield _case(route, f"by {verb}", valid, verb=verb)
    yield _case(route, "by OPTIONS", {}, verb="OPTIONS")
    yield _case(route, "trailing slash", valid, suffix="/")
    if route.verb in {"POST", "PATCH", "DELETE"}:
        for what, body in (
            ("no JSON", b"{"),
            ("no body", None),
            ("null as body", b"null"),
            ("a number as body", b"5"),
            ("an array as body", b"[]"),
            ("JSON in a text", json.dumps(json.dumps(valid)).encode()),
            ("a text as body", b'"x"'),
        ):
            yield _case(route, what, body)
    if route.verb == "POST":
        for what, headers in (
            ("no content type", {}),
            ("another content type", {"content-type": "text/plain"}),
            ("content type with a charset", {"content-type": "application/json; charset=utf-8"}),
            ("content type in capitals", {"content-type": "Application/JSON"}),
        ):
            yield _case(route, what, valid, headers=headers)
    elif route.verb == "PATCH":
        yield _case(route, "no content type", valid, headers={})
    elif route.verb == "DELETE":
        yield _case(route, "query only", None, query=urlencode(valid))
    elif valid:
        yield _case(route, "in the body", json.dumps(valid).encode())
        name, value = next(iter(valid.items()))
        yield _case(route, f"{name} twice", None, query=urlencode([(name, value), (name, "none")]))
        yield _case(route, "by HEAD", valid, verb="HEAD")


def _of_no_route() -> Iterator[Case]:
    for verb in ("GET", "POST", "OPTIONS"):
        for path in (f"{PREFIXES[0]}/nothing", f"{PREFIXES[0]}", "/api/2.0/mlflow/gateway/secrets/list", "/api/4.0/x"):
            yield Case(f"{verb} {path} no route", verb, path, b"{}" if verb == "POST" else None, JSON, "nothing")
    yield Case("GET secrets/config", "GET", f"{PREFIXES[1]}/secrets/config", None, {}, "nothing")
    yield Case("GET secrets/config other prefix", "GET", f"{PREFIXES[0]}/secrets/config", None, {}, "nothing")
    for path in ("supported-providers", "supported-models", "provider-config"):
        for query in ("", "provider=openai", "provider=", "provider=none", "provider=Amazon-Bedrock"):
            target = f"{PREFIXES[1]}/{path}{'?' if query else ''}{query}"
            yield Case(f"GET {path} {query or 'alone'}", "GET", target, None, {}, "nothing")
        yield Case(f"POST {path}", "POST", f"{PREFIXES[1]}/{path}", b"{}", JSON, "nothing")
        yield Case(f"GET {path} other prefix", "GET", f"{PREFIXES[0]}/{path}", None, {}, "nothing")


def _of_headers() -> Iterator[Case]:
    listed, created = f"{PREFIXES[0]}/secrets/list", f"{PREFIXES[0]}/secrets/create"
    yield Case("GET secrets/list with a workspace", "GET", listed, None, {"x-mlflow-workspace": "default"}, "secrets")
    body = json.dumps(VALID["/secrets/create"]).encode()
    query = f"{listed}?provider=%ff"
    yield Case("GET secrets/list of a query that is no UTF-8", "GET", query, None, {}, "secrets")
    for path in ("/secrets/list", "/guardrails/list"):
        yield Case(f"GET {path} double slash", "GET", f"{PREFIXES[0]}/{path}", None, {}, "secrets")
    for what, content in (
        ("a name twice", body.replace(b"{", b'{"provider": "mistral", ', 1)),
        ("UTF-16", body.decode().encode("utf-16")),
        ("many values", body.replace(b"{", b'{"x": [%b0], ' % (b"0," * 10_000), 1)),
        ("deep nesting", body.replace(b"{", b'{"x": %b%b, ' % (b"[" * 200, b"]" * 200), 1)),
    ):
        yield Case(f"POST secrets/create with {what}", "POST", created, content, JSON, "secrets")
    compressed = {**JSON, "content-encoding": "gzip"}
    yield Case("POST secrets/create compressed", "POST", created, gzip.compress(body, mtime=0), compressed, "secrets")
    yield Case("POST secrets/create of 5 MiB", "POST", created, body.ljust(5 * 1024 * 1024), JSON, "secrets")


def _case(
    route: Route,
    what: str,
    content: Mapping[str, Any] | bytes | None,
    *,
    verb: str | None = None,
    prefix: str = PREFIXES[0],
    suffix: str = "",
    query: str = "",
    headers: Mapping[str, str] = JSON,
) -> Case:
    verb, body = verb or route.verb, content if isinstance(content, bytes) else None
    if isinstance(content, Mapping):
        if verb in {"GET", "HEAD"}:
            query = urlencode({name: value for name, value in content.items() if isinstance(value, str)})
        else:
            body = json.dumps(content).encode()
    target = f"{prefix}{route.path}{suffix}{'?' if query else ''}{query}"
    noun = route.path.split("/")[1]
    return Case(f"{route.verb} {route.path} {what}", verb, target, body, headers, noun)

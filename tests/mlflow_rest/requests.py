"""Valid and invalid requests of every shape, derived from the request messages.

Hypothesis draws a valid request and a seed, from which plain code derives many faulty ones. Drawing each of them would take
longer than serving them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlencode

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

from gateway_entities.mlflow_rest.routes import PREFIXES, ROUTES, Route
from tests.messages import is_map

TOKENS = {
    name: f"TOKEN-{name}" for name in ("secret_id", "model_definition_id", "endpoint_id", "budget_policy_id", "guardrail_id")
}
"""Placeholders for the ids of existing resources."""


class Request(NamedTuple):
    verb: str
    target: str
    body: bytes
    content_type: str


class Pairs(list[tuple[str, Any]]):
    """A JSON object that may have duplicate names."""


def dump(value: Any) -> str:
    """Return JSON, with Python's forms of what JSON cannot express (NaN, escaped lone surrogates)."""
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{json.dumps(name)}: {dump(item)}" for name, item in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dump, value)) + "]"
    return json.dumps(value)


# Valid requests

_TEXTS = {
    # Few names, so that the store stays small and duplicates occur.
    **{name: ["fuzz-0", "fuzz-1", "fuzz-2"] for name in ("name", "secret_name")},
    **{name: [token] for name, token in TOKENS.items()},
    "resource_type": ["scorer", "scorer_job"],
    "experiment_id": ["7"],
    "page_token": [""],
    "target_value": ["", "", "bob", TOKENS["endpoint_id"]],
    "update_mask": ["", "name", "provider,secret_id", "target_value", "auth_config"],
}
_MAP_ENTRIES = st.tuples(st.sampled_from(["api_key", "auth_mode"]), st.sampled_from(["sk-0123456789abcdef", "x"]))


def _maps(as_array: bool, pairs: list[tuple[str, str]]) -> Any:
    return [Pairs([("key", key), ("value", value)]) for key, value in pairs] if as_array else Pairs(pairs)


def _values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if is_map(field):
        return st.builds(_maps, st.booleans(), st.lists(_MAP_ENTRIES, min_size=1, max_size=2, unique_by=lambda e: e[0]))
    if field.message_type is not None and field.message_type.name != "FieldMask":
        one = objects(field.message_type)
        return st.lists(one, min_size=1, max_size=2) if field.is_repeated else one
    if field.enum_type is not None:
        return st.sampled_from([value.name for value in field.enum_type.values if value.number] + [1])
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    if field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return st.sampled_from([0.1, 1, "2.5"])
    if field.type in (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64):
        return st.sampled_from([1, 2, "3", 4.0])
    return st.sampled_from(_TEXTS.get(field.name, ["openai", "x", "é"]))


@functools.cache
def objects(descriptor: Descriptor) -> st.SearchStrategy[Pairs]:
    """Return JSON objects of a message, with any subset of its fields."""
    fields = {field.name: _values(field) for field in descriptor.fields}
    any_of_them = st.fixed_dictionaries({}, optional=fields)
    mask = {name: fields.pop(name) for name in ("update_mask",) if name in fields}
    # A request for one resource has one of its identifiers.
    by_one = descriptor.name.startswith("Get")
    whole = [{name: values} for name, values in fields.items()] if by_one else [fields]
    choices = [st.fixed_dictionaries(each, optional=mask) for each in whole]
    return st.one_of(*choices, *choices, any_of_them).map(lambda given: Pairs(given.items()))


def drafts() -> st.SearchStrategy[tuple[Route, Pairs]]:
    """Return routes, each with fields of its request."""
    return st.sampled_from(ROUTES).flatmap(
        lambda route: st.tuples(st.just(route), objects(route.method.request_type.DESCRIPTOR))
    )


# Faults

_DEEP: Any = functools.reduce(lambda inner, _: [inner], range(150), 1)
_JUNK: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 1.5, -0.0, 1e39, 1e308, 2**31, 2**63, -(2**63) - 1, 10**400),
    *(float("nan"), float("inf"), float("-inf"), "NaN", "Infinity", "1", "1e3", "1e400", "0x1", "1_0", " 1", "9" * 5000),
    *("", " ", "x", "\0", "\ud800", "\udfff\ud800", "é", "\U0001f511", "x" * 256, "x" * 5001, "true", "null", "{}", "a.b"),
    *("PRIMARY", "FALLBACK", "USD", "GLOBAL", "USER", "TARGET_SCOPE_UNSPECIFIED", "scorer", "nope", "c2VjcmV0czoxOnMtMQ"),
    *TOKENS.values(),
    *([], [None], [[]], ["x"], [Pairs()], [Pairs([("key", "a")]), 5], [Pairs([("key", "\ud800"), ("value", "x")])] * 2),
    *(Pairs(), Pairs([("x", 1)]), Pairs([("", "")]), Pairs([("\ud800", "\0")]), Pairs([("a", None), ("a", "x")]), _DEEP),
]
_NAMES = ["key", "value", "x", "", "\ud800", "api_base", "unit", "name", "secretName", "weight", "updateMask", "update_mask"]
_BODIES: list[Callable[[bytes], bytes]] = [
    lambda body: b"[" + body + b"]",
    lambda body: json.dumps(body.decode("utf-8", "replace")).encode(),
    lambda body: body[: len(body) // 2],
    lambda body: b"\xef\xbb\xbf" + body,
    lambda body: body.replace(b'"', b'"\xff', 3),
    lambda body: body.replace(b'"', b'"\xed\xa0\x80', 3),
    lambda body: body.decode("utf-8", "replace").encode("utf-16"),
    lambda body: body + body,
    lambda body: b"[" * 20_000,
    lambda body: b'{"secret_value": ' * 20_000,
    *((lambda body, fixed=fixed: fixed) for fixed in (b"null", b"", b" ", b"\0", b"-", b'"\\ud800"', b'{"": NaN}')),
]
_CONTENT_TYPES = ["application/json; charset=utf-8", "text/plain", "", "application/proto", "application/json, text/plain"]
_VERBS = ["GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"]
_SUFFIXES = ["/", "/x", "%2F", "%00", ";a=b", "%ff"]
_QUERIES = ["%ff", "&&=&", "a", "=", "secret_id", "endpoint_id=%ed%a0%80", "max_results=1&max_results=2", "%", "?", "+"]


def variants(draft: tuple[Route, Pairs], seed: int, count: int) -> Iterator[Request]:
    """Yield a valid request, then variants of it with up to three faults in their fields."""
    route, pairs = draft
    random = Random(seed)
    yield _request(route, pairs, random, 99)
    for _ in range(count - 1):
        changed = _copy(pairs)
        for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
            _spoil(changed, random)
        yield _request(route, changed, random, random.randrange(100))


def _copy(value: Any) -> Any:
    if isinstance(value, Pairs):
        return Pairs((name, _copy(item)) for name, item in value)
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _spoil(pairs: Pairs, random: Random) -> None:
    """Change one place of an object, at any depth."""
    place: list[Any] = pairs
    while inner := [item for item in (_item(entry) for entry in place) if isinstance(item, list) and item]:
        if random.random() < 0.4:
            break
        place = random.choice(inner)
    junk = _copy(random.choice(_JUNK))
    if isinstance(place, Pairs):
        names = [name for name, _ in place]
        place.append((random.choice(names + _NAMES) if random.random() < 0.3 else random.choice(names or _NAMES), junk))
        if random.random() < 0.8 and names:
            # The new entry replaces an old one, so that its name occurs once.
            name = place.pop()[0] if random.random() < 0.5 else names[0]
            index = names.index(name) if name in names else 0
            place[index] = (_camel(name) if random.random() < 0.3 else name, junk)
            if random.random() < 0.1:
                del place[index]
    else:
        place.insert(random.randint(0, len(place)), junk)


def _item(entry: Any) -> Any:
    return entry[1] if isinstance(entry, tuple) else entry


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)


def _request(route: Route, pairs: Pairs, random: Random, fate: int) -> Request:
    """Create a request. ``fate``, from 0 to 99, decides about faults besides those of its fields."""
    path = random.choice(PREFIXES) + route.path + (random.choice(_SUFFIXES) if fate < 2 else "")
    verb = random.choice(_VERBS) if 2 <= fate < 8 else route.verb
    content_type = random.choice(_CONTENT_TYPES) if 8 <= fate < 12 else "application/json"
    body, query = dump(pairs).encode(), ""
    if 12 <= fate < 24:
        body = random.choice(_BODIES)(body)
    if verb in {"GET", "HEAD", "DELETE"} and fate % 4:
        query = random.choice(_QUERIES) if fate % 10 == 1 else _query(pairs)
        body = b"" if fate % 4 == 3 else body
    return Request(verb, f"{path}?{query}" if query else path, body, content_type)


def _query(pairs: Pairs) -> str:
    parts = [(name, value if isinstance(value, str) else dump(value)) for name, value in pairs]
    return urlencode(parts, errors="replace")

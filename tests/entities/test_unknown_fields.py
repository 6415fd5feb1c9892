"""Unknown fields are kept, and no library that looks at dataclasses shows them or sets them."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import typing
from typing import Any

import pytest

from gateway_entities import GatewayEndpoint, GatewayEndpointTag
from gateway_entities.entities.secret_value import MASK
from tests.entities.entity_types import KINDS, OVERLONG, filled, message_type
from tests.messages import RESOURCES

every_entity = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
FORGED = {"_unknown_fields": "\n\u0003e-9"}
"""JSON that names another endpoint_id, as an entity's unknown fields."""


def known(kind: Any) -> set[str]:
    return set(RESOURCES[kind.__name__].DESCRIPTOR.fields_by_name)


@every_entity
def test_a_dataclass_s_fields_are_those_of_the_message(kind: Any):
    entity = filled(kind)
    assert {field.name for field in dataclasses.fields(kind)} == known(kind)
    assert set(kind.__dataclass_fields__) - {"_"} == known(kind)
    assert set(dataclasses.asdict(entity)) == known(kind)
    assert set(inspect.signature(kind).parameters) == known(kind)
    assert "unknown" not in repr(entity)
    # A secret value is no JSON.
    json.dumps(dataclasses.asdict(entity), default=str)


@every_entity
def test_a_constructor_takes_no_unknown_fields(kind: Any):
    values = dataclasses.asdict(filled(kind))
    with pytest.raises(TypeError, match="_unknown_fields"):
        kind(**values, **FORGED)


@every_entity
def test_replace_makes_an_entity_of_the_fields_and_a_changed_copy_keeps_all(kind: Any):
    entity = filled(kind)
    replaced = dataclasses.replace(entity)
    assert replaced != entity
    assert OVERLONG not in replaced.to_bytes()
    assert {name: getattr(replaced, name) for name in known(kind)} == {name: getattr(entity, name) for name in known(kind)}
    assert copy.copy(entity).to_bytes() == entity.to_bytes()


@every_entity
def test_equality_is_of_class_fields_and_unknown_fields(kind: Any):
    entity = filled(kind)
    assert entity == filled(kind)
    assert entity != kind.from_bytes(message_type(kind).FromString(entity.to_bytes()).SerializeToString()[: -len(OVERLONG)])
    assert entity != dataclasses.astuple(entity)
    for name in known(kind):
        other = filled(kind)
        setattr(other, name, object())
        assert entity != other
    with pytest.raises(TypeError, match="unhashable"):
        hash(entity)


def test_a_subclass_is_another_class():
    class Ours(GatewayEndpointTag):
        __slots__ = ()

    assert Ours("k", "v") != GatewayEndpointTag("k", "v")
    assert Ours.from_bytes(filled(GatewayEndpointTag).to_bytes()).to_bytes() == filled(GatewayEndpointTag).to_bytes()


def test_a_dataclass_below_an_entity_keeps_them_too():
    @dataclasses.dataclass
    class Ours(GatewayEndpointTag):
        note: str = ""

    ours = Ours("k", "v", note="n")
    assert ours == Ours("k", "v", note="n")
    assert ours.to_bytes() == GatewayEndpointTag("k", "v").to_bytes()


@every_entity
def test_pydantic_shows_and_takes_no_unknown_fields(kind: Any):
    pydantic = pytest.importorskip("pydantic", reason="pydantic is not installed: pip install pydantic")
    adapter = pydantic.TypeAdapter(kind)
    entity = filled(kind)
    shown = adapter.dump_json(entity)
    assert b"_unknown" not in shown
    assert "_unknown" not in json.dumps(adapter.json_schema())
    if MASK.encode() in shown:
        with pytest.raises(pydantic.ValidationError, match="is a mask"):
            adapter.validate_json(shown)
        return
    read = adapter.validate_json(json.dumps({**json.loads(shown), **FORGED}))
    assert read == dataclasses.replace(entity)
    assert read._unknown_fields == b""
    assert read.to_bytes() == dataclasses.replace(entity).to_bytes()


async def test_fastapi_shows_and_takes_no_unknown_fields_at_any_depth():
    fastapi = pytest.importorskip("fastapi", reason="FastAPI is not installed: pip install fastapi")
    app = fastapi.FastAPI()

    @app.get("/endpoint")
    def read() -> GatewayEndpoint:
        entity = filled(GatewayEndpoint)
        # Bytes that are not UTF-8.
        entity.tags[0]._unknown_fields = b"\x92\x3f\x01\xff"
        return typing.cast("GatewayEndpoint", entity)

    @app.post("/endpoint")
    def write(endpoint: GatewayEndpoint) -> dict[str, str]:
        assert dataclasses.replace(endpoint) == endpoint
        return {"read": endpoint.endpoint_id, "sent": endpoint.to_proto().endpoint_id}

    status, shown = await request(app, "GET")
    assert status == 200
    assert "_unknown" not in json.dumps(shown)
    body = {**shown, "endpoint_id": "e-1", **FORGED, "tags": [{"key": "k", "value": "v", **FORGED}]}
    assert await request(app, "POST", body) == (200, {"read": "e-1", "sent": "e-1"})


async def request(app: Any, method: str, body: object = None) -> tuple[int, Any]:
    """Send a request to an ASGI application; return the status and the JSON of the response."""
    headers = [(b"content-type", b"application/json"), (b"host", b"test")]
    scope = {"type": "http", "method": method, "path": "/endpoint", "query_string": b"", "headers": headers}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(body).encode()}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:]))


def test_pandas_shows_no_unknown_fields():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed: pip install '.[mlflow]'")
    assert list(pandas.DataFrame([filled(GatewayEndpointTag)]).columns) == ["key", "value"]

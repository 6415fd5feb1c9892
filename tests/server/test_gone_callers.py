"""Work ends when its caller has gone: nothing is committed for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest

from gateway_entities import methods
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.server.service import GatewayService
from gateway_entities.server.service.context import CALL, Call
from gateway_entities.server.store import open_store
from gatewayentities.v1.secret_pb2 import CreateGatewaySecretRequest
from tests.server.http.raw_http import connect, post
from tests.server.raw import channel, post_json, request, write_lock
from tests.stores import Place, serving, sqlite_place

CREATE, LIST = methods.CREATE_GATEWAY_SECRET, methods.LIST_GATEWAY_SECRET_INFOS


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return sqlite_place(tmp_path / "gateway.sqlite", with_tables=True)


@contextmanager
def over_grpc(server: Any) -> Any:
    message = CreateGatewaySecretRequest(secret_name="gone", secret_value={"api_key": "sk-0123456789abcdef"})
    with channel(server.grpc_target) as opened:
        sent = opened.unary_unary(CREATE.path).future(message.SerializeToString())
        yield
        sent.cancel()


@contextmanager
def over_http(server: Any) -> Any:
    body = b'{"secretName": "gone", "secretValue": {"api_key": "sk-0123456789abcdef"}}'
    with connect(server.http_target) as opened:
        opened.sendall(post(body, method=CREATE))
        yield


@pytest.mark.parametrize("caller", [over_grpc, over_http])
def test_a_change_whose_caller_has_gone_is_not_made(
    place: Place, caller: Callable[[Any], AbstractContextManager[None]]
) -> None:
    assert place.path is not None
    # One worker, so that the second change comes after the first.
    with serving(place, limits=Limits(write_workers=1)) as server:
        with write_lock(place.path):
            with caller(server):
                until(lambda: "gateway-call-write" in thread_names())
            until(lambda: 'code="CANCELLED"' in request(server.http_target, "GET", "/metrics").body.decode())
        secret = {"secretName": "afterwards", "secretValue": {"api_key": "sk-0123456789abcdef"}}
        assert post_json(server.http_target, CREATE, secret).status == 200
        found = post_json(server.http_target, LIST, {}).json["secrets"]
        assert [each["secretName"] for each in found] == ["afterwards"]


def thread_names() -> str:
    return " ".join(thread.name for thread in threading.enumerate())


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("deadline", [None, 0.0])
def test_a_change_is_not_committed_after_its_last_step(place: Place, deadline: float | None) -> None:
    store = open_store(place.url, keys=place.keys)
    call = Call()

    def work() -> None:
        CALL.set(call)
        with GatewayService(store).write() as transaction:
            transaction.state.set_revision(7)
            call.is_over, call.deadline = deadline is None, deadline

    try:
        with pytest.raises(GatewayError) as caught:
            copy_context().run(work)
        assert caught.value.code is (Code.CANCELLED if deadline is None else Code.DEADLINE_EXCEEDED)
        with store.read() as transaction:
            assert transaction.changes.last() == 0
    finally:
        store.close()

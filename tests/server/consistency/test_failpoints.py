"""A server that dies between any two steps of a commit leaves the whole change or nothing, and a repeat makes it whole."""

from __future__ import annotations

from contextlib import ExitStack, closing

import pytest

from gateway_entities.errors import Code, GatewayError
from gatewayentities.v1 import endpoint_pb2
from tests import profiles
from tests.client.recording_transports import MessageTransport
from tests.mutations import prepare
from tests.replay import consistent, log
from tests.server.consistency.failing_server import FailingServer
from tests.server.consistency.faults import restart
from tests.stores import KINDS, postgresql_place, sqlite_place

MOST_STEPS = 30


@pytest.mark.parametrize("kind", KINDS if profiles.PROFILE.share is not None else KINDS[:1])
def test_a_crash_at_each_step_of_a_commit(request, tmp_path, kind):
    with ExitStack() as stack:
        if kind == "sqlite":
            place = sqlite_place(tmp_path / "gateway.sqlite", with_tables=True)
        else:
            server = request.getfixturevalue("postgresql")
            place = stack.enter_context(postgresql_place(server, tmp_path / "gateway.key", with_tables=True))
        server = stack.enter_context(FailingServer(place, tmp_path / "log").running())
        do = stack.enter_context(closing(MessageTransport(server.targets["http"], "sync")))
        endpoint_id = prepare(do).endpoint_id
        before = len(log(do))
        took_effect = []
        for step in range(1, MOST_STEPS):
            change = endpoint_pb2.SetGatewayEndpointTagRequest(
                endpoint_id=endpoint_id, key=f"step-{step}", value="set", request_id=f"request-{step}"
            )
            server.send(f"crash {step}")
            if _succeeds(do, change):
                break
            restart([server])
            took_effect.append(len(log(do)) == before + step)
            assert do(change).revision == before + step
            assert len(consistent(do)) == before + step
        # The last step is the one after the commit, before the response.
        assert len(took_effect) >= 5
        assert took_effect == [False] * (len(took_effect) - 1) + [True]


def _succeeds(do, change):
    """Send a change; return False if the server dies."""
    try:
        do(change)
    except GatewayError as error:
        if error.code is not Code.UNAVAILABLE:
            raise
        return False
    return True

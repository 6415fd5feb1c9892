"""The checker accepts a correct history, and finds each planted fault."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from gateway_entities.entities import GatewayChange, GatewayChangeEffect
from gateway_entities.errors import Code
from gatewayentities.v1 import budget_pb2, change_pb2, endpoint_pb2, model_definition_pb2, secret_pb2
from tests.mutations import METHOD_OF
from tests.server.consistency.charge_checker import check_charges
from tests.server.consistency.checker import check
from tests.server.consistency.history import Attempt, History, TokenUse
from tests.server.consistency.model import Outcome, State, apply, etag_of, is_change, read, rejection
from tests.server.consistency.token_checker import check_tokens

UpdateEndpoint = endpoint_pb2.UpdateGatewayEndpointRequest
GetEndpoint = endpoint_pb2.GetGatewayEndpointRequest


class Made:
    """A history made by a correct store in memory, one request at a time. Each takes one second, after a pause of one."""

    def __init__(self) -> None:
        self.history = History()
        self.states: list[State] = [{}]
        self._ids = itertools.count(1)
        self._times = itertools.count(0.0, 2.0)
        self.secret = self.do(secret_pb2.CreateGatewaySecretRequest(secret_name="s", secret_value={"api_key": "x"})).secret
        self.model = self.do(
            model_definition_pb2.CreateGatewayModelDefinitionRequest(
                name="m", secret_id=self.secret.secret_id, provider="openai", model_name="gpt"
            )
        ).model_definition
        config = endpoint_pb2.GatewayEndpointModelConfig(
            model_definition_id=self.model.model_definition_id, linkage_type="PRIMARY", weight=1
        )
        created = self.do(endpoint_pb2.CreateGatewayEndpointRequest(name="e", model_configs=[config]))
        self.endpoint_id = created.endpoint.endpoint_id

    def do(self, request: Any, *, at: int | None = None, code: Code | None = None) -> Any:
        """Send a request: a read of the revision ``at``, if it is given; with ``code`` in place of the response."""
        response = self._change(request) if is_change(request) else self._read(request, at)
        invoked = next(self._times)
        attempt = Attempt("a", 0, "a", invoked, invoked + 1, request, response if code is None else None, code)
        self.history.attempts.append(attempt)
        return response

    def get(self, at: int | None = None) -> Any:
        return self.do(GetEndpoint(endpoint_id=self.endpoint_id), at=at)

    def update(self, experiment_id: str, etag: str | None = None, *, code: Code | None = None) -> Any:
        request = UpdateEndpoint(endpoint_id=self.endpoint_id, experiment_id=experiment_id, etag=etag)
        return self.do(request, code=code)

    def repeat(self, attempt: Attempt, response: Any, *, final: bool = True) -> None:
        """Send a request again."""
        invoked = next(self._times)
        again = replace(attempt, invoked=invoked, returned=invoked + 1, response=response, code=None, final=final)
        self.history.attempts.append(again)

    @property
    def last(self) -> Attempt:
        return self.history.attempts[-1]

    def _change(self, request: Any) -> Any:
        request.request_id = f"r-{next(self._ids)}"
        method, revision = METHOD_OF[type(request)], len(self.states)
        response = method.response_type()
        noun = next((field.name for field in response.DESCRIPTOR.fields if field.message_type), None)
        if noun is not None and method.name.startswith("Create"):
            setattr(getattr(response, noun), f"{noun}_id", f"{noun}-{revision}")
        own, after = apply(self.states[-1], request, Outcome("a", revision, response))
        if noun is not None:
            getattr(response, noun).CopyFrom(after[own])
        response.etag, response.revision = etag_of(after[own]), revision
        before = self.states[-1].get(own)
        effect = GatewayChangeEffect(*own, etag_before=before and etag_of(before), etag_after=response.etag)
        self.history.changes = [*self.history.changes, GatewayChange(revision, revision, method.name, effect, actor="a")]
        self.states.append(after)
        return response

    def _read(self, request: Any, at: int | None) -> Any:
        revision = len(self.states) - 1 if at is None else at
        response = METHOD_OF[type(request)].response_type(revision=revision)
        found = read(self.states[revision], request)
        if isinstance(request, GetEndpoint):
            response.endpoint.CopyFrom(found[0])
        else:
            response.endpoints.extend(found)
        return response


@pytest.fixture
def made() -> Made:
    return Made()


def kinds(made: Made) -> set[str]:
    return {violation.kind for violation in check(made.history)}


def test_a_correct_history_has_no_violation(made: Made) -> None:
    etag = made.get().endpoint and etag_of(made.get().endpoint)
    made.update("1", etag)
    made.do(endpoint_pb2.ListGatewayEndpointsRequest())
    stale = UpdateEndpoint(endpoint_id=made.endpoint_id, experiment_id="2", etag=etag, request_id="stale")
    assert rejection(made.states[-1], stale, endpoint_pb2.UpdateGatewayEndpointResponse) is Code.ABORTED
    made.history.attempts.append(Attempt("b", 1, "b", 90, 91, stale, code=Code.ABORTED))
    assert check(made.history) == []


def test_a_read_may_show_either_side_of_a_concurrent_change(made: Made) -> None:
    made.update("1")
    change = made.last
    for at in (3, 4):
        made.get(at)
        made.history.attempts[-1] = replace(made.last, invoked=change.invoked, returned=change.returned)
    assert check(made.history) == []


def test_a_stale_cached_read(made: Made) -> None:
    made.update("1")
    made.get(at=3)
    assert kinds(made) == {"stale"}


def test_a_read_older_than_another_client_s_read(made: Made) -> None:
    """Two reads of one change whose response has not come yet, in the wrong order."""
    made.update("1")
    change = made.last
    made.history.attempts[-1] = replace(change, returned=1000)
    made.get(at=4)
    assert check(made.history) == []
    made.get(at=3)
    assert kinds(made) == {"stale"}


def test_a_lost_update_of_two_that_had_read_the_same(made: Made) -> None:
    etag = etag_of(made.get().endpoint)
    made.update("1", etag)
    made.update("2")
    made.last.request.etag = etag
    assert kinds(made) == {"change"}


def test_a_lost_update_that_is_not_in_the_change_log(made: Made) -> None:
    made.update("1")
    made.history.changes = made.history.changes[:-1]
    made.states.pop()
    assert kinds(made) == {"lost"}


def test_an_update_that_is_overwritten_by_another_s_older_copy(made: Made) -> None:
    """The second update sets one field, and what the first has set is as before."""
    before = made.states[-1]
    made.update("1")
    lost, made.states[-1] = made.states[-1], before
    made.do(UpdateEndpoint(endpoint_id=made.endpoint_id, name="renamed"))
    assert lost != before
    assert kinds(made) == {"change"}


def test_a_doubled_change(made: Made) -> None:
    made.update("1")
    made.update("1")
    made.history.attempts.pop()
    assert kinds(made) == {"doubled"}


def test_a_doubled_change_after_a_lost_response(made: Made) -> None:
    made.update("1", code=Code.UNAVAILABLE)
    lost = made.last
    again = made.update("1")
    made.history.attempts.pop()
    made.repeat(lost, again, final=False)
    assert kinds(made) == {"doubled"}


def test_a_gap_in_revisions(made: Made) -> None:
    made.update("1")
    made.update("2")
    made.history.changes = [*made.history.changes[:3], made.history.changes[4]]
    assert kinds(made) == {"gap", "lost"}


def test_a_read_of_an_uncommitted_write(made: Made) -> None:
    made.get()
    made.last.response.endpoint.experiment_id = "7"
    assert kinds(made) == {"uncommitted"}


def test_a_read_of_a_revision_that_was_rolled_back(made: Made) -> None:
    made.get()
    made.last.response.revision = 4
    assert kinds(made) == {"uncommitted"}


def test_a_read_before_the_change_was_sent(made: Made) -> None:
    made.update("1")
    made.get()
    made.history.attempts[-1] = replace(made.last, invoked=5.5, returned=5.6)
    assert kinds(made) == {"order"}


def test_a_read_of_two_revisions_mixed(made: Made) -> None:
    made.update("1")
    response = made.do(endpoint_pb2.ListGatewayEndpointsRequest())
    response.endpoints[0].CopyFrom(made.states[3]["endpoint", made.endpoint_id])
    assert kinds(made) == {"content"}


def test_a_resurrected_token() -> None:
    def use(invoked: float, server: int, code: Code | None) -> Attempt:
        return Attempt("b", server, "b", invoked, invoked + 0.1, GetEndpoint(name="e"), object(), code)

    def found(*attempts: Attempt) -> list[str]:
        history = History(list(attempts), tokens=[TokenUse("b", (0.0, 0.1), (5.0, 5.1))])
        return [violation.text.partition(":")[0] for violation in check_tokens(history)]

    rejected = Code.UNAUTHENTICATED
    assert found(use(1, 0, None), use(6, 0, rejected), use(6.5, 1, None), use(8, 1, rejected)) == []
    assert found(use(6, 0, rejected), use(6.5, 0, None)) == ["accepted by a server that had rejected it"]
    assert found(use(6, 0, rejected), use(8, 1, None)) == ["accepted after its revocation"]
    assert found(use(-1, 0, None)) == ["accepted before its creation"]
    assert found(use(3, 0, rejected)) == ["rejected before its revocation"]


@pytest.mark.parametrize("took_effect", [True, False])
def test_a_change_with_a_lost_response_may_have_taken_effect(made: Made, took_effect: bool) -> None:
    """What the request_id gives at the end decides."""
    response = made.update("1", code=Code.UNAVAILABLE)
    if not took_effect:
        made.history.changes = made.history.changes[:-1]
        made.states.pop()
    lost = made.last
    made.get()
    made.repeat(lost, response)
    assert check(made.history) == []


def test_a_rejected_change_has_no_effect(made: Made) -> None:
    response = made.update("1", code=Code.NOT_FOUND)
    made.repeat(made.last, response)
    assert "error" in kinds(made)
    doubled = [replace(attempt, doubled=True) for attempt in made.history.attempts]
    # Its second copy may have come after what the first did not find. Here it has always been there.
    made.history.attempts = doubled
    assert kinds(made) == {"error"}


def test_an_error_that_no_state_gives(made: Made) -> None:
    made.get()
    made.history.attempts[-1] = replace(made.last, response=None, code=Code.NOT_FOUND)
    assert kinds(made) == {"error"}


@pytest.mark.parametrize("spoil", ["etag", "revision"])
def test_a_repeat_with_another_response(made: Made, spoil: str) -> None:
    response = made.update("1")
    other = type(response)()
    other.CopyFrom(response)
    setattr(other, spoil, {"etag": "0" * 32, "revision": 3}[spoil])
    made.repeat(made.last, other, final=False)
    assert kinds(made) == {"repeat"}


@pytest.mark.parametrize("code", [Code.INTERNAL, Code.INVALID_ARGUMENT, Code.DATA_LOSS, Code.UNKNOWN])
def test_an_error_that_no_request_may_get(made: Made, code: Code) -> None:
    made.history.attempts.append(Attempt("a", 0, "a", 90, 91, GetEndpoint(name="e"), code=code))
    assert kinds(made) == {"error"}


def test_a_page_of_the_change_log(made: Made) -> None:
    changes = [change.to_proto() for change in made.history.changes]
    for shown, found in ((changes[1:], set[str]()), (changes, {"content"})):
        response = change_pb2.ListGatewayChangesResponse(changes=shown, revision=3)
        request = change_pb2.ListGatewayChangesRequest(since_revision=1)
        made.history.attempts.append(Attempt("a", 0, "a", 90, 91, request, response))
        assert kinds(made) == found


@pytest.mark.parametrize(
    ("counters", "charged", "correct"),
    [
        ([1, 2, 3], 3, True),
        # A doubled charge, a lost one, and one that another overwrote.
        ([1, 3, 4], 4, False),
        ([1, 2, 3], 2, False),
        ([1, 1, 2], 2, False),
    ],
)
def test_charges(counters: list[int], charged: int, correct: bool) -> None:
    def charge(number: int, counter: int) -> Attempt:
        windows = [budget_pb2.GatewayBudgetWindow(current_spend=counter)]
        request = budget_pb2.RecordGatewaySpendRequest(request_id=str(number), endpoint_id="e")
        response = budget_pb2.RecordGatewaySpendResponse(windows=windows)
        return Attempt("a", 0, "a", number, number + 0.5, request, response)

    history = History([charge(*each) for each in enumerate(counters)], charged=charged)
    assert (check_charges(history) == []) is correct

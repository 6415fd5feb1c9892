"""Live streams: a language resolves an endpoint and follows the configuration with a token, and loses the token.

It keeps what it received, so that the state and the digest of each side are compared: those of our mirror, and the digest
that the language computes itself.
"""

from __future__ import annotations

import contextlib

from gateway_entities import methods as m
from gateway_entities.client import GatewayClient
from gateway_entities.entities import (
    BudgetDuration,
    BudgetDurationUnit,
    GatewayEndpointModelConfig,
    GatewayModelLinkageType,
)
from gateway_entities.errors import Code, GatewayError
from gateway_entities.mirror.core import MirrorCore, MirrorUpdate
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.testing import Gateway
from gateway_entities.transports import Transport, open_transport
from gateway_entities.transports.base import MessageStream
from tests.interop.faults import Cell
from tests.interop.lifecycle import TIMEOUT_MS, Lifecycle, StoppedError
from tests.interop.proto.testee_pb2 import TesteeRequest, TesteeResponse, Updates
from tests.interop.testee import Testee

WATCH = m.WATCH_GATEWAY
API_KEY = "sk-interop-90c1e4b7"
# The order of their bytes is not that of UTF-16 units, in which some languages compare strings.
RESOURCE_IDS = ("\U0001f600", "\ufffd", "a", "a b")


class Follower(Lifecycle):
    """One testee that follows a gateway with a token. See :func:`follow`."""

    def __init__(self, testee: Testee, running: Gateway, scheme: str, ours: Transport) -> None:
        super().__init__(testee, running, scheme, ours)
        self.cell = Cell(testee.name, f"stream {scheme}")
        self.mirror = MirrorCore()
        self._received: list[bytes] = []
        self._store = f"sqlite:///{running.store_path}"
        token = running.create_token(self.name, "read", "resolve")
        self._metadata = {"authorization": f"Bearer {token}"}

    def begin(self) -> bool:
        """Begin a stream where the mirror is; return whether its first update is a snapshot. Raises StoppedError."""
        request = WATCH.request_type(resume_token=self.mirror.resume_token)
        return self._applied(TesteeRequest(stream=self._as_call(WATCH, request, self._target, TIMEOUT_MS))).is_snapshot

    def until(self, revision: int) -> None:
        """Receive updates up to a revision, and compare the digests then. Raises StoppedError."""
        while self.mirror.state.revision < revision:
            self._applied(TesteeRequest(next=True))
        came = self._answered(TesteeRequest(mirror=Updates(messages=self._received)))
        if came != TesteeResponse(digest=self.mirror.digest()):
            self._unexpected(f"the digest {self.mirror.digest()}", came)

    def alerted(self) -> list[int]:
        """Receive updates up to one with alerts of budgets; return their shares. Raises StoppedError."""
        while not (alerts := self._applied(TesteeRequest(next=True)).alerts):
            pass
        return [alert.share_percent for alert in alerts]

    def cancel(self) -> None:
        """End the stream; afterwards there is none. Raises StoppedError."""
        for request in (TesteeRequest(cancel=True), TesteeRequest(next=True)):
            came = self._answered(request)
            if came != TesteeResponse(ended=True):
                self._unexpected("the end of the stream", came)

    def revoked(self) -> None:
        """Revoke the token: the stream ends as one of our client. Raises StoppedError."""
        # From nothing: the first update comes immediately.
        ours = self._ours.stream(WATCH, b"", timeout=TIMEOUT_MS / 1000, metadata=self._metadata)
        with contextlib.closing(ours), open_tokens(self._store) as manager:
            next(ours)
            manager.revoke(self.name)
            wanted = _error_of(ours)
        while (came := self._answered(TesteeRequest(next=True))).WhichOneof("result") == "proto":
            pass
        failed = came.call_error
        if (failed.code, failed.message) != (wanted.code.number, wanted.message) or wanted.code is not Code.UNAUTHENTICATED:
            self._unexpected(f"the error {wanted}", came)

    def expect(self, what: str, *, wanted: object, came: object) -> None:
        """Record a fault unless these are equal."""
        if wanted != came:
            self.fault(WATCH, WATCH.request_type(), f"{what}: {wanted!r}", repr(came))

    def _applied(self, request: TesteeRequest) -> MirrorUpdate:
        while True:
            came = self._answered(request)
            if came.WhichOneof("result") != "proto":
                self._unexpected("an update", came)
                raise StoppedError
            self._received.append(came.proto)
            try:
                update = self.mirror.apply(came.proto)
            except GatewayError as error:
                self._unexpected("an update that our mirror applies", f"{came.proto.hex()}: {error}")
                raise StoppedError from None
            if update is not None:
                return update
            request = TesteeRequest(next=True)

    def _answered(self, request: TesteeRequest) -> TesteeResponse:
        return self._ask(WATCH, WATCH.request_type(), request)

    def _unexpected(self, wanted: str, came: object) -> None:
        self.fault(WATCH, WATCH.request_type(), wanted, str(came))


def followed(testee: Testee, running: Gateway, scheme: str) -> Cell:
    """Resolve and follow with a testee over one scheme, on a gateway with tokens that may be shared."""
    with contextlib.closing(open_transport(running.grpc_target)) as ours:
        run = Follower(testee, running, scheme, ours)
        token = running.create_token(f"writer of {run.name}", "admin")
        with contextlib.suppress(StoppedError), GatewayClient(running.grpc_target, token=token) as writer:
            follow(run, writer)
    return run.cell


def follow(run: Follower, writer: GatewayClient) -> None:
    """Resolve an endpoint; watch from nothing, through a change and alerts, from a token, and until the token is revoked."""
    secret = writer.create_secret(run.name, {"api_key": API_KEY}, provider="openai")
    definition = writer.create_model_definition(
        run.name, secret_id=secret.secret_id, provider="openai", model_name="gpt-\u6f22"
    )
    config = GatewayEndpointModelConfig(definition.model_definition_id, GatewayModelLinkageType.PRIMARY)
    endpoint = writer.create_endpoint(run.name, [config])
    for resource_id in RESOURCE_IDS:
        writer.create_binding(endpoint.endpoint_id, "scorer", resource_id)

    resolve = m.RESOLVE_GATEWAY_ENDPOINT
    (resolved,) = run.read(resolve, resolve.request_type(endpoint_ids=[endpoint.endpoint_id])).endpoints
    run.expect("the key", wanted={"api_key": API_KEY}, came=dict(resolved.models[0].secret_value))
    run.error(resolve, resolve.request_type(names=["none"]), Code.NOT_FOUND)

    run.expect("the first update is a snapshot", wanted=True, came=run.begin())
    run.until(_revision(writer))
    run.expect("the endpoint", wanted=endpoint, came=run.mirror.state.endpoints.get(endpoint.endpoint_id))

    changed = writer.update_model_definition(definition.model_definition_id, model_name="gpt-5")
    run.until(_revision(writer))
    run.expect("a change", wanted=changed, came=run.mirror.state.model_definitions.get(changed.model_definition_id))

    writer.create_budget_policy(
        budget_unit="USD",
        budget_amount=0.1 + 0.2,
        duration=BudgetDuration(BudgetDurationUnit.MONTHS, 12),
        target_scope="ENDPOINT",
        target_value=endpoint.endpoint_id,
        budget_action="ALERT",
    )
    run.until(_revision(writer))
    writer.record_spend(endpoint.endpoint_id, amount=1_000_000)
    run.expect("the shares of the alerts", wanted=[50, 80, 100], came=run.alerted())

    run.cancel()
    writer.delete_binding(endpoint.endpoint_id, "scorer", RESOURCE_IDS[0])
    run.expect("a resumed stream begins with a snapshot", wanted=False, came=run.begin())
    run.until(_revision(writer))
    bindings = [each for each in run.mirror.state.bindings.values() if each.endpoint_id == endpoint.endpoint_id]
    run.expect("the bindings", wanted=sorted(RESOURCE_IDS[1:]), came=sorted(str(each.resource_id) for each in bindings))

    run.revoked()
    run.error(resolve, resolve.request_type(names=[run.name]), Code.UNAUTHENTICATED)


def _revision(writer: GatewayClient) -> int:
    return int(writer.list_changes()[-1].revision or 0)


def _error_of(stream: MessageStream) -> GatewayError:
    try:
        for _ in stream:
            pass
    except GatewayError as error:
        return error
    raise AssertionError("a stream whose token is revoked ends without an error")

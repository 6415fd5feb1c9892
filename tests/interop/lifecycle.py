"""Live lifecycle: a language calls every method of a running gateway, and our own client verifies the results.

each write  made by the language; its response equals what our client then reads
each read   made by both, like a write that is repeated without effect; the responses are equal, byte for byte
each error  received by both; code, message and details are equal
"""

from __future__ import annotations

import contextlib
import socket
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message

from gateway_entities import methods
from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS, Method
from gateway_entities.testing import Gateway
from gateway_entities.transports import Transport, open_transport
from tests.calls import call
from tests.interop.cases import Case
from tests.interop.faults import Cell, Fault
from tests.interop.matrix import listed, unseen
from tests.interop.proto.testee_pb2 import Call, TesteeRequest, TesteeResponse
from tests.interop.reference import Result
from tests.interop.scenario import scenario
from tests.interop.testee import Testee, TesteeError

R = TypeVar("R", bound=Message)

TIMEOUT_MS = 60_000
SHORT_MS = 500


class StoppedError(Exception):
    """The lifecycle cannot continue, because of a recorded fault."""


class Lifecycle:
    """One run of the lifecycle by one testee over one scheme. See :func:`tests.interop.scenario.scenario`."""

    def __init__(
        self, testee: Testee, running: Gateway, scheme: str, ours: Transport, metadata: Mapping[str, str] | None = None
    ) -> None:
        self.cell = Cell(testee.name, f"call {scheme}")
        self.called: set[str] = set()
        # An aborted run leaves its names behind.
        self.name = f"{testee.name}-{uuid.uuid4().hex}"
        self._testee, self._ours = testee, ours
        self._target = running.grpc_target if scheme == "grpc" else running.http_target
        self._json = scheme.endswith("+json")
        self._metadata = dict(metadata or {})

    def write(self, method: Method[Any, R], request: Message, get: Method[Any, Any] | None = None, key: str = "") -> R:
        """Make a writing call, and compare its response with what our client then reads by its key.

        Raises:
            StoppedError: it failed.
        """
        response = self._response(method, request)
        if get is not None:
            came = _resource(response)
            wanted = _resource(self._call_ours(get, get.request_type(**{key: getattr(came[0], key)})))
            if wanted != came:
                self.fault(method, request, f"what our client reads: {wanted!r}", repr(came))
        return response

    def read(self, method: Method[Any, R], request: Message) -> R:
        """Make a reading call, or one with a repeat that changes nothing, and compare it with our client's.

        Raises:
            StoppedError: it failed.
        """
        came, ours = self._response(method, request), self._call_ours(method, request)
        if came != ours:
            self.fault(method, request, str(ours), str(came))
        return ours

    def error(self, method: Method[Any, Any], request: Message, code: Code) -> None:
        """Make a call that fails with this code, and compare the error with our client's."""
        response = self._call(method, request, self._target, TIMEOUT_MS)
        try:
            call(self._ours, method, request, timeout=TIMEOUT_MS / 1000, metadata=self._metadata)
        except GatewayError as error:
            wanted = (error.code.number, error.message, sorted((each.TypeName(), each.value) for each in error.details()))
            if error.code is not code:
                self.fault(method, request, f"our client fails with {code.name}", f"it fails with {error}")
        else:
            self.fault(method, request, f"our client fails with {code.name}", "it succeeds")
            raise StoppedError
        failed = response.call_error
        came = (failed.code, failed.message, sorted((each.TypeName(), each.value) for each in failed.details))
        if response.WhichOneof("result") != "call_error":
            self.fault(method, request, f"the error {wanted}", str(response))
        elif came != wanted:
            self.fault(method, request, f"the error {wanted}", f"the error {came}")

    def failure(self, step: str, target: str, code: Code, timeout_ms: int) -> None:
        """Call an address without a gateway. The code of the error is compared, not its message."""
        method, request = methods.LIST_GATEWAY_SECRET_INFOS, methods.LIST_GATEWAY_SECRET_INFOS.request_type()
        scheme = "grpc" if self._target.startswith("grpc") else "http"
        response = self._call(method, request, f"{scheme}://{target}", timeout_ms)
        kind = response.WhichOneof("result") or ""
        came = Result(kind, response.call_error.code if kind == "call_error" else getattr(response, kind))
        wanted = Result("call_error", code.number)
        if came == wanted:
            return
        case = Case(f"call/{step}", method.request_type.DESCRIPTOR.name, request.SerializeToString())
        for each in listed(self.cell.language, self.cell.operation):
            if each.applies(case) and each.instead(case, wanted) == came:
                self.cell.deviations[each.name] += 1
                return
        self.fault(method, request, f"{step}: {wanted}", f"{came} {response.call_error.message}")

    def _response(self, method: Method[Any, R], request: Message) -> R:
        response = self._call(method, request, self._target, TIMEOUT_MS)
        if response.WhichOneof("result") != "proto":
            self.fault(method, request, "a response", str(response))
            raise StoppedError
        try:
            return method.response_type.FromString(response.proto)
        except DecodeError:
            self.fault(method, request, f"a {method.name}Response", response.proto.hex())
            raise StoppedError from None

    def _call(self, method: Method[Any, Any], request: Message, target: str, timeout_ms: int) -> TesteeResponse:
        return self._ask(method, request, TesteeRequest(call=self._as_call(method, request, target, timeout_ms)))

    def _as_call(self, method: Method[Any, Any], request: Message, target: str, timeout_ms: int) -> Call:
        self.called.add(method.path)
        call = Call(
            target=target,
            path=method.path,
            request=request.SerializeToString(),
            timeout_ms=timeout_ms,
            metadata=self._metadata,
        )
        if self._json:
            call.json = True
        return call

    def _ask(self, method: Method[Any, Any], request: Message, asked: TesteeRequest) -> TesteeResponse:
        self.cell.count += 1
        try:
            return self._testee.one(asked)
        except TesteeError as error:
            self.fault(method, request, "a response", str(error))
            raise StoppedError from None

    def _call_ours(self, method: Method[Any, R], request: Message) -> R:
        try:
            return call(self._ours, method, request, timeout=TIMEOUT_MS / 1000, metadata=self._metadata)
        except GatewayError as error:
            self.fault(method, request, "our client succeeds", f"it fails with {error}")
            raise StoppedError from None

    def fault(self, method: Method[Any, Any], request: Message, wanted: str, came: str) -> None:
        """Record a fault."""
        given = request.SerializeToString().hex()
        step = f"call/{self.cell.count}"
        self.cell.faults.append(Fault(self.cell.language, self.cell.operation, step, method.path, given, wanted, came))


def live(testee: Testee, running: Gateway, scheme: str) -> Cell:
    """Run the lifecycle with a testee over one scheme, on a gateway that may be shared."""
    with contextlib.closing(open_transport(running.grpc_target)) as ours:
        run = Lifecycle(testee, running, scheme, ours)
        with contextlib.suppress(StoppedError):
            scenario(run)
            for method in METHODS:
                # tests.interop.following calls the streams.
                if method.path not in run.called and not method.server_streaming:
                    run.fault(method, method.request_type(), "the scenario calls it", "it calls every method but this")
            with silent() as target:
                run.failure("no response", target, Code.DEADLINE_EXCEEDED, SHORT_MS)
            run.failure("no listener", target, Code.UNAVAILABLE, TIMEOUT_MS)
            run.cell.faults += unseen(run.cell)
    return run.cell


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """Listen on a free port without responding; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def _resource(response: Any) -> tuple[Any, str]:
    return getattr(response, response.DESCRIPTOR.fields[0].name), response.etag

"""The live lifecycle: a language calls every method of a running gateway, and our own client looks at what came of it.

each change    made by the language; what it was answered is what our client then reads
each question  asked by both; the answers are equal, byte for byte
each rejection   met by both; code, message and details are equal
"""

from __future__ import annotations

import contextlib
import socket
import uuid
from collections.abc import Iterator
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
from tests.interop.reference import Answer
from tests.interop.scenario import scenario
from tests.interop.testee import Testee, TesteeError

R = TypeVar("R", bound=Message)

TIMEOUT_MS = 60_000
SHORT_MS = 500


class StoppedError(Exception):
    """The lifecycle cannot go on, because of a fault that is already noted."""


class Lifecycle:
    """One run of the lifecycle by one testee over one kind of target. See :func:`tests.interop.scenario.scenario`."""

    def __init__(self, testee: Testee, running: Gateway, scheme: str, ours: Transport) -> None:
        self.cell = Cell(testee.name, f"call {scheme}")
        self.called: set[str] = set()
        # A run that stopped half-way has left its names behind.
        self.name = f"{testee.name}-{uuid.uuid4().hex}"
        self._testee, self._ours = testee, ours
        self._target = running.grpc_target if scheme == "grpc" else running.http_target
        self._json = scheme.endswith("+json")

    def change(self, method: Method[Any, R], request: Message, read: Method[Any, Any] | None = None, key: str = "") -> R:
        """Make a call that changes something, and compare what it answered with what our client then reads by its key.

        Raises:
            StoppedError: it failed.
        """
        response = self._answer(method, request)
        if read is not None:
            came = _resource(response)
            wanted = _resource(self._ask_ours(read, read.request_type(**{key: getattr(came[0], key)})))
            if wanted != came:
                self.fault(method, request, f"what our client reads: {wanted!r}", repr(came))
        return response

    def question(self, method: Method[Any, R], request: Message) -> R:
        """Send a request that our client sends too. Raises StoppedError when it fails."""
        came, ours = self._answer(method, request), self._ask_ours(method, request)
        if came != ours:
            self.fault(method, request, str(ours), str(came))
        return ours

    def rejection(self, method: Method[Any, Any], request: Message, code: Code) -> None:
        """Make a call that the gateway refuses with this code, and compare the error with the one that our client sees."""
        response = self._call(method, request, self._target, TIMEOUT_MS)
        try:
            call(self._ours, method, request, timeout=TIMEOUT_MS / 1000)
        except GatewayError as error:
            wanted = (error.code.number, error.message, sorted((each.TypeName(), each.value) for each in error.details()))
            if error.code is not code:
                self.fault(method, request, f"our client is refused with {code.name}", f"it is refused with {error}")
        else:
            self.fault(method, request, f"our client is refused with {code.name}", "it is answered")
            raise StoppedError
        failed = response.call_error
        came = (failed.code, failed.message, sorted((each.TypeName(), each.value) for each in failed.details))
        if response.WhichOneof("result") != "call_error":
            self.fault(method, request, f"the error {wanted}", str(response))
        elif came != wanted:
            self.fault(method, request, f"the error {wanted}", f"the error {came}")

    def failure(self, step: str, target: str, code: Code, timeout_ms: int) -> None:
        """Call where no gateway answers. The words of the error are each library's own, the code is not."""
        method, request = methods.LIST_GATEWAY_SECRET_INFOS, methods.LIST_GATEWAY_SECRET_INFOS.request_type()
        scheme = "grpc" if self._target.startswith("grpc") else "http"
        response = self._call(method, request, f"{scheme}://{target}", timeout_ms)
        kind = response.WhichOneof("result") or ""
        came = Answer(kind, response.call_error.code if kind == "call_error" else getattr(response, kind))
        wanted = Answer("call_error", code.number)
        if came == wanted:
            return
        case = Case(f"call/{step}", method.request_type.DESCRIPTOR.name, request.SerializeToString())
        for each in listed(self.cell.language, self.cell.operation):
            if each.applies(case) and each.instead(case, wanted) == came:
                self.cell.deviations[each.name] += 1
                return
        self.fault(method, request, f"{step}: {wanted}", f"{came} {response.call_error.message}")

    def _answer(self, method: Method[Any, R], request: Message) -> R:
        response = self._call(method, request, self._target, TIMEOUT_MS)
        if response.WhichOneof("result") != "proto":
            self.fault(method, request, "an answer", str(response))
            raise StoppedError
        try:
            return method.response_type.FromString(response.proto)
        except DecodeError:
            self.fault(method, request, f"a {method.name}Response", response.proto.hex())
            raise StoppedError from None

    def _call(self, method: Method[Any, Any], request: Message, target: str, timeout_ms: int) -> TesteeResponse:
        call = Call(target=target, path=method.path, request=request.SerializeToString(), timeout_ms=timeout_ms)
        if self._json:
            call.json = True
        self.called.add(method.path)
        self.cell.count += 1
        try:
            return self._testee.one(TesteeRequest(call=call))
        except TesteeError as error:
            self.fault(method, request, "an answer", str(error))
            raise StoppedError from None

    def _ask_ours(self, method: Method[Any, R], request: Message) -> R:
        try:
            return call(self._ours, method, request, timeout=TIMEOUT_MS / 1000)
        except GatewayError as error:
            self.fault(method, request, "our client is answered", f"it is refused with {error}")
            raise StoppedError from None

    def fault(self, method: Method[Any, Any], request: Message, wanted: str, came: str) -> None:
        """Note a fault."""
        given = request.SerializeToString().hex()
        step = f"call/{self.cell.count}"
        self.cell.faults.append(Fault(self.cell.language, self.cell.operation, step, method.path, given, wanted, came))


def live(testee: Testee, running: Gateway, scheme: str) -> Cell:
    """Run the lifecycle by a testee over one kind of target, on a gateway that others may have used before it."""
    with contextlib.closing(open_transport(running.grpc_target)) as ours:
        run = Lifecycle(testee, running, scheme, ours)
        with contextlib.suppress(StoppedError):
            scenario(run)
            for method in METHODS:
                if method.path not in run.called:
                    run.fault(method, method.request_type(), "the scenario calls it", "it calls every method but this")
            with silent() as target:
                run.failure("nobody answers", target, Code.DEADLINE_EXCEEDED, SHORT_MS)
            run.failure("nobody listens", target, Code.UNAVAILABLE, TIMEOUT_MS)
            run.cell.faults += unseen(run.cell)
    return run.cell


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """Listen on a free port without ever answering; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def _resource(response: Any) -> tuple[Any, str]:
    return getattr(response, response.DESCRIPTOR.fields[0].name), response.etag

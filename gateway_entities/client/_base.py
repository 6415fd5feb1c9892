"""What the two clients share, without I/O: defaults of calls, the retry policy, and the decoding of responses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message

from gateway_entities.errors import Code, GatewayError, WireError
from gateway_entities.methods import Method, Request, Response
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.metadata import bearer, headers

Entity = TypeVar("Entity")
M = TypeVar("M", bound=Message)

PAGE_SIZE = 1000
"""Items per page of a list: few calls, and small messages."""

_ATTEMPTS = 4
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0


class BaseClient:
    """Target, timeout and metadata of a client."""

    def __init__(self, target: str, timeout: float | None, metadata: Mapping[str, str] | None, token: str | None) -> None:
        self._target = target
        self._timeout = timeout
        self._metadata = dict(headers(metadata))
        if token is not None:
            if "authorization" in self._metadata:
                raise GatewayError(
                    Code.INVALID_ARGUMENT, "metadata['authorization'] and a token are one too many", reason="BAD_METADATA"
                )
            self._metadata["authorization"] = bearer(target, token)
        Deadline(timeout)

    def _deadline(self, timeout: float | None) -> Deadline:
        return Deadline(self._timeout if timeout is None else timeout)


class RetryPolicy:
    """Attempts of one call: their timeouts, which errors are retried, and the pauses between them."""

    __slots__ = ("_attempts", "_deadline", "_deduplicated")

    def __init__(self, method: Method[Any, Any], request: Message, deadline: Deadline, *, deduplicates: bool) -> None:
        """Create the policy of a call. A mutation without a request_id gets one, if the server deduplicates.

        Args:
            method: the RPC.
            request: its request.
            deadline: the deadline of the call.
            deduplicates: whether the transport carries request_ids, so that a repeated mutation is applied once.
        """
        self._deduplicated = method.has_request_id and deduplicates
        if self._deduplicated:
            ensure_request_id(request)
        self._attempts = _ATTEMPTS if method.idempotent or self._deduplicated else 1
        self._deadline = deadline

    def timeout(self) -> float | None:
        """Return the timeout of the next attempt in seconds; None for no limit.

        Raises:
            GatewayError: DEADLINE_EXCEEDED when no time is left.
        """
        left = self._deadline.remaining()
        # A lost response is requested again, which needs time too.
        return left / 2 if left is not None and self._deduplicated and self._attempts > 1 else left

    def backoff(self, error: GatewayError) -> float:
        """Return the pause before the next attempt in seconds.

        Raises:
            GatewayError: the error itself, if it is not retried.
        """
        import random

        self._attempts -= 1
        lost = error.code is Code.UNAVAILABLE or (self._deduplicated and error.code is Code.DEADLINE_EXCEEDED)
        if not lost or self._attempts == 0:
            raise error
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (_ATTEMPTS - 1 - self._attempts))
        # Clients that failed together must not come back together.
        pause = longest * random.uniform(0.5, 1.0)  # noqa: S311 - Nobody gains by guessing it.
        if self._deadline.at is not None and time.monotonic() + pause >= self._deadline.at:
            raise error
        return pause


def ensure_request_id(request: Any) -> None:
    """Set a random request_id, unless the request has one."""
    if not request.HasField("request_id"):
        import uuid

        request.request_id = uuid.uuid4().hex


def decode(method: Method[Request, Response], data: bytes) -> Response:
    """Return the decoded response message.

    Raises:
        GatewayError: INTERNAL for bytes that do not decode.
    """
    try:
        return method.response_type.FromString(data)
    except DecodeError:
        raise GatewayError(Code.INTERNAL, f"the server's response is not a {method.name}Response") from None


def read_entity(from_proto: Callable[[M], Entity], message: M) -> Entity:
    """Convert a message of a response.

    Raises:
        GatewayError: INTERNAL; the message lacks a required field.
    """
    try:
        return from_proto(message)
    except WireError as error:
        description = f"the server's response is not complete: {error.message}"
    raise GatewayError(Code.INTERNAL, description, reason="BAD_ANSWER")


def read_entities(from_proto: Callable[[M], Entity], messages: Iterable[M]) -> list[Entity]:
    """Convert repeated messages of a response.

    Raises:
        GatewayError: INTERNAL; a message lacks a required field.
    """
    return [read_entity(from_proto, message) for message in messages]


def next_page(request: Any, response: Any) -> bool:
    """Point the request of a list at its next page; return False after the last page.

    Raises:
        GatewayError: INTERNAL; the page leads to itself.
    """
    token: str = response.next_page_token
    if token and token == request.page_token:
        raise endless_list()
    request.page_token = token
    return bool(token)


def endless_list() -> GatewayError:
    """Return the error of a page that leads to itself."""
    return GatewayError(Code.INTERNAL, "the server's list does not end: a page leads to itself", reason="BAD_ANSWER")

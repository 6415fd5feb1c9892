"""What the two clients share, without I/O: defaults of calls, and the decoding of responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message

from gateway_entities.client._retry import Retries
from gateway_entities.entities.base import Entity
from gateway_entities.entities.parts import field_of, split
from gateway_entities.errors import Code, GatewayError, WireError
from gateway_entities.methods import Method, Request, Response
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.metadata import bearer, bearer_of_environment, headers

E = TypeVar("E", bound=Entity[Any])

PAGE_SIZE = 1000
"""Items per page of a list: few calls, and small messages."""


class BaseClient:
    """Target, timeout, metadata and retries of a client."""

    def __init__(
        self,
        target: str,
        timeout: float | None,
        retry_timeout: float | None,
        metadata: Mapping[str, str] | None,
        token: str | None,
    ) -> None:
        self._target = target
        self._timeout = timeout
        self._metadata = dict(headers(metadata))
        if token is not None:
            if "authorization" in self._metadata:
                raise GatewayError(
                    Code.INVALID_ARGUMENT, "metadata['authorization'] and a token are one too many", reason="BAD_METADATA"
                )
            self._metadata["authorization"] = bearer(target, token)
        elif "authorization" not in self._metadata and (value := bearer_of_environment(target)) is not None:
            self._metadata["authorization"] = value
        Deadline(timeout)
        Deadline(retry_timeout)
        self._retries = Retries(retry_timeout)
        self._last_revision: int | None = None

    @property
    def last_revision(self) -> int | None:
        """The revision in the last response that had one: of a change, or of a list. None before, and in MLflow's dialect.

        Threads and tasks share it. After a change, ``mirror.wait_for`` and ``wait_for_convergence`` take it.
        """
        return self._last_revision

    def _note_revision(self, response: Message) -> None:
        if "revision" in response.DESCRIPTOR.fields_by_name and response.HasField("revision"):
            self._last_revision = response.revision  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]

    def _deadline(self, timeout: float | None) -> Deadline:
        return Deadline(self._timeout if timeout is None else timeout)


def decode(method: Method[Request, Response], data: bytes) -> Response:
    """Return the decoded response message.

    Raises:
        GatewayError: INTERNAL for bytes that do not decode.
    """
    try:
        return method.response_type.FromString(data)
    except DecodeError:
        raise GatewayError(Code.INTERNAL, f"the server's response is not a {method.name}Response") from None


def decode_entities(method: Method[Any, Response], kind: type[E], data: bytes) -> tuple[Response, list[E]]:
    """Return the entities of one class in a response, and the response message, which may be without them.

    Raises:
        GatewayError: INTERNAL for bytes that do not decode, or for an entity without a required field.
    """
    parts = split(method.response_type, kind, data)
    if parts is not None:
        entities, others = parts
        return decode(method, others), entities
    response = decode(method, data)
    field = field_of(method.response_type, kind)
    part = getattr(response, field.name)
    return response, [read_entity(kind, message) for message in (part if field.is_repeated else (part,))]


def read_entity(kind: type[E], message: Any) -> E:
    """Return the entity of a message in a response.

    Raises:
        GatewayError: INTERNAL; it lacks a required field.
    """
    try:
        return kind.from_proto(message)
    except WireError as error:
        description = f"the server's response is not complete: {error.message}"
    raise GatewayError(Code.INTERNAL, description, reason="BAD_ANSWER")


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


def revision_of(response: Any) -> int | None:
    """Return the revision of a response; None if it has none."""
    fields = response.DESCRIPTOR.fields_by_name
    return response.revision if "revision" in fields and response.HasField("revision") else None


def endless_list() -> GatewayError:
    """Return the error of a page that leads to itself."""
    return GatewayError(Code.INTERNAL, "the server's list does not end: a page leads to itself", reason="BAD_ANSWER")

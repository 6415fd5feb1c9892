"""The errors of this package, and the one table that gives each status its name in every protocol.

gRPC numbers and names: https://grpc.github.io/grpc/core/md_doc_statuscodes.html. Connect names and HTTP statuses:
https://connectrpc.com/docs/protocol#error-codes. Details: google/rpc/error_details.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from google.protobuf.any_pb2 import Any as AnyMessage

DOMAIN = "gateway-entities"
"""The domain of every ErrorInfo this package writes: the definer of the reasons."""


class Code(Enum):
    """Error status, with its name or number in each protocol.

    Attributes:
        number: the gRPC status code.
        connect: the Connect error code.
        http_status: the HTTP status of a Connect response.
        mlflow: the ``error_code`` of MLflow's REST dialect.
        mlflow_http_status: the HTTP status of a response in MLflow's REST dialect. MLflow's client retries 408, 429,
            500, 502, 503 and 504 for minutes, so no client error has one of these.
    """

    CANCELLED = (1, "canceled", 499, "CANCELLED", 499)
    UNKNOWN = (2, "unknown", 500, "INTERNAL_ERROR", 500)
    INVALID_ARGUMENT = (3, "invalid_argument", 400, "INVALID_PARAMETER_VALUE", 400)
    DEADLINE_EXCEEDED = (4, "deadline_exceeded", 504, "DEADLINE_EXCEEDED", 504)
    NOT_FOUND = (5, "not_found", 404, "RESOURCE_DOES_NOT_EXIST", 404)
    ALREADY_EXISTS = (6, "already_exists", 409, "RESOURCE_ALREADY_EXISTS", 400)
    PERMISSION_DENIED = (7, "permission_denied", 403, "PERMISSION_DENIED", 403)
    RESOURCE_EXHAUSTED = (8, "resource_exhausted", 429, "RESOURCE_LIMIT_EXCEEDED", 400)
    FAILED_PRECONDITION = (9, "failed_precondition", 400, "INVALID_STATE", 409)
    ABORTED = (10, "aborted", 409, "ABORTED", 409)
    OUT_OF_RANGE = (11, "out_of_range", 400, "OUT_OF_RANGE", 400)
    UNIMPLEMENTED = (12, "unimplemented", 501, "NOT_IMPLEMENTED", 501)
    INTERNAL = (13, "internal", 500, "INTERNAL_ERROR", 500)
    UNAVAILABLE = (14, "unavailable", 503, "TEMPORARILY_UNAVAILABLE", 503)
    DATA_LOSS = (15, "data_loss", 500, "DATA_LOSS", 500)
    UNAUTHENTICATED = (16, "unauthenticated", 401, "UNAUTHENTICATED", 401)

    def __init__(self, number: int, connect: str, http_status: int, mlflow: str, mlflow_http_status: int) -> None:
        self.number = number
        self.connect = connect
        self.http_status = http_status
        self.mlflow = mlflow
        self.mlflow_http_status = mlflow_http_status

    @classmethod
    def from_number(cls, number: int) -> Code:
        """Return the row of a gRPC status code; UNKNOWN for a number that gRPC does not define."""
        return _BY_NUMBER.get(number, cls.UNKNOWN)

    @classmethod
    def from_connect(cls, name: str) -> Code | None:
        """Return the row of a Connect error code; None for a name that Connect does not define."""
        return _BY_CONNECT.get(name)

    @classmethod
    def from_mlflow(cls, error_code: str) -> Code | None:
        """Return the row of an MLflow ``error_code``; None for a code that is not in the table."""
        return _BY_MLFLOW.get(error_code)


_BY_NUMBER = {code.number: code for code in Code}
_BY_CONNECT = {code.connect: code for code in Code}
# INTERNAL_ERROR is in two rows; it means INTERNAL.
_BY_MLFLOW = {code.mlflow: code for code in Code if code is not Code.UNKNOWN}


class FieldViolation(NamedTuple):
    """One violation of a rule by a request.

    Attributes:
        field: the path of the field within the request, such as ``model_configs[2].weight``.
        description: what is wrong and what is valid, as a sentence. Never contains the value of a secret.
    """

    field: str
    description: str


class GatewayError(Exception):
    """A failed operation, with a cause that the caller can act on.

    Attributes:
        code: the status.
        message: the cause, human-readable.
        reason: the cause, machine-readable, in UPPER_SNAKE_CASE; None if the code suffices.
        field_violations: all violations of the request, each with its field path.
        received_details: details of any type that the server sent; empty for a local error.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        reason: str | None = None,
        field_violations: Iterable[FieldViolation] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.field_violations = tuple(field_violations)
        self.received_details: tuple[AnyMessage, ...] = ()

    @classmethod
    def invalid(cls, violations: Iterable[FieldViolation], *, more: bool = False) -> GatewayError:
        """Return the error of a request that breaks rules: INVALID_ARGUMENT, its message naming every field.

        Args:
            violations: the violations.
            more: whether there may be others, because the check of the request stopped after these.
        """
        found = tuple(violations)
        message = "; ".join(f"{violation.field} {violation.description}" for violation in found)
        if more:
            message = f"more than {len(found)} violations: {message}"
        return GatewayError(Code.INVALID_ARGUMENT, message, reason="INVALID_REQUEST", field_violations=found)

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments do not survive Exception's own pickling, which process pools rely on.
        return (_rebuild, (type(self), self.__dict__.copy()))

    def details(self) -> list[AnyMessage]:
        """Return the reason and the violations as google.rpc ErrorInfo and BadRequest, ready for any transport.

        For an error received from a server, the received details.
        """
        if self.received_details:
            return list(self.received_details)
        from google.protobuf.any_pb2 import Any as AnyMessage
        from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

        messages: list[ErrorInfo | BadRequest] = []
        if self.reason is not None:
            messages.append(ErrorInfo(reason=self.reason, domain=DOMAIN))
        if self.field_violations:
            violations = [BadRequest.FieldViolation(field=v.field, description=v.description) for v in self.field_violations]
            messages.append(BadRequest(field_violations=violations))
        packed: list[AnyMessage] = []
        for message in messages:
            packed.append(AnyMessage())
            packed[-1].Pack(message)
        return packed

    @classmethod
    def from_details(cls, code: Code, message: str, details: Sequence[AnyMessage]) -> GatewayError:
        """Create the error that a server sent. Unknown and malformed details are only stored in received_details."""
        from google.protobuf.message import DecodeError
        from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

        reason: str | None = None
        violations: list[FieldViolation] = []
        for detail in details:
            info, bad_request = ErrorInfo(), BadRequest()
            try:
                if detail.Unpack(info):
                    reason = info.reason
                elif detail.Unpack(bad_request):
                    violations += [FieldViolation(v.field, v.description) for v in bad_request.field_violations]
            except DecodeError:
                continue
        error = GatewayError(code, message, reason=reason, field_violations=violations)
        error.received_details = tuple(details)
        return error


class WireError(GatewayError, ValueError):
    """Conversion error: malformed bytes or JSON, an invalid message, or a value that the wire cannot carry.

    It is also a ValueError, which pydantic reports as a validation error.

    Attributes:
        path: the field at fault, from the entity down, such as ``GatewayEndpoint.model_mappings[2].mapping_id``.
    """

    def __init__(self, path: str, description: str) -> None:
        super().__init__(
            Code.INVALID_ARGUMENT,
            f"{path}: {description}",
            reason="WIRE_FORMAT",
            field_violations=[FieldViolation(path, description)],
        )
        self.path = path


def _rebuild(kind: type[GatewayError], state: dict[str, object]) -> GatewayError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = (state["message"],)
    return error

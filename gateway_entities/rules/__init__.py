"""What a valid request is: pure functions over the request messages, without a database, a network or a clock.

The comments of the contract (proto/) say what the rules are; each request's rules stand in one table in its noun's module.
What depends on what is stored, such as whether an id exists or a name is taken, is the service's to check.
"""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.message import Message

from gateway_entities.errors import FieldViolation, GatewayError
from gateway_entities.rules import binding, budget, endpoint, model_definition, secret
from gateway_entities.rules.budget import target_fault
from gateway_entities.rules.secret import normalized_auth_config
from gateway_entities.rules.table import Table

__all__ = ["check", "normalized_auth_config", "refuse_invalid", "target_fault", "written_fields"]

_TABLES: Mapping[type[Message], Table] = {
    **secret.TABLES,
    **model_definition.TABLES,
    **endpoint.TABLES,
    **binding.TABLES,
    **budget.TABLES,
}


def check(request: Message) -> list[FieldViolation]:
    """Return everything that is wrong with a request, in the order of its fields; an empty list if it is valid.

    Args:
        request: a request of any RPC of the contract.

    Raises:
        TypeError: the message is no request.
    """
    return _table(request).violations(request)


def refuse_invalid(request: Message) -> None:
    """Check a request, and raise if anything is wrong with it.

    Raises:
        GatewayError: INVALID_ARGUMENT with everything that is wrong.
        TypeError: the message is no request.
    """
    violations = check(request)
    if violations:
        raise GatewayError.invalid(violations)


def written_fields(request: Message) -> frozenset[str]:
    """Return the names of the fields that an update writes or clears.

    These are the fields that its update_mask names; without a mask, or with one that has no paths, those that it gives. A
    field returned here that the request does not hold is to be cleared.

    Args:
        request: an update request.

    Raises:
        TypeError: the message is no request.
    """
    return _table(request).written(request)


def _table(request: Message) -> Table:
    table = _TABLES.get(type(request))
    if table is None:
        raise TypeError(f"{request.DESCRIPTOR.full_name} is not a request")
    return table

"""The blocking client."""

from __future__ import annotations

from gateway_entities.client._attachment import AttachmentMethods
from gateway_entities.client._binding import BindingMethods
from gateway_entities.client._budget import BudgetMethods
from gateway_entities.client._endpoint import EndpointMethods
from gateway_entities.client._model_definition import ModelDefinitionMethods
from gateway_entities.client._secret import SecretMethods
from gateway_entities.client._spend import SpendMethods


class GatewayClient(
    SecretMethods,
    ModelDefinitionMethods,
    EndpointMethods,
    AttachmentMethods,
    BindingMethods,
    BudgetMethods,
    SpendMethods,
):
    """A client of one gateway. Threads may share it. Close it, or use it as a context manager.

    It connects at the first call, and again whenever the connection was lost. An operation that has the same effect when it
    is repeated (reads, lists, tags, recorded spending) is tried up to four times while the server is UNAVAILABLE, within the
    call's timeout.

    An argument that is None is absent from the request. Besides the errors that each method lists, every one raises
    GatewayError with INVALID_ARGUMENT for a value that cannot be sent, UNAVAILABLE when the server cannot be reached or is
    lost in mid-call, DEADLINE_EXCEEDED when the timeout is over (the operation may have been carried out), CANCELLED once
    the client is closed, INTERNAL for a fault of the server; and WireError for a response that lacks a required field.

    Args:
        target: where the gateway is: ``grpc://HOST:PORT``, ``grpcs://HOST:PORT``, ``http://HOST[:PORT]`` or
            ``https://HOST[:PORT]``; the last letter s means TLS with the system's certificates.
        timeout: seconds for each method, retries and pages included; None waits for ever. A method's own ``timeout`` goes
            first; ``math.inf`` there waits for ever.
        metadata: sent with every call: printable ASCII by lower-case key.

    Raises:
        GatewayError: INVALID_ARGUMENT for a target, timeout or metadata of no valid form.
    """

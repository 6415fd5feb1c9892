"""The blocking client."""

from __future__ import annotations

from gateway_entities.client._attachment import AttachmentMethods
from gateway_entities.client._binding import BindingMethods
from gateway_entities.client._budget import BudgetMethods
from gateway_entities.client._change import ChangeMethods
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
    ChangeMethods,
):
    """A client of one gateway. Threads may share it. Close it, or use it as a context manager.

    It connects at the first call, and again whenever the connection was lost. An operation is tried up to four times while
    the server is UNAVAILABLE, within the call's timeout. One that changes something carries a name, by which the server
    tells a repeat: it takes effect once, however often it is sent. So it is also sent again when no answer comes within half
    of the time that is left.

    An argument that is None is absent from the request. Besides the errors that each method lists, every one raises
    GatewayError with INVALID_ARGUMENT for a value that cannot be sent, UNAVAILABLE when the server cannot be reached or is
    lost in mid-call, DEADLINE_EXCEEDED when the timeout is over (the operation may have been carried out), CANCELLED once
    the client is closed, and INTERNAL for a fault of the server.

    Args:
        target: where the gateway is: ``grpc://HOST:PORT``, ``grpcs://HOST:PORT``, ``http://HOST[:PORT]`` or
            ``https://HOST[:PORT]``; the last letter s means TLS.
        timeout: seconds for each method, retries and pages included; None waits for ever. A method's own ``timeout`` goes
            first; ``math.inf`` there waits for ever.
        metadata: sent with every call: printable ASCII by lower-case key.
        token: a bearer token, sent with every call; None for none. It is never sent without TLS but to this machine.
        ca_file: the authorities that are trusted with TLS, PEM; None for those of the system.
        cert_file: the client's own certificate, PEM, followed by those between it and its authority; None for none.
        key_file: its private key, PEM, without a passphrase; None when it is in ``cert_file`` too.

    Raises:
        GatewayError: INVALID_ARGUMENT for a target, timeout, metadata or token of no valid form, or files for a target
            without TLS; FAILED_PRECONDITION for a file that cannot be used, and for a token that would cross a network
            without TLS.
    """

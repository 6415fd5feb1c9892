"""The client."""

from __future__ import annotations

from gateway_entities.client._async.binding import AsyncBindingMethods
from gateway_entities.client._async.budget import AsyncBudgetMethods
from gateway_entities.client._async.change import AsyncChangeMethods
from gateway_entities.client._async.configuration import AsyncConfigurationMethods
from gateway_entities.client._async.convergence import AsyncConvergenceMethods
from gateway_entities.client._async.endpoint import AsyncEndpointMethods
from gateway_entities.client._async.guardrail import AsyncGuardrailMethods
from gateway_entities.client._async.mapping import AsyncMappingMethods
from gateway_entities.client._async.model_definition import AsyncModelDefinitionMethods
from gateway_entities.client._async.resolution import AsyncResolutionMethods
from gateway_entities.client._async.secret import AsyncSecretMethods
from gateway_entities.client._async.spend import AsyncSpendMethods
from gateway_entities.client._async.tag import AsyncTagMethods


class AsyncGatewayClient(
    AsyncSecretMethods,
    AsyncModelDefinitionMethods,
    AsyncEndpointMethods,
    AsyncMappingMethods,
    AsyncTagMethods,
    AsyncBindingMethods,
    AsyncBudgetMethods,
    AsyncSpendMethods,
    AsyncGuardrailMethods,
    AsyncChangeMethods,
    AsyncResolutionMethods,
    AsyncConfigurationMethods,
    AsyncConvergenceMethods,
):
    """A client of one gateway for asyncio. Close it, or use it as an async context manager.

    Tasks of one event loop may share it; a call in another event loop than the first one's fails with FAILED_PRECONDITION.
    Cancelling the task cancels the call, on the server too.

    It connects at the first call, and again after a lost connection. While the server is UNAVAILABLE a call is retried until
    its timeout is over, or for 30 seconds if it has none. The pauses are random and double from 0.1 to 2 seconds. All calls
    of the client together make at most 10 retries in a burst and 5 per second beyond it, and as many more as succeed. A
    mutation carries a request_id, by which the server recognizes a repeat and applies it once. So it is also sent again when
    no response comes within half of the time that is left.

    An argument that is None is absent from the request. Besides the errors that each method lists, every one raises
    GatewayError with INVALID_ARGUMENT for a value that cannot be encoded, UNAVAILABLE when the server cannot be reached or
    the connection is lost, DEADLINE_EXCEEDED when the timeout is over (the operation may have been carried out), CANCELLED
    once the client is closed, and INTERNAL for a fault of the server.

    Args:
        target: the gateway's address: ``grpc://HOST:PORT``, ``grpcs://HOST:PORT``, ``http://HOST[:PORT]`` or
            ``https://HOST[:PORT]``; the last letter s means TLS.
        timeout: seconds for each method, retries and pages included; None for no limit. A method's own ``timeout`` goes
            first; ``math.inf`` there means no limit.
        retry_timeout: seconds for which a call that fails is retried, within its timeout; 0 for no retries, None for no
            other limit than the timeout.
        metadata: sent with every call: printable ASCII by lower-case key.
        token: a bearer token, sent with every call; None for that of the environment variable ``GATEWAY_ENTITIES_TOKEN``, if
            it is set and neither ``metadata`` has an authorization nor the server is MLflow's. It is never sent without TLS
            but to this machine.
        ca_file: the authorities that are trusted with TLS, PEM; None for those of the system.
        cert_file: the client's own certificate, PEM, followed by those between it and its authority; None for none.
        key_file: its private key, PEM, without a passphrase; None when it is in ``cert_file`` too.

    Raises:
        GatewayError: INVALID_ARGUMENT for an invalid target, timeout, metadata or token, or TLS files for a target without
            TLS; FAILED_PRECONDITION for an unusable file, and for a token that would cross a network without TLS.
    """

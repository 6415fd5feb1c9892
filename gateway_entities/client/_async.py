"""The client for asyncio."""

from __future__ import annotations

from gateway_entities.client._attachment import AsyncAttachmentMethods
from gateway_entities.client._binding import AsyncBindingMethods
from gateway_entities.client._budget import AsyncBudgetMethods
from gateway_entities.client._change import AsyncChangeMethods
from gateway_entities.client._endpoint import AsyncEndpointMethods
from gateway_entities.client._model_definition import AsyncModelDefinitionMethods
from gateway_entities.client._secret import AsyncSecretMethods
from gateway_entities.client._spend import AsyncSpendMethods


class AsyncGatewayClient(
    AsyncSecretMethods,
    AsyncModelDefinitionMethods,
    AsyncEndpointMethods,
    AsyncAttachmentMethods,
    AsyncBindingMethods,
    AsyncBudgetMethods,
    AsyncSpendMethods,
    AsyncChangeMethods,
):
    """A client of one gateway for asyncio. Tasks of one event loop may share it.

    Its methods, arguments and errors are those of :class:`~gateway_entities.client.GatewayClient`, as coroutines. Cancelling
    the task cancels the call, on the server too. A call in another event loop than the first one's fails with
    FAILED_PRECONDITION.
    """

"""What the HTTP endpoints share: reading a request within its limits, and answering whatever happens. Raw ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Final, Protocol, TypeVar, cast

from starlette.types import Receive, Scope, Send

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.http.connect import HttpResponse, too_large
from gateway_entities.server.rpc.auth import Credentials
from gateway_entities.server.rpc.errors import bounded, internal_error
from gateway_entities.server.rpc.limits import MAX_REQUEST_BYTES
from gateway_entities.server.telemetry.request_context import set_error_code

T = TypeVar("T")

CLIENT: Final = "gateway_entities.client"
CERTIFICATE_NAME: Final = "certificate_name"
"""The entry of the extension CLIENT of a request's scope that holds the name in the client's certificate."""
WHOLE: Final = "gateway_entities.whole"
"""The extension of a request's scope that is there once all of its body has come."""


class ClientGoneError(Exception):
    """The client closed the connection, so nobody waits for an answer."""


class RefusedError(Exception):
    """A request that gets an answer which is not that of an error's code; ``reply`` is the answer."""

    def __init__(self, reply: HttpResponse) -> None:
        super().__init__(reply.status)
        self.reply = reply


class RpcProtocol(Protocol):
    """One way to make calls over HTTP."""

    async def reply(self, scope: Scope, receive: Receive) -> HttpResponse:
        """Answer a request.

        Raises:
            GatewayError: as the answer.
            RefusedError: with the answer.
            ClientGoneError: there is nobody to answer.
        """
        ...

    def error_reply(self, error: GatewayError) -> HttpResponse:
        """Return an error in the dialect's form."""
        ...


class Endpoint:
    """The ASGI app of a dialect. A class, not a function: Starlette passes every HTTP method on to it."""

    def __init__(self, dialect: RpcProtocol) -> None:
        self._dialect = dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        def refuse(error: GatewayError) -> HttpResponse:
            set_error_code(error.code)
            return self._dialect.error_reply(error)

        try:
            reply = await self._dialect.reply(scope, receive)
        except GatewayError as error:
            reply = refuse(bounded(error))
            if error.code is Code.UNAUTHENTICATED:
                reply = reply._replace(headers=(*reply.headers, (b"www-authenticate", b"Bearer")))
        except RefusedError as refused:
            reply = refused.reply
        except ClientGoneError:
            return
        except asyncio.CancelledError:
            # uvicorn does this to what is left when it stops.
            reply = refuse(GatewayError(Code.UNAVAILABLE, "the server is stopping", reason="STOPPING"))
        except Exception as error:
            reply = refuse(internal_error(error, "an HTTP call"))
        await send_reply(reply, send)


def credentials_of(scope: Scope) -> Credentials:
    """Return what the caller of a request shows of who it is."""
    authorization = tuple(value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization")
    return Credentials(authorization, scope.get("extensions", {}).get(CLIENT, {}).get(CERTIFICATE_NAME))


async def send_reply(reply: HttpResponse, send: Send) -> None:
    """Send a whole answer."""
    headers = [*reply.headers, (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def read_body(scope: Scope, receive: Receive, deadline: float | None = None) -> bytes:
    """Return the body of a request.

    Args:
        scope: ASGI's.
        receive: ASGI's.
        deadline: the moment on the loop's clock by which it must be here; None for no limit.

    Raises:
        GatewayError: RESOURCE_EXHAUSTED, if it is over the limit; DEADLINE_EXCEEDED.
        ClientGoneError: the client closed the connection.
    """
    # A timer costs more than a body that is here.
    if deadline is None or WHOLE in scope.get("extensions", ()):
        return await _read_parts(receive)
    try:
        async with asyncio.timeout_at(deadline):
            return await _read_parts(receive)
    except TimeoutError:
        raise GatewayError(Code.DEADLINE_EXCEEDED, "the deadline passed before the request was here") from None


async def _read_parts(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        body += message.get("body", b"")
        if len(body) > MAX_REQUEST_BYTES:
            # uvicorn throws away what still comes, so the client can send it all and then read the answer.
            raise too_large()
        more = message.get("more_body", False)
    return bytes(body)


async def unless_gone(receive: Receive, call: Coroutine[None, None, T]) -> T:
    """Await the call, and give it up when the client closes the connection.

    Raises:
        ClientGoneError: the client did so.
    """
    caller = cast("asyncio.Task[None]", asyncio.current_task())
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        caller.cancel()

    watcher = asyncio.create_task(watch())
    try:
        return await call
    except asyncio.CancelledError:
        if not gone:
            raise
        caller.uncancel()
        raise ClientGoneError from None
    finally:
        watcher.cancel()

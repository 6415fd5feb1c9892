"""An operation as data: what to send and how to read the answer. Both clients carry it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from gateway_entities.methods import Method, Request, Response

Result = TypeVar("Result")
Item = TypeVar("Item")

PAGE_SIZE = 1000
"""How many items a list asks for at a time: enough for few calls, few enough for small messages."""


class Call(Generic[Result]):
    """One call.

    Attributes:
        method: the RPC.
        request: its request message.
        read: makes the result out of the response.
    """

    __slots__ = ("method", "read", "request")

    def __init__(self, method: Method[Request, Response], request: Request, read: Callable[[Response], Result]) -> None:
        # The three fit each other; whoever sends them need not know how.
        self.method: Method[Any, Any] = method
        self.request: Message = request
        self.read: Callable[[Any], Result] = read


class Pages(Generic[Item]):
    """As many calls as a list has pages.

    Attributes:
        method: the RPC.
        request: makes the request message out of a page's token; None is the first page's.
        read: makes the items, and the token of the next page, out of a response; the token is empty on the last one.
    """

    __slots__ = ("method", "read", "request")

    def __init__(
        self,
        method: Method[Request, Response],
        request: Callable[[str | None], Request],
        read: Callable[[Response], tuple[list[Item], str]],
    ) -> None:
        self.method: Method[Any, Any] = method
        self.request: Callable[[str | None], Message] = request
        self.read: Callable[[Any], tuple[list[Item], str]] = read


def nothing(_response: object) -> None:
    """Read a response of which no caller needs anything."""

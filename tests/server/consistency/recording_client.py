"""A client that records each of its requests, with the times and the result."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from gateway_entities.errors import Code, GatewayError
from tests.client.recording_transports import MessageTransport
from tests.server.consistency.faults import Tokens
from tests.server.consistency.history import LOST, UNAUTHENTICATED, Attempt, shown
from tests.server.consistency.workload import Workload

_TIMEOUT_S: Final = 3.0
_SHORTEST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 0.5
_REPEATS: Final = 0.85
"""Fraction of the lost changes that their client repeats."""
_GUESTS: Final = 0.25
"""Fraction of the reads with a token that comes and goes."""


class Client:
    """Sends requests, one at a time, to servers at random.

    Attributes:
        name: its name, which is also that of its token.
        token: the text of its token.
        attempts: what it has sent, in order.
    """

    def __init__(self, name: str, token: str, transports: Sequence[MessageTransport], seed: int, *, doubled: bool) -> None:
        """Create a client.

        Args:
            name: its name.
            token: the text of its token.
            transports: one for each server.
            seed: the seed of its choices.
            doubled: whether a proxy on its way may send requests twice.
        """
        self.name = name
        self.token = token
        self.attempts: list[Attempt] = []
        self._transports = transports
        self._doubled = doubled
        self._chance = random.Random(f"{seed} {name} client")

    def run(self, workload: Workload, operations: int, tokens: Tokens, over: threading.Event) -> None:
        """Send requests until so many have a result."""
        while operations > 0 and not over.is_set():
            request = workload.next()
            is_read = "request_id" not in request.DESCRIPTOR.fields_by_name
            guest = tokens.choose(self._chance) if is_read and self._chance.random() < _GUESTS else None
            attempt = self.perform(request, guest=guest)
            if attempt.response is not None:
                workload.learn(attempt.response)
            elif attempt.code is Code.NOT_FOUND:
                workload.miss(request)
            operations -= not attempt.is_lost

    def perform(self, request: Any, *, guest: tuple[str, str] | None = None) -> Attempt:
        """Send a request; repeat a lost change as often as chance decides."""
        pause = _SHORTEST_PAUSE_S
        while True:
            attempt = self.send(request, guest=guest)
            if not attempt.is_lost:
                return attempt
            time.sleep(self._chance.uniform(0, pause))
            # Most of a history is not to be spent on servers that restart.
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            if not attempt.request_id or self._chance.random() > _REPEATS:
                return attempt

    def send(self, request: Any, *, guest: tuple[str, str] | None = None, final: bool = False) -> Attempt:
        """Send a request once, of a list all pages, and record it."""
        server = self._server()
        name, text = guest or (self.name, self.token)
        invoked = time.monotonic()
        response, code, detail = self._call(server, request, text)
        returned = time.monotonic()
        if getattr(response, "next_page_token", ""):
            code, detail = self._fetch_pages(request, response, text)
        attempt = Attempt(
            self.name,
            server,
            name,
            invoked,
            returned,
            request,
            response if code is None else None,
            code,
            detail,
            self._doubled,
            final,
        )
        self.attempts.append(attempt)
        return attempt

    def answer(self, request: Any) -> Any:
        """Send a request until it has a response.

        Raises:
            AssertionError: it has an error, or is lost for too long.
        """
        attempt = self.settle(request, self, final=False)
        assert attempt.response is not None, shown(attempt)
        return attempt.response

    def settle(self, request: Any, client: Client, *, final: bool = True) -> Attempt:
        """Send a request of a client until it has a result."""
        deadline = time.monotonic() + 60
        while (attempt := self.send(request, guest=(client.name, client.token), final=final)).is_lost:
            assert time.monotonic() < deadline, shown(attempt)
            time.sleep(0.05)
        return attempt

    def _server(self) -> int:
        return self._chance.randrange(len(self._transports))

    def _call(self, server: int, request: Any, token: str) -> tuple[Any, Code | None, str]:
        metadata = {"authorization": f"Bearer {token}"}
        try:
            return self._transports[server](request, timeout=_TIMEOUT_S, metadata=metadata), None, ""
        except GatewayError as error:
            return None, error.code, f"{error.reason} {error.message}"

    def _fetch_pages(self, request: Any, response: Any, token: str) -> tuple[Code | None, str]:
        """Append the other pages to the first, or some of them if one is lost; return the error of one."""
        items = response.DESCRIPTOR.fields[0].name
        pages = 1
        while response.next_page_token:
            pages += 1
            assert pages < 1000, "the list does not end"
            following = type(request)()
            following.CopyFrom(request)
            following.page_token = response.next_page_token
            page, code, detail = self._call(self._server(), following, token)
            if code is not None:
                # The token may have been revoked since the first page.
                return (None, "") if code in LOST | UNAUTHENTICATED else (code, detail)
            if page.revision != response.revision:
                return Code.INTERNAL, f"a page of revision {page.revision} after one of {response.revision}"
            getattr(response, items).extend(getattr(page, items))
            response.next_page_token = page.next_page_token
        return None, ""

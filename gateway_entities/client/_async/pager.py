"""Lists that are read page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Generic, TypeVar

from gateway_entities.client._base import next_page, revision_of
from gateway_entities.client._list import EntityList, Merge, merged
from gateway_entities.transports.deadline import Deadline

Entity = TypeVar("Entity")


class AsyncPager(Generic[Entity]):
    """The entities of a list, read from the server page by page while they are iterated over.

    Each iteration begins with the first page. The pages after it show the list as it was then, whatever is changed since; a
    list without a revision shows what is there when a page is read. Each page has the timeout of a call. Besides the errors
    of the method, an iteration raises GatewayError with ABORTED, or with OUT_OF_RANGE (reason STORE_CHANGED), if the server
    cannot continue the list: begin another one.
    """

    def __init__(
        self,
        fetch: Callable[[Any, Deadline], Any],
        request: Any,
        deadline: Callable[[], Deadline],
        merge: Merge[Entity] | None = None,
    ) -> None:
        self._fetch = fetch
        self._request = request
        self._deadline = deadline
        self._merge = merge

    def __aiter__(self) -> AsyncIterator[Entity]:
        return self._entities()

    def by_page(self) -> AsyncIterator[EntityList[Entity]]:
        """Return an iterator over the pages, each with the revision of the list."""
        return self._pages(self._deadline)

    async def read_all(self) -> EntityList[Entity]:
        """Return all entities. The timeout is for all pages together.

        Raises:
            GatewayError: as an iteration.
        """
        deadline = self._deadline()
        found = EntityList[Entity]()
        async for page in self._pages(lambda: deadline):
            found += page
            found.revision = page.revision
        return found

    async def _entities(self) -> AsyncGenerator[Entity]:
        async for page in self._pages(self._deadline):
            for entity in page:
                yield entity

    async def _pages(self, deadline: Callable[[], Deadline]) -> AsyncGenerator[EntityList[Entity]]:
        request = type(self._request)()
        request.CopyFrom(self._request)
        rest: list[Entity] = []
        more = True
        while more:
            response, entities = await self._fetch(request, deadline())
            more = next_page(request, response)
            if self._merge is not None:
                entities = merged([*rest, *entities], self._merge)
                # The next page may begin with a further part of the last one.
                rest = [entities.pop()] if more and entities else []
            yield EntityList(entities, revision_of(response))

# Generated from gateway_entities/client/_async/change.py by proto/generate.py. Do not edit.
"""The change log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_entities import methods
from gateway_entities.client._base import PAGE_SIZE
from gateway_entities.client._list import EntityList
from gateway_entities.client._requests import build
from gateway_entities.client._sync.pager import Pager
from gateway_entities.client._sync.rpc import RpcClient
from gateway_entities.entities import GatewayChange
from gatewayentities.v1 import change_pb2

if TYPE_CHECKING:
    from gateway_entities.transports.base import MessageStream


class ChangeMethods(RpcClient):
    """The change log."""

    def list_changes(
        self,
        *,
        since_revision: int | None = None,
        until_revision: int | None = None,
        actor: str | None = None,
        noun: str | None = None,
        name: str | None = None,
        changed_since: int | None = None,
        changed_before: int | None = None,
        newest_first: bool | None = None,
        timeout: float | None = None,
    ) -> EntityList[GatewayChange]:
        """Return the changes of the configuration, by revision.

        Args:
            since_revision: only changes of a higher revision, 0 or more; None for all that the change log has.
            until_revision: only changes up to this revision, 1 or more.
            actor: only changes of this actor.
            noun: only changes with an effect on this kind of resource, such as ``endpoint``.
            name: only changes with an effect on a resource of this name; with noun, of that kind.
            changed_since: only changes at or after this time, in milliseconds since the Unix epoch, UTC.
            changed_before: only changes before this time, likewise.
            newest_first: whether the last changes come first; None means False.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; OUT_OF_RANGE (a change after since_revision was deleted from the log).
        """
        pager = self.iter_changes(
            since_revision=since_revision,
            until_revision=until_revision,
            actor=actor,
            noun=noun,
            name=name,
            changed_since=changed_since,
            changed_before=changed_before,
            newest_first=newest_first,
            timeout=timeout,
        )
        return pager.read_all()

    def iter_changes(
        self,
        *,
        since_revision: int | None = None,
        until_revision: int | None = None,
        actor: str | None = None,
        noun: str | None = None,
        name: str | None = None,
        changed_since: int | None = None,
        changed_before: int | None = None,
        newest_first: bool | None = None,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> Pager[GatewayChange]:
        """Return an iterator over the entities that ``list_changes`` returns, which reads them page by page.

        A change is never divided between its pages, so they may be of other lengths.

        Args:
            since_revision: only changes of a higher revision, 0 or more; None for all that the change log has.
            until_revision: only changes up to this revision, 1 or more.
            actor: only changes of this actor.
            noun: only changes with an effect on this kind of resource, such as ``endpoint``.
            name: only changes with an effect on a resource of this name; with noun, of that kind.
            changed_since: only changes at or after this time, in milliseconds since the Unix epoch, UTC.
            changed_before: only changes before this time, likewise.
            newest_first: whether the last changes come first; None means False.
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(
            change_pb2.ListGatewayChangesRequest,
            since_revision=since_revision,
            until_revision=until_revision,
            actor=actor,
            noun=noun,
            name=name,
            changed_since=changed_since,
            changed_before=changed_before,
            newest_first=newest_first,
            page_size=page_size,
        )
        return self._pager(methods.LIST_GATEWAY_CHANGES, request, GatewayChange, timeout, merge=_merge)

    def watch(self, *, resume_token: str | None = None, timeout: float | None = None) -> MessageStream:
        """Return the stream of the configuration: an iterator of encoded WatchGatewayResponse messages, to be closed.

        Without a resume_token the first update has all resources, later ones what was written and removed. A mirror applies
        them, and begins a new stream when one ends: this method does neither.

        Args:
            resume_token: that of the last complete update of an earlier stream; None for all resources first.
            timeout: seconds until the stream ends with DEADLINE_EXCEEDED; None for no limit.

        Raises:
            GatewayError: INVALID_ARGUMENT; UNIMPLEMENTED for MLflow's REST API. From the stream, too: OUT_OF_RANGE (reasons
                STORE_CHANGED and REVISION_COMPACTED: begin without the token), UNAVAILABLE (lost, or at its maximum age:
                continue with the last token), RESOURCE_EXHAUSTED (too many watchers, or this one reads too slowly),
                UNAUTHENTICATED (the token was revoked).
        """
        request = build(change_pb2.WatchGatewayRequest, resume_token=resume_token)
        data = request.SerializeToString()
        return self._transport.stream(methods.WATCH_GATEWAY, data, timeout=timeout, metadata=self._metadata)


def _merge(before: GatewayChange, after: GatewayChange) -> bool:
    # A large change comes in parts.
    if before.revision != after.revision:
        return False
    before.effects += after.effects
    return True

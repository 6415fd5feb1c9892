"""``gateway-entities watch``: changes of the configuration as they come."""

from __future__ import annotations

import contextlib
import errno
import io
import queue
import select
import sys
import threading
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from gateway_entities.cli.cells import printable, short_id, time_text
from gateway_entities.cli.changes import check_since
from gateway_entities.cli.options.connection import connection_options
from gateway_entities.cli.options.form import Form, form_options
from gateway_entities.cli.output import document_text
from gateway_entities.cli.spending.balance import alert_text
from gateway_entities.errors import Code

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewayChange, GatewayChangeEffect, GatewaySpendAlert
    from gateway_entities.mirror import GatewayMirror, MirrorEvent, MirrorState, MirrorUpdate

_LOOK_S: Final = 0.5
"""Seconds between two looks at the reader of the output, and at the error of the mirror."""
_MAX_LINES: Final = 1000
"""Maximum number of lines that wait for the reader of the output. Further ones wait in the connection and the server."""
_FINAL: Final = frozenset({Code.UNAUTHENTICATED, Code.PERMISSION_DENIED, Code.UNIMPLEMENTED})
_NAMES: Final = ("name", "secret_name", "display_name")


class _Line(NamedTuple):
    """What happened to one resource. Without a time for what was removed, and for what changed with another resource.

    The alert of a budget has the policy as its resource.
    """

    revision: int
    changed_at: int | None
    what: str
    noun: str
    name: str | None
    id: str
    alert: GatewaySpendAlert | None = None

    def text(self, form: Form) -> str:
        """Return what to print: one line, or a document of YAML."""
        if form in {"json", "yaml"}:
            fields = {name: value for name, value in self._asdict().items() if value is not None}
            if self.alert is not None:
                fields["alert"] = self.alert.to_dict()
            return ("---\n" if form == "yaml" else "") + document_text(fields, form, indent=None)
        name = "-" if self.name is None else printable(self.name)
        if self.alert is not None:
            name = printable(alert_text(self.alert))
        if form == "name":
            return name
        moment = "-" if self.changed_at is None else time_text(self.changed_at)
        identifier = printable(short_id(self.id) if form == "table" else self.id)
        return "  ".join((str(self.revision), moment, self.what, printable(self.noun), name, identifier))


@click.command()
@click.option(
    "--since",
    metavar="REVISION",
    type=click.IntRange(min=0),
    help="Begin with the changes after this revision. Default: changes from now on.",
)
@connection_options
@form_options
def watch(connect: Callable[[], GatewayClient], since: int | None, form: Form) -> None:
    """Follow the configuration: one line per change or alert, until Ctrl-C.

    A line has the revision, the time if known, what happened (added, changed or removed), the kind of the resource, its name
    and its id. JSON is a line too. After a lost connection it goes on where it was; of what happened many times meanwhile it
    shows the outcome. Secret values are never shown.

    Alerts of budgets have lines too (alert), with the share of the limit in place of the name; --since does not bring
    earlier ones.
    """
    from gateway_entities.mirror import GatewayMirror

    with contextlib.suppress(KeyboardInterrupt), connect() as client:
        # An address or a token that is wrong is an error now; a mirror would try again and again.
        check_since(since, next(iter(client.iter_changes(since_revision=since, page_size=1).by_page())).revision)
        # Nobody waits for one who looks.
        mirror = GatewayMirror(client, acknowledges=False)
        with contextlib.closing(_lines(client, mirror, since)) as lines:
            for line in lines:
                click.echo(line.text(form))


def _lines(client: GatewayClient, mirror: GatewayMirror, since: int | None) -> Generator[_Line]:
    waiting = queue.Queue[_Line](_MAX_LINES)
    ends = threading.Event()
    first: list[MirrorState] = []

    def put(update: MirrorUpdate) -> None:
        if not first:
            # What was there already.
            first.append(update.state)
            return
        events = (_of_event(update.state, event) for event in update.events)
        for line in (*events, *(_of_alert(update.state, alert) for alert in update.alerts)):
            while not ends.is_set():
                with contextlib.suppress(queue.Full):
                    waiting.put(line, timeout=_LOOK_S)
                    break

    mirror.subscribe(put)
    with mirror:
        try:
            (state,) = first
            click.echo(f"Watching from revision {state.revision}. Ctrl-C ends.", err=True)
            if since is not None:
                for change in client.iter_changes(since_revision=since):
                    if change.revision <= state.revision:
                        yield from (_of_effect(state, change, each) for each in (change.change, *change.effects))
            while True:
                with contextlib.suppress(queue.Empty):
                    yield waiting.get(timeout=_LOOK_S)
                    continue
                if mirror.error is not None and mirror.error.code in _FINAL:
                    raise mirror.error
                _check_reader()
        finally:
            ends.set()


def _of_event(state: MirrorState, event: MirrorEvent) -> _Line:
    resource = event.after or event.before
    before, after = (getattr(each, "last_updated_at", None) for each in (event.before, event.after))
    name = next((getattr(resource, each) for each in _NAMES if hasattr(resource, each)), None)
    return _Line(state.revision, None if after == before else after, event.kind, event.noun, name, event.id)


def _of_alert(state: MirrorState, alert: GatewaySpendAlert) -> _Line:
    policy = alert.budget_policy.budget_policy_id
    return _Line(state.revision, alert.raised_at, "alert", "budget_policy", None, policy, alert)


def _of_effect(state: MirrorState, change: GatewayChange, effect: GatewayChangeEffect) -> _Line:
    what = "added" if effect.etag_before is None else "removed" if effect.etag_after is None else "changed"
    maps = (
        state.secrets,
        state.model_definitions,
        state.endpoints,
        state.bindings,
        state.budget_policies,
        state.guardrails,
        state.guardrail_configs,
    )
    resource = next((each[effect.id] for each in maps if effect.id in each), None)
    name = next((getattr(resource, each) for each in _NAMES if hasattr(resource, each)), None)
    return _Line(change.revision, change.changed_at, what, effect.noun, name, effect.id)


def _check_reader() -> None:
    """Raise BrokenPipeError if the output has no reader any more. Without it a watch without changes would never end."""
    try:
        descriptor = sys.stdout.fileno()
    except (io.UnsupportedOperation, ValueError):
        return
    poll = select.poll()
    poll.register(descriptor, 0)
    if any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0)):
        raise BrokenPipeError(errno.EPIPE, "the reader of the output is gone")

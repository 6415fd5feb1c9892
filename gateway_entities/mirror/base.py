"""What both mirrors share: the state, its age, subscribers, the file, and what follows an error. No I/O but the file's."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from gateway_entities.entities import (
    GatewayBudgetPolicy,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GatewayModelDefinition,
    GatewaySecretInfo,
)
from gateway_entities.errors import Code, FieldViolation, GatewayError, WireError
from gateway_entities.mirror.acknowledgement import BaseAcknowledger, RevisionRefused
from gateway_entities.mirror.core import MirrorCore, MirrorUpdate
from gateway_entities.mirror.file import load_mirror, save_mirror
from gateway_entities.mirror.resolution import Resolutions
from gateway_entities.mirror.state import MirrorState

SILENCE_S: Final = 30.0
"""Seconds without a message after which a stream is taken for dead. The server sends one every 10 seconds or sooner."""
_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 5.0
"""The pause before the next stream doubles from the first to the longest; each is between a fifth of it and the whole, at
random."""
_SAVE_INTERVAL_S: Final = 1.0
"""Minimum seconds between two writes of the file."""
_PERMANENT: Final = frozenset({Code.UNAUTHENTICATED, Code.PERMISSION_DENIED, Code.UNIMPLEMENTED})
"""Errors of the first stream that trying again does not change."""
_RESTART_REASONS: Final = frozenset({"STORE_CHANGED", "REVISION_COMPACTED", "BAD_STREAM"})

_log = logging.getLogger(__name__)

Subscriber = Callable[[MirrorUpdate], None]
"""Called after each update that changed something or has alerts, and after each snapshot, in the thread or on the loop of
the mirror. It must not block."""


class BaseMirror(ABC):
    """A configuration that follows a server. Read it from any thread; keep ``state`` to read one revision."""

    def __init__(self, file: str | os.PathLike[str] | None, resolve_jitter: float, acknowledger: BaseAcknowledger) -> None:
        if not 0 <= resolve_jitter < math.inf:
            raise GatewayError.invalid([FieldViolation("resolve_jitter", "must be a number of seconds, 0 or more")])
        self._acknowledger = acknowledger
        self._file = None if file is None else Path(file)
        loaded = None if self._file is None else load_mirror(self._file)
        self._core = loaded or MirrorCore()
        self._saved: MirrorState | None = self._core.state
        self._saved_at = -math.inf
        self._resolutions = Resolutions(lambda: self._core.state, resolve_jitter, self._wake_resolver)
        self._process = os.getpid()
        self._subscribers: list[Subscriber] = []
        self._received_at = -math.inf
        self._pause = 0.0
        self._error: GatewayError | None = None

    @property
    def state(self) -> MirrorState:
        """The current state; it never changes."""
        return self._core.state

    @property
    def revision(self) -> int:
        """The revision of the state; 0 before there is one."""
        return self._core.state.revision

    @property
    def is_ready(self) -> bool:
        """Whether there is a state, of the server or of the file."""
        return self._core.state.store_id is not None

    @property
    def age(self) -> float:
        """Seconds since the server's last message, at most about 10 while the stream lives; infinite before the first."""
        return time.monotonic() - self._received_at

    @property
    def error(self) -> GatewayError | None:
        """The error with which the last stream ended; None since there has been a complete update after it."""
        return self._error

    @property
    def secrets(self) -> Mapping[str, GatewaySecretInfo]:
        """The secrets by id, without their values."""
        return self._core.state.secrets

    @property
    def model_definitions(self) -> Mapping[str, GatewayModelDefinition]:
        """The model definitions by id."""
        return self._core.state.model_definitions

    @property
    def endpoints(self) -> Mapping[str, GatewayEndpoint]:
        """The endpoints by id, with the model definitions of their mappings."""
        return self._core.state.endpoints

    @property
    def bindings(self) -> Mapping[str, GatewayEndpointBinding]:
        """The bindings by ``ENDPOINT_ID/RESOURCE_TYPE/RESOURCE_ID``."""
        return self._core.state.bindings

    @property
    def budget_policies(self) -> Mapping[str, GatewayBudgetPolicy]:
        """The budget policies by id."""
        return self._core.state.budget_policies

    @property
    def guardrails(self) -> Mapping[str, GatewayGuardrail]:
        """The guardrails by id."""
        return self._core.state.guardrails

    @property
    def guardrail_configs(self) -> Mapping[str, GatewayGuardrailConfig]:
        """The guardrails of endpoints by ``ENDPOINT_ID/GUARDRAIL_ID``, with their guardrails."""
        return self._core.state.guardrail_configs

    def endpoint(self, name: str) -> GatewayEndpoint | None:
        """Return the endpoint with a name, or None. Before there is a state there is none."""
        return self._core.state.endpoint(name)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call a function after each update with events or alerts, and after each snapshot, which may have neither.

        Return the function that ends that.

        An exception of the subscriber is logged. With RevisionRefused the server learns that this node refuses the revision,
        and why.
        """
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._subscribers.remove(subscriber)

        return unsubscribe

    def _check_ready(self) -> None:
        """Raise GatewayError if there is no state to look an endpoint up in: the start error, or UNAVAILABLE."""
        if not self.is_ready:
            raise self._start_error() or not_ready(self._error)

    def _check_process(self) -> None:
        """Raise GatewayError FAILED_PRECONDITION in a child of the process: nothing follows the server there."""
        if os.getpid() != self._process:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                "the mirror was created before a fork of the process; create one in the child",
                reason="FORKED",
            )

    @abstractmethod
    def _wake_resolver(self) -> None:
        """Have the endpoints resolved that are due."""

    def _receive(self, message: bytes) -> bool:
        """Apply a message; return whether it completed an update.

        Raises:
            WireError: as ``MirrorCore.apply``.
            GatewayError: as ``MirrorCore.apply``.
        """
        update = self._core.apply(message)
        self._received_at = time.monotonic()
        if update is None:
            return False
        self._pause, self._error = 0.0, None
        reason: str | None = None
        if update.events or update.alerts or update.is_snapshot:
            self._resolutions.update(update, self._received_at)
            for subscriber in self._subscribers.copy():
                try:
                    subscriber(update)
                except RevisionRefused as refusal:
                    reason = refusal.reason
                except Exception:
                    _log.exception("a subscriber of the mirror failed")
        self._acknowledger.note(self._core, is_changed=bool(update.events), reason=reason)
        if self._received_at - self._saved_at >= _SAVE_INTERVAL_S:
            self._save()
        return True

    def _fail(self, error: GatewayError | WireError) -> float:
        """Note why a stream ended; return the seconds until the next one."""
        self._core.forget_parts()
        if isinstance(error, WireError):
            error = GatewayError(Code.INTERNAL, f"the stream cannot be read: {error.message}", reason="BAD_STREAM")
        if self._error is None or (error.code, error.reason) != (self._error.code, self._error.reason):
            _log.warning("the mirror's stream ended at revision %d: %s", self.revision, error.message)
        self._error = error
        if error.reason in _RESTART_REASONS or error.code is Code.INVALID_ARGUMENT:
            # The next one begins with all resources. The state stays until they have come.
            self._core.resume_token = ""
        if error.reason == "STORE_CHANGED":
            self._core.accept_earlier()
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S) or _FIRST_PAUSE_S
        # Mirrors that lost their server together must not come back together.
        return self._pause * random.uniform(0.2, 1.0)  # noqa: S311 - not a secret.

    def _start_error(self) -> GatewayError | None:
        """Return why there will be no first state; None if there is one, or may be."""
        error = self._error
        return error if error is not None and error.code in _PERMANENT and not self.is_ready else None

    def _save(self) -> None:
        """Write the file, if the state is not in it yet."""
        if self._file is None or self._saved is self._core.state:
            return
        self._saved_at = time.monotonic()
        try:
            save_mirror(self._core, self._file)
            self._saved = self._core.state
        except GatewayError as error:
            # The configuration is more important than its copy.
            _log.warning("%s", error.message)


def ended() -> GatewayError:
    """Return the error of a stream that ended without one."""
    return GatewayError(Code.UNAVAILABLE, "the server has ended the stream", reason="STREAM_ENDED")


def failed(error: Exception) -> GatewayError:
    """Log what should not happen, and return the error of the stream that it ended. The next one begins with a snapshot."""
    _log.error("the mirror has failed; it begins with all resources again", exc_info=error)
    return GatewayError(Code.INTERNAL, f"the mirror has failed: {type(error).__name__}; see the log", reason="BAD_STREAM")


def silent() -> GatewayError:
    """Return the error of a stream without messages."""
    return GatewayError(Code.UNAVAILABLE, f"the server has sent nothing for {SILENCE_S:g} seconds", reason="SILENT")


def late(revision: int, present: int, timeout: float, cause: GatewayError | None) -> GatewayError:
    """Return the error of a wait that took too long."""
    because = "" if cause is None else f"; the last stream ended: {cause.message}"
    return GatewayError(
        Code.DEADLINE_EXCEEDED,
        f"the mirror has not reached revision {revision} within {timeout:g} seconds; it is at {present}{because}",
        reason="MIRROR_BEHIND",
    )


def late_resolution(timeout: float) -> GatewayError:
    """Return the error of a resolution that took too long."""
    return GatewayError(
        Code.DEADLINE_EXCEEDED, f"the endpoint has not been resolved within {timeout:g} seconds", reason="RESOLUTION_LATE"
    )


def not_ready(cause: GatewayError | None) -> GatewayError:
    """Return the error of a look-up before there is a state, neither of the server nor of a file."""
    because = "" if cause is None else f"; the last stream ended: {cause.message}"
    return GatewayError(
        Code.UNAVAILABLE,
        "the mirror has no configuration yet, neither of the server nor of a file; wait for it with wait_until_ready()"
        f"{because}",
        reason="MIRROR_NOT_READY",
    )


def not_running() -> GatewayError:
    """Return the error of a wait for a mirror that does not run."""
    return GatewayError(Code.CANCELLED, "the mirror is closed", reason="MIRROR_CLOSED")

"""The configuration in the memory of a gateway, kept up to date by the watch stream.

``GatewayMirror`` follows a server in a thread, ``AsyncGatewayMirror`` in a task of an event loop. Both use ``MirrorCore``,
which does no I/O: it takes the messages of the stream, and gives states and events.
"""

from __future__ import annotations

from gateway_entities.mirror.acknowledgement import RevisionRefused
from gateway_entities.mirror.asynchronous import AsyncGatewayMirror
from gateway_entities.mirror.core import MirrorCore, MirrorUpdate
from gateway_entities.mirror.file import load_mirror, save_mirror
from gateway_entities.mirror.state import MirrorEvent, MirrorState
from gateway_entities.mirror.threaded import GatewayMirror

__all__ = [
    "AsyncGatewayMirror",
    "GatewayMirror",
    "MirrorCore",
    "MirrorEvent",
    "MirrorState",
    "MirrorUpdate",
    "RevisionRefused",
    "load_mirror",
    "save_mirror",
]

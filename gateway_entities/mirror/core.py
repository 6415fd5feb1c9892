"""The mirror without I/O: messages of the watch stream in, states and events out."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from gateway_entities.entities import (
    GatewayEndpoint,
    GatewayEndpointModelMapping,
    GatewayModelDefinition,
    GatewayResource,
    GatewayResourceKey,
    GatewaySpendAlert,
)
from gateway_entities.entities.digest import digest_of
from gateway_entities.errors import Code, GatewayError, WireError
from gateway_entities.mirror.state import MirrorEvent, MirrorState
from gatewayentities.v1 import change_pb2 as pb

_MAPS: Final = {
    "secret": "secrets",
    "model_definition": "model_definitions",
    "endpoint": "endpoints",
    "binding": "bindings",
    "budget_policy": "budget_policies",
    "guardrail": "guardrails",
    "guardrail_config": "guardrail_configs",
}
"""The maps of a state, by noun. What others refer to comes first."""

_Key = tuple[str, str]
"""Noun and id of a resource."""


class MirrorUpdate(NamedTuple):
    """What a complete update has done.

    Attributes:
        state: the state after it.
        events: what is different from the state before it, in order of kind: secrets, definitions, endpoints, bindings,
            policies, guardrails, configs. None for an update that wrote the same again.
        is_snapshot: whether the update had all resources.
        alerts: the alerts of budgets in it, each once for a mirror.
    """

    state: MirrorState
    events: tuple[MirrorEvent, ...]
    is_snapshot: bool
    alerts: tuple[GatewaySpendAlert, ...] = ()


class MirrorCore:
    """The state of a mirror. One thread applies messages; ``state`` may be read by others at any time.

    Attributes:
        state: the current state. Each update replaces it as a whole.
        resume_token: where a stream continues after it; empty for one that begins with a snapshot.
    """

    def __init__(self) -> None:
        """Create an empty mirror."""
        self.state = MirrorState()
        self.resume_token = ""
        self._etags: dict[_Key, str] = {}
        self._unknown: dict[_Key, GatewayResource] = {}
        # The ids of the endpoints that use a model definition, by its id.
        self._users: dict[str, set[str]] = {}
        self._digest: str | None = None
        self._pending: _Pending | None = None
        self._behind: MirrorCore | None = None
        self._accepts_earlier = False
        # The last alert that was in an update, and those that an update will have.
        self._alert_id = 0
        self._alerts: list[GatewaySpendAlert] = []

    def apply(self, message: bytes) -> MirrorUpdate | None:
        """Apply an encoded WatchGatewayResponse; return the update that it completes, None for a part with others to follow.

        The state never goes back within one store. A snapshot of an earlier revision, which another server may still have,
        is completed by the updates that follow it before it shows.

        After an error the state is as before, and the stream cannot continue: start another one, after STORE_CHANGED without
        the resume token.

        Raises:
            WireError: the message, or a resource in it, cannot be read.
            GatewayError: OUT_OF_RANGE (the update is of another store, or of an earlier state; reason STORE_CHANGED) or
                INTERNAL (it does not continue the parts before it; reason BAD_STREAM).
        """
        if self._behind is not None:
            behind = self._behind.apply(message)
            self._alerts += () if behind is None else behind.alerts
            if self._behind.state.revision < self.state.revision:
                return None
            message, self._behind = self._behind.snapshot(), None
        try:
            part = pb.WatchGatewayResponse.FromString(message)
        except Exception:  # As in Entity.from_bytes.
            self.forget_parts()
            raise WireError("WatchGatewayResponse", "the bytes are not a message of this type") from None
        if self._is_earlier(part):
            self._pending, self._behind = None, MirrorCore()
            self._behind.apply(message)
            return None
        pending, self._pending = self._pending, None
        if pending is None:
            self._check_start(part)
            pending = _Pending(part)
        pending.add(part)
        alerts = [GatewaySpendAlert.from_proto(each) for each in part.alerts]
        if part.is_partial:
            self._pending = pending
            return None
        if pending.store_id != self.state.store_id or (self._accepts_earlier and pending.is_snapshot):
            # Their numbers begin again.
            self._alert_id, self._alerts = 0, []
        self._alerts += alerts
        update = self._complete(pending, part.resume_token)
        return update._replace(alerts=self._new_alerts())

    def forget_parts(self) -> None:
        """Forget the parts of an update that is not complete, because its stream has ended."""
        self._pending = self._behind = None

    def accept_earlier(self) -> None:
        """Accept a snapshot of an earlier revision, because the server has reported STORE_CHANGED."""
        self._accepts_earlier = True

    def digest(self) -> str:
        """Return the digest of the current state, as AcknowledgeGatewayRevision takes it. For the thread that applies."""
        if self._digest is None:
            self._digest = digest_of((*key, etag) for key, etag in self._etags.items())
        return self._digest

    def snapshot(self) -> bytes:
        """Return the current state as an encoded WatchGatewayResponse. For the thread that applies."""
        message = pb.WatchGatewayResponse(
            store_id=self.state.store_id, is_snapshot=True, revision=self.state.revision, resume_token=self.resume_token
        )
        for key, etag in self._etags.items():
            resource = message.resources.add()
            if key in self._unknown:
                resource.CopyFrom(self._unknown[key].to_proto())
                continue
            noun, identifier = key
            resource.noun, resource.id, resource.content_etag = noun, identifier, etag
            content = getattr(self.state, _MAPS[noun])[identifier].to_proto()
            if noun == "endpoint":
                for mapping in content.model_mappings:
                    mapping.ClearField("model_definition")
            elif noun == "guardrail_config":
                content.ClearField("guardrail")
            getattr(resource, noun).CopyFrom(content)
        return message.SerializeToString()

    def _new_alerts(self) -> tuple[GatewaySpendAlert, ...]:
        """Return the alerts that no update has had."""
        found = sorted((alert for alert in self._alerts if alert.alert_id > self._alert_id), key=lambda each: each.alert_id)
        self._alerts = []
        if found:
            self._alert_id = found[-1].alert_id
        return tuple({alert.alert_id: alert for alert in found}.values())

    def _is_earlier(self, part: pb.WatchGatewayResponse) -> bool:
        return (
            part.is_snapshot
            and not self._accepts_earlier
            and part.store_id == self.state.store_id
            and part.revision < self.state.revision
        )

    def _check_start(self, part: pb.WatchGatewayResponse) -> None:
        if part.is_snapshot:
            return
        if part.store_id != self.state.store_id or part.revision < self.state.revision:
            raise GatewayError(
                Code.OUT_OF_RANGE,
                f"an update of store {part.store_id!r} at revision {part.revision} cannot follow revision "
                f"{self.state.revision} of store {self.state.store_id!r}; watch again without a resume_token",
                reason="STORE_CHANGED",
            )

    def _complete(self, pending: _Pending, resume_token: str) -> MirrorUpdate:
        removed = set(self._etags) - set(pending.written) if pending.is_snapshot else pending.removed & set(self._etags)
        written = {key: each for key, each in pending.written.items() if self._etags.get(key) != each.content_etag}
        draft = _Draft(self.state, self._users)
        for noun, identifier in removed:
            draft.remove(noun, identifier)
        for (noun, identifier), resource in written.items():
            draft.write(noun, identifier, getattr(resource, noun, None) if noun in _MAPS else None)
        draft.join()
        if removed or written or (pending.store_id, pending.revision) != (self.state.store_id, self.state.revision):
            state = draft.state(pending.store_id, pending.revision)
        else:
            state = self.state
        # From here on nothing can fail.
        for key in removed:
            del self._etags[key]
            self._unknown.pop(key, None)
        for key, resource in written.items():
            self._etags[key] = resource.content_etag
            if key[0] not in _MAPS:
                self._unknown[key] = resource
        self._users.update(draft.users)
        for definition_id in [each for each, endpoint_ids in draft.users.items() if not endpoint_ids]:
            del self._users[definition_id]
        if removed or written:
            self._digest = None
        self.resume_token = resume_token
        self.state = state
        self._accepts_earlier = False
        return MirrorUpdate(state, tuple(draft.events(state)), pending.is_snapshot)


class _Pending:
    """An update of which some parts have come."""

    def __init__(self, first: pb.WatchGatewayResponse) -> None:
        self.store_id = first.store_id
        self.revision = first.revision
        self.is_snapshot = first.is_snapshot
        self.written: dict[_Key, GatewayResource] = {}
        self.removed = set[_Key]()

    def add(self, part: pb.WatchGatewayResponse) -> None:
        """Add a part.

        Raises:
            WireError: a resource cannot be read, or is not what its noun says.
            GatewayError: INTERNAL; the part is of another update.
        """
        if (part.store_id, part.revision, part.is_snapshot) != (self.store_id, self.revision, self.is_snapshot):
            raise GatewayError(
                Code.INTERNAL,
                f"the parts of the update to revision {self.revision} are followed by a part of another update, to revision "
                f"{part.revision}",
                reason="BAD_STREAM",
            )
        for message in part.resources:
            resource = GatewayResource.from_proto(message)
            if resource.noun in _MAPS and getattr(resource, resource.noun) is None:
                raise WireError(f"GatewayResource.{resource.noun}", "is missing")
            self.written[resource.noun, resource.id] = resource
        for removed in part.removed:
            key = GatewayResourceKey.from_proto(removed)
            self.removed.add((key.noun, key.id))


class _Draft:
    """The next state. A map is copied when it changes first, so that readers of the former state see it unchanged.

    Attributes:
        users: the ids of the endpoints that use a model definition afterwards, for those whose users are others than before.
    """

    def __init__(self, before: MirrorState, users: Mapping[str, set[str]]) -> None:
        """Begin with a state, and the ids of the endpoints that use a model definition, by its id."""
        self._before = before
        self._maps: dict[str, dict[str, Any]] = {}
        self._changed: dict[str, dict[str, None]] = {noun: {} for noun in _MAPS}
        self._users_before = users
        self.users: dict[str, set[str]] = {}

    def remove(self, noun: str, identifier: str) -> None:
        """Remove a resource that exists; one of an unknown kind is in no map."""
        if noun not in _MAPS:
            return
        before = self._map(noun).pop(identifier)
        self._changed[noun][identifier] = None
        if noun == "endpoint":
            self._use(before, remove=True)

    def write(self, noun: str, identifier: str, resource: Any) -> None:
        """Write a resource; one of an unknown kind is in no map."""
        if noun not in _MAPS:
            return
        own = self._map(noun)
        if noun == "endpoint":
            if identifier in own:
                self._use(own[identifier], remove=True)
            self._use(resource)
        own[identifier] = resource
        self._changed[noun][identifier] = None

    def join(self) -> None:
        """Give endpoints and configs what they refer to, if they have changed or it has."""
        self._join_endpoints()
        self._join_configs()

    def _join_endpoints(self) -> None:
        endpoint_ids = dict(self._changed["endpoint"])
        for definition_id in self._changed["model_definition"]:
            endpoint_ids |= dict.fromkeys(sorted(self._users_of(definition_id)))
        if not endpoint_ids:
            return
        endpoints = self._map("endpoint")
        definitions = self._maps.get("model_definition", self._before.model_definitions)
        for endpoint_id in endpoint_ids:
            if endpoint_id in endpoints:
                endpoints[endpoint_id] = _joined(endpoints[endpoint_id], definitions)
        self._changed["endpoint"] = endpoint_ids

    def _join_configs(self) -> None:
        config_ids = dict(self._changed["guardrail_config"])
        if guardrail_ids := self._changed["guardrail"]:
            # A guardrail is written once, and again at most when its action endpoint is deleted.
            current = self._maps.get("guardrail_config", self._before.guardrail_configs)
            config_ids |= {each: None for each, config in current.items() if config.guardrail_id in guardrail_ids}
        if not config_ids:
            return
        configs = self._map("guardrail_config")
        guardrails = self._maps.get("guardrail", self._before.guardrails)
        for config_id in config_ids:
            if config_id in configs:
                configs[config_id] = joined = copy.copy(configs[config_id])
                joined.guardrail = guardrails.get(joined.guardrail_id)
        self._changed["guardrail_config"] = config_ids

    def state(self, store_id: str, revision: int) -> MirrorState:
        """Return the state after the update."""
        maps: dict[str, Any] = {
            name: MappingProxyType(self._maps[noun]) if noun in self._maps else getattr(self._before, name)
            for noun, name in _MAPS.items()
        }
        return MirrorState(store_id=store_id, revision=revision, endpoint_ids=self._endpoint_ids(), **maps)

    def events(self, after: MirrorState) -> Iterator[MirrorEvent]:
        """Yield what is different in the state after the update."""
        for noun, name in _MAPS.items():
            old, new = getattr(self._before, name), getattr(after, name)
            for identifier in self._changed[noun]:
                event = MirrorEvent(noun, identifier, old.get(identifier), new.get(identifier))
                if event.before is not None or event.after is not None:
                    yield event

    def _map(self, noun: str) -> dict[str, Any]:
        found = self._maps.get(noun)
        if found is None:
            found = self._maps[noun] = dict(getattr(self._before, _MAPS[noun]))
        return found

    def _users_of(self, definition_id: str) -> set[str]:
        found = self.users.get(definition_id)
        return self._users_before.get(definition_id, set()) if found is None else found

    def _use(self, endpoint: GatewayEndpoint, *, remove: bool = False) -> None:
        for definition_id in {mapping.model_definition_id for mapping in endpoint.model_mappings}:
            users = self.users.setdefault(definition_id, self._users_of(definition_id).copy())
            (users.discard if remove else users.add)(endpoint.endpoint_id)

    def _endpoint_ids(self) -> Mapping[str, str]:
        old, new = self._before.endpoints, self._maps.get("endpoint", {})
        changed = self._changed["endpoint"]
        before = {each: old[each].name for each in changed if each in old}
        after = {each: new[each].name for each in changed if each in new}
        if before == after:
            return self._before.endpoint_ids
        found = dict(self._before.endpoint_ids)
        # All old names first: another endpoint may have taken one.
        for name in before.values():
            if name is not None:
                found.pop(name, None)
        found.update((name, each) for each, name in after.items() if name is not None)
        return MappingProxyType(found)


def _joined(endpoint: GatewayEndpoint, definitions: Mapping[str, GatewayModelDefinition]) -> GatewayEndpoint:
    joined = copy.copy(endpoint)
    joined.model_mappings = [_with_definition(mapping, definitions) for mapping in endpoint.model_mappings]
    return joined


def _with_definition(
    mapping: GatewayEndpointModelMapping, definitions: Mapping[str, GatewayModelDefinition]
) -> GatewayEndpointModelMapping:
    joined = copy.copy(mapping)
    joined.model_definition = definitions.get(mapping.model_definition_id)
    return joined

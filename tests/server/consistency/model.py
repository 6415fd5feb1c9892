"""A sequential model of the store: what each request does to a state, or why it is rejected.

A state maps the noun and id of the change log to a resource message, and is never changed: a request gives a new one. What
the server chooses freely (ids, times, masks of secret values) is read from its response and the change log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from google.protobuf.message import Message

from gateway_entities.errors import Code
from gatewayentities.v1 import binding_pb2, budget_pb2, endpoint_pb2, model_definition_pb2, secret_pb2

Key = tuple[str, str]
"""The noun and id of a resource in the change log."""
State = Mapping[Key, Any]


class RejectedError(Exception):
    """The store must reject the request.

    Attributes:
        code: the code of the error.
    """

    def __init__(self, code: Code) -> None:
        super().__init__(code.name)
        self.code = code


class Outcome(NamedTuple):
    """What the server chose for a change.

    Attributes:
        actor: the caller's name.
        now: the time of the change, in milliseconds since the Unix epoch, UTC.
        response: the response, which has the new ids.
    """

    actor: str
    now: int
    response: Any


def etag_of(resource: Message) -> str:
    """Return the etag of a resource, as the contract defines it."""
    return sha256(resource.SerializeToString(deterministic=True)).hexdigest()[:32]


def apply(state: State, request: Any, outcome: Outcome) -> tuple[Key, State]:
    """Return the key of the resource that the request names or creates, and the state after the request.

    Raises:
        RejectedError: the store must reject it.
    """
    return _CHANGES[type(request)](state, request, outcome)


def rejection(state: State, request: Any, response_type: Callable[[], Any]) -> Code | None:
    """Return the code of the error that a state gives for a change or a get; None if it gives none."""
    try:
        if type(request) in _CHANGES:
            apply(state, request, Outcome("", 0, response_type()))
        else:
            read(state, request)
    except RejectedError as rejected:
        return rejected.code
    return None


def read(state: State, request: Any) -> list[Any]:
    """Return the resource of a get, alone, or the resources of a whole list, in its order.

    Raises:
        RejectedError: the store must reject it.
    """
    noun, keys = _READS[type(request)]
    found = [resource for (of, _), resource in state.items() if of == noun and _matches(resource, request, keys)]
    if "Get" in type(request).__name__:
        if not found:
            raise RejectedError(Code.NOT_FOUND)
        return found
    return sorted(found, key=lambda resource: (resource.created_at, *_order(noun, resource)))


def is_change(request: Any) -> bool:
    """Return whether a request changes the state."""
    return type(request) in _CHANGES


def is_read(request: Any) -> bool:
    """Return whether ``read`` has the response of a request."""
    return type(request) in _READS


def resource_of(response: Any) -> Any:
    """Return the resource in the response of a change or a get; None if it has none."""
    present = [field.name for field, _ in response.ListFields() if field.name in _NOUNS]
    return getattr(response, present[0]) if present else None


_NOUNS: Final = frozenset({"secret", "model_definition", "endpoint", "binding", "budget_policy"})
_READS: Final[Mapping[type, tuple[str, Sequence[str]]]] = {
    secret_pb2.GetGatewaySecretInfoRequest: ("secret", ("secret_id", "secret_name")),
    secret_pb2.ListGatewaySecretInfosRequest: ("secret", ()),
    model_definition_pb2.GetGatewayModelDefinitionRequest: ("model_definition", ("model_definition_id", "name")),
    model_definition_pb2.ListGatewayModelDefinitionsRequest: ("model_definition", ("secret_id",)),
    endpoint_pb2.GetGatewayEndpointRequest: ("endpoint", ("endpoint_id", "name")),
    endpoint_pb2.ListGatewayEndpointsRequest: ("endpoint", ()),
    binding_pb2.ListGatewayEndpointBindingsRequest: ("binding", ("endpoint_id",)),
    budget_pb2.GetGatewayBudgetPolicyRequest: ("budget_policy", ("budget_policy_id",)),
    budget_pb2.ListGatewayBudgetPoliciesRequest: ("budget_policy", ()),
}
"""The noun of each read, and the fields that select."""


def _matches(resource: Any, request: Any, keys: Iterable[str]) -> bool:
    return all(getattr(resource, key) == getattr(request, key) for key in keys if request.HasField(key))


def _order(noun: str, resource: Any) -> tuple[str, ...]:
    if noun == "binding":
        return resource.endpoint_id, resource.resource_type, resource.resource_id
    return (getattr(resource, f"{noun}_id"),)


def _get(state: State, noun: str, key: str) -> Any:
    """Return a copy of a resource."""
    if (noun, key) not in state:
        raise RejectedError(Code.NOT_FOUND)
    found = state[noun, key]
    copy = type(found)()
    copy.CopyFrom(found)
    return copy


def _load(state: State, noun: str, request: Any, key: str | None = None) -> Any:
    """Return a copy of the resource that a request changes, if its etag permits."""
    found = _get(state, noun, getattr(request, f"{noun}_id") if key is None else key)
    if request.etag and request.etag != etag_of(found):
        raise RejectedError(Code.ABORTED)
    return found


def _require_free(state: State, noun: str, field: str, resource: Any) -> None:
    name, key = getattr(resource, field), getattr(resource, f"{noun}_id")
    for (of, other), found in state.items():
        if of == noun and other != key and getattr(found, field) == name:
            raise RejectedError(Code.ALREADY_EXISTS)


def _with(state: State, *changed: tuple[Key, Any], without: Iterable[Key] = ()) -> State:
    gone = set(without)
    return {**{key: found for key, found in state.items() if key not in gone}, **dict(changed)}


def _stamp(resource: Any, outcome: Outcome, *, created: bool = False) -> None:
    resource.last_updated_at, resource.last_updated_by = outcome.now, outcome.actor
    if created:
        resource.created_at, resource.created_by = outcome.now, outcome.actor


def _set_definition(state: State, definition: Any) -> State:
    """Return the state with a definition, also where endpoints include it."""
    key = definition.model_definition_id
    changed: list[tuple[Key, Any]] = [(("model_definition", key), definition)]
    for (noun, endpoint_id), found in state.items():
        if noun == "endpoint" and any(mapping.model_definition_id == key for mapping in found.model_mappings):
            endpoint = _get(state, noun, endpoint_id)
            for mapping in endpoint.model_mappings:
                if mapping.model_definition_id == key:
                    mapping.model_definition.CopyFrom(definition)
            changed.append(((noun, endpoint_id), endpoint))
    return _with(state, *changed)


def _create_secret(state: State, request: Any, outcome: Outcome) -> tuple[Key, State]:
    chosen = outcome.response.secret
    secret = secret_pb2.GatewaySecretInfo(secret_id=chosen.secret_id, secret_name=request.secret_name)
    _require_free(state, "secret", "secret_name", secret)
    secret.masked_values.update(chosen.masked_values)
    _stamp(secret, outcome, created=True)
    key = "secret", secret.secret_id
    return key, _with(state, (key, secret))


def _update_secret(state: State, request: Any, outcome: Outcome) -> tuple[Key, State]:
    secret = _load(state, "secret", request)
    secret.masked_values.clear()
    secret.masked_values.update(outcome.response.secret.masked_values)
    _stamp(secret, outcome)
    key = "secret", request.secret_id
    return key, _with(state, (key, secret))


def _delete_secret(state: State, request: Any, _: Outcome) -> tuple[Key, State]:
    _load(state, "secret", request)
    key = "secret", request.secret_id
    after = _with(state, without=[key])
    for (noun, definition_id), found in state.items():
        if noun == "model_definition" and found.secret_id == request.secret_id:
            definition = _get(state, noun, definition_id)
            definition.ClearField("secret_id")
            definition.ClearField("secret_name")
            after = _set_definition(after, definition)
    return key, after


def _create_definition(state: State, request: Any, outcome: Outcome) -> tuple[Key, State]:
    secret = _get(state, "secret", request.secret_id)
    definition = model_definition_pb2.GatewayModelDefinition(
        model_definition_id=outcome.response.model_definition.model_definition_id,
        name=request.name,
        secret_id=secret.secret_id,
        secret_name=secret.secret_name,
        provider=request.provider,
        model_name=request.model_name,
    )
    _require_free(state, "model_definition", "name", definition)
    _stamp(definition, outcome, created=True)
    key = "model_definition", definition.model_definition_id
    return key, _with(state, (key, definition))


def _update_definition(state: State, request: Any, outcome: Outcome) -> tuple[Key, State]:
    definition = _load(state, "model_definition", request)
    if request.HasField("secret_id"):
        secret = _get(state, "secret", request.secret_id)
        definition.secret_id, definition.secret_name = secret.secret_id, secret.secret_name
    for field in ("name", "model_name"):
        if request.HasField(field):
            setattr(definition, field, getattr(request, field))
    _require_free(state, "model_definition", "name", definition)
    _stamp(definition, outcome)
    return ("model_definition", request.model_definition_id), _set_definition(state, definition)


def _delete_definition(state: State, request: Any, _: Outcome) -> tuple[Key, State]:
    _load(state, "model_definition", request)
    key = "model_definition", request.model_definition_id
    mappings = (mapping for (noun, _), found in state.items() if noun == "endpoint" for mapping in found.model_mappings)
    if any(mapping.model_definition_id == request.model_definition_id for mapping in mappings):
        raise RejectedError(Code.FAILED_PRECONDITION)
    return key, _with(state, without=[key])


def _add_mapping(state: State, endpoint: Any, config: Any, mapping_id: str, outcome: Outcome) -> None:
    definition = _get(state, "model_definition", config.model_definition_id)
    linked = {(mapping.model_definition_id, mapping.linkage_type) for mapping in endpoint.model_mappings}
    if (config.model_definition_id, config.linkage_type) in linked:
        raise RejectedError(Code.ALREADY_EXISTS)
    endpoint.model_mappings.add(
        mapping_id=mapping_id,
        endpoint_id=endpoint.endpoint_id,
        model_definition_id=config.model_definition_id,
        model_definition=definition,
        weight=config.weight,
        linkage_type=config.linkage_type,
        created_at=outcome.now,
        created_by=outcome.actor,
    )


def _set_mappings(state: State, endpoint: Any, request: Any, outcome: Outcome) -> None:
    chosen = [mapping.mapping_id for mapping in outcome.response.endpoint.model_mappings]
    del endpoint.model_mappings[:]
    for number, config in enumerate(request.model_configs):
        _add_mapping(state, endpoint, config, chosen[number] if number < len(chosen) else "", outcome)


def _create_endpoint(state: State, request: Any, outcome: Outcome) -> tuple[Key, State]:
    key = outcome.response.endpoint.endpoint_id
    endpoint = endpoint_pb2.GatewayEndpoint(endpoint_id=key, name=request.name, usage_tracking=True)
    _set_mappings(state, endpoint, request, outcome)
    _require_free(state, "endpoint", "name", endpoint)
    _stamp(endpoint, outcome, created=True)
    return ("endpoint", key), _with(state, (("endpoint", key), endpoint))


def _on_endpoint(change: Callable[[State, Any, Any, Outcome], None]) -> Callable[[State, Any, Outcome], tuple[Key, State]]:
    """Return a change of an existing endpoint."""

    def apply(state: State, request: Any, outcome: Outcome) -> tuple[Key, State]:
        endpoint = _load(state, "endpoint", request)
        change(state, endpoint, request, outcome)
        key = "endpoint", request.endpoint_id
        return key, _with(state, (key, endpoint))

    return apply


def _update_endpoint(state: State, endpoint: Any, request: Any, outcome: Outcome) -> None:
    for field in ("name", "experiment_id"):
        if request.HasField(field):
            setattr(endpoint, field, getattr(request, field))
    if request.model_configs:
        _set_mappings(state, endpoint, request, outcome)
    _require_free(state, "endpoint", "name", endpoint)
    _stamp(endpoint, outcome)


def _attach(state: State, endpoint: Any, request: Any, outcome: Outcome) -> None:
    _add_mapping(state, endpoint, request.model_config, outcome.response.mapping.mapping_id, outcome)
    _stamp(endpoint, outcome)


def _detach(_: State, endpoint: Any, request: Any, outcome: Outcome) -> None:
    remaining = [each for each in endpoint.model_mappings if each.model_definition_id != request.model_definition_id]
    if len(remaining) == len(endpoint.model_mappings):
        raise RejectedError(Code.NOT_FOUND)
    if not remaining:
        raise RejectedError(Code.FAILED_PRECONDITION)
    del endpoint.model_mappings[:]
    endpoint.model_mappings.extend(remaining)
    endpoint.last_updated_at = outcome.now


def _set_tag(_: State, endpoint: Any, request: Any, __: Outcome) -> None:
    for tag in endpoint.tags:
        if tag.key == request.key:
            tag.value = request.value
            return
    endpoint.tags.add(key=request.key, value=request.value)


def _delete_tag(_: State, endpoint: Any, request: Any, __: Outcome) -> None:
    remaining = [tag for tag in endpoint.tags if tag.key != request.key]
    del endpoint.tags[:]
    endpoint.tags.extend(remaining)


def _delete_endpoint(state: State, request: Any, _: Outcome) -> tuple[Key, State]:
    _load(state, "endpoint", request)
    own = "endpoint", request.endpoint_id
    bindings = [key for key, found in state.items() if key[0] == "binding" and found.endpoint_id == own[1]]
    policies = [key for key, found in state.items() if key[0] == "budget_policy" and found.target_value == own[1]]
    return own, _with(state, without=[own, *bindings, *policies])


def _binding_key(request: Any) -> Key:
    return "binding", f"{request.endpoint_id}/{request.resource_type}/{request.resource_id}"


def _create_binding(state: State, request: Any, outcome: Outcome) -> tuple[Key, State]:
    _get(state, "endpoint", request.endpoint_id)
    key = _binding_key(request)
    if key in state:
        raise RejectedError(Code.ALREADY_EXISTS)
    fields = {name: getattr(request, name) for name in ("endpoint_id", "resource_type", "resource_id")}
    binding = binding_pb2.GatewayEndpointBinding(**fields)
    _stamp(binding, outcome, created=True)
    return key, _with(state, (key, binding))


def _delete_binding(state: State, request: Any, _: Outcome) -> tuple[Key, State]:
    key = _binding_key(request)
    _load(state, "binding", request, key[1])
    return key, _with(state, without=[key])


def _create_policy(state: State, request: Any, outcome: Outcome) -> tuple[Key, State]:
    policy = budget_pb2.GatewayBudgetPolicy(budget_policy_id=outcome.response.budget_policy.budget_policy_id)
    for field, value in request.ListFields():
        if field.name == "duration":
            policy.duration.CopyFrom(value)
        elif field.name != "request_id":
            setattr(policy, field.name, value)
    if policy.target_scope == budget_pb2.ENDPOINT:
        _get(state, "endpoint", policy.target_value)
    _stamp(policy, outcome, created=True)
    key = "budget_policy", policy.budget_policy_id
    return key, _with(state, (key, policy))


def _update_policy(state: State, request: Any, outcome: Outcome) -> tuple[Key, State]:
    policy = _load(state, "budget_policy", request)
    policy.budget_amount = request.budget_amount
    _stamp(policy, outcome)
    key = "budget_policy", request.budget_policy_id
    return key, _with(state, (key, policy))


def _delete_policy(state: State, request: Any, _: Outcome) -> tuple[Key, State]:
    _load(state, "budget_policy", request)
    key = "budget_policy", request.budget_policy_id
    return key, _with(state, without=[key])


_CHANGES: Final[Mapping[type, Callable[[State, Any, Outcome], tuple[Key, State]]]] = {
    secret_pb2.CreateGatewaySecretRequest: _create_secret,
    secret_pb2.UpdateGatewaySecretRequest: _update_secret,
    secret_pb2.DeleteGatewaySecretRequest: _delete_secret,
    model_definition_pb2.CreateGatewayModelDefinitionRequest: _create_definition,
    model_definition_pb2.UpdateGatewayModelDefinitionRequest: _update_definition,
    model_definition_pb2.DeleteGatewayModelDefinitionRequest: _delete_definition,
    endpoint_pb2.CreateGatewayEndpointRequest: _create_endpoint,
    endpoint_pb2.UpdateGatewayEndpointRequest: _on_endpoint(_update_endpoint),
    endpoint_pb2.DeleteGatewayEndpointRequest: _delete_endpoint,
    endpoint_pb2.AttachModelToGatewayEndpointRequest: _on_endpoint(_attach),
    endpoint_pb2.DetachModelFromGatewayEndpointRequest: _on_endpoint(_detach),
    endpoint_pb2.SetGatewayEndpointTagRequest: _on_endpoint(_set_tag),
    endpoint_pb2.DeleteGatewayEndpointTagRequest: _on_endpoint(_delete_tag),
    binding_pb2.CreateGatewayEndpointBindingRequest: _create_binding,
    binding_pb2.DeleteGatewayEndpointBindingRequest: _delete_binding,
    budget_pb2.CreateGatewayBudgetPolicyRequest: _create_policy,
    budget_pb2.UpdateGatewayBudgetPolicyRequest: _update_policy,
    budget_pb2.DeleteGatewayBudgetPolicyRequest: _delete_policy,
}

"""Random requests of one client: reads, changes of few shared resources, and charges."""

from __future__ import annotations

import random
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gateway_entities.entities import BudgetDurationUnit
from gatewayentities.v1 import binding_pb2, budget_pb2, change_pb2, endpoint_pb2, model_definition_pb2, secret_pb2
from tests.server.consistency.model import etag_of, resource_of

_GUARDED: Final = 0.6
"""Fraction of changes with an etag."""
_MISSED: Final = 0.7
"""Fraction of the missing ids that are not used again."""
_YEARS: Final = 100


class Known:
    """The ids that the clients have seen last, by noun, of deleted resources too until a client misses one. Thread-safe."""

    def __init__(self, kept: int = 6) -> None:
        self._lock = threading.Lock()
        self._ids: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=kept))

    def add(self, noun: str, key: str) -> None:
        with self._lock:
            if key not in self._ids[noun]:
                self._ids[noun].append(key)

    def remove(self, key: str) -> None:
        with self._lock:
            for ids in self._ids.values():
                if key in ids:
                    ids.remove(key)

    def choose(self, noun: str, chance: random.Random) -> str:
        """Return the id of a resource; one that never existed if there is none."""
        with self._lock:
            return chance.choice(self._ids[noun] or [f"no-{noun}"])


class Workload:
    """The requests of one client."""

    def __init__(self, known: Known, charged: str, counter: str, seed: int, name: str) -> None:
        """Create a workload.

        Args:
            known: what the clients know together.
            charged: the endpoint of the charges, which it does not change.
            counter: the policy that counts them, which it does not change.
            seed: the seed of its choices.
            name: the client's name, unique in the history.
        """
        self._known = known
        self._charged = charged
        self._kept = {charged, counter}
        self._chance = random.Random(f"{seed} {name}")
        self._name = name
        self._number = 0
        self._etags: dict[str, str] = {}
        self._revision = 0

    def next(self) -> Any:
        """Return a request; a change has a request_id."""
        (make,) = self._chance.choices(_MAKERS, _WEIGHTS)
        request = make(self)
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            self._number += 1
            request.request_id = f"{self._name}-{self._number}"
        return request

    def learn(self, response: Any) -> None:
        """Use the ids, etags and the revision of a response in later requests."""
        self._revision = max(self._revision, getattr(response, "revision", 0))
        single = resource_of(response)
        fields = response.DESCRIPTOR.fields
        listed = getattr(response, fields[0].name) if fields and fields[0].is_repeated else []
        for resource in [single] if single is not None else listed:
            for noun in ("secret", "budget_policy", "model_definition", "endpoint"):
                if resource.DESCRIPTOR.name in _NAMES[noun]:
                    key = getattr(resource, f"{noun}_id")
                    self._etags[key] = etag_of(resource)
                    if key not in self._kept:
                        self._known.add(noun, key)

    def miss(self, request: Any) -> None:
        """Forget the ids of a request that did not find one of them."""
        for field, value in request.ListFields():
            if field.name.endswith("_id") and field.name != "request_id" and self._chance.random() < _MISSED:
                self._known.remove(value)

    def _id(self, noun: str) -> str:
        return self._known.choose(noun, self._chance)

    def _name_of(self, noun: str) -> str:
        return f"{noun}-{self._chance.randrange(5)}"

    def _on(self, noun: str) -> dict[str, str]:
        """Return the id of a resource to change, and often its last etag."""
        key = self._id(noun)
        etag = self._etags.get(key) if self._chance.random() < _GUARDED else None
        return {f"{noun}_id": key} if etag is None else {f"{noun}_id": key, "etag": etag}

    def _text(self) -> str:
        self._number += 1
        return f"{self._name}-{self._number}"

    def _config(self) -> endpoint_pb2.GatewayEndpointModelConfig:
        weight = self._chance.choice([0.25, 0.5, 1.0])
        return endpoint_pb2.GatewayEndpointModelConfig(
            model_definition_id=self._id("model_definition"), linkage_type="PRIMARY", weight=weight
        )

    def _binding(self) -> dict[str, str]:
        return {
            "endpoint_id": self._id("endpoint"),
            "resource_type": "scorer",
            "resource_id": f"r-{self._chance.randrange(4)}",
        }

    def _get_endpoint(self) -> Any:
        if self._chance.random() < 0.3:
            return endpoint_pb2.GetGatewayEndpointRequest(name=self._name_of("endpoint"))
        return endpoint_pb2.GetGatewayEndpointRequest(endpoint_id=self._id("endpoint"))

    def _get_definition(self) -> Any:
        if self._chance.random() < 0.3:
            return model_definition_pb2.GetGatewayModelDefinitionRequest(name=self._name_of("model"))
        return model_definition_pb2.GetGatewayModelDefinitionRequest(model_definition_id=self._id("model_definition"))

    def _page_size(self) -> int:
        return self._chance.choice([0, 1, 2])

    def _list_definitions(self) -> Any:
        secret_id = self._id("secret") if self._chance.random() < 0.5 else None
        return model_definition_pb2.ListGatewayModelDefinitionsRequest(page_size=self._page_size(), secret_id=secret_id)

    def _list_bindings(self) -> Any:
        endpoint_id = self._id("endpoint") if self._chance.random() < 0.7 else None
        return binding_pb2.ListGatewayEndpointBindingsRequest(endpoint_id=endpoint_id, page_size=self._page_size())

    def _create_secret(self) -> Any:
        return secret_pb2.CreateGatewaySecretRequest(secret_name=self._name_of("s"), secret_value=_secret_value(self))

    def _create_definition(self) -> Any:
        return model_definition_pb2.CreateGatewayModelDefinitionRequest(
            name=self._name_of("model"), secret_id=self._id("secret"), provider="openai", model_name=self._text()
        )

    def _update_definition(self) -> Any:
        request = model_definition_pb2.UpdateGatewayModelDefinitionRequest(**self._on("model_definition"))
        field = self._chance.choice(["name", "model_name", "model_name", "secret_id"])
        values = {"name": self._name_of("model"), "model_name": self._text(), "secret_id": self._id("secret")}
        setattr(request, field, values[field])
        return request

    def _create_endpoint(self) -> Any:
        configs = [self._config() for _ in range(self._chance.choice([1, 2]))]
        return endpoint_pb2.CreateGatewayEndpointRequest(name=self._name_of("endpoint"), model_configs=configs)

    def _update_endpoint(self) -> Any:
        request = endpoint_pb2.UpdateGatewayEndpointRequest(**self._on("endpoint"))
        field = self._chance.choice(["name", "experiment_id", "experiment_id", "model_configs"])
        if field == "model_configs":
            request.model_configs.extend(self._config() for _ in range(self._chance.choice([1, 2])))
        elif field == "name":
            request.name = self._name_of("endpoint")
        else:
            request.experiment_id = str(self._chance.randrange(10**6))
        return request

    def _create_policy(self) -> Any:
        scope = self._chance.choice(["USER", "ENDPOINT"])
        target = "somebody" if scope == "USER" else self._id("endpoint")
        return policy(scope, target, float(self._chance.randrange(1, 100)))

    def _charge(self) -> Any:
        return budget_pb2.RecordGatewaySpendRequest(endpoint_id=self._charged, amount_nanos=1_000_000_000, budget_unit="USD")


def policy(scope: str, target: str | None, amount: float) -> budget_pb2.CreateGatewayBudgetPolicyRequest:
    """Return the request for a policy whose window does not end during a history."""
    return budget_pb2.CreateGatewayBudgetPolicyRequest(
        budget_unit="USD",
        budget_amount=amount,
        duration=budget_pb2.BudgetDuration(unit=int(BudgetDurationUnit.MONTHS), value=12 * _YEARS),
        target_scope=scope,
        target_value=target,
        budget_action="ALERT",
    )


def _secret_value(load: Workload) -> dict[str, str]:
    return {"api_key": load._text()}


_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "secret": frozenset({"GatewaySecretInfo"}),
    "model_definition": frozenset({"GatewayModelDefinition"}),
    "endpoint": frozenset({"GatewayEndpoint"}),
    "budget_policy": frozenset({"GatewayBudgetPolicy"}),
}
_W = Workload
_REQUESTS: Final[Sequence[tuple[float, Callable[[Workload], Any]]]] = [
    (10, _W._get_endpoint),
    (6, _W._get_definition),
    (2, lambda load: secret_pb2.GetGatewaySecretInfoRequest(secret_id=load._id("secret"))),
    (2, lambda load: budget_pb2.GetGatewayBudgetPolicyRequest(budget_policy_id=load._id("budget_policy"))),
    (6, lambda load: endpoint_pb2.ListGatewayEndpointsRequest(page_size=load._page_size())),
    (4, _W._list_definitions),
    (3, _W._list_bindings),
    (2, lambda load: secret_pb2.ListGatewaySecretInfosRequest(page_size=load._page_size())),
    (2, lambda load: budget_pb2.ListGatewayBudgetPoliciesRequest(max_results=load._page_size() or None)),
    (3, lambda load: change_pb2.ListGatewayChangesRequest(since_revision=load._revision)),
    (2, _W._create_secret),
    (2, lambda load: secret_pb2.UpdateGatewaySecretRequest(**load._on("secret"), secret_value=_secret_value(load))),
    (1, lambda load: secret_pb2.DeleteGatewaySecretRequest(**load._on("secret"))),
    (4, _W._create_definition),
    (6, _W._update_definition),
    (3, lambda load: model_definition_pb2.DeleteGatewayModelDefinitionRequest(**load._on("model_definition"))),
    (4, _W._create_endpoint),
    (10, _W._update_endpoint),
    (2, lambda load: endpoint_pb2.DeleteGatewayEndpointRequest(**load._on("endpoint"))),
    (2, lambda load: endpoint_pb2.AttachModelToGatewayEndpointRequest(**load._on("endpoint"), model_config=load._config())),
    (
        2,
        lambda load: endpoint_pb2.DetachModelFromGatewayEndpointRequest(
            **load._on("endpoint"), model_definition_id=load._id("model_definition")
        ),
    ),
    (
        4,
        lambda load: endpoint_pb2.SetGatewayEndpointTagRequest(
            **load._on("endpoint"), key=f"k-{load._chance.randrange(3)}", value=load._text()
        ),
    ),
    (
        2,
        lambda load: endpoint_pb2.DeleteGatewayEndpointTagRequest(
            **load._on("endpoint"), key=f"k-{load._chance.randrange(3)}"
        ),
    ),
    (3, lambda load: binding_pb2.CreateGatewayEndpointBindingRequest(**load._binding())),
    (2, lambda load: binding_pb2.DeleteGatewayEndpointBindingRequest(**load._binding())),
    (2, _W._create_policy),
    (
        2,
        lambda load: budget_pb2.UpdateGatewayBudgetPolicyRequest(
            **load._on("budget_policy"), budget_amount=float(load._chance.randrange(1, 100))
        ),
    ),
    (1, lambda load: budget_pb2.DeleteGatewayBudgetPolicyRequest(**load._on("budget_policy"))),
    (4, _W._charge),
]
_WEIGHTS: Final = [weight for weight, _ in _REQUESTS]
_MAKERS: Final = [make for _, make in _REQUESTS]

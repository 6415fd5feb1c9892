"""Random changes of a configuration, and what a mirror has to have after each."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from gateway_entities.entities.digest import digest_of
from gateway_entities.errors import GatewayError
from gateway_entities.mirror import MirrorState
from gateway_entities.server.service.writes.mutation import identifier
from gateway_entities.server.store import Store
from gatewayentities.v1 import binding_pb2, budget_pb2, endpoint_pb2, guardrail_pb2, model_definition_pb2, secret_pb2
from tests.server.service.conftest import Gateway

Expected = tuple[MirrorState, str]
"""The state at a revision, and its digest."""


def read_state(store: Store) -> Expected:
    """Return what the lists of a store show."""
    with store.read() as transaction:
        state = transaction.state.get()
        lists = {
            "secret": transaction.secrets.list(),
            "model_definition": transaction.model_definitions.list(),
            "endpoint": transaction.endpoints.list(),
            "binding": transaction.bindings.list(),
            "budget_policy": transaction.budget_policies.list(),
            "guardrail": transaction.guardrails.list(),
            "guardrail_config": transaction.guardrail_configs.list(),
        }
    maps: dict[str, dict[str, Any]] = {noun: {identifier(each): each for each in found} for noun, found in lists.items()}
    mirrored = MirrorState(
        store_id=state.store_id,
        revision=state.last_revision,
        secrets=maps["secret"],
        model_definitions=maps["model_definition"],
        endpoints=maps["endpoint"],
        bindings=maps["binding"],
        budget_policies=maps["budget_policy"],
        guardrails=maps["guardrail"],
        guardrail_configs=maps["guardrail_config"],
        endpoint_ids={each.name: key for key, each in maps["endpoint"].items() if each.name is not None},
    )
    return mirrored, digest_of(
        (noun, key, _streamed_etag(noun, each)) for noun, found in maps.items() for key, each in found.items()
    )


def _streamed_etag(noun: str, resource: Any) -> str:
    if noun == "endpoint":
        resource = type(resource).from_proto(resource.to_proto())
        for mapping in resource.model_mappings:
            mapping.model_definition = None
    elif noun == "guardrail_config":
        resource = type(resource).from_proto(resource.to_proto())
        resource.guardrail = None
    etag: str = resource.etag()
    return etag


FIELDS: Final = tuple(name for name in MirrorState.__slots__ if name != "endpoint_ids")


def assert_equal(shown: MirrorState, expected: MirrorState) -> None:
    for name in (*FIELDS, "endpoint_ids"):
        assert getattr(shown, name) == getattr(expected, name), (name, expected.revision)


class Workload:
    """Random changes through the service. Those that the service refuses change nothing."""

    def __init__(self, gateway: Gateway, random_: random.Random, first: int = 0) -> None:
        """Create it.

        Args:
            gateway: where it changes something.
            random_: what it draws from.
            first: the first number in its names; those of concurrent ones must be far apart.
        """
        self._gateway = gateway
        self._random = random_
        self._numbers = itertools.count(first)
        self._actions: list[Callable[[], object]] = [
            *[
                self._create_secret,
                self._create_definition,
                self._create_endpoint,
                self._create_binding,
                self._create_policy,
            ],
            *[self._update_secret, self._rename_definition, self._move_definition, self._update_endpoint],
            *[self._rename_endpoint, self._attach, self._detach, self._tag, self._untag, self._update_policy],
            *[
                self._delete_secret,
                self._delete_definition,
                self._delete_endpoint,
                self._delete_binding,
                self._delete_policy,
            ],
            *[self._create_guardrail, self._add_guardrail, self._move_guardrail],
            *[self._remove_guardrail, self._delete_guardrail],
        ]
        # More is created than deleted, and definitions are shared.
        self._weights = [*[4, 4, 4, 3, 3], *[2, 4, 3, 3], *[3, 3, 2, 2, 1, 2], *[1, 1, 1, 1, 1], *[3, 4, 2], *[1, 1]]

    def change(self) -> Expected:
        """Make one change, and return the state after it."""
        before = self._revision()
        while self._revision() == before:
            self.try_change()
        return read_state(self._gateway.store)

    def try_change(self) -> None:
        """Try to make one change."""
        with suppress(GatewayError, IndexError):
            self._random.choices(self._actions, self._weights)[0]()

    def _revision(self) -> int:
        with self._gateway.store.read() as transaction:
            return transaction.changes.last()

    def _one(self, noun: str) -> Any:
        with self._gateway.store.read() as transaction:
            return self._random.choice(getattr(transaction, noun).list())

    def _name(self) -> str:
        # Few, so that names change hands.
        return f"n{self._random.randrange(12)}"

    def _create_secret(self) -> None:
        self._gateway.secret(secret_name=f"s{next(self._numbers)}", provider=self._random.choice(["openai", "azure"]))

    def _create_definition(self) -> None:
        self._gateway.definition(name=f"d{next(self._numbers)}", secret_id=self._one("secrets").secret_id)

    def _configs(self) -> list[dict[str, Any]]:
        return [
            {
                "model_definition_id": self._one("model_definitions").model_definition_id,
                "linkage_type": "PRIMARY",
                "weight": self._random.choice([0.5, 1.0, 2.0]),
            }
            for _ in range(self._random.randint(1, 3))
        ]

    def _create_endpoint(self) -> None:
        self._gateway.endpoint(*self._configs(), name=self._name())

    def _create_binding(self) -> None:
        self._gateway.do(
            binding_pb2.CreateGatewayEndpointBindingRequest(
                endpoint_id=self._one("endpoints").endpoint_id,
                resource_type="scorer",
                resource_id=self._random.choice(["a", "b/c", "é"]),
            )
        )

    def _create_policy(self) -> None:
        if self._random.random() < 0.5:
            self._gateway.policy()
        else:
            self._gateway.policy(target_scope="ENDPOINT", target_value=self._one("endpoints").endpoint_id)

    def _update_secret(self) -> None:
        value = {"api_key": f"sk-{next(self._numbers):010}"}
        self._gateway.do(secret_pb2.UpdateGatewaySecretRequest(secret_id=self._one("secrets").secret_id, secret_value=value))

    def _update_definition(self, **fields: Any) -> None:
        definition_id = self._one("model_definitions").model_definition_id
        request = model_definition_pb2.UpdateGatewayModelDefinitionRequest
        self._gateway.do(request(model_definition_id=definition_id, **fields))

    def _rename_definition(self) -> None:
        self._update_definition(name=f"d{next(self._numbers)}")

    def _move_definition(self) -> None:
        self._update_definition(secret_id=self._one("secrets").secret_id)

    def _update_endpoint(self) -> None:
        endpoint_id = self._one("endpoints").endpoint_id
        self._gateway.do(endpoint_pb2.UpdateGatewayEndpointRequest(endpoint_id=endpoint_id, model_configs=self._configs()))

    def _rename_endpoint(self) -> None:
        endpoint_id = self._one("endpoints").endpoint_id
        self._gateway.do(endpoint_pb2.UpdateGatewayEndpointRequest(endpoint_id=endpoint_id, name=self._name()))

    def _attach(self) -> None:
        self._gateway.do(
            endpoint_pb2.AttachModelToGatewayEndpointRequest(
                endpoint_id=self._one("endpoints").endpoint_id, model_config=self._configs()[0]
            )
        )

    def _detach(self) -> None:
        endpoint = self._one("endpoints")
        definition_id = self._random.choice(endpoint.model_mappings).model_definition_id
        self._gateway.do(
            endpoint_pb2.DetachModelFromGatewayEndpointRequest(
                endpoint_id=endpoint.endpoint_id, model_definition_id=definition_id
            )
        )

    def _tag(self) -> None:
        self._gateway.do(
            endpoint_pb2.SetGatewayEndpointTagRequest(
                endpoint_id=self._one("endpoints").endpoint_id, key=self._name(), value=str(next(self._numbers))
            )
        )

    def _untag(self) -> None:
        endpoint = self._one("endpoints")
        key = self._random.choice(endpoint.tags).key
        self._gateway.do(endpoint_pb2.DeleteGatewayEndpointTagRequest(endpoint_id=endpoint.endpoint_id, key=key))

    def _update_policy(self) -> None:
        policy_id = self._one("budget_policies").budget_policy_id
        amount = float(next(self._numbers))
        self._gateway.do(budget_pb2.UpdateGatewayBudgetPolicyRequest(budget_policy_id=policy_id, budget_amount=amount))

    def _delete_secret(self) -> None:
        self._gateway.do(secret_pb2.DeleteGatewaySecretRequest(secret_id=self._one("secrets").secret_id))

    def _delete_definition(self) -> None:
        definition_id = self._one("model_definitions").model_definition_id
        self._gateway.do(model_definition_pb2.DeleteGatewayModelDefinitionRequest(model_definition_id=definition_id))

    def _delete_endpoint(self) -> None:
        self._gateway.do(endpoint_pb2.DeleteGatewayEndpointRequest(endpoint_id=self._one("endpoints").endpoint_id))

    def _delete_binding(self) -> None:
        binding = self._one("bindings")
        self._gateway.do(
            binding_pb2.DeleteGatewayEndpointBindingRequest(
                endpoint_id=binding.endpoint_id,
                resource_type=str(binding.resource_type),
                resource_id=binding.resource_id,
            )
        )

    def _delete_policy(self) -> None:
        policy_id = self._one("budget_policies").budget_policy_id
        self._gateway.do(budget_pb2.DeleteGatewayBudgetPolicyRequest(budget_policy_id=policy_id))

    def _create_guardrail(self) -> None:
        called = self._one("endpoints").endpoint_id if self._random.random() < 0.5 else None
        self._gateway.do(
            guardrail_pb2.CreateGatewayGuardrailRequest(
                name=self._name(),
                scorer_id="scorer",
                scorer_version=next(self._numbers) + 1,
                stage="BEFORE",
                action="SANITIZATION",
                action_endpoint_id=called,
            )
        )

    def _add_guardrail(self) -> None:
        endpoint_id, guardrail_id = self._one("endpoints").endpoint_id, self._one("guardrails").guardrail_id
        self._gateway.do(guardrail_pb2.AddGuardrailToEndpointRequest(endpoint_id=endpoint_id, guardrail_id=guardrail_id))

    def _config(self) -> dict[str, str]:
        config = self._one("guardrail_configs")
        return {"endpoint_id": config.endpoint_id, "guardrail_id": config.guardrail_id}

    def _move_guardrail(self) -> None:
        order = next(self._numbers)
        self._gateway.do(guardrail_pb2.UpdateEndpointGuardrailConfigRequest(**self._config(), execution_order=order))

    def _remove_guardrail(self) -> None:
        self._gateway.do(guardrail_pb2.RemoveGuardrailFromEndpointRequest(**self._config()))

    def _delete_guardrail(self) -> None:
        guardrail_id = self._one("guardrails").guardrail_id
        self._gateway.do(guardrail_pb2.DeleteGatewayGuardrailRequest(guardrail_id=guardrail_id))

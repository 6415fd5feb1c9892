"""What an apply or a rollback wants, in one form for both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway_entities.entities import GatewayBudgetPolicy, GatewayGuardrail
from gateway_entities.server.service import form
from gateway_entities.server.service.configuration.state import DEFINITION, ENDPOINT, GUARDRAIL, POLICY, SECRET, State
from gatewayentities.v1 import configuration_pb2 as pb


@dataclass(slots=True)
class Item:
    """A resource that is wanted.

    Attributes:
        form: its description, in its normal form.
        path: its path in the request.
        id: the id that it had; None if that is not known.
        renamed_from: its former name; empty if there is none.
        bindings: the bindings of an endpoint; None leaves them as they are.
        owner: its owner after a rollback.
    """

    form: Any
    path: str
    id: str | None = None
    renamed_from: str = ""
    bindings: Sequence[pb.GatewayEndpointBindingConfiguration] | None = None
    owner: str | None = None


@dataclass(slots=True)
class Wanted:
    """Everything that is wanted.

    Attributes:
        secrets: the secrets.
        definitions: the model definitions.
        endpoints: the endpoints.
        policies: the budget policies.
        guardrails: the guardrails; their descriptions have the endpoints that use them.
        owner: the owner of the configuration; None if it has none, and of a rollback.
        prunes: whether what is not wanted goes: of a rollback everything, else what the owner has.
        takes_over: whether resources of other owners are written.
        is_rollback: whether owners are those of the items.
        values: the values of secrets, by name.
        value_paths: the names of these secrets, by their paths in the request.
        rotated: the ids of the secrets that got a value since the revision of a rollback.
    """

    secrets: list[Item] = field(default_factory=list[Item])
    definitions: list[Item] = field(default_factory=list[Item])
    endpoints: list[Item] = field(default_factory=list[Item])
    policies: list[Item] = field(default_factory=list[Item])
    guardrails: list[Item] = field(default_factory=list[Item])
    owner: str | None = None
    prunes: bool = False
    takes_over: bool = False
    is_rollback: bool = False
    values: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]], repr=False)
    value_paths: dict[str, str] = field(default_factory=dict[str, str])
    rotated: frozenset[str] = frozenset()

    @classmethod
    def of_configuration(cls, request: Any) -> Wanted:
        """Return what a request with a configuration wants."""
        given: pb.GatewayConfiguration = request.configuration
        at = "configuration"
        wanted = cls(owner=given.owner or None, prunes=request.prune, takes_over=request.adopt)
        wanted.secrets = [Item(form.normal_secret(e), f"{at}.secrets[{i}]") for i, e in enumerate(given.secrets)]
        wanted.definitions = [
            Item(form.normal_definition(e), f"{at}.model_definitions[{i}]", renamed_from=e.renamed_from)
            for i, e in enumerate(given.model_definitions)
        ]
        wanted.endpoints = [
            Item(
                form.normal_endpoint(e),
                f"{at}.endpoints[{i}]",
                renamed_from=e.renamed_from,
                bindings=e.bindings.items if e.HasField("bindings") else None,
            )
            for i, e in enumerate(given.endpoints)
        ]
        wanted.policies = [
            Item(form.normal_policy(e), f"{at}.budget_policies[{i}]") for i, e in enumerate(given.budget_policies)
        ]
        wanted.guardrails = [Item(form.normal_guardrail(e), f"{at}.guardrails[{i}]") for i, e in enumerate(given.guardrails)]
        wanted._take_values(request.secret_values)
        return wanted

    @classmethod
    def of_rollback(cls, target: State, request: Any, rotated: frozenset[str]) -> Wanted:
        """Return what a rollback wants.

        Args:
            target: the state to return to.
            request: the request.
            rotated: the ids of the secrets that got a value since.
        """
        names = target.endpoint_names()
        wanted = cls(prunes=True, takes_over=True, is_rollback=True, rotated=rotated)

        def items(noun: str, describe: Any) -> list[Item]:
            found: list[Item] = []
            for identifier, resource in target.resources(noun).items():
                described = describe(resource)
                name = getattr(described, "name", identifier)
                found.append(Item(described, f"{noun} {name}", identifier, owner=target.owners.get((noun, identifier))))
            return found

        wanted.secrets = items(SECRET, form.secret_form)
        wanted.definitions = items(DEFINITION, form.definition_form)
        wanted.endpoints = items(ENDPOINT, form.endpoint_form)

        def describe_policy(policy: GatewayBudgetPolicy) -> pb.GatewayBudgetPolicyConfiguration:
            return form.policy_form(policy, names)

        wanted.policies = items(POLICY, describe_policy)
        guardrails = target.guardrail_forms(names)

        def describe_guardrail(guardrail: GatewayGuardrail) -> pb.GatewayGuardrailConfiguration:
            return guardrails[guardrail.guardrail_id]

        wanted.guardrails = items(GUARDRAIL, describe_guardrail)
        if request.with_bindings:
            bindings: dict[str, list[pb.GatewayEndpointBindingConfiguration]] = {}
            for binding in target.bindings.values():
                bindings.setdefault(binding.endpoint_id, []).append(form.binding_form(binding))
            for item in wanted.endpoints:
                item.bindings = bindings.get(str(item.id), [])
        wanted._take_values(request.secret_values)
        return wanted

    def owner_of(self, item: Item, now: str | None) -> str | None:
        """Return the owner of a resource afterwards."""
        if self.is_rollback:
            return item.owner
        return self.owner if self.owner is not None else now

    def _take_values(self, assignments: Iterable[pb.GatewaySecretAssignment]) -> None:
        for position, assignment in enumerate(assignments):
            self.values[assignment.name] = dict(assignment.secret_value)
            self.value_paths[f"secret_values[{position}].name"] = assignment.name

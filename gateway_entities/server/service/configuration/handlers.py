"""The RPCs of ConfigurationService."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.methods import METHODS
from gateway_entities.rules import validate
from gateway_entities.server.service.configuration.execute import execute
from gateway_entities.server.service.configuration.plan import Plan
from gateway_entities.server.service.configuration.state import (
    BINDING,
    GUARDRAIL,
    POLICY,
    SECRET,
    USE,
    State,
    version_of,
)
from gateway_entities.server.service.configuration.wanted import Wanted
from gateway_entities.server.service.context import CALLER, OWNERS, limited_to_owners, require_no_owners, require_scope
from gateway_entities.server.service.errors import exhausted
from gateway_entities.server.service.spending.ledger import LedgerService
from gateway_entities.server.service.writes.idempotency import find_response, store_response
from gateway_entities.server.store.repositories.token import AccessScope
from gatewayentities.v1 import configuration_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

MAX_RESPONSE_BYTES: Final = 4 * 1024 * 1024 - 4096
"""Maximum size of a configuration or a plan: gRPC clients accept 4 MiB by default."""
_MAX_NAMED: Final = 100
_WITHOUT_UNIQUE_NAMES: Final = (BINDING, POLICY, GUARDRAIL, USE)
_OF_ADMINS: Final = {POLICY: "budget policies", GUARDRAIL: "guardrails"}
"""What only the scope ADMIN may change."""
_RPCS: Final = {method.request_type: method for method in METHODS}
_Version = tuple[str, str, str, str, str]
Response = TypeVar("Response", pb.ApplyGatewayConfigurationResponse, pb.RollbackGatewayConfigurationResponse)


class ConfigurationService(LedgerService):
    """The RPCs of ConfigurationService. Errors: as the contract lists, and UNAVAILABLE from the store."""

    def export_gateway_configuration(
        self, request: pb.ExportGatewayConfigurationRequest
    ) -> pb.ExportGatewayConfigurationResponse:
        """Describe the store, now or after an earlier change."""
        validate(request)
        with self.read() as transaction:
            revision = transaction.changes.last()
            state = State.current(transaction)
            if request.HasField("at_revision"):
                revision = request.at_revision
                state = State.at(transaction, revision, state)
        configuration = state.export(request.owner or None, with_bindings=request.with_bindings)
        response = pb.ExportGatewayConfigurationResponse(configuration=configuration, revision=revision)
        _refuse_large(response, "Export one owner at a time.")
        return response

    def plan_gateway_configuration(self, request: pb.PlanGatewayConfigurationRequest) -> pb.PlanGatewayConfigurationResponse:
        """Return what an apply or a rollback would do."""
        validate(request, self.allowed_addresses)
        if request.secret_values:
            require_scope(AccessScope.WRITE, "a plan with secret values")
            _require_owner(request)
        with self.read() as transaction:
            revision = transaction.changes.last()
            plan, basis = _planned(transaction, request, None)
        if request.secret_values:
            # The plan tells whether they are the stored ones.
            sent = {each.name for each in request.secret_values}
            _require_owned([step for step in plan.steps if step.noun == SECRET and step.name in sent])
        message = pb.GatewayConfigurationPlan(
            changes=[step.to_proto() for step in plan.steps if step.changes],
            effects=[step.to_proto() for step in _noted(plan)],
            basis=basis,
        )
        response = pb.PlanGatewayConfigurationResponse(plan=message, revision=revision)
        _refuse_large(response, "Apply the configuration in parts.")
        return response

    def apply_gateway_configuration(
        self, request: pb.ApplyGatewayConfigurationRequest
    ) -> pb.ApplyGatewayConfigurationResponse:
        """Make the store as a configuration says."""
        _require_owner(request)
        return self._carry_out(request, pb.ApplyGatewayConfigurationResponse())

    def rollback_gateway_configuration(
        self, request: pb.RollbackGatewayConfigurationRequest
    ) -> pb.RollbackGatewayConfigurationResponse:
        """Make the store as it was after an earlier change."""
        require_no_owners()
        return self._carry_out(request, pb.RollbackGatewayConfigurationResponse())

    def _carry_out(self, request: Any, response: Response) -> Response:
        validate(request, self.allowed_addresses)
        with self.write() as transaction:
            stored: Response | None = find_response(transaction, request)
            if stored is not None:
                return stored
            transaction.require_room()
            actor = CALLER.get() or (request.updated_by or None)
            plan, basis = _planned(transaction, request, actor)
            if request.HasField("basis"):
                _refuse_stale(request.basis, basis)
            _require_scopes(plan)
            _require_owned([step for step in plan.steps if step.changes])
            effects = execute(transaction, plan, actor)
            ledger = self.ledger(transaction)
            for step in plan.steps:
                if step.noun == POLICY and step.changes and step.before is not None and step.after is not None:
                    ledger.relimit(step.after)
            response.created = sum(effect.etag_before is None for effect in effects)
            response.deleted = sum(effect.etag_after is None for effect in effects)
            response.updated = len(effects) - response.created - response.deleted
            if effects:
                name = _RPCS[type(request)].name
                response.revision = transaction.changes.add(name, actor, transaction.now, effects)
            else:
                response.revision = transaction.changes.last()
            store_response(transaction, request, response, created=False)
        return response


def _planned(transaction: Transaction, request: Any, actor: str | None) -> tuple[Plan, pb.GatewayPlanBasis]:
    """Make the plan of a request, and what it depends on."""
    state = State.current(transaction)
    if "to_revision" in request.DESCRIPTOR.fields_by_name and request.HasField("to_revision"):
        target = State.at(transaction, request.to_revision, state)
        wanted = Wanted.of_rollback(target, request, transaction.changes.rotated_since(request.to_revision))
        _refuse_unknown_values(wanted)
    else:
        wanted = Wanted.of_configuration(request)
    plan = Plan(transaction, state, wanted, actor)
    return plan, _basis(transaction, state, plan)


def _refuse_unknown_values(wanted: Wanted) -> None:
    names = {item.form.name for item in wanted.secrets}
    faults = [
        FieldViolation(path, "must be the name of a secret that existed then")
        for path, name in wanted.value_paths.items()
        if name not in names
    ]
    if faults:
        raise GatewayError.invalid(faults[:_MAX_NAMED])


def _basis(transaction: Transaction, state: State, plan: Plan) -> pb.GatewayPlanBasis:
    basis = pb.GatewayPlanBasis(store_id=transaction.state.get().store_id)
    found: list[_Version] = []
    # The other effects leave what the resource itself has.
    touched = [step for step in plan.effects if step.after is None or step.noun == GUARDRAIL]
    for step in (*plan.steps, *touched):
        if step.before is not None:
            name = step.name if step.after is None else _name_before(step)
            found.append((step.noun, name, step.id, version_of(step.before), step.owner_before or ""))
        elif step.noun not in _WITHOUT_UNIQUE_NAMES:
            found.append((step.noun, step.name, "", "", ""))
    for (noun, name), identifier in plan.references.items():
        resource = state.resources(noun)[identifier]
        found.append((noun, name, identifier, version_of(resource), state.owners.get((noun, identifier), "")))
    for noun, name, identifier, etag, owner in sorted(set(found)):
        basis.versions.add(noun=noun, name=name, id=identifier or None, content_etag=etag or None, owner=owner or None)
    return basis


def _name_before(step: Any) -> str:
    # The description of a use has the name of its endpoint.
    name: str = step.name if step.noun == USE else getattr(step.form_before, "name", step.name)
    return name


def _refuse_stale(given: pb.GatewayPlanBasis, now: pb.GatewayPlanBasis) -> None:
    """Check that a plan would be the same now.

    Raises:
        GatewayError: OUT_OF_RANGE (it is of another store) or ABORTED (resources have changed).
    """
    if given.store_id != now.store_id:
        raise GatewayError(Code.OUT_OF_RANGE, "The plan is of another store; plan again.", reason="STORE_CHANGED")
    moved = sorted({key[:2] for key in _versions(given) ^ _versions(now)})
    if moved:
        named = moved[:_MAX_NAMED]
        violations = [FieldViolation(f"{noun} {name}", "has changed since the plan") for noun, name in named]
        listed = ", ".join(f"{noun} '{name}'" for noun, name in named)
        more = f", and {len(moved) - len(named)} more" if len(moved) > len(named) else ""
        raise GatewayError(
            Code.ABORTED,
            f"Changed since the plan: {listed}{more}. Nothing was applied; plan again.",
            reason="STALE_PLAN",
            field_violations=violations,
        )


def _versions(basis: pb.GatewayPlanBasis) -> set[_Version]:
    return {(each.noun, each.name, each.id, each.content_etag, each.owner) for each in basis.versions}


def _require_scopes(plan: Plan) -> None:
    changed = {step.noun for step in plan.steps if step.changes}
    for noun, plural in _OF_ADMINS.items():
        if noun in changed:
            require_scope(AccessScope.ADMIN, f"a configuration that changes {plural}")


def _require_owner(request: Any) -> None:
    """Check that the caller may apply configurations of the owner that a request names.

    Raises:
        GatewayError: PERMISSION_DENIED.
    """
    owners, owner = OWNERS.get(), request.configuration.owner
    if owners is not None and owner not in owners:
        named = f"has the owner '{owner}'" if owner else "has no owner"
        raise limited_to_owners(f"This one {named}")


def _require_owned(steps: list[Any]) -> None:
    """Check that the caller may change the resources of some steps.

    Raises:
        GatewayError: PERMISSION_DENIED.
    """
    owners = OWNERS.get()
    # A binding is its endpoint's, and a use its guardrail's.
    steps = [step for step in steps if step.before is not None and step.noun not in (BINDING, USE)]
    others = [step for step in steps if owners is not None and step.owner_before not in owners]
    if others:
        listed = ", ".join(f"{step.noun} '{step.name}'" for step in others[:_MAX_NAMED])
        more = f", and {len(others) - _MAX_NAMED} more" if len(others) > _MAX_NAMED else ""
        raise limited_to_owners(f"It must not change what others have, or nobody: {listed}{more}")


def _noted(plan: Plan) -> list[Any]:
    """Return the effects, and the secrets that do not change but have notes."""
    return [*plan.effects, *(step for step in plan.steps if step.noun == SECRET and step.notes and not step.changes)]


def _refuse_large(response: Any, advice: str) -> None:
    if response.ByteSize() > MAX_RESPONSE_BYTES:
        raise exhausted(f"The response would have more than {MAX_RESPONSE_BYTES} bytes. {advice}", "RESPONSE_TOO_LARGE")

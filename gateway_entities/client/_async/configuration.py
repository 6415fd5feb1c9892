"""Configuration as code."""

from __future__ import annotations

from collections.abc import Mapping

from gateway_entities import methods
from gateway_entities.client._async.rpc import AsyncRpcClient
from gateway_entities.client._requests import ApplyResult, assignments, build, message
from gateway_entities.entities import GatewayConfiguration, GatewayConfigurationPlan, GatewayPlanBasis, SecretValue
from gatewayentities.v1 import configuration_pb2


class AsyncConfigurationMethods(AsyncRpcClient):
    """Configuration as code."""

    async def export_configuration(
        self,
        *,
        at_revision: int | None = None,
        owner: str | None = None,
        with_bindings: bool | None = None,
        timeout: float | None = None,
    ) -> GatewayConfiguration:
        """Describe what is stored, now or after an earlier change. Equal stores give equal bytes.

        Args:
            at_revision: the revision after which the store is described; None means now.
            owner: only resources of this owner; None means all, without owners.
            with_bindings: whether endpoints have their bindings; None means False.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; OUT_OF_RANGE (the change log does not go back to the revision);
                RESOURCE_EXHAUSTED (more than 4 MiB).
        """
        request = build(
            configuration_pb2.ExportGatewayConfigurationRequest,
            at_revision=at_revision,
            owner=owner,
            with_bindings=with_bindings,
        )
        return await self._entity(methods.EXPORT_GATEWAY_CONFIGURATION, request, GatewayConfiguration, timeout)

    async def plan_configuration(
        self,
        configuration: GatewayConfiguration,
        *,
        prune: bool | None = None,
        adopt: bool | None = None,
        secret_values: Mapping[str, Mapping[str, str] | SecretValue] | None = None,
        timeout: float | None = None,
    ) -> GatewayConfigurationPlan:
        """Return what ``apply_configuration`` would do. It changes nothing.

        Args:
            configuration: the configuration.
            prune: whether what its owner has, and it does not name, would be deleted; None means False.
            adopt: whether resources of other owners would be taken over; None means False.
            secret_values: values of secrets by name, compared with the stored ones. They need a token of scope ``write``.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: as of ``apply_configuration``, without ABORTED; RESOURCE_EXHAUSTED (more than 4 MiB).
        """
        request = build(
            configuration_pb2.PlanGatewayConfigurationRequest,
            configuration=message("configuration", GatewayConfiguration, configuration),
            prune=prune,
            adopt=adopt,
            secret_values=assignments(secret_values),
        )
        return await self._entity(methods.PLAN_GATEWAY_CONFIGURATION, request, GatewayConfigurationPlan, timeout)

    async def plan_rollback(
        self,
        to_revision: int,
        *,
        secret_values: Mapping[str, Mapping[str, str] | SecretValue] | None = None,
        with_bindings: bool | None = None,
        timeout: float | None = None,
    ) -> GatewayConfigurationPlan:
        """Return what ``rollback_configuration`` would do. It changes nothing.

        Args:
            to_revision: the revision to return to.
            secret_values: values of secrets by name, compared with the stored ones. They need a token of scope ``write``.
            with_bindings: whether bindings would return too; None means False.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: as of ``rollback_configuration``, without ABORTED; RESOURCE_EXHAUSTED (more than 4 MiB).
        """
        request = build(
            configuration_pb2.PlanGatewayConfigurationRequest,
            to_revision=to_revision,
            secret_values=assignments(secret_values),
            with_bindings=with_bindings,
        )
        return await self._entity(methods.PLAN_GATEWAY_CONFIGURATION, request, GatewayConfigurationPlan, timeout)

    async def apply_configuration(
        self,
        configuration: GatewayConfiguration,
        *,
        prune: bool | None = None,
        adopt: bool | None = None,
        secret_values: Mapping[str, Mapping[str, str] | SecretValue] | None = None,
        basis: GatewayPlanBasis | None = None,
        updated_by: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> ApplyResult:
        """Make the store as a configuration says, in one transaction with one revision; without a difference write nothing.

        Args:
            configuration: the configuration.
            prune: whether what its owner has, and it does not name, is deleted; None means False.
            adopt: whether resources of other owners are taken over; None means False.
            secret_values: values of secrets by name. A new secret without one has no value.
            basis: that of a plan, which is carried out as it is or refused; None applies to what there is.
            updated_by: the actor, 1 to 255 characters.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (a name that is referred to); FAILED_PRECONDITION (another owner);
                ABORTED (resources have changed since the plan); OUT_OF_RANGE (the plan is of another store);
                PERMISSION_DENIED (budget policies need the scope ``admin``).
        """
        request = build(
            configuration_pb2.ApplyGatewayConfigurationRequest,
            configuration=message("configuration", GatewayConfiguration, configuration),
            prune=prune,
            adopt=adopt,
            secret_values=assignments(secret_values),
            basis=message("basis", GatewayPlanBasis, basis),
            updated_by=updated_by,
            request_id=request_id,
        )
        response = await self._call(methods.APPLY_GATEWAY_CONFIGURATION, request, timeout)
        return ApplyResult(response.revision, response.created, response.updated, response.deleted)

    async def rollback_configuration(
        self,
        to_revision: int,
        *,
        secret_values: Mapping[str, Mapping[str, str] | SecretValue] | None = None,
        with_bindings: bool | None = None,
        basis: GatewayPlanBasis | None = None,
        updated_by: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> ApplyResult:
        """Make the store as it was after an earlier change, as a new change. Secrets keep their values.

        Args:
            to_revision: the revision to return to.
            secret_values: values of secrets by name.
            with_bindings: whether bindings return too; None means False.
            basis: that of a plan, which is carried out as it is or refused; None applies to what there is.
            updated_by: the actor, 1 to 255 characters.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; OUT_OF_RANGE (the change log does not go back to the revision); ABORTED
                (resources have changed since the plan); PERMISSION_DENIED (budget policies need the scope ``admin``).
        """
        request = build(
            configuration_pb2.RollbackGatewayConfigurationRequest,
            to_revision=to_revision,
            secret_values=assignments(secret_values),
            with_bindings=with_bindings,
            basis=message("basis", GatewayPlanBasis, basis),
            updated_by=updated_by,
            request_id=request_id,
        )
        response = await self._call(methods.ROLLBACK_GATEWAY_CONFIGURATION, request, timeout)
        return ApplyResult(response.revision, response.created, response.updated, response.deleted)

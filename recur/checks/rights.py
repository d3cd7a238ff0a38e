"""Checks of what the caller may do, before a deployment."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from recur.arm_reader import AbsentError, ArmReader
from recur.checks.findings import Finding, good, problem
from recur.checks.planned_deployment import PlannedDeployment
from recur.roles import PUBLISHER, Role

_PERMISSIONS: Final = "2022-04-01"
_PATH: Final = "/providers/Microsoft.Authorization/permissions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """
    Something that a deployment does.

    Attributes:
        what: What it is, in words.
        actions: The actions of Azure that it takes.
        why: What fails without it.
        role: The least of Azure's own roles that has it.
    """

    what: str
    actions: tuple[str, ...]
    why: str
    role: str


_RESOURCES: Final = (
    "Microsoft.Resources/deployments/write",
    "Microsoft.Batch/batchAccounts/write",
    "Microsoft.Batch/batchAccounts/pools/write",
    "Microsoft.Insights/components/write",
    "Microsoft.ManagedIdentity/userAssignedIdentities/write",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.OperationalInsights/workspaces/write",
    "Microsoft.Storage/storageAccounts/write",
    "Microsoft.Web/serverfarms/write",
    "Microsoft.Web/sites/write",
)
_NETWORK: Final = (
    "Microsoft.Network/privateDnsZones/write",
    "Microsoft.Network/privateEndpoints/write",
    "Microsoft.Network/virtualNetworks/write",
)
_GROUP: Final = "Microsoft.Resources/subscriptions/resourceGroups/write"

_AUTHORIZATION: Final = (
    Right(
        what="assign roles",
        actions=("Microsoft.Authorization/roleAssignments/write",),
        why="the identities of the deployment get no roles, and nothing works",
        role="Role Based Access Control Administrator",
    ),
    Right(
        what="create role definitions",
        actions=("Microsoft.Authorization/roleDefinitions/write",),
        why="the custom role of the function app cannot be created",
        role="User Access Administrator",
    ),
)
_LOCK: Final = Right(
    what="create locks",
    actions=("Microsoft.Authorization/locks/write",),
    why="the lock that protects the ledger from deletion cannot be created",
    role="User Access Administrator",
)


def check_rights(reader: ArmReader, planned: PlannedDeployment) -> Iterator[Finding]:
    """Yield what the caller may do in the resource group, or else in the subscription."""
    held: list[dict[str, Any]] | None = None
    place, scope = "the subscription", f"/subscriptions/{planned.subscription}"
    if planned.group:
        try:
            held = reader.list(f"/resourceGroups/{planned.group}{_PATH}", _PERMISSIONS)
            place = f"resource group {planned.group}"
            scope = f"{scope}/resourceGroups/{planned.group}"
        except AbsentError:
            place = f"the subscription, since {planned.group} does not exist yet"
    actions = _RESOURCES + (_NETWORK if planned.private else ())
    if held is None:
        held = reader.list(_PATH, _PERMISSIONS)
        actions = (_GROUP, *actions)
    create = Right(
        what="create resources",
        actions=actions,
        why="the deployment stops at the first resource that Azure refuses",
        role="Contributor",
    )
    for right in (create, *_AUTHORIZATION, *((_LOCK,) if planned.lock else ())):
        yield _judge(right, held, place, scope)


def _judge(right: Right, held: Sequence[Mapping[str, Any]], place: str, scope: str) -> Finding:
    check = f"right to {right.what}"
    missing = [action for action in right.actions if not allows(held, action)]
    if not missing:
        return good(
            check, f"you have it in {place}; conditions and deny assignments are not checked"
        )
    return problem(
        check,
        f"you do not have it in {place}: {', '.join(missing)}",
        right.why,
        Role(holder=PUBLISHER, name=right.role, place=place, scope=scope).command,
    )


def allows(permissions: Sequence[Mapping[str, Any]], action: str) -> bool:
    """
    Tell whether permissions allow an action: at least one of them names it and does not take it back.

    Args:
        permissions: Each with ``actions`` and ``notActions``, in which ``*`` stands for anything.
        action: Whole, as Azure names it; case does not matter.
    """
    return any(
        _matches(one.get("actions"), action) and not _matches(one.get("notActions"), action)
        for one in permissions
    )


def _matches(patterns: Sequence[str] | None, action: str) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE)
        for pattern in patterns or ()
    )

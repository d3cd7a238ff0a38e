"""Checks of the roles that the deployment's own identities need, by Azure Resource Manager."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, HttpResponseError

from recur.arm import BatchArm
from recur.checks.findings import Finding, good, problem, unchecked
from recur.checks.resources import Resources
from recur.errors import CliError, Exit
from recur.target import Target

_SUBMITTER: Final = ("Azure Batch Job Submitter", "48e5e92e-a480-4e71-aa9c-2778f4c13781")
_OWNER: Final = ("Storage Blob Data Owner", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b")
_CONTRIBUTOR: Final = ("Storage Blob Data Contributor", "ba92f5b4-2d11-453d-a403-e96b0029c9fe")
_READER: Final = ("Storage Blob Data Reader", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1")
_OWN_ROLES: Final = ("ledger", "outputs", "upload", "download")
_CODE_CONTAINER: Final = "deployment"
_PUBLISHER: Final = ("Monitoring Metrics Publisher", "3913510d-42f4-4e42-8a64-420c390055eb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """
    A role that an identity needs.

    Attributes:
        who: function, code, node or batch.
        role: The role's name, and the id of its definition. Built-in roles have the same id in every
            tenant; those of our own have one for each deployment.
        scope: What it is needed on: an ARM id.
        why: What fails without it.
    """

    who: str
    role: tuple[str, str]
    scope: str
    why: str


def needs(target: Target, group: str) -> tuple[Need, ...]:
    """
    Return every role that infra/core gives to the identities of the deployment itself.

    Raises:
        CliError: A value of the deployment is missing, or ``STORAGE_ROLES`` is not what core gives.
    """
    data = _storage(target.need("DATA_STORAGE_URL"), group)
    host = _storage(target.need("HOST_STORAGE_URL"), group)
    code = f"{_storage(target.need('CODE_STORAGE_URL'), group)}/blobServices/default/containers"
    code = f"{code}/{_CODE_CONTAINER}"
    containers = f"{data}/blobServices/default/containers"
    ledger = f"{containers}/{target.need('LEDGER_CONTAINER')}"
    outputs = f"{containers}/{target.need('OUTPUTS_CONTAINER')}"
    component = f"{group}/providers/Microsoft.Insights/components"
    component = f"{component}/{target.need('APPLICATIONINSIGHTS_NAME')}"
    own = _own_roles(target)
    rows = (
        ("function", _SUBMITTER, target.account_id, "runs are blocked (auth)"),
        ("function", _OWNER, host, "the function app does not start"),
        ("function", _READER, code, "the function app cannot read its code"),
        ("function", own["ledger"], ledger, "no tick can read or write the ledger"),
        (
            "function",
            own["outputs"],
            outputs,
            "outputs are not verified, and no record becomes final",
        ),
        ("function", _PUBLISHER, component, "telemetry is missing, and alerts have no data"),
        ("code", _CONTRIBUTOR, code, "code cannot be deployed, and no instance starts"),
        ("node", own["download"], data, "nodes cannot fetch packages and become unusable"),
        ("node", own["upload"], outputs, "nodes cannot store outputs (output_upload_failed)"),
        ("batch", _CONTRIBUTOR, data, "packages cannot be published"),
    )
    return tuple(Need(who=who, role=role, scope=at, why=why) for who, role, at, why in rows)


def _own_roles(target: Target) -> dict[str, tuple[str, str]]:
    """Return name and definition id of each role of our own, by its key in ``STORAGE_ROLES``."""
    try:
        ids = json.loads(target.need("STORAGE_ROLES"))
        return {key: (f"Recur {key}", str(ids[key]).lower()) for key in _OWN_ROLES}
    except (ValueError, KeyError, TypeError) as error:
        message = (
            f"STORAGE_ROLES in {target.source} does not name the roles {', '.join(_OWN_ROLES)}"
        )
        raise CliError(Exit.REFUSED, message, "deploy infra/core (docs/deploy.md)") from error


def _storage(url: str, group: str) -> str:
    name = (urlsplit(url).hostname or "").partition(".")[0]
    return f"{group}/providers/Microsoft.Storage/storageAccounts/{name}"


def check_roles(target: Target) -> Iterator[Finding]:
    """Yield one finding for each role that an identity of the deployment needs."""
    if target.on_laptop:
        yield unchecked("roles", "the emulator has no roles: keys give full access")
        return
    resources = Resources.of(target)
    wanted = needs(target, resources.group)
    principals = {
        "function": target.need("FUNCTION_PRINCIPAL_ID"),
        "code": target.need("CODE_PRINCIPAL_ID"),
        "node": target.need("NODE_PRINCIPAL_ID"),
    }
    try:
        principals["batch"] = _batch_principal(target)
        held = {who: resources.role_assignments(id_) for who, id_ in principals.items()}
    except HttpResponseError as error:
        reason = error.reason or error.message
        yield unchecked("roles", f"role assignments cannot be read: {reason}")
        return
    except AzureError as error:
        yield unchecked("roles", f"role assignments cannot be read: {error.message}")
        return
    for need in wanted:
        yield judge_role(need, held[need.who], principals[need.who])


def _batch_principal(target: Target) -> str:
    arm = BatchArm.of(target)
    with arm.client:
        return arm.principal() or ""


def judge_role(need: Need, held: Sequence[tuple[str, str]], principal: str) -> Finding:
    """Say whether a role is held at its scope, or at one above it."""
    name, definition = need.role
    check = f"role {name} of {need.who} on {need.scope.rpartition('/')[2]}"
    if any(_covers(one, scope, definition, need.scope) for one, scope in held):
        return good(check, "is held")
    named = definition if name.startswith("Recur ") else f"'{name}'"
    return problem(
        check,
        "is missing",
        need.why,
        f"az role assignment create --role {named} --assignee-object-id {principal} "
        f"--assignee-principal-type ServicePrincipal --scope {need.scope}",
    )


def _covers(held: str, scope: str, definition: str, wanted: str) -> bool:
    """Compare ids as Azure does, without case."""
    if held.lower().rpartition("/")[2] != definition:
        return False
    above, below = scope.lower().rstrip("/"), wanted.lower()
    return below == above or below.startswith(f"{above}/")

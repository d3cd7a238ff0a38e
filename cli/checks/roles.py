"""Checks of the roles that the deployment's own identities need, by Azure Resource Manager."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy
from azure.core.rest import HttpRequest, HttpResponse

from cli.findings import Finding, good, problem, unchecked
from cli.target import Target

_ARM: Final = "https://management.azure.com"
_SCOPE: Final = "https://management.azure.com/.default"
_API_VERSION: Final = "2022-04-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """
    A role that an identity needs.

    Attributes:
        identity: The setting that holds its principal id.
        role: The role's name.
        definition: Its id, the same in every tenant.
        at: What the scope's id must end with or lie above; a setting's value.
        why: What fails without it.
    """

    identity: str
    role: str
    definition: str
    at: str
    why: str


NEEDS: Final = (
    Need(
        identity="FUNCTION_PRINCIPAL_ID",
        role="Azure Batch Job Submitter",
        definition="48e5e92e-a480-4e71-aa9c-2778f4c13781",
        at="BATCH_ACCOUNT_ID",
        why="no job can be submitted: runs are blocked (auth)",
    ),
    Need(
        identity="FUNCTION_PRINCIPAL_ID",
        role="Storage Blob Data Contributor",
        definition="ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        at="LEDGER_CONTAINER",
        why="no tick can read or write the ledger",
    ),
    Need(
        identity="FUNCTION_PRINCIPAL_ID",
        role="Storage Blob Data Contributor",
        definition="ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        at="OUTPUTS_CONTAINER",
        why="outputs cannot be verified, and no record becomes final",
    ),
    Need(
        identity="NODE_PRINCIPAL_ID",
        role="Storage Blob Data Contributor",
        definition="ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        at="OUTPUTS_CONTAINER",
        why="nodes cannot store what tasks print: runs fail (output_upload_failed)",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A role that a principal has: the id of the role's definition, and the scope's id."""

    definition: str
    scope: str


def check_roles(target: Target) -> Iterator[Finding]:
    """Yield one finding for each role that an identity of the deployment needs."""
    if target.on_laptop:
        yield unchecked("roles", "the emulator has none: keys open everything")
        return
    identities = sorted({need.identity for need in NEEDS})
    missing = [name for name in identities if not target.values.get(name)]
    if missing:
        yield unchecked("roles", f"{', '.join(missing)} not known in {target.source}")
        return
    for name in identities:
        try:
            held = _assignments(target, target.need(name))
        except HttpResponseError as error:
            yield unchecked("roles", f"role assignments cannot be read: {error.reason}")
            return
        for need in NEEDS:
            if need.identity == name:
                yield judge(need, held, target)


def judge(need: Need, held: list[Assignment], target: Target) -> Finding:
    """Say whether a role is held at its scope, or at one above it."""
    check = f"role {need.role} on {need.at}"
    scope = target.need(need.at)
    if any(_covers(one, need, scope) for one in held):
        return good(check, f"held by {need.identity}")
    return problem(
        check,
        f"{need.identity} does not have it",
        need.why,
        "deploy infra/core again, or: az role assignment create "
        f"--role '{need.role}' --assignee-object-id {target.need(need.identity)} "
        "--assignee-principal-type ServicePrincipal --scope <its scope>",
    )


def _covers(one: Assignment, need: Need, scope: str) -> bool:
    """Compare ids as Azure does, without case; a container's name ends its id."""
    if one.definition.lower().rpartition("/")[2] != need.definition:
        return False
    held, wanted = one.scope.lower(), scope.lower()
    if wanted.startswith("/"):
        return wanted == held or wanted.startswith(f"{held}/")
    of_container = held.endswith(f"/containers/{wanted}")
    return of_container or ("/containers/" not in held and "/batchaccounts/" not in held)


def _assignments(target: Target, principal: str) -> list[Assignment]:
    """List what a principal holds anywhere in the subscription."""
    subscription = target.account_id.split("/")[2]
    path = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleAssignments"
    query = {"api-version": _API_VERSION, "$filter": f"principalId eq '{principal}'"}
    policies = [RetryPolicy(), BearerTokenCredentialPolicy(target.credential(), _SCOPE)]
    found: list[Assignment] = []
    arm: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(_ARM, policies=policies)
    with arm as client:
        request: HttpRequest | None = HttpRequest("GET", f"{_ARM}{path}", params=query)
        while request is not None:
            response = client.send_request(request)
            response.raise_for_status()
            body: dict[str, Any] = response.json()
            found += [
                Assignment(
                    definition=one["properties"]["roleDefinitionId"],
                    scope=one["properties"]["scope"],
                )
                for one in body["value"]
            ]
            following = body.get("nextLink")
            request = HttpRequest("GET", following) if following else None
    return found

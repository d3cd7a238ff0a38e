"""Who is who and may do what: the exact list, and rules on what a deployment names and grants."""

import re
from collections.abc import Mapping
from typing import Any, Final

from infra.policies import Deployed

ROLES: Final = {
    "48e5e92e-a480-4e71-aa9c-2778f4c13781": "Azure Batch Job Submitter",
    "6aaa78f1-f7de-44ca-8722-c64a23943cae": "Azure Batch Data Contributor",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
"""Names of the built-in roles in use, by id."""

GRANTS: Final = frozenset(
    {
        ("function", "Azure Batch Job Submitter", "batch"),
        ("function", "Storage Blob Data Owner", "host"),
        ("function", "Storage Blob Data Contributor", "data/ledger"),
        ("function", "Storage Blob Data Contributor", "data/outputs"),
        ("function", "Monitoring Metrics Publisher", "telemetry"),
        ("node", "Storage Blob Data Reader", "data"),
        ("node", "Storage Blob Data Contributor", "data/outputs"),
        ("batch", "Storage Blob Data Contributor", "data"),
        ("publisher", "Azure Batch Data Contributor", "batch"),
        ("publisher", "Storage Blob Data Contributor", "data"),
        ("publisher", "Storage Blob Data Reader", "host/azure-webjobs-hosts"),
    }
)
"""Who has which role on what: all of it."""

_API_VERSION: Final = re.compile(r", '\d{4}-\d{2}-\d{2}(-preview)?'")
_BLOB_WRITERS: Final = {"Storage Blob Data Owner", "Storage Blob Data Contributor"}


def exact_roles(deployed: Deployed) -> list[str]:
    """Compare the role assignments with ``GRANTS``: no more, no less."""
    granted = _grants(deployed)
    return [f"not wanted: {' '.join(grant)}" for grant in sorted(granted - GRANTS)] + [
        f"missing: {' '.join(grant)}" for grant in sorted(GRANTS - granted)
    ]


def no_power_over_code(deployed: Deployed) -> list[str]:
    """Keep the function app from packages and pools, nodes from the ledger, all from ownership."""
    found = []
    for grant in _grants(deployed):
        principal, role, scope = grant
        told = " ".join(grant)
        if role not in ROLES.values():
            found.append(f"a role that is not in use here: {told}")
        if principal == "function" and role == "Azure Batch Data Contributor":
            found.append(f"can write pools and packages: {told}")
        if principal == "function" and role in _BLOB_WRITERS and scope == "data":
            found.append(f"can write packages: {told}")
        if principal == "node" and role in _BLOB_WRITERS and scope != "data/outputs":
            found.append(f"can write more than outputs: {told}")
        if scope not in {scope for *_, scope in GRANTS}:
            found.append(f"a scope that is too wide: {told}")
    return found


def own_identities(deployed: Deployed) -> list[str]:
    """Let the app be the function identity and no other, and nodes fetch packages as their own."""
    function = _id(deployed, "ManagedIdentity/userAssignedIdentities", "id-func-")
    node = _id(deployed, "ManagedIdentity/userAssignedIdentities", "id-node-")
    ((_, app),) = deployed.properties("Web/sites")
    ((_, account),) = deployed.properties("Batch/batchAccounts")
    (carried,) = [each.get("identity") for each in deployed.of("Web/sites")]
    code = app["functionAppConfig"]["deployment"]["storage"]["authentication"]
    packages = account["autoStorage"]["nodeIdentityReference"]["resourceId"]
    found = []
    if carried != {"type": "UserAssigned", "userAssignedIdentities": {function: {}}}:
        found.append(f"the app carries {carried}")
    if code["userAssignedIdentityResourceId"] != function:
        found.append(f"code is fetched as {code['userAssignedIdentityResourceId']}")
    if packages != node:
        found.append(f"packages are fetched as {packages}")
    return found


def own_settings(deployed: Deployed) -> list[str]:
    """Let each setting name the identity, the account and the endpoint that it is for."""
    function = _id(deployed, "ManagedIdentity/userAssignedIdentities", "id-func-")
    host = _id(deployed, "Storage/storageAccounts", "sthost")
    (data,) = {each["id"] for each in deployed.of("Storage/storageAccounts")} - {host}
    account = _id(deployed, "Batch/batchAccounts")
    component = _id(deployed, "Insights/components")
    client = f"reference('{function}').clientId"
    wanted = {
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": (
            f"[format('ClientId={{0}};Authorization=AAD', {client})]"
        ),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": f"[reference('{component}').ConnectionString]",
        "AZURE_CLIENT_ID": f"[{client}]",
        "AzureWebJobsStorage__blobServiceUri": f"[reference('{host}').primaryEndpoints.blob]",
        "AzureWebJobsStorage__clientId": f"[{client}]",
        "AzureWebJobsStorage__credential": "managedidentity",
        "BATCH_ACCOUNT_URL": f"[format('https://{{0}}', reference('{account}').accountEndpoint)]",
        "BATCH_POOL_ID": "recur",
        "DATA_STORAGE_URL": f"[reference('{data}').primaryEndpoints.blob]",
        "LEDGER_CONTAINER": "ledger",
        "NODE_IDENTITY_ID": _id(deployed, "ManagedIdentity/userAssignedIdentities", "id-node-"),
        "OUTPUTS_CONTAINER": "outputs",
    }
    ((_, settings),) = deployed.properties("Web/sites/config")
    named = {name: _API_VERSION.sub("", settings[name]) for name in wanted}
    return [f"{name} is {named[name]}" for name in wanted if named[name] != wanted[name]]


def roles_before_app(template: Mapping[str, Any]) -> list[str]:
    """Grant roles before the app starts, by the compiled template of the core."""
    waits = template["resources"]["functionApp"].get("dependsOn", [])
    return [] if "roles" in waits else [f"the app waits for {waits} only"]


def _id(deployed: Deployed, kind: str, prefix: str = "") -> str:
    """Return the id of the one resource of a type whose name begins so."""
    (found,) = [each["id"] for each in deployed.of(kind) if each["name"].startswith(prefix)]
    return str(found)


def _grants(deployed: Deployed) -> set[tuple[str, str, str]]:
    """Return principal, role and scope of each role assignment, by the words of ``GRANTS``."""
    found = set()
    for assignment in deployed.of("Authorization/roleAssignments"):
        properties = assignment["properties"]
        role = properties["roleDefinitionId"].rpartition("/")[2]
        scope = re.match(r"\[extensionResourceId\('([^']*)'", assignment["id"])
        found.add(
            (
                _principal(properties["principalId"]),
                ROLES.get(role, role),
                _scope(scope[1]) if scope else assignment["id"],
            )
        )
    return found


def _principal(expression: str) -> str:
    for part, principal in {
        "/id-func-": "function",
        "/id-node-": "node",
        "/batchAccounts/": "batch",
        "deployer()": "publisher",
    }.items():
        if part in expression:
            return principal
    return expression


def _scope(resource_id: str) -> str:
    """Return the word for a scope; a scope without one is returned as it is."""
    account, _, container = resource_id.partition("/blobServices/default/containers/")
    kind, _, name = account.rpartition("/")
    match kind.rpartition("/")[2]:
        case "batchAccounts":
            word = "batch"
        case "components":
            word = "telemetry"
        case "storageAccounts":
            word = "host" if name.startswith("sthost") else "data"
        case _:
            return resource_id
    return f"{word}/{container}" if container else word

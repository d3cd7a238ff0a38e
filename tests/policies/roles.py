"""Who is who and may do what: the exact list, and rules on what a deployment names and grants."""

import re
from collections.abc import Mapping
from typing import Final

from tests.policies.resources import Deployed, Resource

ROLES: Final = {
    "48e5e92e-a480-4e71-aa9c-2778f4c13781": "Azure Batch Job Submitter",
    "6aaa78f1-f7de-44ca-8722-c64a23943cae": "Azure Batch Data Contributor",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
"""Names of the built-in roles in use, by id."""

CUSTOM_ROLES: Final = {
    "Recur ledger": frozenset({"read", "write", "add/action", "delete"}),
    "Recur outputs": frozenset({"read", "write", "add/action"}),
    "Recur upload": frozenset({"write", "add/action"}),
    "Recur download": frozenset({"read"}),
}
"""What each role of our own may do with blobs. None may do anything with a container or an account."""

GRANTS: Final = frozenset(
    {
        ("function", "Azure Batch Job Submitter", "batch"),
        ("function", "Storage Blob Data Owner", "host"),
        ("function", "Storage Blob Data Reader", "code/deployment"),
        ("function", "Recur ledger", "data/ledger"),
        ("function", "Recur outputs", "data/outputs"),
        ("function", "Monitoring Metrics Publisher", "telemetry"),
        ("code", "Storage Blob Data Contributor", "code/deployment"),
        ("node", "Recur download", "data"),
        ("node", "Recur upload", "data/outputs"),
        ("batch", "Storage Blob Data Contributor", "data"),
        ("publisher", "Azure Batch Data Contributor", "batch"),
        ("publisher", "Storage Blob Data Contributor", "data"),
        ("publisher", "Storage Blob Data Reader", "host/azure-webjobs-hosts"),
    }
)
"""Who has which role on what: all of it."""

_BLOBS: Final = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/"
_PACKAGES_ONLY: Final = (
    "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name]"
    " StringStartsWith 'app-'"
)
_API_VERSION: Final = re.compile(r", '\d{4}-\d{2}-\d{2}(-preview)?'")
_BLOB_WRITERS: Final = {"Storage Blob Data Owner", "Storage Blob Data Contributor"}


def exact_roles(deployed: Deployed) -> list[str]:
    """Compare the role assignments with ``GRANTS``: no more, no less."""
    granted = _grants(deployed)
    return [f"not wanted: {' '.join(grant)}" for grant in sorted(granted - GRANTS)] + [
        f"missing: {' '.join(grant)}" for grant in sorted(GRANTS - granted)
    ]


def exact_custom_roles(deployed: Deployed) -> list[str]:
    """Compare the definitions of our own roles with ``CUSTOM_ROLES``: blobs alone, in this group."""
    found = []
    names = set()
    for each in deployed.of("Authorization/roleDefinitions"):
        properties = each["properties"]
        name = properties["roleName"].partition(" (")[0]
        names.add(name)
        (permission,) = properties["permissions"]
        allowed = frozenset(action.removeprefix(_BLOBS) for action in permission["dataActions"])
        if allowed != CUSTOM_ROLES.get(name):
            found.append(f"{name} may {sorted(allowed)}")
        if permission["actions"]:
            found.append(f"{name} may also {permission['actions']}")
        if not all("/resourceGroups/" in scope for scope in properties["assignableScopes"]):
            found.append(f"{name} can be given in {properties['assignableScopes']}")
    if names != CUSTOM_ROLES.keys():
        found.append(f"the roles are {sorted(names)}")
    return found


def packages_only(deployed: Deployed) -> list[str]:
    """Let nodes read containers of packages, of all that lies in the data storage."""
    conditions = {
        _grant(each, _custom_roles(deployed)): (
            each["properties"].get("condition"),
            each["properties"].get("conditionVersion"),
        )
        for each in deployed.of("Authorization/roleAssignments")
    }
    wanted = {("node", "Recur download", "data"): (_PACKAGES_ONLY, "2.0")}
    return [
        f"the condition of {' '.join(grant)} is {condition}"
        for grant, condition in conditions.items()
        if condition != wanted.get(grant, (None, None))
    ]


def typed_principals(deployed: Deployed) -> list[str]:
    """
    Name the type of the identities made here, and none that was not given for the publisher.

    Azure refuses a wrong type (UnmatchedPrincipalType), and without one looks a new identity up
    before it is known everywhere.
    """
    found = []
    for each in deployed.of("Authorization/roleAssignments"):
        properties = each["properties"]
        principal = _principal(properties["principalId"])
        wanted = None if principal == "publisher" else "ServicePrincipal"
        if properties.get("principalType") != wanted:
            found.append(f"the type of {principal} is {properties.get('principalType')}")
    return found


def no_power_over_code(deployed: Deployed) -> list[str]:
    """Keep the function from code, packages and pools, nodes from the ledger, all from ownership."""
    found = []
    for grant in _grants(deployed):
        principal, role, scope = grant
        told = " ".join(grant)
        if role not in {*ROLES.values(), *CUSTOM_ROLES}:
            found.append(f"a role that is not in use here: {told}")
        if principal == "function" and role == "Azure Batch Data Contributor":
            found.append(f"can write pools and packages: {told}")
        if principal == "function" and role in _BLOB_WRITERS and scope != "host":
            found.append(f"can write packages or code: {told}")
        if principal == "node" and role in {*ROLES.values(), "Recur ledger"}:
            found.append(f"can do more than fetch packages and store outputs: {told}")
        if scope not in {scope for *_, scope in GRANTS}:
            found.append(f"a scope that is too wide: {told}")
    return found


def own_identities(deployed: Deployed) -> list[str]:
    """Let the app work as one identity and be deployed as another, and nodes fetch as their own."""
    identities = "ManagedIdentity/userAssignedIdentities"
    function, code_writer = (
        _id(deployed, identities, "id-func-"),
        _id(deployed, identities, "id-code-"),
    )
    node = _id(deployed, identities, "id-node-")
    ((_, app),) = deployed.properties("Web/sites")
    ((_, account),) = deployed.properties("Batch/batchAccounts")
    (carried,) = [each.get("identity") for each in deployed.of("Web/sites")]
    code = app["functionAppConfig"]["deployment"]["storage"]["authentication"]
    packages = account["autoStorage"]["nodeIdentityReference"]["resourceId"]
    wanted = {"type": "UserAssigned", "userAssignedIdentities": {function: {}, code_writer: {}}}
    found = []
    if carried != wanted:
        found.append(f"the app carries {carried}")
    if code["userAssignedIdentityResourceId"] != code_writer:
        found.append(f"code is deployed as {code['userAssignedIdentityResourceId']}")
    if packages != node:
        found.append(f"packages are fetched as {packages}")
    return found


def own_code_storage(deployed: Deployed) -> list[str]:
    """Keep the code in an account of its own."""
    ((_, app),) = deployed.properties("Web/sites")
    place = app["functionAppConfig"]["deployment"]["storage"]["value"]
    return [] if "/storageAccounts/stcode" in place else [f"the code lies in {place}"]


def own_settings(deployed: Deployed) -> list[str]:
    """Let each setting name the identity, the account and the endpoint that it is for."""
    function = _id(deployed, "ManagedIdentity/userAssignedIdentities", "id-func-")
    host = _id(deployed, "Storage/storageAccounts", "sthost")
    code = _id(deployed, "Storage/storageAccounts", "stcode")
    (data,) = {each["id"] for each in deployed.of("Storage/storageAccounts")} - {host, code}
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


def _id(deployed: Deployed, kind: str, prefix: str = "") -> str:
    """Return the id of the one resource of a type whose name begins so."""
    (found,) = [each["id"] for each in deployed.of(kind) if each["name"].startswith(prefix)]
    return str(found)


def _grants(deployed: Deployed) -> set[tuple[str, str, str]]:
    """Return principal, role and scope of each role assignment, by the words of ``GRANTS``."""
    custom = _custom_roles(deployed)
    return {_grant(each, custom) for each in deployed.of("Authorization/roleAssignments")}


def _custom_roles(deployed: Deployed) -> dict[str, str]:
    """Return the names of our own roles, by id."""
    return {
        each["name"]: each["properties"]["roleName"].partition(" (")[0]
        for each in deployed.of("Authorization/roleDefinitions")
    }


def _grant(assignment: Resource, custom: Mapping[str, str]) -> tuple[str, str, str]:
    properties = assignment["properties"]
    role = properties["roleDefinitionId"].rpartition("/")[2]
    scope = re.match(r"\[extensionResourceId\('([^']*)'", assignment["id"])
    return (
        _principal(properties["principalId"]),
        ROLES.get(role) or custom.get(role, role),
        _scope(scope[1]) if scope else assignment["id"],
    )


def _principal(expression: str) -> str:
    for part, principal in {
        "/id-func-": "function",
        "/id-code-": "code",
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
            word = {"sthost": "host", "stcode": "code"}.get(name[:6], "data")
        case _:
            return resource_id
    return f"{word}/{container}" if container else word

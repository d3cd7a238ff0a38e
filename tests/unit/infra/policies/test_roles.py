"""Roles and identities: each policy notices what breaks it."""

import re

import pytest

from tests.policies import roles
from tests.policies.groups import GROUPS
from tests.support.snapshots import (
    ACCOUNT,
    BATCH_WRITER,
    BLOB,
    CODE,
    CONTRIBUTOR,
    CUSTOM,
    DATA,
    FUNCTION,
    ID,
    INFRA,
    LEDGER,
    NODE,
    OWNER,
    READER,
    WRITER,
    Break,
    broken,
    carried,
    condition,
    drop,
    grant,
    load,
    put,
    role,
)

BROKEN: list[tuple[str, str, Break]] = [
    ("exact_roles", "an owner", grant(FUNCTION, OWNER, ACCOUNT)),
    ("exact_roles", "a role is missing", drop("Authorization/roleAssignments")),
    (
        "exact_roles",
        "an id that is another role's",
        put(
            "Authorization/roleAssignments",
            "roleDefinitionId",
            "/providers/roleDefinitions/11076f67-66f6-4be0-8f6b-f0609fd05cc9",
        ),
    ),
    (
        "exact_custom_roles",
        "nodes read what they upload",
        put(
            CUSTOM,
            "permissions.0.dataActions",
            [f"{BLOB}/write", f"{BLOB}/read"],
            only=role("upload"),
        ),
    ),
    (
        "exact_custom_roles",
        "the function app deletes outputs",
        put(
            CUSTOM,
            "permissions.0.dataActions",
            [f"{BLOB}/{each}" for each in ("read", "write", "add/action", "delete")],
            only=role("outputs"),
        ),
    ),
    (
        "exact_custom_roles",
        "a role deletes containers",
        put(CUSTOM, "permissions.0.actions", ["Microsoft.Storage/*/containers/delete"]),
    ),
    (
        "exact_custom_roles",
        "a role signs delegation keys",
        put(
            CUSTOM,
            "permissions.0.actions",
            ["Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"],
            only=role("download"),
        ),
    ),
    (
        "exact_custom_roles",
        "a role for the whole subscription",
        put(CUSTOM, "assignableScopes", ["/subscriptions/0"]),
    ),
    (
        "exact_custom_roles",
        "one more role",
        put(CUSTOM, "roleName", "Recur everything (x)", only=role("ledger")),
    ),
    ("packages_only", "nodes read the ledger", condition(None)),
    ("packages_only", "nodes read another container", condition("StringStartsWith 'ledger'")),
    ("packages_only", "everything but packages", condition("StringNotStartsWith 'app-'")),
    (
        "typed_principals",
        "a pipeline is taken for a person",
        put(
            "Authorization/roleAssignments",
            "principalType",
            "User",
            only="deployer()",
        ),
    ),
    (
        "typed_principals",
        "a new identity is looked up",
        put("Authorization/roleAssignments", "principalType", None, only="/id-node-"),
    ),
    ("no_power_over_code", "a contributor", grant(NODE, CONTRIBUTOR, ACCOUNT)),
    ("no_power_over_code", "the function app writes its code", grant(FUNCTION, WRITER, CODE)),
    ("no_power_over_code", "nodes sign delegation keys", grant(NODE, READER, DATA)),
    (
        "no_power_over_code",
        "the function app writes pools and packages",
        grant(FUNCTION, BATCH_WRITER, ACCOUNT),
    ),
    (
        "no_power_over_code",
        "the function app writes the blobs of packages",
        grant(FUNCTION, WRITER, DATA),
    ),
    ("no_power_over_code", "nodes write the ledger", grant(NODE, WRITER, LEDGER)),
    ("no_power_over_code", "nodes write everywhere", grant(NODE, WRITER, DATA)),
    (
        "no_power_over_code",
        "a scope that is too wide",
        grant(FUNCTION, WRITER, "Resources/resourceGroups/recur"),
    ),
    ("own_identities", "the app is the nodes as well", carried(NODE)),
    (
        "own_identities",
        "the app has one of its own as well",
        carried(None, kind="SystemAssigned, UserAssigned"),
    ),
    (
        "own_identities",
        "code is deployed as the identity that it works with",
        put(
            "Web/sites",
            "functionAppConfig.deployment.storage.authentication.userAssignedIdentityResourceId",
            f"{ID}.{FUNCTION}",
        ),
    ),
    (
        "own_identities",
        "code is fetched as the nodes",
        put(
            "Web/sites",
            "functionAppConfig.deployment.storage.authentication.userAssignedIdentityResourceId",
            f"{ID}.{NODE}",
        ),
    ),
    (
        "own_identities",
        "packages are fetched as the app",
        put(
            "Batch/batchAccounts",
            "autoStorage.nodeIdentityReference.resourceId",
            f"{ID}.{FUNCTION}",
        ),
    ),
    (
        "own_code_storage",
        "code lies where the function app may write",
        put(
            "Web/sites",
            "functionAppConfig.deployment.storage.value",
            f"[format('{{0}}x', reference('{ID}.Storage/storageAccounts/sthostx').blob)]",
        ),
    ),
]


@pytest.mark.parametrize(
    ("policy", "change"),
    [(policy, change) for policy, _, change in BROKEN],
    ids=[f"{policy}: {what}" for policy, what, _ in BROKEN],
)
def test_what_breaks_a_policy_is_noticed(policy: str, change: Break) -> None:
    """The same deployment with one thing changed."""
    assert broken(GROUPS["roles"][policy], change) != []


def test_every_policy_has_something_that_breaks_it() -> None:
    """A policy that nothing breaks checks nothing."""
    assert {policy for policy, _, _ in BROKEN} == set(GROUPS["roles"])


def test_the_roles_are_what_their_ids_say() -> None:
    """Each id in the Bicep file stands behind the name by which the file calls it."""
    text = (INFRA / "core/modules/roles.bicep").read_text()
    named = dict(re.findall(r"^var (\w+) = '([0-9a-f-]{36})'$", text, re.MULTILINE))
    words = {
        role.removeprefix("Azure ").removeprefix("Storage ").replace(" ", "").lower(): role_id
        for role_id, role in roles.ROLES.items()
    }

    assert {name.lower(): role_id for name, role_id in named.items()} == words


def test_a_pipeline_s_principal_has_the_type_that_it_gives() -> None:
    """And only then: azd knows the id of who deploys, never the type."""
    types = {
        each["properties"].get("principalType")
        for each in load("core.pipeline")["predictedResources"]
        if each["type"] == "Microsoft.Authorization/roleAssignments"
    }

    assert types == {"ServicePrincipal"}

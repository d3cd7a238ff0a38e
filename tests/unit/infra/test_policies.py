"""What is deployed keeps every policy, and each policy notices what breaks it."""

import copy
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.settings import read_settings
from orchestrator.errors import SettingsError
from tests.policies import alerts, names, network, resources, roles
from tests.policies.resources import Deployed

ROOT = Path(__file__).parents[3]
INFRA = ROOT / "infra"
RUNBOOK = (ROOT / "docs/alerts.md").read_text()
# An account key and what goes with it: the laptop's, where there is no Entra.
ON_A_LAPTOP = {"BATCH_ACCOUNT_NAME", "BATCH_ACCOUNT_KEY", "DATA_STORAGE_CONNECTION_STRING"}
ID = "/subscriptions/0/resourceGroups/recur/providers/Microsoft"

type Policy = Callable[[Deployed], list[str]]
type Snapshot = dict[str, Any]
type Break = Callable[[Snapshot], None]


class Asked(Mapping[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def names_read() -> frozenset[str]:
    """Return the settings that the product's code reads in Azure."""
    asked = Asked()
    with pytest.raises(SettingsError):
        read_settings(asked)
    bound = re.findall(r"%(\w+)%", (ROOT / "function_app.py").read_text())
    return frozenset(asked.names.union(bound) - ON_A_LAPTOP)


POLICIES: dict[str, Policy] = {
    "entra_only": resources.entra_only,
    "nothing_public": resources.nothing_public,
    "encrypted_transport": resources.encrypted_transport,
    "immutable_packages": resources.immutable_packages,
    "exact_settings": partial(resources.exact_settings, read=names_read()),
    "no_secret_settings": resources.no_secret_settings,
    "no_secret_outputs": resources.no_secret_outputs,
    "kept_long_enough": resources.kept_long_enough,
    "restorable": resources.restorable,
    "locked": resources.locked,
    "zonal_data": resources.zonal_data,
    "valid_names": names.valid_names,
    "whole": resources.whole,
    "watched": resources.watched,
    "packages_with_the_data": resources.packages_with_the_data,
    "hardened": resources.hardened,
    "budgeted": resources.budgeted,
    "cheap_telemetry": resources.cheap_telemetry,
    "running_as_built": resources.running_as_built,
    "reachable": resources.reachable,
    "exact_roles": roles.exact_roles,
    "exact_custom_roles": roles.exact_custom_roles,
    "packages_only": roles.packages_only,
    "typed_principals": roles.typed_principals,
    "no_power_over_code": roles.no_power_over_code,
    "own_identities": roles.own_identities,
    "own_code_storage": roles.own_code_storage,
    "own_settings": roles.own_settings,
    "firing_alerts": alerts.firing_alerts,
    "sound_alerts": alerts.sound_alerts,
    "explained_alerts": partial(alerts.explained_alerts, page=RUNBOOK),
}

# Of the private profile: what is different there.
PRIVATE: dict[str, Policy] = {
    "nothing_answers_in_public": network.nothing_answers_in_public,
    "private_endpoints": network.private_endpoints,
    "way_out": network.way_out,
    "app_in_network": network.app_in_network,
}
EVERYWHERE = POLICIES.keys() - {"reachable"}


def load(name: str) -> Snapshot:
    snapshot: Snapshot = json.loads((INFRA / f"snapshots/{name}.json").read_text())
    return snapshot


def deployed(snapshot: Snapshot) -> Deployed:
    return Deployed(snapshot["predictedResources"], snapshot["outputs"])


def put(kind: str, path: str, value: object, *, only: str = "") -> Break:
    """Return what sets a property of the resources of a type, or of those whose name has ``only``."""

    def change(snapshot: Snapshot) -> None:
        changed = 0
        for each in snapshot["predictedResources"]:
            if each["type"] == f"Microsoft.{kind}" and only in each["name"]:
                *parents, last = path.split(".")
                target = each.setdefault("properties", {})
                for part in parents:
                    target = target[int(part) if isinstance(target, list) else part]
                target[int(last) if isinstance(target, list) else last] = value
                changed += 1
        assert changed, f"there is no {kind} {only} to break"

    return change


def drop(kind: str, *, only: str = "") -> Break:
    def change(snapshot: Snapshot) -> None:
        resources = snapshot["predictedResources"]
        gone = [
            each
            for each in resources
            if each["type"] == f"Microsoft.{kind}" and only in each["name"]
        ]
        assert gone, f"there is no {kind} {only} to drop"
        snapshot["predictedResources"] = [each for each in resources if each not in gone]

    return change


def rename(kind: str, name: str) -> Break:
    """Return what gives the one resource of a type another name."""

    def change(snapshot: Snapshot) -> None:
        (only,) = [
            each for each in snapshot["predictedResources"] if each["type"] == f"Microsoft.{kind}"
        ]
        only["name"] = name

    return change


def retype(kind: str, other: str) -> Break:
    """Return what makes the one resource of a type one of another type."""

    def change(snapshot: Snapshot) -> None:
        (only,) = [
            each for each in snapshot["predictedResources"] if each["type"] == f"Microsoft.{kind}"
        ]
        only["type"] = f"Microsoft.{other}"

    return change


def grant(principal: str, role: str, scope: str) -> Break:
    """Return what adds a role assignment."""

    def change(snapshot: Snapshot) -> None:
        assignment = {
            "type": "Microsoft.Authorization/roleAssignments",
            "id": f"[extensionResourceId('{ID}.{scope}', 'roleAssignments')]",
            "name": "added",
            "properties": {
                "principalId": f"[reference('{ID}.{principal}').principalId]",
                "roleDefinitionId": f"/providers/roleDefinitions/{role}",
            },
        }
        snapshot["predictedResources"].append(assignment)

    return change


def role(key: str) -> str:
    """Return the id of a role of our own."""
    (found,) = [
        each["name"]
        for each in load("core.defaults")["predictedResources"]
        if each["type"] == "Microsoft.Authorization/roleDefinitions"
        and each["properties"]["roleName"].startswith(f"Recur {key} ")
    ]
    return str(found)


def condition(operator: str | None) -> Break:
    """Return what changes the condition under which nodes read the data storage."""

    def change(snapshot: Snapshot) -> None:
        (assignment,) = [
            each
            for each in snapshot["predictedResources"]
            if each["type"] == "Microsoft.Authorization/roleAssignments"
            and each["properties"].get("condition")
        ]
        if operator is None:
            del assignment["properties"]["condition"]
            return
        left = assignment["properties"]["condition"].partition(" ")[0]
        assignment["properties"]["condition"] = f"{left} {operator}"

    return change


def output(name: str, value: str) -> Break:
    return lambda snapshot: snapshot["outputs"].update({name: value})


def setting(name: str, value: str) -> Break:
    return put("Web/sites/config", name, value)


def named(name: str, old: str, new: str) -> Break:
    """Return what names something else in a setting."""

    def change(snapshot: Snapshot) -> None:
        for each in snapshot["predictedResources"]:
            if each["type"] == "Microsoft.Web/sites/config":
                assert old in each["properties"][name]
                each["properties"][name] = each["properties"][name].replace(old, new)

    return change


def carried(identity: str | None, *, kind: str = "UserAssigned") -> Break:
    """Return what gives the app one more identity, or another kind."""

    def change(snapshot: Snapshot) -> None:
        (app,) = [
            each for each in snapshot["predictedResources"] if each["type"] == "Microsoft.Web/sites"
        ]
        app["identity"]["type"] = kind
        if identity:
            app["identity"]["userAssignedIdentities"][f"{ID}.{identity}"] = {}

    return change


def plan(name: str, tier: str) -> Break:
    def change(snapshot: Snapshot) -> None:
        for each in snapshot["predictedResources"]:
            if each["type"] == "Microsoft.Web/serverfarms":
                each["sku"] = {"name": name, "tier": tier}

    return change


def sku(name: str, *, only: str) -> Break:
    """Return what gives an account another redundancy."""

    def change(snapshot: Snapshot) -> None:
        (account,) = [
            each
            for each in snapshot["predictedResources"]
            if each["type"] == "Microsoft.Storage/storageAccounts" and only in each["name"]
        ]
        account["sku"]["name"] = name

    return change


def unset(name: str) -> Break:
    def change(snapshot: Snapshot) -> None:
        for each in snapshot["predictedResources"]:
            if each["type"] == "Microsoft.Web/sites/config":
                del each["properties"][name]

    return change


FUNCTION = "ManagedIdentity/userAssignedIdentities/id-func-x"
NODE = "ManagedIdentity/userAssignedIdentities/id-node-x"
DATA = "Storage/storageAccounts/stdatax"
CODE = "Storage/storageAccounts/stcodex/blobServices/default/containers/deployment"
LEDGER = f"{DATA}/blobServices/default/containers/ledger"
ACCOUNT = "Batch/batchAccounts/batchx"
WRITER = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
BATCH_WRITER = "6aaa78f1-f7de-44ca-8722-c64a23943cae"
CUSTOM = "Authorization/roleDefinitions"
BLOB = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
RULE = "Insights/scheduledQueryRules"
METRIC = "Insights/metricAlerts"
LIFECYCLE = "Storage/storageAccounts/managementPolicies"
BLOBS = "Storage/storageAccounts/blobServices"
CRITERION = "criteria.allOf.0"

BROKEN: list[tuple[str, str, Break]] = [
    (
        "entra_only",
        "Batch takes keys",
        put("Batch/batchAccounts", "allowedAuthenticationModes", ["AAD", "SharedKey"]),
    ),
    (
        "entra_only",
        "packages are fetched by key",
        put("Batch/batchAccounts", "autoStorage.authenticationMode", "StorageKeys"),
    ),
    (
        "entra_only",
        "the data storage takes keys",
        put("Storage/storageAccounts", "allowSharedKeyAccess", value=True, only="stdata"),
    ),
    (
        "entra_only",
        "telemetry takes keys",
        put("Insights/components", "DisableLocalAuth", value=False),
    ),
    (
        "entra_only",
        "the workspace takes keys",
        put("OperationalInsights/workspaces", "features.disableLocalAuth", value=False),
    ),
    (
        "entra_only",
        "code is deployed by password",
        put("Web/sites/basicPublishingCredentialsPolicies", "allow", value=True, only="/scm"),
    ),
    (
        "entra_only",
        "nobody says that FTP has no password",
        drop("Web/sites/basicPublishingCredentialsPolicies", only="/ftp"),
    ),
    (
        "entra_only",
        "code is fetched by key",
        put(
            "Web/sites",
            "functionAppConfig.deployment.storage.authentication.type",
            "StorageAccountConnectionString",
        ),
    ),
    ("entra_only", "there is no Batch account", drop("Batch/batchAccounts")),
    (
        "nothing_public",
        "an account allows public blobs",
        put("Storage/storageAccounts", "allowBlobPublicAccess", value=True),
    ),
    (
        "nothing_public",
        "outputs are public",
        put("Storage/storageAccounts/blobServices/containers", "publicAccess", "Blob"),
    ),
    (
        "encrypted_transport",
        "TLS 1.0 for storage",
        put("Storage/storageAccounts", "minimumTlsVersion", "TLS1_0"),
    ),
    (
        "encrypted_transport",
        "http for storage",
        put("Storage/storageAccounts", "supportsHttpsTrafficOnly", value=False),
    ),
    ("encrypted_transport", "http for the app", put("Web/sites", "httpsOnly", value=False)),
    (
        "encrypted_transport",
        "FTP for the app",
        put("Web/sites", "siteConfig.ftpsState", "AllAllowed"),
    ),
    (
        "encrypted_transport",
        "TLS 1.1 for the app",
        put("Web/sites", "siteConfig.minTlsVersion", "1.1"),
    ),
    (
        "immutable_packages",
        "a package can be replaced",
        put("Batch/batchAccounts/applications", "allowUpdates", value=True, only="/pythonscript"),
    ),
    (
        "no_secret_settings",
        "a storage key",
        setting("DATA_STORAGE_URL", "[listKeys('/subscriptions/0').keys[0].value]"),
    ),
    (
        "no_secret_settings",
        "a connection string",
        setting("OTEL_SERVICE_NAME", "AccountName=a;AccountKey=b"),
    ),
    (
        "no_secret_settings",
        "a signed address",
        setting("DATA_STORAGE_URL", "https://data.example.org/?sv=2026-04-06&sp=r&sig=x"),
    ),
    (
        "no_secret_settings",
        "a connection string with a signature",
        setting("OTEL_SERVICE_NAME", "SharedAccessSignature=x"),
    ),
    ("no_secret_settings", "a password", setting("OTEL_SERVICE_NAME", "Password=x")),
    ("no_secret_outputs", "a key by its name", output("BATCH_ACCOUNT_KEY", "x")),
    (
        "no_secret_outputs",
        "a key by its value",
        output("BATCH_ACCOUNT_NAME", "[listKeys(resourceId('x'), '1').primary]"),
    ),
    (
        "kept_long_enough",
        "open runs are deleted",
        put(
            "Storage/storageAccounts/managementPolicies",
            "policy.rules.0.definition.filters.prefixMatch",
            ["ledger/"],
        ),
    ),
    (
        "kept_long_enough",
        "records go too early",
        put(
            "Storage/storageAccounts/managementPolicies",
            "policy.rules.0.definition.actions.baseBlob.delete.daysAfterModificationGreaterThan",
            30,
        ),
    ),
    (
        "kept_long_enough",
        "a lifecycle rule is off",
        put(LIFECYCLE, "policy.rules.1.enabled", value=False),
    ),
    (
        "kept_long_enough",
        "old versions stay for good",
        put(LIFECYCLE, "policy.rules.3.enabled", value=False),
    ),
    (
        "restorable",
        "a deleted container is gone",
        put(BLOBS, "containerDeleteRetentionPolicy.enabled", value=False, only="stdata"),
    ),
    (
        "restorable",
        "a deleted container is gone the next day",
        put(BLOBS, "containerDeleteRetentionPolicy.days", 1, only="sthost"),
    ),
    (
        "restorable",
        "a deleted blob is gone",
        put(BLOBS, "deleteRetentionPolicy", {"enabled": False}, only="stdata"),
    ),
    (
        "restorable",
        "a replaced blob is gone",
        put(BLOBS, "isVersioningEnabled", value=False, only="stdata"),
    ),
    (
        "restorable",
        "versions of the host's leases pile up",
        put(BLOBS, "isVersioningEnabled", value=True, only="sthost"),
    ),
    ("locked", "the ledger goes with its group", drop("Authorization/locks")),
    ("locked", "the ledger cannot be written", put("Authorization/locks", "level", "ReadOnly")),
    (
        "kept_long_enough",
        "old versions of the ledger stay for good",
        put(LIFECYCLE, "policy.rules.3.definition.filters.prefixMatch", ["outputs/"]),
    ),
    (
        "kept_long_enough",
        "old versions of records end at once",
        put(
            LIFECYCLE,
            "policy.rules.0.definition.actions.version",
            {"delete": {"daysAfterCreationGreaterThan": 0}},
        ),
    ),
    ("locked", "a lock by another name than the documents say", rename("Authorization/locks", "x")),
    ("whole", "a plan that nobody makes", drop("Web/serverfarms")),
    ("whole", "a workspace that nobody makes", drop("OperationalInsights/workspaces")),
    ("watched", "log rules without a workspace", put(RULE, "scopes", [f"{ID}.{ACCOUNT}"])),
    ("watched", "another account", put(METRIC, "scopes", [f"{ID}.{ACCOUNT}"], only="node-idle")),
    (
        "packages_with_the_data",
        "packages lie where the function app may write",
        put(
            "Batch/batchAccounts",
            "autoStorage.storageAccountId",
            f"{ID}.Storage/storageAccounts/sthostx",
        ),
    ),
    (
        "packages_with_the_data",
        "nodes in the subscription's own quota",
        put("Batch/batchAccounts", "poolAllocationMode", "UserSubscription"),
    ),
    ("valid_names", "a budget with a dot", rename("Consumption/budgets", "prod.1-month")),
    ("valid_names", "a budget's name is too long", rename("Consumption/budgets", "x" * 64)),
    ("valid_names", "a type without a rule", retype("Consumption/budgets", "Other/things")),
    ("zonal_data", "one data center", sku("Standard_LRS", only="stdata")),
    (
        "hardened",
        "a host name that others can take over",
        put("Web/sites", "autoGeneratedDomainNameLabelScope", None),
    ),
    ("hardened", "no SAS policy", put("Storage/storageAccounts", "sasPolicy", {})),
    ("encrypted_transport", "HTTP/1.1 only", put("Web/sites", "siteConfig.http20Enabled", None)),
    ("budgeted", "no budget", drop("Consumption/budgets")),
    ("budgeted", "a budget of 200", put("Consumption/budgets", "amount", 200)),
    (
        "budgeted",
        "nobody gets the mail",
        put("Consumption/budgets", "notifications.spent.contactRoles", []),
    ),
    (
        "budgeted",
        "a mail at ten times as much",
        put("Consumption/budgets", "notifications.spent.threshold", 1000),
    ),
    (
        "budgeted",
        "a mail while little is spent",
        put("Consumption/budgets", "notifications.spent.operator", "LessThan"),
    ),
    (
        "budgeted",
        "a mail only when it is too late",
        put("Consumption/budgets", "notifications.foreseen.thresholdType", "Actual"),
    ),
    ("running_as_built", "a plan that is paid by the hour", plan("EP1", "ElasticPremium")),
    ("running_as_built", "a plan of another tier", plan("FC1", "Dynamic")),
    ("running_as_built", "Windows", put("Web/serverfarms", "reserved", value=False)),
    (
        "running_as_built",
        "an older Python",
        put("Web/sites", "functionAppConfig.runtime.version", "3.12"),
    ),
    *(
        (
            "running_as_built",
            f"{name} is {value}",
            put("Web/sites", f"functionAppConfig.scaleAndConcurrency.{name}", value),
        )
        for name, value in (("instanceMemoryMB", 4096), ("maximumInstanceCount", 1000))
    ),
    (
        "running_as_built",
        "another language",
        put("Web/sites", "functionAppConfig.runtime.name", "node"),
    ),
    (
        "reachable",
        "nobody reaches Batch",
        put("Batch/batchAccounts", "publicNetworkAccess", "Disabled"),
    ),
    (
        "reachable",
        "nobody reaches the ledger",
        put("Storage/storageAccounts", "publicNetworkAccess", "Disabled", only="stdata"),
    ),
    ("reachable", "nobody reaches the app", put("Web/sites", "publicNetworkAccess", "Disabled")),
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
        "own_code_storage",
        "code lies where the function app may write",
        put(
            "Web/sites",
            "functionAppConfig.deployment.storage.value",
            f"[format('{{0}}x', reference('{ID}.Storage/storageAccounts/sthostx').blob)]",
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
    *(
        ("own_settings", f"{name}: {old}, and it is {new}", named(name, old, new))
        for name, old, new in (
            ("AZURE_CLIENT_ID", "id-func", "id-node"),
            ("AZURE_CLIENT_ID", "clientId", "principalId"),
            ("AzureWebJobsStorage__clientId", "id-func", "id-node"),
            ("AzureWebJobsStorage__clientId", "clientId", "principalId"),
            ("AzureWebJobsStorage__blobServiceUri", "sthost", "stdata"),
            ("AzureWebJobsStorage__blobServiceUri", ".blob", ".queue"),
            ("AzureWebJobsStorage__credential", "managedidentity", "environment"),
            ("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "id-func", "id-node"),
            ("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "clientId", "principalId"),
            ("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "AAD", "None"),
            ("APPLICATIONINSIGHTS_CONNECTION_STRING", "Connection", "Instrumentation"),
            ("BATCH_ACCOUNT_URL", "accountEndpoint", "nodeManagementEndpoint"),
            ("BATCH_POOL_ID", "recur", "other"),
            ("NODE_IDENTITY_ID", "id-node", "id-func"),
            ("DATA_STORAGE_URL", "stdata", "sthost"),
            ("DATA_STORAGE_URL", ".blob", ".dfs"),
            ("LEDGER_CONTAINER", "ledger", "outputs"),
            ("OUTPUTS_CONTAINER", "outputs", "ledger"),
        )
    ),
    (
        "cheap_telemetry",
        "metrics are exported",
        put("Insights/diagnosticSettings", "metrics", [{"category": "AllMetrics"}]),
    ),
    (
        "cheap_telemetry",
        "no limit",
        put("OperationalInsights/workspaces", "workspaceCapping.dailyQuotaGb", -1),
    ),
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
    ("exact_settings", "a time zone", setting("TZ", "America/Montreal")),
    ("exact_settings", "a time zone of the host", setting("WEBSITE_TIME_ZONE", "UTC")),
    ("exact_settings", "a key of the laptop", setting("BATCH_ACCOUNT_KEY", "x")),
    ("exact_settings", "one that nobody reads", setting("BATCH_POOL_NAME", "recur")),
    ("exact_settings", "one is missing", unset("COLLECT_CRON")),
    ("exact_settings", "one is empty", setting("BATCH_POOL_ID", "")),
    (
        "sound_alerts",
        "a query sees less than it asks for",
        put(RULE, "overrideQueryTimeRange", "PT1H", only="run-failed"),
    ),
    (
        "sound_alerts",
        "the mail does not name the run",
        put(RULE, f"{CRITERION}.dimensions", [{"name": "schedule"}], only="run-failed"),
    ),
    ("sound_alerts", "a rule a minute", put(RULE, "evaluationFrequency", "PT1M")),
    ("sound_alerts", "a mail each time", put(RULE, "autoMitigate", value=False)),
    (
        "sound_alerts",
        "two criteria that must hold together",
        put("Insights/metricAlerts", "criteria.allOf", [{}, {}]),
    ),
    *(
        ("firing_alerts", f"the {path} of a query is {value}", put(RULE, path, value, only=only))
        for path, value, only in (
            ("enabled", False, "tick-silent"),
            (f"{CRITERION}.operator", "LessThan", "run-failed"),
            (f"{CRITERION}.threshold", 1, "run-failed"),
            (f"{CRITERION}.timeAggregation", "Average", "run-failed"),
            (f"{CRITERION}.failingPeriods.numberOfEvaluationPeriods", 2, "pool-trouble"),
            (f"{CRITERION}.failingPeriods.minFailingPeriodsToAlert", 2, "pool-trouble"),
        )
    ),
    *(
        ("firing_alerts", f"the {path} of a metric is {value}", put(METRIC, path, value, only=only))
        for path, value, only in (
            ("enabled", False, "node-idle"),
            ("windowSize", "PT6H", "node-long-running-spot"),
            ("evaluationFrequency", "PT1H", "node-unusable"),
            (f"{CRITERION}.operator", "LessThan", "node-unusable"),
            (f"{CRITERION}.threshold", 1, "node-idle"),
            (f"{CRITERION}.timeAggregation", "Maximum", "node-idle"),
            (f"{CRITERION}.metricName", "RunningNodeCount", "node-idle"),
        )
    ),
    ("firing_alerts", "nobody watches Spot nodes", drop(METRIC, only="spot")),
    ("explained_alerts", "a section without an alert", drop(RULE, only="tick-silent")),
]

SUBNET = "subnets.{}.properties.{}".format
NETWORK = "Network/virtualNetworks"
ENDPOINTS = "Network/privateEndpoints"
GATEWAY = "Network/natGateways"
LINKS = "Network/privateDnsZones/virtualNetworkLinks"
BROKEN_PRIVATE: list[tuple[str, str, Break]] = [
    *(
        (
            "nothing_answers_in_public",
            f"{kind} answers",
            put(kind, "publicNetworkAccess", "Enabled"),
        )
        for kind in ("Batch/batchAccounts", "Storage/storageAccounts", "Web/sites")
    ),
    (
        "nothing_answers_in_public",
        "Batch cannot make containers",
        put("Storage/storageAccounts", "networkAcls.bypass", "None", only="stdata"),
    ),
    *(
        ("private_endpoints", f"{only} has no endpoint", drop(ENDPOINTS, only=only))
        for only in ("pe-stdata", "pe-stcode", "pe-sthost", "-nodes", "pe-func-")
    ),
    (
        "private_endpoints",
        "the wrong endpoint of Batch",
        put(
            ENDPOINTS,
            "privateLinkServiceConnections.0.properties.groupIds",
            ["batchAccount"],
            only="-nodes",
        ),
    ),
    (
        "private_endpoints",
        "nobody looks in the zones",
        drop("Network/privateDnsZones/virtualNetworkLinks"),
    ),
    (
        "private_endpoints",
        "a name without a zone",
        drop("Network/privateEndpoints/privateDnsZoneGroups", only="pe-stdata"),
    ),
    ("way_out", "nodes have no gateway", put(NETWORK, SUBNET(1, "natGateway"), None)),
    ("way_out", "the app has no gateway", put(NETWORK, SUBNET(0, "natGateway"), None)),
    (
        "way_out",
        "an address that Azure picks",
        put(NETWORK, SUBNET(1, "defaultOutboundAccess"), value=True),
    ),
    ("way_out", "a gateway without an address", put(GATEWAY, "publicIpAddresses", [])),
    (
        "way_out",
        "two subnets of the same addresses",
        put(NETWORK, SUBNET(1, "addressPrefix"), "10.80.0.0/26"),
    ),
    ("way_out", "nodes among the endpoints", output("NODE_SUBNET_ID", "x/subnets/endpoints")),
    (
        "private_endpoints",
        "another network looks in the zones",
        put(LINKS, "virtualNetwork.id", f"{ID}.{NETWORK}/other"),
    ),
    (
        "private_endpoints",
        "machines register themselves among the endpoints",
        put(LINKS, "registrationEnabled", value=True),
    ),
    ("way_out", "a rule that lets in", put("Network/networkSecurityGroups", "securityRules", [{}])),
    ("app_in_network", "a subnet of nobody", put(NETWORK, SUBNET(0, "delegations"), [])),
    ("app_in_network", "the app stays outside", put("Web/sites", "virtualNetworkSubnetId", None)),
]


@pytest.mark.parametrize("name", ["core.defaults", "core.article", "core.mail"])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_what_is_deployed_keeps_every_policy(policy: Policy, name: str) -> None:
    """Whatever an operator chooses among the parameters."""
    assert policy(deployed(load(name))) == []


@pytest.mark.parametrize("name", ["core.private", "core.firewall"])
@pytest.mark.parametrize("policy", [*sorted(EVERYWHERE), *PRIVATE])
def test_the_private_profile_keeps_every_policy(policy: str, name: str) -> None:
    """Its own, and those of the default profile but that everything is reached in public."""
    assert (POLICIES | PRIVATE)[policy](deployed(load(name))) == []


@pytest.mark.parametrize(
    ("policy", "change"),
    [(policy, change) for policy, _, change in BROKEN_PRIVATE],
    ids=[f"{policy}: {what}" for policy, what, _ in BROKEN_PRIVATE],
)
def test_what_breaks_the_private_profile_is_noticed(policy: str, change: Break) -> None:
    """The same deployment with one thing changed."""
    snapshot = copy.deepcopy(load("core.private"))
    change(snapshot)

    assert PRIVATE[policy](deployed(snapshot)) != []


def test_a_firewall_takes_the_place_of_the_gateway() -> None:
    """With a route table there is no address and no NAT gateway to pay for."""
    kinds = {each["type"] for each in load("core.firewall")["predictedResources"]}
    own = {each["type"] for each in load("core.private")["predictedResources"]}

    assert own - kinds == {"Microsoft.Network/natGateways", "Microsoft.Network/publicIPAddresses"}


def test_two_deployments_fit_into_one_group() -> None:
    """They differ by the name of the environment alone, and share the zones of private names."""
    one, other = deployed(load("core.private")), deployed(load("core.firewall"))

    assert names.apart(one, other) == []
    assert len(names.apart(one, one)) > len(one.of("Storage/storageAccounts"))


def test_by_default_there_is_no_network() -> None:
    """It costs more than all the rest: it is there for those who ask for it."""
    assert not [
        each["type"]
        for each in load("core.defaults")["predictedResources"]
        if each["type"].startswith("Microsoft.Network/")
    ]


def test_a_pipeline_s_principal_has_the_type_that_it_gives() -> None:
    """And only then: azd knows the id of who deploys, never the type."""
    types = {
        each["properties"].get("principalType")
        for each in load("core.pipeline")["predictedResources"]
        if each["type"] == "Microsoft.Authorization/roleAssignments"
    }

    assert types == {"ServicePrincipal"}


def test_lock_budget_and_zones_can_be_left_out() -> None:
    """Each by its parameter, and nothing else goes with them."""
    bare = deployed(load("core.bare"))
    broken = {name for name, policy in POLICIES.items() if policy(bare)}

    assert broken == {"locked", "budgeted", "zonal_data"}


@pytest.mark.parametrize(
    ("policy", "change"),
    [(policy, change) for policy, _, change in BROKEN],
    ids=[f"{policy}: {what}" for policy, what, _ in BROKEN],
)
def test_what_breaks_a_policy_is_noticed(policy: str, change: Break) -> None:
    """The same deployment with one thing changed."""
    snapshot = copy.deepcopy(load("core.defaults"))
    change(snapshot)

    assert POLICIES[policy](deployed(snapshot)) != []


def test_every_policy_has_something_that_breaks_it() -> None:
    """A policy that nothing breaks checks nothing."""
    assert {policy for policy, _, _ in BROKEN} == set(POLICIES)
    assert {policy for policy, _, _ in BROKEN_PRIVATE} == set(PRIVATE)


def test_an_alert_without_a_runbook_is_noticed() -> None:
    """The other direction: the section is missing."""
    page = RUNBOOK.replace("## Alert: run-failed", "## Failed runs")

    assert alerts.explained_alerts(deployed(load("core.defaults")), page) == [
        "no runbook for run-failed"
    ]


def test_operators_are_told_where_they_say_so() -> None:
    """With an address every alert mails it; without one there is nobody to tell."""
    with_address, without = load("core.mail"), load("core.defaults")

    assert alerts.told_operators(deployed(with_address)) == []
    assert deployed(without).of("Insights/actionGroups") == []
    put("Insights/metricAlerts", "actions", [], only="node-idle")(with_address)
    put(RULE, "enabled", value=False, only="tick-silent")(with_address)
    assert len(alerts.told_operators(deployed(with_address))) == 2


def test_the_roles_are_what_their_ids_say() -> None:
    """Each id in the Bicep file stands behind the name by which the file calls it."""
    text = (INFRA / "core/modules/roles.bicep").read_text()
    named = dict(re.findall(r"^var (\w+) = '([0-9a-f-]{36})'$", text, re.MULTILINE))
    words = {
        role.removeprefix("Azure ").removeprefix("Storage ").replace(" ", "").lower(): role_id
        for role_id, role in roles.ROLES.items()
    }

    assert {name.lower(): role_id for name, role_id in named.items()} == words


def test_the_outputs_are_what_the_command_line_reads() -> None:
    """Under these names azd keeps them, and infra/pool and `recur` read them."""
    assert set(load("core.defaults")["outputs"]) == {
        "APPLICATIONINSIGHTS_NAME",
        "AZURE_SUBSCRIPTION_ID",
        "BATCH_ACCOUNT_ID",
        "BATCH_ACCOUNT_NAME",
        "BATCH_ACCOUNT_URL",
        "BATCH_POOL_ID",
        "BUDGET_START",
        "CODE_PRINCIPAL_ID",
        "CODE_STORAGE_URL",
        "DATA_STORAGE_URL",
        "FUNCTION_APP_NAME",
        "FUNCTION_PRINCIPAL_ID",
        "HOST_STORAGE_URL",
        "LEDGER_CONTAINER",
        "NODE_IDENTITY_ID",
        "NODE_PRINCIPAL_ID",
        "NODE_SUBNET_ID",
        "OUTPUTS_CONTAINER",
        "STORAGE_ROLES",
    }


@pytest.mark.parametrize("layer", ["group", "core", "pool"])
def test_no_template_asks_for_a_key(layer: str) -> None:
    """Nor holds one: the functions that list keys are not there, and no parameter is secret."""
    text = (INFRA / f"compiled/{layer}.json").read_text()

    assert (
        re.findall(r"\blist\w*\(|AccountKey|SharedAccess|securestring", text, re.IGNORECASE) == []
    )


def test_no_setting_is_read_elsewhere() -> None:
    """All of the product's settings are read in one module, so that the list above is the list."""
    readers = [
        path.name
        for path in (ROOT / "orchestrator").rglob("*.py")
        if re.search(r"\bos\.environ|\bgetenv\b", path.read_text())
    ]

    assert readers == []
    assert names_read() > {"SUBMIT_CRON", "NODE_IDENTITY_ID"}
    assert not names_read() & os.environ.keys()

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

from infra import alert_policies, policies, role_policies
from infra.policies import Deployed
from orchestrator.adapters.settings import read_settings
from orchestrator.errors import SettingsError

ROOT = Path(__file__).parents[2]
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
    "entra_only": policies.entra_only,
    "nothing_public": policies.nothing_public,
    "encrypted_transport": policies.encrypted_transport,
    "immutable_packages": policies.immutable_packages,
    "exact_settings": partial(policies.exact_settings, read=names_read()),
    "no_secret_settings": policies.no_secret_settings,
    "no_secret_outputs": policies.no_secret_outputs,
    "kept_long_enough": policies.kept_long_enough,
    "cheap_telemetry": policies.cheap_telemetry,
    "running_as_built": policies.running_as_built,
    "reachable": policies.reachable,
    "exact_roles": role_policies.exact_roles,
    "no_power_over_code": role_policies.no_power_over_code,
    "own_identities": role_policies.own_identities,
    "own_settings": role_policies.own_settings,
    "firing_alerts": alert_policies.firing_alerts,
    "sound_alerts": alert_policies.sound_alerts,
    "explained_alerts": partial(alert_policies.explained_alerts, page=RUNBOOK),
}


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
                target = each["properties"]
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


def unset(name: str) -> Break:
    def change(snapshot: Snapshot) -> None:
        for each in snapshot["predictedResources"]:
            if each["type"] == "Microsoft.Web/sites/config":
                del each["properties"][name]

    return change


FUNCTION = "ManagedIdentity/userAssignedIdentities/id-func-x"
NODE = "ManagedIdentity/userAssignedIdentities/id-node-x"
DATA = "Storage/storageAccounts/stdatax"
LEDGER = f"{DATA}/blobServices/default/containers/ledger"
ACCOUNT = "Batch/batchAccounts/batchx"
WRITER = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
BATCH_WRITER = "6aaa78f1-f7de-44ca-8722-c64a23943cae"
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
        "a deleted container is gone",
        put(BLOBS, "containerDeleteRetentionPolicy.enabled", value=False, only="stdata"),
    ),
    (
        "kept_long_enough",
        "a deleted container is gone the next day",
        put(BLOBS, "containerDeleteRetentionPolicy.days", 1, only="sthost"),
    ),
    ("running_as_built", "a plan that is paid by the hour", plan("EP1", "ElasticPremium")),
    ("running_as_built", "a plan of another tier", plan("FC1", "Dynamic")),
    ("running_as_built", "Windows", put("Web/serverfarms", "reserved", value=False)),
    (
        "running_as_built",
        "an older Python",
        put("Web/sites", "functionAppConfig.runtime.version", "3.12"),
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
    ("no_power_over_code", "a contributor", grant(NODE, CONTRIBUTOR, ACCOUNT)),
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


@pytest.mark.parametrize("name", ["core.defaults", "core.article", "core.mail"])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_what_is_deployed_keeps_every_policy(policy: Policy, name: str) -> None:
    """Whatever an operator chooses among the parameters."""
    assert policy(deployed(load(name))) == []


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


def test_an_alert_without_a_runbook_is_noticed() -> None:
    """The other direction: the section is missing."""
    page = RUNBOOK.replace("## Alert: run-failed", "## Failed runs")

    assert alert_policies.explained_alerts(deployed(load("core.defaults")), page) == [
        "no runbook for run-failed"
    ]


def test_operators_are_told_where_they_say_so() -> None:
    """With an address every alert mails it; without one there is nobody to tell."""
    with_address, without = load("core.mail"), load("core.defaults")

    assert alert_policies.told_operators(deployed(with_address)) == []
    assert deployed(without).of("Insights/actionGroups") == []
    put("Insights/metricAlerts", "actions", [], only="node-idle")(with_address)
    put(RULE, "enabled", value=False, only="tick-silent")(with_address)
    assert len(alert_policies.told_operators(deployed(with_address))) == 2


def test_the_roles_are_what_their_ids_say() -> None:
    """Each id in the Bicep file stands behind the name by which the file calls it."""
    text = (INFRA / "core/modules/roles.bicep").read_text()
    named = dict(re.findall(r"^var (\w+) = '([0-9a-f-]{36})'$", text, re.MULTILINE))
    words = {
        role.removeprefix("Azure ").removeprefix("Storage ").replace(" ", "").lower(): role_id
        for role_id, role in role_policies.ROLES.items()
    }

    assert {name.lower(): role_id for name, role_id in named.items()} == words


def test_the_outputs_are_what_the_command_line_reads() -> None:
    """Under these names azd keeps them, and infra/pool and `recur` read them."""
    assert set(load("core.defaults")["outputs"]) == {
        "APPLICATIONINSIGHTS_NAME",
        "AZURE_RESOURCE_GROUP",
        "AZURE_SUBSCRIPTION_ID",
        "BATCH_ACCOUNT_ID",
        "BATCH_ACCOUNT_NAME",
        "BATCH_ACCOUNT_URL",
        "BATCH_POOL_ID",
        "DATA_STORAGE_URL",
        "FUNCTION_APP_NAME",
        "FUNCTION_PRINCIPAL_ID",
        "HOST_STORAGE_URL",
        "LEDGER_CONTAINER",
        "NODE_IDENTITY_ID",
        "NODE_PRINCIPAL_ID",
        "OUTPUTS_CONTAINER",
    }


@pytest.mark.parametrize("layer", ["core", "pool"])
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

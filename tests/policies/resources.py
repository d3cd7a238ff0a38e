"""
What must hold of the resources that are deployed: each policy is a function of a snapshot.

A rule returns what it finds wrong, one line each.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

type Resource = Mapping[str, Any]

HOST_SETTINGS: Final = frozenset(
    {
        "AzureWebJobsStorage__blobServiceUri",
        "AzureWebJobsStorage__clientId",
        "AzureWebJobsStorage__credential",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
        "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
        "OTEL_METRICS_EXPORTER",
        "OTEL_SERVICE_NAME",
        "OTEL_TRACES_EXPORTER",
        "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
        "PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME",
    }
)
"""Settings for the Functions host and the libraries, which our own code does not read."""

_OTHER_STORAGE: Final = ("sthost", "stcode")
_ID: Final = re.compile(r"/subscriptions/[0-9-]+/resourceGroups/recur/providers/[\w./-]+")
_SECRET: Final = re.compile(r"key|secret|password|connectionstring|\bsas\b|token", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deployment makes, as the compiler foretells it."""

    resources: Sequence[Resource]
    outputs: Mapping[str, str]

    def of(self, kind: str) -> list[Resource]:
        """Return the resources of one type, without its provider's ``Microsoft.``."""
        return [each for each in self.resources if each["type"] == f"Microsoft.{kind}"]

    def properties(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield name and properties of the resources of one type; there must be one."""
        found = self.of(kind)
        yield from ((each["name"], each.get("properties", {})) for each in found)
        if not found:
            yield f"no {kind}", {}


def whole(deployed: Deployed) -> list[str]:
    """Refer to nothing in the resource group that the deployment does not make."""
    ids = {each["id"] for each in deployed.resources}
    return sorted(
        {
            f"{each['name']} refers to {found}"
            for each in deployed.resources
            for found in _ID.findall(str((each.get("properties"), each.get("identity"))))
            if found not in ids and found.partition("/subnets/")[0] not in ids
        }
    )


def watched(deployed: Deployed) -> list[str]:
    """Let log rules look at the workspace, metric rules and the exported log at the Batch account."""
    found = []
    for kind, watched_kind in {
        "Insights/scheduledQueryRules": "OperationalInsights/workspaces",
        "Insights/metricAlerts": "Batch/batchAccounts",
    }.items():
        ids = [each["id"] for each in deployed.of(watched_kind)]
        found += [
            f"{name} looks at {properties['scopes']}"
            for name, properties in deployed.properties(kind)
            if properties["scopes"] != ids
        ]
    return found + [
        f"the log of {each['id']} is exported"
        for each in deployed.of("Insights/diagnosticSettings")
        if "/batchAccounts/" not in each["id"]
    ]


def packages_with_the_data(deployed: Deployed) -> list[str]:
    """Keep packages in the data storage, and take nodes from Batch's own subscriptions."""
    found = differ(deployed, {"Batch/batchAccounts": {"poolAllocationMode": "BatchService"}})
    for _, properties in deployed.properties("Batch/batchAccounts"):
        place = properties.get("autoStorage", {}).get("storageAccountId", "")
        if _of_other_storage(place):
            found.append(f"packages lie in {place}")
    return found


def entra_only(deployed: Deployed) -> list[str]:
    """Take no key: not for Batch, storage, telemetry, code."""
    wanted: dict[str, dict[str, object]] = {
        "Batch/batchAccounts": {
            "allowedAuthenticationModes": ["AAD"],
            "autoStorage.authenticationMode": "BatchAccountManagedIdentity",
        },
        "Storage/storageAccounts": {
            "allowSharedKeyAccess": False,
            "defaultToOAuthAuthentication": True,
        },
        "Insights/components": {"DisableLocalAuth": True},
        "OperationalInsights/workspaces": {"features.disableLocalAuth": True},
        "Web/sites/basicPublishingCredentialsPolicies": {"allow": False},
        "Web/sites": {
            "functionAppConfig.deployment.storage.authentication.type": "UserAssignedIdentity"
        },
    }
    protocols = {
        name.rpartition("/")[2]
        for name, _ in deployed.properties("Web/sites/basicPublishingCredentialsPolicies")
    }
    found = differ(deployed, wanted)
    if protocols != {"ftp", "scm"}:
        found.append(f"basic credentials are switched off for {sorted(protocols)} only")
    return found


def nothing_public(deployed: Deployed) -> list[str]:
    """Give no blob to anybody without an identity."""
    return differ(
        deployed,
        {
            "Storage/storageAccounts": {
                "allowBlobPublicAccess": False,
                "allowCrossTenantReplication": False,
            },
            "Storage/storageAccounts/blobServices/containers": {"publicAccess": "None"},
        },
    )


def encrypted_transport(deployed: Deployed) -> list[str]:
    """Speak TLS 1.2 at least, https only, HTTP/2, no FTP."""
    return differ(
        deployed,
        {
            "Storage/storageAccounts": {
                "minimumTlsVersion": "TLS1_2",
                "supportsHttpsTrafficOnly": True,
            },
            "Web/sites": {
                "httpsOnly": True,
                "siteConfig.ftpsState": "Disabled",
                "siteConfig.http20Enabled": True,
                "siteConfig.minTlsVersion": "1.2",
                "siteConfig.scmMinTlsVersion": "1.2",
                "siteConfig.remoteDebuggingEnabled": False,
            },
        },
    )


def exact_settings(deployed: Deployed, read: frozenset[str]) -> list[str]:
    """
    Set every setting that the code reads, and no other but the host's: no time zone, no key.

    Args:
        deployed: What is deployed.
        read: Settings that the code reads in Azure.
    """
    ((_, settings),) = deployed.properties("Web/sites/config")
    wanted = read | HOST_SETTINGS
    return (
        [f"{name} is not set" for name in sorted(wanted - settings.keys())]
        + [f"nobody reads {name}" for name in sorted(settings.keys() - wanted)]
        + [f"{name} is empty" for name, value in settings.items() if not value]
    )


def immutable_packages(deployed: Deployed) -> list[str]:
    """Let a published version keep its content."""
    return differ(deployed, {"Batch/batchAccounts/applications": {"allowUpdates": False}})


def no_secret_settings(deployed: Deployed) -> list[str]:
    """Put no key into a setting: whoever may read the app may read them."""
    return [
        f"the setting {name} holds a secret"
        for _, settings in deployed.properties("Web/sites/config")
        for name, value in settings.items()
        if re.search(
            r"list\w*keys|accountkey|sharedaccess|password|sig=", str(value), re.IGNORECASE
        )
    ]


def no_secret_outputs(deployed: Deployed) -> list[str]:
    """Tell no secret in outputs: a deployment's history keeps them, for all who may read it."""
    return [
        f"the output {name} looks like a secret"
        for name, value in deployed.outputs.items()
        if _SECRET.search(name.replace("_", "")) or _SECRET.search(str(value))
    ]


def kept_long_enough(deployed: Deployed) -> list[str]:
    """Delete final records, answers, outputs and old versions in time, and nothing in use."""
    wanted = {
        "ledger/runs/": 400,
        "ledger/history/": 400,
        "ledger/summaries/days/": 400,
        "ledger/answers/": 30,
        "outputs/": 90,
        "old versions": 14,
    }
    rules: dict[str, int] = {}
    for _, properties in deployed.properties("Storage/storageAccounts/managementPolicies"):
        for rule in properties["policy"]["rules"]:
            actions = rule["definition"]["actions"]
            if not rule["enabled"]:
                continue
            if set(actions) == {"version"} and "prefixMatch" not in rule["definition"]["filters"]:
                rules["old versions"] = actions["version"]["delete"]["daysAfterCreationGreaterThan"]
                continue
            for prefix in rule["definition"]["filters"]["prefixMatch"]:
                if set(actions) != {"baseBlob"}:
                    return [f"the rule for {prefix} does more: {actions}"]
                delete = actions["baseBlob"]["delete"]
                rules[prefix] = delete["daysAfterModificationGreaterThan"]
    return [] if rules == wanted else [f"lifecycle rules are {rules}"]


def restorable(deployed: Deployed) -> list[str]:
    """Let what was deleted or replaced be restored: containers everywhere, blobs of the ledger."""
    found = []
    for name, properties in deployed.properties("Storage/storageAccounts/blobServices"):
        data = not name.startswith(_OTHER_STORAGE)
        containers = properties.get("containerDeleteRetentionPolicy", {})
        blobs = properties.get("deleteRetentionPolicy", {})
        if not containers.get("enabled") or containers.get("days") != (14 if data else 7):
            found.append(f"{name}: a deleted container is kept {containers}")
        if data and blobs != {"enabled": True, "days": 14}:
            found.append(f"{name}: a deleted blob is kept {blobs}")
        if properties.get("isVersioningEnabled") is not data:
            found.append(f"{name}: versions are kept: {properties.get('isVersioningEnabled')}")
    return found


def locked(deployed: Deployed) -> list[str]:
    """Keep the data storage from being deleted with its group, and nothing else."""
    locks = [
        (each["name"], each["properties"]["level"], not _of_other_storage(each["id"]))
        for each in deployed.of("Authorization/locks")
    ]
    return [] if locks == [("keep", "CanNotDelete", True)] else [f"the locks are {locks}"]


def zonal_data(deployed: Deployed) -> list[str]:
    """Keep the ledger in three zones, in a region that has them."""
    return [
        f"{each['name']} is {each['sku']['name']}"
        for each in deployed.of("Storage/storageAccounts")
        if not each["name"].startswith(_OTHER_STORAGE) and each["sku"]["name"] != "Standard_ZRS"
    ]


def hardened(deployed: Deployed) -> list[str]:
    """Take what is free and asked for by Azure Policy's built-ins."""
    return differ(
        deployed,
        {
            "Web/sites": {"autoGeneratedDomainNameLabelScope": "TenantReuse"},
            "Storage/storageAccounts": {
                "sasPolicy.expirationAction": "Log",
                "sasPolicy.sasExpirationPeriod": "1.00:00:00",
            },
        },
    )


def budgeted(deployed: Deployed) -> list[str]:
    """Mail when a month has cost 20, or will."""
    found = []
    for _, properties in deployed.properties("Consumption/budgets"):
        notifications = list(properties.get("notifications", {}).values())
        kinds = sorted(each["thresholdType"] for each in notifications)
        if (properties.get("amount"), properties.get("timeGrain")) != (20, "Monthly"):
            found.append(f"the budget is {properties.get('amount')}")
        if kinds != ["Actual", "Forecasted"]:
            found.append(f"mails go out for {kinds}")
        found += [
            f"a mail goes out {each['operator']} {each['threshold']} %"
            for each in notifications
            if (each["operator"], each["threshold"]) != ("GreaterThan", 100)
        ]
        found += [
            "a mail goes to nobody"
            for each in notifications
            if not each["enabled"] or not (each["contactEmails"] or each["contactRoles"])
        ]
    return found


def running_as_built(deployed: Deployed) -> list[str]:
    """Run the Python that the lock file is for, on the plan that costs nothing when idle."""
    plans = [plan["sku"] for plan in deployed.of("Web/serverfarms")]
    found = differ(
        deployed,
        {
            "Web/serverfarms": {"reserved": True},
            "Web/sites": {
                "functionAppConfig.runtime.name": "python",
                "functionAppConfig.runtime.version": "3.13",
                "functionAppConfig.scaleAndConcurrency.instanceMemoryMB": 512,
                "functionAppConfig.scaleAndConcurrency.maximumInstanceCount": 40,
            },
        },
    )
    if plans != [{"name": "FC1", "tier": "FlexConsumption"}]:
        found.append(f"plans are {plans}")
    return found


def reachable(deployed: Deployed) -> list[str]:
    """Let app, nodes and publishers come by the public endpoints: there is no private one."""
    return differ(
        deployed,
        {
            "Batch/batchAccounts": {"publicNetworkAccess": "Enabled"},
            "Storage/storageAccounts": {
                "publicNetworkAccess": "Enabled",
                "networkAcls.defaultAction": "Allow",
            },
            "Web/sites": {"publicNetworkAccess": "Enabled"},
        },
    )


def own_timers(template: Mapping[str, Any]) -> list[str]:
    """Let each timer tick when its own parameter says, by the compiled template of the core."""
    module = template["resources"]["functionApp"]["properties"]
    timers = module["parameters"]["timers"]["value"]
    settings = module["template"]["resources"]["app::appSettings"]["properties"]
    found = []
    for timer in ("submit", "collect"):
        if timers[timer] != f"[parameters('{timer}Cron')]":
            found.append(f"{timer} ticks by {timers[timer]}")
        name = f"{timer.upper()}_CRON"
        if settings[name] != f"[parameters('timers').{timer}]":
            found.append(f"{name} is {settings[name]}")
    crons = [template["parameters"][f"{timer}Cron"]["defaultValue"] for timer in timers]
    if len(set(crons)) != len(crons):
        found.append(f"the timers tick together by default: {crons}")
    return found


def cheap_telemetry(deployed: Deployed) -> list[str]:
    """Export no log but Batch's own and no metric, and limit what a day may cost."""
    found = differ(
        deployed, {"OperationalInsights/workspaces": {"workspaceCapping.dailyQuotaGb": 1}}
    )
    for name, properties in deployed.properties("Insights/diagnosticSettings"):
        categories = [log.get("category") for log in properties.get("logs", [])]
        if categories != ["ServiceLog"] or properties.get("metrics"):
            found.append(f"{name} exports {categories} and {properties.get('metrics')}")
    return found


def _of_other_storage(resource_id: str) -> bool:
    """Return whether an id lies in the storage account of host or code."""
    return any(f"/storageAccounts/{prefix}" in resource_id for prefix in _OTHER_STORAGE)


def differ(deployed: Deployed, wanted: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Return each property that is not as wanted, by type and dotted path."""
    found = []
    for kind, values in wanted.items():
        for name, properties in deployed.properties(kind):
            for path, value in values.items():
                actual: Any = properties
                for part in path.split("."):
                    actual = actual.get(part) if isinstance(actual, Mapping) else None
                if actual != value or type(actual) is not type(value):
                    found.append(f"{kind} {name}: {path} is {actual!r}, not {value!r}")
    return found

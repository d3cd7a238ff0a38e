"""
What the names of resources may be: each policy is a function of snapshots.

Source: "Naming rules and restrictions for Azure resources" (learn.microsoft.com, resource-name-rules).
"""

import re
from typing import Final

from tests.policies.resources import Deployed, Resource

_WORD: Final = r"[\w.()-]"  # of Azure's wider rules, what a name made from an environment can hold
_RULES: Final = {
    "Authorization/locks": r"[\w.()-]{0,89}[\w()-]",
    "Authorization/roleDefinitions": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "Batch/batchAccounts": r"[a-z0-9]{3,24}",
    "Batch/batchAccounts/applications": r"\w{1,64}",  # Linux nodes take no hyphen
    "Consumption/budgets": r"[\w-]{1,63}",
    "Insights/actionGroups": rf"{_WORD}{{1,260}}(?<![.])",
    "Insights/components": rf"{_WORD}{{1,260}}(?<![.])",
    "Insights/diagnosticSettings": rf"{_WORD}{{1,260}}",
    "Insights/metricAlerts": rf"{_WORD}{{1,260}}(?<![.])",
    "Insights/scheduledQueryRules": rf"{_WORD}{{1,260}}(?<![.])",
    "ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Network/natGateways": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Network/networkSecurityGroups": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Network/privateDnsZones/virtualNetworkLinks": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Network/privateEndpoints": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "Network/publicIPAddresses": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Network/virtualNetworks": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Storage/storageAccounts/blobServices/containers": r"[a-z0-9](-?[a-z0-9]){2,62}",
    "Web/serverfarms": r"[\w-]{1,60}",
    "Web/sites": r"[A-Za-z0-9][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
}
"""Of each type, what the last part of a name may be."""

_FIXED: Final = {
    "Authorization/roleAssignments",
    "Network/privateDnsZones",
    "Network/privateEndpoints/privateDnsZoneGroups",
    "Storage/storageAccounts/blobServices",
    "Storage/storageAccounts/managementPolicies",
    "Web/sites/basicPublishingCredentialsPolicies",
    "Web/sites/config",
}
"""Types whose names Azure gives, or that are ids."""

_SHARED: Final = {"Network/privateDnsZones"}


def valid_names(deployed: Deployed) -> list[str]:
    """Name each resource as Azure allows, in a deployment whose own name is as long as azd allows."""
    found = []
    for each in deployed.resources:
        kind = _kind(each)
        name = _last(each["name"])
        if kind not in _FIXED and not re.fullmatch(_RULES.get(kind, "$"), name, re.ASCII):
            found.append(f"{kind} cannot be named {name}")
    return found


def apart(one: Deployed, other: Deployed) -> list[str]:
    """Let two deployments in one resource group share nothing but the zones of private names."""
    return sorted(
        each["id"]
        for each in one.resources
        if each["id"] in {own["id"] for own in other.resources} and _kind(each) not in _SHARED
    )


def _last(name: str) -> str:
    """Return the last part of a name; of an expression, its last text."""
    return re.findall(r"'([^']*)'", name)[-1] if name.startswith("[") else name.rpartition("/")[2]


def _kind(resource: Resource) -> str:
    return str(resource["type"]).removeprefix("Microsoft.")

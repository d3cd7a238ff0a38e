"""Snapshots of what the Bicep files deploy, and what changes one thing in them."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.policies.groups import Policy
from tests.policies.resources import Deployed

INFRA: Final = Path(__file__).parents[2] / "infra"
ID: Final = "/subscriptions/0/resourceGroups/recur/providers/Microsoft"

type Snapshot = dict[str, Any]
type Break = Callable[[Snapshot], None]

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


def broken(policy: Policy, change: Break, name: str = "core.defaults") -> list[str]:
    """Return what a policy says of a snapshot in which one thing was changed."""
    snapshot = copy.deepcopy(load(name))
    change(snapshot)
    return policy(deployed(snapshot))

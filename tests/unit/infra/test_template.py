"""What only the compiled template tells: which parameter is for what, and what comes before what."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.policies.order import (
    definitions_before_assignments,
    links_before_records,
    network_before_endpoints,
    ordered_names,
    ordered_reads,
    roles_before_app,
    roles_before_applications,
    targets_before_endpoints,
    versions_before_lifecycle,
)
from tests.policies.resources import own_timers

COMPILED = Path(__file__).parents[3] / "infra/compiled/core.json"

type Policy = Callable[[dict[str, Any]], list[str]]

APP = "resources.functionApp"
TIMERS = f"{APP}.properties.parameters.timers.value"
SETTINGS = f"{APP}.properties.template.resources.app::appSettings.properties"
ROLES = "resources.roles.properties.template.resources"
NETWORK = "resources.privateEndpoints.properties.template.resources"
STORAGE = (
    "resources.dataStorage.properties.template.resources.account.properties.template.resources"
)
BROKEN: list[tuple[Policy, str, dict[str, object]]] = [
    (own_timers, "submit ticks with collect", {f"{TIMERS}.submit": "[parameters('collectCron')]"}),
    (own_timers, "collect ticks with submit", {f"{TIMERS}.collect": "[parameters('submitCron')]"}),
    (
        own_timers,
        "the settings are exchanged",
        {
            f"{SETTINGS}.SUBMIT_CRON": "[parameters('timers').collect]",
            f"{SETTINGS}.COLLECT_CRON": "[parameters('timers').submit]",
        },
    ),
    (own_timers, "a time for good", {f"{SETTINGS}.COLLECT_CRON": "30 * * * * *"}),
    (own_timers, "the same default", {"parameters.collectCron.defaultValue": "0 * * * * *"}),
    (roles_before_app, "the app waits for others", {f"{APP}.dependsOn": ["batchAccount"]}),
    (roles_before_app, "the app waits for nothing", {f"{APP}.dependsOn": []}),
    (
        roles_before_applications,
        "an application comes before the account may make its container",
        {"resources.packages.dependsOn": ["batchAccount"]},
    ),
    (
        network_before_endpoints,
        "an endpoint comes before its network",
        {"resources.privateEndpoints.dependsOn": ["batchAccount"]},
    ),
    (
        network_before_endpoints,
        "the app comes before its subnet",
        {f"{APP}.dependsOn": ["roles"]},
    ),
    (
        ordered_reads,
        "the app reads a storage account that may not be there yet",
        {f"{APP}.dependsOn": []},
    ),
    (
        ordered_reads,
        "roles are given to an identity that may not be there yet",
        {"resources.roles.dependsOn": ["hostStorage", "codeStorage"]},
    ),
    (
        ordered_names,
        "alerts watch an account that may not be there yet",
        {"resources.alerts.dependsOn": []},
    ),
    (
        ordered_names,
        "the account names an identity and a workspace that may not be there yet",
        {"resources.batchAccount.dependsOn": ["dataStorage"]},
    ),
    (
        targets_before_endpoints,
        "an endpoint comes before its storage account",
        {"resources.privateEndpoints.dependsOn": ["batchAccount", "codeStorage", "dataStorage"]},
    ),
    (
        targets_before_endpoints,
        "an endpoint comes before its app",
        {"resources.privateEndpoints.dependsOn": ["roles"]},
    ),
    (
        definitions_before_assignments,
        "a role is assigned before it is defined",
        {f"{ROLES}.assignments.dependsOn": ["batchAccount"]},
    ),
    (
        links_before_records,
        "a name lies where nobody looks yet",
        {f"{NETWORK}.records.dependsOn": ["[format('endpoints[{0}]', copyIndex())]"]},
    ),
    (
        versions_before_lifecycle,
        "versions end before they are kept",
        {f"{STORAGE}.account::lifecycle.dependsOn": ["account"]},
    ),
]


def core() -> dict[str, Any]:
    template: dict[str, Any] = json.loads(COMPILED.read_text())
    return template


@pytest.mark.parametrize("policy", list(dict.fromkeys(policy for policy, *_ in BROKEN)))
def test_the_template_keeps_every_policy(policy: Policy) -> None:
    """As it is committed."""
    assert policy(core()) == []


@pytest.mark.parametrize(
    ("policy", "values"),
    [(policy, values) for policy, _, values in BROKEN],
    ids=[what for _, what, _ in BROKEN],
)
def test_what_breaks_the_template_is_noticed(policy: Policy, values: dict[str, object]) -> None:
    """The same template with another value in one place, or two exchanged."""
    template = core()
    for path, value in values.items():
        *parents, last = path.split(".")
        target = template
        for part in parents:
            target = target[part]
        assert target[last] != value
        target[last] = value

    assert policy(template) != []


def test_a_read_at_the_top_waits_as_well() -> None:
    """As an output did that told the id of an identity: the module makes it, the template reads it."""
    template = core()
    (maker,) = [
        each
        for each in template["resources"]["identities"]["properties"]["template"][
            "resources"
        ].values()
        if "functionIdentityName" in each["name"]
    ]
    read = {
        "existing": True,
        "type": maker["type"],
        "apiVersion": maker["apiVersion"],
        "name": "[variables('functionIdentityName')]",
    }
    template["resources"]["functionIdentity"] = read
    assert ordered_reads(template) == []
    template["outputs"]["X"] = {
        "type": "string",
        "value": "[reference('functionIdentity').principalId]",
    }

    assert ordered_reads(template) == ["functionIdentity is read, and does not wait for identities"]
    read["dependsOn"] = ["identities"]
    assert ordered_reads(template) == []


def test_only_regions_with_zones_keep_the_data_in_three() -> None:
    """Azure refuses ZRS elsewhere; and some regions that may be chosen have no zones."""
    group = json.loads(COMPILED.with_name("group.json").read_text())
    storage = core()["resources"]["dataStorage"]["properties"]["template"]
    zonal = set(storage["variables"]["zonalRegions"])
    chosen = storage["resources"]["account"]["properties"]["parameters"]["redundancy"]["value"]

    assert zonal < set(group["parameters"]["location"]["allowedValues"])
    assert chosen == (
        "[coalesce(parameters('redundancy'), if(contains(variables('zonalRegions'), "
        "parameters('location')), 'Standard_ZRS', 'Standard_LRS'))]"
    )

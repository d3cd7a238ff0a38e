"""What is deployed, and what it costs: each policy notices what breaks it."""

import pytest

from tests.policies.groups import GROUPS
from tests.support.snapshots import (
    ACCOUNT,
    ID,
    METRIC,
    RULE,
    Break,
    broken,
    drop,
    plan,
    put,
    rename,
    retype,
)

BROKEN: list[tuple[str, str, Break]] = [
    ("valid_names", "a budget with a dot", rename("Consumption/budgets", "prod.1-month")),
    ("valid_names", "a budget's name is too long", rename("Consumption/budgets", "x" * 64)),
    ("valid_names", "a type without a rule", retype("Consumption/budgets", "Other/things")),
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
]


@pytest.mark.parametrize(
    ("policy", "change"),
    [(policy, change) for policy, _, change in BROKEN],
    ids=[f"{policy}: {what}" for policy, what, _ in BROKEN],
)
def test_what_breaks_a_policy_is_noticed(policy: str, change: Break) -> None:
    """The same deployment with one thing changed."""
    assert broken(GROUPS["resources"][policy], change) != []


def test_every_policy_has_something_that_breaks_it() -> None:
    """A policy that nothing breaks checks nothing."""
    assert {policy for policy, _, _ in BROKEN} == set(GROUPS["resources"])

"""Rules, mails and runbooks of the alerts: each policy notices what breaks it."""

import pytest

from tests.policies import alerts
from tests.policies.groups import GROUPS, RUNBOOK
from tests.support.snapshots import (
    CRITERION,
    METRIC,
    RULE,
    Break,
    broken,
    deployed,
    drop,
    load,
    put,
)

BROKEN: list[tuple[str, str, Break]] = [
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
    ("explained_alerts", "a section without an alert", drop(RULE, only="tick-silent")),
]


@pytest.mark.parametrize(
    ("policy", "change"),
    [(policy, change) for policy, _, change in BROKEN],
    ids=[f"{policy}: {what}" for policy, what, _ in BROKEN],
)
def test_what_breaks_a_policy_is_noticed(policy: str, change: Break) -> None:
    """The same deployment with one thing changed."""
    assert broken(GROUPS["alerts"][policy], change) != []


def test_every_policy_has_something_that_breaks_it() -> None:
    """A policy that nothing breaks checks nothing."""
    assert {policy for policy, _, _ in BROKEN} == set(GROUPS["alerts"])


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

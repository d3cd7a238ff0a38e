"""What must hold of the alerts, each rule a function of a snapshot."""

import re
from typing import Final

from tests.policies.resources import Deployed

_AGO: Final = re.compile(r"\bago\((\d+)([mhd])\)")
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86400}
_LOOK_BACK: Final = {"PT1H": 3600, "P1D": 86400, "P2D": 2 * 86400}

METRICS: Final = {
    "start-task-failed": ("StartTaskFailedNodeCount", 0, "PT15M", "PT5M"),
    "node-unusable": ("UnusableNodeCount", 0, "PT15M", "PT5M"),
    "node-idle": ("IdleNodeCount", 0.5, "PT1H", "PT15M"),
    "node-long-running": ("TotalNodeCount", 0.5, "PT12H", "PT1H"),
    "node-long-running-spot": ("TotalLowPriorityNodeCount", 0.5, "PT12H", "PT1H"),
}
"""Of each metric alert: the metric, above which average it fires, over what time, how often."""


def sound_alerts(deployed: Deployed) -> list[str]:
    """Let queries see as far as they ask, split by the columns they have, and cost the least."""
    found = []
    for name, properties in deployed.properties("Insights/scheduledQueryRules"):
        (criterion,) = properties["criteria"]["allOf"]
        query = criterion["query"]
        asked = max(int(count) * _SECONDS[unit] for count, unit in _AGO.findall(query))
        if asked > _LOOK_BACK[properties["overrideQueryTimeRange"]]:
            found.append(f"{name} asks for more than it is given")
        names = _columns(query)
        if sorted(names) != sorted(each["name"] for each in criterion["dimensions"]):
            found.append(f"{name} does not split by its columns {names}")
        if properties["evaluationFrequency"] != "PT15M":
            found.append(f"{name} costs more than it must")
        if not properties["autoMitigate"]:
            found.append(f"{name} mails the same again and again")
    for name, properties in deployed.properties("Insights/metricAlerts"):
        if len(properties["criteria"]["allOf"]) != 1:
            found.append(f"{name} fires only if all of its criteria hold")
    return found


def firing_alerts(deployed: Deployed) -> list[str]:
    """Fire at the first row of a query, and of a metric where ``METRICS`` says."""
    found = []
    wanted = {
        "timeAggregation": "Count",
        "operator": "GreaterThan",
        "threshold": 0,
        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
    }
    for name, properties in deployed.properties("Insights/scheduledQueryRules"):
        for criterion in properties["criteria"]["allOf"]:
            actual = {key: criterion.get(key) for key in wanted}
            if actual != wanted:
                found.append(f"{name} fires when {actual}")
        if not properties.get("enabled", True):
            found.append(f"{name} is off")
    metrics = {}
    for alert in deployed.of("Insights/metricAlerts"):
        properties = alert["properties"]
        for criterion in properties["criteria"]["allOf"]:
            how = (criterion["timeAggregation"], criterion["operator"], properties["enabled"])
            if how != ("Average", "GreaterThan", True):
                found.append(f"{alert['name']} fires by {how}")
            metrics[alert["name"].removeprefix(f"{alert['tags']['azd-env-name']}-")] = (
                criterion["metricName"],
                criterion["threshold"],
                properties["windowSize"],
                properties["evaluationFrequency"],
            )
    return found if metrics == METRICS else [*found, f"metric alerts are {metrics}"]


def explained_alerts(deployed: Deployed, page: str) -> list[str]:
    """Let each alert name a section of the runbook, and each section be named."""
    explained = set(re.findall(r"^## Alert: ([a-z-]+)$", page, re.MULTILINE))
    named = set()
    for kind in ("Insights/scheduledQueryRules", "Insights/metricAlerts"):
        for name, properties in deployed.properties(kind):
            section = re.search(r'docs/alerts\.md, "Alert: ([a-z-]+)"', properties["description"])
            named.add(section[1] if section else name)
    return [f"no runbook for {name}" for name in sorted(named - explained)] + [
        f"no alert {name}" for name in sorted(explained - named)
    ]


def told_operators(deployed: Deployed) -> list[str]:
    """Enable every alert and mail it, where there is an address."""
    groups = [group["id"] for group in deployed.of("Insights/actionGroups")]
    if len(groups) != 1:
        return [f"{len(groups)} action groups"]
    found = []
    for name, properties in deployed.properties("Insights/scheduledQueryRules"):
        if properties["actions"]["actionGroups"] != groups or not properties.get("enabled", True):
            found.append(f"{name} tells nobody")
    for name, properties in deployed.properties("Insights/metricAlerts"):
        told = [action["actionGroupId"] for action in properties["actions"]]
        if told != groups or not properties["enabled"]:
            found.append(f"{name} tells nobody")
    return found


def _columns(query: str) -> list[str]:
    """Return the columns of a query's last line, which projects them."""
    projected = re.split(r",(?![^(]*\))", query.rpartition("| project ")[2])
    return [column.partition("=")[0].strip() for column in projected]

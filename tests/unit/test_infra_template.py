"""What only the compiled template tells: which parameter is for what, and what comes before what."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.policies import own_timers
from infra.role_policies import roles_before_app

COMPILED = Path(__file__).parents[2] / "infra/compiled/core.json"

type Policy = Callable[[dict[str, Any]], list[str]]

APP = "resources.functionApp"
TIMERS = f"{APP}.properties.parameters.timers.value"
SETTINGS = f"{APP}.properties.template.resources.app::appSettings.properties"
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
]


def core() -> dict[str, Any]:
    template: dict[str, Any] = json.loads(COMPILED.read_text())
    return template


@pytest.mark.parametrize("policy", [own_timers, roles_before_app])
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

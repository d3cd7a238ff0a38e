"""Checks of the settings: the same reading as the function app's own, of the app's own settings."""

from collections.abc import Iterator, Mapping
from typing import Any

from azure.core.exceptions import AzureError

from orchestrator.adapters.settings import read_settings
from orchestrator.errors import SettingsError
from recur.checks.findings import Finding, good, problem, unchecked
from recur.checks.resources import Resources
from recur.target import Target

# What a settings file of the laptop may leave to the host.
_TIMERS = {"SUBMIT_CRON": "0 * * * * *", "COLLECT_CRON": "30 * * * * *"}
_SHARED = (
    "BATCH_ACCOUNT_URL",
    "BATCH_POOL_ID",
    "DATA_STORAGE_URL",
    "LEDGER_CONTAINER",
    "OUTPUTS_CONTAINER",
)


def check_settings(target: Target) -> Iterator[Finding]:
    """Yield what is wrong with the settings that the function app reads."""
    if target.on_laptop:
        yield from judge_settings({**_TIMERS, **target.values}, f"correct it in {target.source}")
        return
    for name in _SHARED:
        target.need(name)
    app = target.values.get("FUNCTION_APP_NAME", "")
    if not app:
        yield unchecked("settings", f"FUNCTION_APP_NAME is not known in {target.source}")
        return
    try:
        values: dict[str, Any] = Resources.of(target).app_settings(app)
    except AzureError as error:
        yield unchecked("settings", f"the settings of {app} cannot be read: {error.message}")
        return
    yield from judge_settings(values, "deploy infra/core again: it sets them all")
    yield from differences(target, values, app)


def judge_settings(values: Mapping[str, str], fix: str) -> Iterator[Finding]:
    """Yield one finding for each setting that is missing or malformed."""
    try:
        read_settings(values)
    except SettingsError as error:
        for one in error.problems:
            name = one.partition(" ")[0]
            why = "the function app uses it, and ticks do nothing until it is correct"
            yield problem(f"setting {name}", one, why, fix)
        return
    yield good("settings", "complete and valid")


def differences(target: Target, values: Mapping[str, str], app: str) -> Iterator[Finding]:
    """Yield where the app works on something else than this command."""
    for name in _SHARED:
        here, there = target.need(name).rstrip("/"), values.get(name, "").rstrip("/")
        if there and here != there:
            why = "the app uses other resources than those checked here"
            what = f"{there!r} in {app}, {here!r} in {target.source}"
            yield problem(f"setting {name}", what, why, "deploy infra/core again")

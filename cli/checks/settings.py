"""Checks of the settings: the same reading as the function app's own."""

from collections.abc import Iterator

from cli.findings import Finding, good, problem
from cli.target import Target
from orchestrator.adapters.settings import read_settings
from orchestrator.errors import SettingsError

# Known to the function app alone: a deployment's outputs do not hold them.
_OF_THE_APP = {"SUBMIT_CRON": "0 * * * * *", "COLLECT_CRON": "30 * * * * *"}


def check_settings(target: Target) -> Iterator[Finding]:
    """Yield one finding for each setting that is missing or malformed."""
    values = {**_OF_THE_APP, **target.values}
    try:
        read_settings(values)
    except SettingsError as error:
        for one in error.problems:
            name = one.partition(" ")[0]
            why = "the function app reads it, and ticks do nothing until it is right"
            yield problem(f"setting {name}", one, why, f"correct it in {target.source}")
        return
    yield good("settings", "complete and well-formed")

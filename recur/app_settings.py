"""The function app's settings, for what a command does in its place."""

from dataclasses import replace
from typing import Final

from orchestrator.adapters.settings import Settings, read_settings
from orchestrator.errors import SettingsError
from recur.azure_hosts import Service
from recur.errors import CliError, Exit
from recur.target import Target

# What the host reads and a pass does not; and who the function app is: see below.
_NOT_NEEDED: Final = {
    "SUBMIT_CRON": "0 * * * * *",
    "COLLECT_CRON": "30 * * * * *",
    "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000000",
}


def app_settings(target: Target) -> Settings:
    """
    Return the settings of a deployment's function app.

    Raises:
        CliError: One is missing or malformed, or an address to which no token may go.
    """
    try:
        given = {name: value for name, value in target.values.items() if value.strip()}
        settings = read_settings({**_NOT_NEEDED, **given})
    except SettingsError as error:
        raise CliError(
            Exit.REFUSED,
            f"{'; '.join(error.problems)} in {target.source}",
            "read docs/deploy.md on where the settings come from",
        ) from error
    if not target.opens_storage_by_key:
        target.check_address("DATA_STORAGE_URL", Service.STORAGE)
    if not (settings.batch_account_name and settings.batch_account_key):
        target.check_address("BATCH_ACCOUNT_URL", Service.BATCH)
    # By hand it is whoever is signed in: no identity is asked for where none is named.
    return settings if given.get("AZURE_CLIENT_ID") else replace(settings, client_id="")

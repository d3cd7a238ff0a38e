"""The lines and variables by which az, the Python SDK and Airflow reach the account."""

import shlex
from collections.abc import Mapping
from pathlib import Path

_HELP = """\
az       export AZURE_BATCH_ACCOUNT={account} AZURE_BATCH_ENDPOINT={url} AZURE_BATCH_ACCESS_KEY=KEY
Python   azure.batch.BatchClient("{url}", AzureNamedKeyCredential("{account}", "KEY"))
Airflow  connection azure_batch: login {account}, password KEY, extra {{"account_url": "{url}"}}
"""


def clients_help(url: str, account: str, env_file: Path | None = None) -> str:
    """Return a line for each client; KEY stands for the account's key."""
    text = _HELP.format(url=url, account=account)
    if env_file is None:
        return text
    _, line, rest = text.partition("\n")
    return f"az       . {shlex.quote(str(env_file.absolute()))}{line}{rest}"


def client_variables(url: str, account: str, key: str) -> Mapping[str, str]:
    """Return the variables that ``az batch`` reads."""
    return {
        "AZURE_BATCH_ACCOUNT": account,
        "AZURE_BATCH_ENDPOINT": url,
        "AZURE_BATCH_ACCESS_KEY": key,
    }


def shell_exports(variables: Mapping[str, str]) -> str:
    """Return variables as a file that a shell reads."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())

"""Settings and outputs of the app: each policy notices what breaks it."""

import os
import re

import pytest

from tests.policies.groups import GROUPS, names_read
from tests.support.snapshots import INFRA, Break, broken, load, named, output, setting, unset

BROKEN: list[tuple[str, str, Break]] = [
    ("exact_settings", "a time zone", setting("TZ", "America/Montreal")),
    ("exact_settings", "a time zone of the host", setting("WEBSITE_TIME_ZONE", "UTC")),
    ("exact_settings", "a key of the laptop", setting("BATCH_ACCOUNT_KEY", "x")),
    ("exact_settings", "one that nobody reads", setting("BATCH_POOL_NAME", "recur")),
    ("exact_settings", "one is missing", unset("COLLECT_CRON")),
    ("exact_settings", "one is empty", setting("BATCH_POOL_ID", "")),
    (
        "no_secret_settings",
        "a storage key",
        setting("DATA_STORAGE_URL", "[listKeys('/subscriptions/0').keys[0].value]"),
    ),
    (
        "no_secret_settings",
        "a connection string",
        setting("OTEL_SERVICE_NAME", "AccountName=a;AccountKey=b"),
    ),
    (
        "no_secret_settings",
        "a signed address",
        setting("DATA_STORAGE_URL", "https://data.example.org/?sv=2026-04-06&sp=r&sig=x"),
    ),
    (
        "no_secret_settings",
        "a connection string with a signature",
        setting("OTEL_SERVICE_NAME", "SharedAccessSignature=x"),
    ),
    ("no_secret_settings", "a password", setting("OTEL_SERVICE_NAME", "Password=x")),
    ("no_secret_outputs", "a key by its name", output("BATCH_ACCOUNT_KEY", "x")),
    (
        "no_secret_outputs",
        "a key by its value",
        output("BATCH_ACCOUNT_NAME", "[listKeys(resourceId('x'), '1').primary]"),
    ),
    *(
        ("own_settings", f"{name}: {old}, and it is {new}", named(name, old, new))
        for name, old, new in (
            ("AZURE_CLIENT_ID", "id-func", "id-node"),
            ("AZURE_CLIENT_ID", "clientId", "principalId"),
            ("AzureWebJobsStorage__clientId", "id-func", "id-node"),
            ("AzureWebJobsStorage__clientId", "clientId", "principalId"),
            ("AzureWebJobsStorage__blobServiceUri", "sthost", "stdata"),
            ("AzureWebJobsStorage__blobServiceUri", ".blob", ".queue"),
            ("AzureWebJobsStorage__credential", "managedidentity", "environment"),
            ("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "id-func", "id-node"),
            ("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "clientId", "principalId"),
            ("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "AAD", "None"),
            ("APPLICATIONINSIGHTS_CONNECTION_STRING", "Connection", "Instrumentation"),
            ("BATCH_ACCOUNT_URL", "accountEndpoint", "nodeManagementEndpoint"),
            ("BATCH_POOL_ID", "recur", "other"),
            ("NODE_IDENTITY_ID", "id-node", "id-func"),
            ("DATA_STORAGE_URL", "stdata", "sthost"),
            ("DATA_STORAGE_URL", ".blob", ".dfs"),
            ("LEDGER_CONTAINER", "ledger", "outputs"),
            ("OUTPUTS_CONTAINER", "outputs", "ledger"),
        )
    ),
]


@pytest.mark.parametrize(
    ("policy", "change"),
    [(policy, change) for policy, _, change in BROKEN],
    ids=[f"{policy}: {what}" for policy, what, _ in BROKEN],
)
def test_what_breaks_a_policy_is_noticed(policy: str, change: Break) -> None:
    """The same deployment with one thing changed."""
    assert broken(GROUPS["settings"][policy], change) != []


def test_every_policy_has_something_that_breaks_it() -> None:
    """A policy that nothing breaks checks nothing."""
    assert {policy for policy, _, _ in BROKEN} == set(GROUPS["settings"])


@pytest.mark.parametrize("layer", ["group", "core", "pool"])
def test_no_template_asks_for_a_key(layer: str) -> None:
    """Nor holds one: the functions that list keys are not there, and no parameter is secret."""
    text = (INFRA / f"compiled/{layer}.json").read_text()

    assert (
        re.findall(r"\blist\w*\(|AccountKey|SharedAccess|securestring", text, re.IGNORECASE) == []
    )


def test_no_setting_is_read_elsewhere() -> None:
    """All of the product's settings are read in one module: `names_read` finds them all."""
    readers = [
        path.name
        for path in (INFRA.parent / "orchestrator").rglob("*.py")
        if re.search(r"\bos\.environ|\bgetenv\b", path.read_text())
    ]

    assert readers == []
    assert names_read() > {"SUBMIT_CRON", "NODE_IDENTITY_ID"}
    assert not names_read() & os.environ.keys()


def test_the_outputs_are_what_the_command_line_reads() -> None:
    """Under these names azd keeps them, and infra/pool and `recur` read them."""
    assert set(load("core.defaults")["outputs"]) == {
        "APPLICATIONINSIGHTS_NAME",
        "AZURE_SUBSCRIPTION_ID",
        "BATCH_ACCOUNT_ID",
        "BATCH_ACCOUNT_NAME",
        "BATCH_ACCOUNT_URL",
        "BATCH_POOL_ID",
        "BUDGET_START",
        "CODE_PRINCIPAL_ID",
        "CODE_STORAGE_URL",
        "DATA_STORAGE_URL",
        "FUNCTION_APP_NAME",
        "FUNCTION_PRINCIPAL_ID",
        "HOST_STORAGE_URL",
        "LEDGER_CONTAINER",
        "NODE_IDENTITY_ID",
        "NODE_PRINCIPAL_ID",
        "NODE_SUBNET_ID",
        "OUTPUTS_CONTAINER",
        "STORAGE_ROLES",
    }

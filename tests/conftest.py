"""What tests of every kind share: an environment without settings, and blob storage."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from azure.storage.blob import BlobServiceClient

from local.azurite import Azurite

_SETTINGS = ("SUBMIT_CRON", "COLLECT_CRON", "LEDGER_CONTAINER", "OUTPUTS_CONTAINER")
_PREFIXES = (
    "APPLICATIONINSIGHTS_",
    "AZURE_",
    "AZ_BATCH_",
    "AzureWebJobs",
    "BATCH_",
    "DATA_STORAGE_",
    "FUNCTIONS_",
    "NODE_IDENTITY_",
    "OTEL_",
    "RECUR_",
)
_KEPT = ("RECUR_ORACLES",)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in os.environ:
        if name in _SETTINGS or (name.startswith(_PREFIXES) and name not in _KEPT):
            monkeypatch.delenv(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """
    Two empty containers of blob storage that no other test uses.

    Attributes:
        connection_string: Of the storage account.
        account_url: The account's blob endpoint.
        ledger: Name of the container of schedules and records.
        outputs: Name of the container of what jobs wrote.
    """

    connection_string: str
    account_url: str
    ledger: str
    outputs: str


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with Azurite(log=tmp_path_factory.mktemp("azurite") / "azurite.log") as running:
        yield running


@pytest.fixture
def containers(azurite: Azurite) -> Containers:
    mark = uuid4().hex[:8]
    made = Containers(
        connection_string=azurite.connection_string,
        account_url=azurite.url,
        ledger=f"ledger-{mark}",
        outputs=f"outputs-{mark}",
    )
    with BlobServiceClient.from_connection_string(made.connection_string) as storage:
        storage.create_container(made.ledger)
        storage.create_container(made.outputs)
    return made

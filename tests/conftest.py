"""What tests of every kind share: an environment without settings, a start time, blob storage."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self
from uuid import uuid4

import pytest
from azure.storage.blob import BlobServiceClient
from hypothesis import settings

from local.azurite import Azurite
from tests.support.breadth import EVERYTHING, SAMPLE
from tests.support.judged_replies import (
    judge_every_emulator,
    judge_other_processes,
    take_violations,
)

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
_YOUNG_SECONDS = 240


def pytest_configure(config: pytest.Config) -> None:
    """
    Let processes that tests start end by Ctrl-C, also when a script starts the tests.

    A shell without job control starts what runs in its background with SIGINT ignored, and every
    process below it inherits that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.load_profile(EVERYTHING if config.getoption("--proof") else SAMPLE)
    judge_every_emulator()
    folder = TemporaryDirectory(prefix="recur-judged-")
    config.add_cleanup(folder.cleanup)
    judge_other_processes(Path(folder.name) / "violations")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--proof", action="store_true", help="leave nothing out, for many minutes")
    parser.addoption(
        "--at-second",
        type=int,
        choices=range(60),
        metavar="0..59",
        help="start each test file at this second of a minute, to find tests that need another one",
    )


@pytest.fixture(scope="module", autouse=True)
def _at_second(request: pytest.FixtureRequest) -> None:
    """Wait for the second that ``--at-second`` names."""
    second = request.config.getoption("--at-second")
    if second is None:
        return
    if "young_azurite" in request.fixturenames:  # its start takes seconds: before the wait
        request.getfixturevalue("young_azurite").get()
    time.sleep((second - time.time()) % 60)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in os.environ:
        if name in _SETTINGS or (name.startswith(_PREFIXES) and name not in _KEPT):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _replies_fit_the_schema() -> Iterator[None]:
    """Fail a test in which an emulator answered what azure-batch does not know."""
    yield
    assert take_violations() == []


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


class YoungAzurite:
    """
    Blob storage for tests, replaced before it is ten minutes old.

    At that age Azurite looks for what it may forget, and answers nobody until it is through.
    """

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._running: Azurite | None = None
        self._begun = 0.0

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what runs."""
        if self._running:
            self._running.stop()

    def get(self) -> Azurite:
        """Return one that is young, with nothing of an older one in it."""
        if self._running is None or time.monotonic() - self._begun > _YOUNG_SECONDS:
            self.__exit__()
            self._running = Azurite(log=self._folders.mktemp("azurite") / "azurite.log")
            self._running.start()
            self._begun = time.monotonic()
        return self._running


@pytest.fixture(scope="session")
def young_azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YoungAzurite]:
    with YoungAzurite(tmp_path_factory) as young:
        yield young


@pytest.fixture
def azurite(young_azurite: YoungAzurite) -> Azurite:
    """Return blob storage that tests share, for the next few minutes."""
    return young_azurite.get()


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

"""What a shell offers when half a line of `recur` is typed: by the script that it installs."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from orchestrator import ids
from tests.conftest import Containers
from tests.support.operator import Operator, operator
from tests.support.shell import offered

DOCUMENT = "".join(
    f'[schedules.{name}]\ncron = "0 0 * * *"\ncommand = "true"\n'
    for name in ("nightly", "nightly-report", "weekly")
)


@pytest.fixture
def someone(containers: Containers, tmp_path: Path) -> Operator:
    with BlobServiceClient.from_connection_string(containers.connection_string) as storage:
        ledger = storage.get_container_client(containers.ledger)
        ledger.upload_blob(ids.DOCUMENT, DOCUMENT)
        for run in ("nightly-20261123T070000Z", "weekly-20261123T070000Z"):
            ledger.upload_blob(f"open/{run}.json", b"{}")
        ledger.upload_blob("open/request/abc.json", b"{}")
    return operator(
        tmp_path,
        DATA_STORAGE_CONNECTION_STRING=containers.connection_string,
        LEDGER_CONTAINER=containers.ledger,
    )


@pytest.fixture
def _silence(tmp_path: Path) -> Iterator[None]:
    """Leave settings of a storage account that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        connection = (
            f"DefaultEndpointsProtocol=http;AccountName=x;AccountKey=eA==;BlobEndpoint={url};"
        )
        values = {"DATA_STORAGE_CONNECTION_STRING": connection, "LEDGER_CONTAINER": "ledger"}
        (tmp_path / "settings.json").write_text(json.dumps({"Values": values}))
        yield


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("trigger ", ["nightly", "nightly-report", "weekly"]),
        ("pause nightly-", ["nightly-report"]),
        ("resume x", []),
        ("backfill w", ["weekly"]),
        ("stop ", ["nightly-20261123T070000Z", "weekly-20261123T070000Z"]),
        ("stop w", ["weekly-20261123T070000Z"]),
        ("answer ", ["abc"]),
        ("tick s", ["submit"]),
        ("trig", ["trigger"]),
    ],
)
def test_what_there_is_is_offered(
    someone: Operator, tmp_path: Path, typed: str, expected: list[str]
) -> None:
    """Ids from the ledger, and words of the command line."""
    assert offered(tmp_path, f"recur {typed}", RECUR_SETTINGS=str(someone.settings)) == expected


def test_a_deployment_may_be_named_in_the_line(someone: Operator, tmp_path: Path) -> None:
    """In front of the command."""
    assert offered(tmp_path, f"recur --settings {someone.settings} stop w") == [
        "weekly-20261123T070000Z"
    ]


def test_without_a_deployment_nothing_is_offered_and_nothing_said(tmp_path: Path) -> None:
    """The shell asks in the middle of a line."""
    assert offered(tmp_path, "recur trigger ") == []
    assert offered(tmp_path, "recur trigger ", RECUR_SETTINGS="no-such-file") == []


@pytest.mark.usefixtures("_silence")
def test_storage_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    """It ends, silently, although the call to storage has not."""
    assert offered(tmp_path, "recur stop ", RECUR_SETTINGS=str(tmp_path / "settings.json")) == []

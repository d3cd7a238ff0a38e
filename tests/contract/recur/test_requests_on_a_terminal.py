"""What somebody sees who makes requests on a terminal: a question first, and that it goes on."""

import os
import signal
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from orchestrator import ids
from orchestrator.ids import ScheduleId
from orchestrator.ledger.state import ScheduleState, SubmitState, dump_submit
from orchestrator.model import Recurrence, Timing
from recur.errors import Exit
from tests.conftest import Containers
from tests.support.operator import Operator, operator
from tests.support.terminal import at_a_terminal, read_until

NIGHTLY = ScheduleId("nightly")
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
MONTH = ("backfill", NIGHTLY, "--from", "2026-11-01", "--to", "2026-11-20T00:00")


@pytest.fixture
def ledger(containers: Containers) -> ContainerClient:
    """Return a ledger in which one schedule is decided for three weeks, and nothing ran."""
    storage = BlobServiceClient.from_connection_string(containers.connection_string)
    timing = Timing(since=BEGIN - timedelta(days=1), recurrence=Recurrence(cron=("0 2 * * *",)))
    state = ScheduleState(timings=(timing,), decided_until=BEGIN + timedelta(days=21))
    container = storage.get_container_client(containers.ledger)
    container.upload_blob(ids.SUBMIT_STATE, dump_submit(SubmitState(schedules={NIGHTLY: state})))
    return container


@pytest.fixture
def someone(containers: Containers, ledger: ContainerClient, tmp_path: Path) -> Operator:
    return operator(
        tmp_path,
        DATA_STORAGE_CONNECTION_STRING=containers.connection_string,
        LEDGER_CONTAINER=ledger.container_name,
    )


def requests(ledger: ContainerClient) -> list[str]:
    return [str(name) for name in ledger.list_blob_names(name_starts_with=ids.REQUEST_PREFIX)]


def test_a_backfill_is_asked_about_and_may_be_declined(
    someone: Operator, ledger: ContainerClient
) -> None:
    """The plan first, with the first few and the last few; then the question."""
    with at_a_terminal(someone, *MONTH) as (terminal, process):
        shown = read_until(terminal, "run 19 occurrence(s), one at a time? [y/N]")
        os.write(terminal, b"n\n")
        read_until(terminal, "nothing was requested")

        assert process.wait() == Exit.FOUND
    assert "nightly-20261101T020000Z" in shown
    assert "nightly-20261119T020000Z" in shown
    assert "nightly-20261110T020000Z" not in shown
    assert "and 9 more between them" in shown
    assert requests(ledger) == []


def test_a_backfill_that_is_agreed_to_is_asked_for_and_waited_for(
    someone: Operator, ledger: ContainerClient
) -> None:
    """What goes on is shown; when it has waited long enough, it says how to look later."""
    with at_a_terminal(someone, *MONTH, "--wait", "4") as (terminal, process):
        read_until(terminal, "[y/N]")
        os.write(terminal, b"y\n")
        read_until(terminal, "waiting for the next tick")
        read_until(terminal, "recur answer")

        assert process.wait() == Exit.UNAVAILABLE
    assert len(requests(ledger)) == 1


def test_who_waits_no_longer_leaves_the_request(someone: Operator, ledger: ContainerClient) -> None:
    """Ctrl-C takes nothing back, and says so."""
    with at_a_terminal(someone, "trigger", NIGHTLY) as (terminal, process):
        read_until(terminal, "waiting for the next tick")
        for _ in range(10):  # as people do: the first one may fall into a finalizer of Python's
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
                break
        read_until(terminal, "waits for the next tick")

        assert process.returncode == Exit.UNAVAILABLE
    assert len(requests(ledger)) == 1

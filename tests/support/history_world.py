"""A ledger with a past, as the passes leave it, and an operator who asks about it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from orchestrator import ids
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Record, dump, metadata
from orchestrator.ledger.state import ScheduleState, SubmitState, dump_submit, load_submit
from orchestrator.model import Timing
from tests.conftest import Containers
from tests.support.operator import Operator, Told, operator
from tests.support.records import BOGOTA, NIGHTLY

_TIME = timedelta(hours=7, minutes=30)
_LONGEST_TEST = timedelta(minutes=1)


def nights(back: int) -> datetime:
    """Return 02:30 in Bogota, the newest that is past for 1: 07:30 UTC in summer and winter."""
    day = (datetime.now(UTC) - _TIME).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + _TIME - timedelta(days=back - 1)


def _no_night_begins() -> None:
    """Wait for a night that begins within a minute, so that none begins during a test."""
    left = nights(0) - datetime.now(UTC)
    if left < _LONGEST_TEST:
        time.sleep(left.total_seconds())


@dataclass(frozen=True, slots=True)
class Past:
    """A ledger, and somebody who asks about it."""

    ledger: ContainerClient
    outputs: ContainerClient
    someone: Operator

    def put(self, *records: Record) -> None:
        """Put final records into the ledger."""
        for record in records:
            self.ledger.upload_blob(record.blob, dump(record), overwrite=True)

    def put_open(self, *records: Record) -> None:
        """Put open records into the ledger."""
        for record in records:
            name = ids.open_blob(record.run_id)
            self.ledger.upload_blob(name, dump(record), metadata=metadata(record), overwrite=True)

    def timings(
        self,
        *timings: Timing,
        decided_until: datetime,
        schedule: ScheduleId = NIGHTLY,
        **keys: Any,  # noqa: ANN401 - fields of the state
    ) -> None:
        """Put a state of one schedule in place."""
        one = ScheduleState(timings=timings, decided_until=decided_until, **keys)
        state = SubmitState(document=self._etag(), schedules={schedule: one})
        self.ledger.upload_blob(ids.SUBMIT_STATE, dump_submit(state), overwrite=True)

    def nightly(self, *, since: datetime, decided_until: datetime) -> None:
        """Put the state of a schedule in place that is due each night at 02:30 in Bogota."""
        self.timings(Timing(since=since, recurrence=BOGOTA), decided_until=decided_until)

    def _etag(self) -> str:
        """Return what tells that a tick has seen the document as it is."""
        blob = self.ledger.get_blob_client(ids.DOCUMENT)
        return str(blob.get_blob_properties().etag) if blob.exists() else "missing"

    def state(self) -> SubmitState:
        return load_submit(self.ledger.download_blob(ids.SUBMIT_STATE).readall())

    def recur(self, *arguments: str) -> Told:
        return self.someone.recur(*arguments)

    def ids(self, *arguments: str) -> Sequence[str]:
        """Return the ids of the runs that a command lists."""
        return [one["run_id"] for one in self.recur("--json", *arguments).json["runs"]]


@pytest.fixture
def past(containers: Containers, tmp_path: Path) -> Past:
    _no_night_begins()
    storage = BlobServiceClient.from_connection_string(containers.connection_string)
    someone = operator(
        tmp_path,
        BATCH_ACCOUNT_URL="http://127.0.0.1:9",  # nobody answers there
        BATCH_ACCOUNT_NAME="nobody",
        BATCH_ACCOUNT_KEY="bm9ib2R5",
        DATA_STORAGE_URL=containers.account_url,
        DATA_STORAGE_CONNECTION_STRING=containers.connection_string,
        LEDGER_CONTAINER=containers.ledger,
        OUTPUTS_CONTAINER=containers.outputs,
    )
    return Past(
        storage.get_container_client(containers.ledger),
        storage.get_container_client(containers.outputs),
        someone,
    )

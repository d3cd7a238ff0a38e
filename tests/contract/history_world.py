"""A ledger with a past, as the passes leave it, and an operator who asks about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from orchestrator import naming
from orchestrator.ledger import ScheduleState, SubmitState, dump_submit
from orchestrator.model import Calendar, Timing
from orchestrator.record import (
    Action,
    Attempt,
    Decided,
    FrozenTask,
    How,
    Output,
    Range,
    Record,
    Versions,
    dump,
    metadata,
)
from orchestrator.words import AttemptState, Outcome, Reason, ScheduleId
from tests.conftest import Containers
from tests.contract.operator import Operator, Told, operator

NIGHTLY = ScheduleId("nightly")
BOGOTA = Calendar(cron=("30 2 * * *",), time_zone="America/Bogota")
TASK = FrozenTask(
    command="true",
    environment={},
    start_timeout=timedelta(minutes=30),
    run_timeout=timedelta(hours=6),
    catch_up_window=timedelta(days=1),
)
_VERSIONS = Versions(product="0", tzdata="2026f")


def nights(back: int) -> datetime:
    """Return 02:30 in Bogota, so many nights ago: 07:30 UTC in summer and winter."""
    return midnight() - timedelta(days=back) + timedelta(hours=7, minutes=30)


def midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def decided(nominal: datetime, action: Action, **keys: Any) -> Record:  # noqa: ANN401 - fields
    """Return the record of an occurrence, decided 5 s after its time."""
    schedule = keys.pop("schedule", NIGHTLY)
    reason, because = keys.pop("reason", None), keys.pop("because", None)
    at = nominal + timedelta(seconds=5)
    return Record(
        run_id=keys.pop("run_id", naming.run_id(schedule, nominal)),
        schedule=schedule,
        nominal=nominal,
        decision=Decided(action=action, reason=reason, because=because, at=at),
        versions=_VERSIONS,
        **keys,
    )


def ran(
    nominal: datetime,
    outcome: Outcome = Outcome.SUCCEEDED,
    reason: Reason = Reason.EXIT_ZERO,
    **keys: Any,  # noqa: ANN401 - fields of the record
) -> Record:
    """Return the final record of a run that began a minute late and took two."""
    record = claimed(nominal, **keys)
    attempt = Attempt(
        number=1,
        job_id=record.run_id,
        state=AttemptState.ENDED,
        claimed=nominal + timedelta(seconds=5),
        submitted=nominal + timedelta(seconds=6),
        started=nominal + timedelta(minutes=1),
        finished=nominal + timedelta(minutes=3),
        exit_code=0 if outcome is Outcome.SUCCEEDED else 3,
        outcome=outcome,
        reason=reason,
        sentence=f"It {outcome}.",
    )
    return replaced(
        record.with_attempt(attempt),
        lateness_seconds=6.0,
        outcome=outcome,
        reason=reason,
        sentence=f"It {outcome}.",
        outputs=(Output(path="stdout.txt", bytes=3, how=How.PUSHED),),
    )


def claimed(nominal: datetime, **keys: Any) -> Record:  # noqa: ANN401 - fields of the record
    """Return the open record of a run that is claimed and not yet dispatched."""
    record = decided(nominal, Action.SUBMIT, task=TASK, **keys)
    attempt = Attempt(
        number=1,
        job_id=record.run_id,
        state=AttemptState.CLAIMED,
        claimed=nominal + timedelta(seconds=5),
    )
    return replaced(record, attempts=(attempt,))


def missed(first: datetime, last: datetime, count: int) -> Record:
    """Return a range record."""
    return decided(
        first,
        Action.MISSED,
        reason="window",
        range=Range(first=first, last=last, count=count),
        sentence="Missed: when decided, they were later than the catch-up window.",
    )


def replaced[T: (Record, Attempt)](value: T, **keys: Any) -> T:  # noqa: ANN401 - fields
    return replace(value, **keys)


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
            name = naming.open_blob(record.run_id)
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
        state = SubmitState(document="etag", schedules={schedule: one})
        self.ledger.upload_blob(naming.SUBMIT_STATE, dump_submit(state), overwrite=True)

    def nightly(self, *, since: datetime, decided_until: datetime) -> None:
        """Put the state of a schedule in place that is due each night at 02:30 in Bogota."""
        self.timings(Timing(since=since, calendar=BOGOTA), decided_until=decided_until)

    def recur(self, *arguments: str) -> Told:
        return self.someone.recur(*arguments)

    def ids(self, *arguments: str) -> Sequence[str]:
        """Return the ids of the runs that a command lists."""
        return [one["run_id"] for one in self.recur("--json", *arguments).json["runs"]]


@pytest.fixture
def past(containers: Containers, tmp_path: Path) -> Past:
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

"""Records as the passes leave them, for tests of what reads them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator import ids
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.attempt import Attempt, FrozenTask
from orchestrator.ledger.record import Action, Decided, How, Output, Range, Record, Versions
from orchestrator.ledger.result import Result, result_of
from orchestrator.model import Recurrence

NIGHTLY = ScheduleId("nightly")
BOGOTA = Recurrence(cron=("30 2 * * *",), time_zone="America/Bogota")
TASK = FrozenTask(
    command="true",
    environment={},
    start_timeout=timedelta(minutes=30),
    run_timeout=timedelta(hours=6),
    catch_up_window=timedelta(days=1),
)
_VERSIONS = Versions(product="0", tzdata="2026f")
_NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
_RUN = RunId("nightly-20260601T120000Z")
SUBMITTED = Attempt(
    number=1, job_id=_RUN, state=AttemptState.SUBMITTED, claimed=_NOON, submitted=_NOON
)
RECORD = Record(
    run_id=_RUN,
    schedule=NIGHTLY,
    nominal=_NOON,
    decision=Decided(action=Action.SUBMIT, at=_NOON),
    task=replace(TASK, run_timeout=timedelta(hours=1)),
    attempts=(SUBMITTED,),
    versions=_VERSIONS,
)
"""The open record of a run that was submitted at once, at noon."""


def decided(nominal: datetime, action: Action, **keys: Any) -> Record:  # noqa: ANN401 - fields
    """Return the record of an occurrence, decided 5 s after its time."""
    schedule = keys.pop("schedule", NIGHTLY)
    reason, because = keys.pop("reason", None), keys.pop("because", None)
    at = nominal + timedelta(seconds=5)
    return Record(
        run_id=keys.pop("run_id", ids.run_id(schedule, nominal)),
        schedule=schedule,
        nominal=nominal,
        decision=Decided(action=action, reason=reason, because=because, at=at),
        versions=_VERSIONS,
        **keys,
    )


def comes_to(record: Record, *, succeeded: bool) -> Result:
    """Return what a record comes to whose run ends well, or badly; a reason that it has stays."""
    outcome = Outcome.SUCCEEDED if succeeded else Outcome.FAILED
    reason = record.reason or (Reason.EXIT_ZERO if succeeded else Reason.EXIT_CODE)
    return result_of(replace(record, outcome=outcome, reason=reason))


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
        sentence="Missed: they were decided after the catch-up window.",
    )


def replaced[T: (Record, Attempt)](value: T, **keys: Any) -> T:  # noqa: ANN401 - fields
    return replace(value, **keys)

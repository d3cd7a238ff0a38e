"""An hourly schedule, its state at noon, and its run of noon."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.decisions import claims
from orchestrator.enums import AttemptState, Outcome
from orchestrator.ids import RunId
from orchestrator.ledger.record import Record
from orchestrator.ledger.results import CollectState
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Occurrence, Recurrence, Retries, Schedule, Timing
from tests.support.schedules import schedule

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
HOURLY = Recurrence(cron=("0 * * * *",))
STATE = ScheduleState(
    timings=(Timing(since=NOON - 30 * 24 * HOUR, recurrence=HOURLY),), decided_until=NOON
)
FAILED = (RunId("nightly-20260601T100000Z"), RunId("nightly-20260601T110000Z"))


def run_at_noon(table: Schedule, results: CollectState | None = None) -> Record:
    """Return the record of the run that is claimed at noon."""
    return claims.scheduled(
        table, Occurrence(nominal=NOON), STATE, results or CollectState(), after=None, now=NOON
    )


def ended(outcome: Outcome, *, exit_code: int | None = None, **changes: object) -> Record:
    """Return the run of noon; its first attempt has ended, and two more are allowed."""
    retries = Retries(max=2, on=(Outcome.LOST, Outcome.FAILED))
    record = run_at_noon(schedule(recurrence=HOURLY, retries=retries))
    attempt = replace(
        record.attempt, state=AttemptState.ENDED, outcome=outcome, exit_code=exit_code
    )
    return replace(record.with_attempt(attempt), outcome=outcome, **changes)  # type: ignore[arg-type] # whatever field

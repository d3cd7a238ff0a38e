"""Which failed runs count: those of a schedule's present life since its last success."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator import ids
from orchestrator.decisions import claims
from orchestrator.decisions.pauses import after_failures, failures
from orchestrator.decisions.timings import take_over
from orchestrator.ledger.record import Kind
from orchestrator.ledger.request import Request, RequestKind
from orchestrator.ledger.state import (
    CollectState,
    ScheduleResults,
    ScheduleState,
    SubmitState,
    failed_after,
    finished,
)
from orchestrator.model import Occurrence, Recurrence, Schedule, Timing
from tests.unit.schedules import ID, schedule

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
HOURLY = Recurrence(cron=("0 * * * *",))
STATE = ScheduleState(
    timings=(Timing(since=NOON - 30 * 24 * HOUR, recurrence=HOURLY),), decided_until=NOON
)
RUN = claims.scheduled(
    schedule(), Occurrence(nominal=NOON), STATE, CollectState(), after=None, now=NOON
)


@pytest.mark.parametrize(
    ("nominal", "counts"), [(NOON - SECOND, False), (NOON, False), (NOON + SECOND, True)]
)
@pytest.mark.parametrize("kind", [Kind.SCHEDULED, Kind.TRIGGERED])
def test_a_failure_is_later_only_beyond_the_instant(
    kind: Kind, nominal: datetime, *, counts: bool
) -> None:
    """An occurrence at the instant of a removal belongs to the life before; a trigger as well."""
    record = replace(RUN, nominal=nominal, run_id=ids.run_id(ID, nominal))
    if kind is Kind.TRIGGERED:
        record = replace(record, kind=kind, run_id=ids.trigger_id(ID, "a key"))
    results = finished(CollectState(), record, succeeded=False).schedules[ID]
    removed = (
        Timing(since=NOON, recurrence=None, removed=True),
        Timing(since=NOON + HOUR, recurrence=HOURLY),
    )

    assert results.failed_at == {record.run_id: nominal}
    assert failed_after(results, NOON) == ((record.run_id,) if counts else ())
    assert failures(replace(STATE, timings=removed), results) == counts


def test_a_success_forgets_a_trigger_that_failed_before_it_and_its_time() -> None:
    """One that failed after the nominal time of the success is kept."""
    state = CollectState()
    for key, nominal in (("before", NOON - MINUTE), ("after", NOON + MINUTE)):
        run = replace(RUN, kind=Kind.TRIGGERED, run_id=ids.trigger_id(ID, key))
        state = finished(state, replace(run, nominal=nominal), succeeded=False)

    after = finished(state, replace(RUN, nominal=NOON), succeeded=True)

    kept = ids.trigger_id(ID, "after")
    assert after.schedules[ID].failed == (kept,)
    assert after.schedules[ID].failed_at == {kept: NOON + MINUTE}


def test_a_trigger_of_an_earlier_version_is_older_than_any_life() -> None:
    """Its time was not written down; a scheduled run has its time in its id."""
    triggered, scheduled_run = ids.trigger_id(ID, "a key"), ids.run_id(ID, NOON + SECOND)
    results = ScheduleResults(failed=(triggered, scheduled_run))
    removed = (
        Timing(since=NOON, recurrence=None, removed=True),
        Timing(since=NOON + HOUR, recurrence=HOURLY),
    )

    assert failures(replace(STATE, timings=removed), results) == 1
    assert failed_after(results, NOON) == (scheduled_run,)
    assert failures(STATE, results) == 2, "a schedule that was never removed has one life"


def test_a_returned_schedule_is_not_paused_by_a_trigger_of_its_former_life() -> None:
    """Its failures count from its removal on, those of triggers included."""
    table = schedule(pause_after_failures=1)
    state, results = SubmitState(), CollectState()

    def failed(key: str, now: datetime) -> CollectState:
        """Return the results after a trigger at ``now`` whose run failed."""
        request = Request(id=key, kind=RequestKind.TRIGGER, by="me", schedule=ID, key=key)
        record = claims.claim_requested(
            table,
            Occurrence(nominal=now),
            state.schedules[ID],
            results,
            request,
            kind=Kind.TRIGGERED,
            now=now,
        )
        return finished(results, record, succeeded=False)

    def applied(at: datetime, *tables: Schedule) -> SubmitState:
        found = {one.id: one for one in tables}
        return take_over(state, found, frozenset(), document=str(at), modified=at)

    state = applied(NOON, table)
    results = failed("former", NOON + MINUTE)
    assert after_failures(state.schedules[ID], table, results.schedules[ID]).pauses
    state = applied(NOON + 2 * MINUTE)
    state = applied(NOON + 3 * MINUTE, table)

    assert after_failures(state.schedules[ID], table, results.schedules[ID]).pauses == ()

    results = failed("new", NOON + 4 * MINUTE)
    assert after_failures(state.schedules[ID], table, results.schedules[ID]).pauses

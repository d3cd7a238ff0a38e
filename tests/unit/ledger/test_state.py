"""What both passes keep beside the records: results that count, and the work list."""

from dataclasses import replace
from datetime import datetime

import pytest

from orchestrator import ids
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId
from orchestrator.ledger.record import Kind
from orchestrator.ledger.state import (
    CollectState,
    ScheduleResults,
    SubmitState,
    dump_collect,
    dump_submit,
    failed_after,
    finished,
    load_collect,
    load_submit,
    read_open_run,
)
from tests.support.hourly import (
    FAILED,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    STATE,
    run_at_noon,
)
from tests.support.records import RECORD
from tests.support.schedules import ID, schedule

RUN = run_at_noon(schedule())


def test_a_success_forgets_only_what_failed_before_it() -> None:
    """A rerun of an old occurrence says nothing of the newer ones that failed."""
    state = CollectState(schedules={ID: ScheduleResults(failed=FAILED)})
    record = replace(RUN, nominal=NOON - 2 * HOUR)

    after = finished(state, record, succeeded=True)

    assert after.schedules[ID].failed == FAILED[1:]


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

    assert results.failed_at == {record.run_id: nominal}
    assert failed_after(results, NOON) == ((record.run_id,) if counts else ())


def test_a_success_forgets_a_trigger_that_failed_before_it_and_its_time() -> None:
    """One that failed after the nominal time of the success is kept."""
    state = CollectState()
    for key, nominal in (("before", NOON - MINUTE), ("after", NOON + MINUTE)):
        triggered = replace(RUN, kind=Kind.TRIGGERED, run_id=ids.trigger_id(ID, key))
        state = finished(state, replace(triggered, nominal=nominal), succeeded=False)

    after = finished(state, replace(RUN, nominal=NOON), succeeded=True)

    kept = ids.trigger_id(ID, "after")
    assert after.schedules[ID].failed == (kept,)
    assert after.schedules[ID].failed_at == {kept: NOON + MINUTE}


def test_a_trigger_of_an_earlier_version_is_older_than_any_life() -> None:
    """Its time was not written down; a scheduled run has its time in its id."""
    triggered, scheduled_run = ids.trigger_id(ID, "a key"), ids.run_id(ID, NOON + SECOND)
    results = ScheduleResults(failed=(triggered, scheduled_run))

    assert failed_after(results, NOON) == (scheduled_run,)


def test_results_count_each_run_once() -> None:
    """A success forgets the failures before it; collecting a run again changes nothing."""
    other = replace(RECORD, run_id=RunId("nightly-20260602T120000Z"), nominal=NOON + 24 * HOUR)
    failed = finished(CollectState(), RECORD, succeeded=False)
    succeeded = finished(failed, other, succeeded=True)

    assert failed.schedules[RECORD.schedule].failed == (RECORD.run_id,)
    assert finished(failed, RECORD, succeeded=False) == failed
    assert succeeded.schedules[RECORD.schedule].last_success == other.nominal
    assert not succeeded.schedules[RECORD.schedule].failed
    assert finished(succeeded, other, succeeded=True) == succeeded
    assert finished(succeeded, RECORD, succeeded=False) == succeeded


def test_what_is_written_is_read_back() -> None:
    """Both states."""
    state = SubmitState(document="etag", schedules={ID: STATE}, plan=(RECORD,))
    results = finished(CollectState(), RECORD, succeeded=True)

    assert load_submit(dump_submit(state)) == state
    assert load_collect(dump_collect(results)) == results


@pytest.mark.parametrize(
    "metadata", [{"state": "dreaming"}, {"state": "claimed", "attempt": "first"}]
)
def test_an_open_run_that_says_what_we_do_not_know_is_told(metadata: dict[str, str]) -> None:
    """It does not vanish from the work list in silence."""
    with pytest.raises(RecordUnreadable):
        read_open_run(ids.open_blob(RECORD.run_id), metadata)
    assert read_open_run(ids.open_blob(RECORD.run_id), {}) is None

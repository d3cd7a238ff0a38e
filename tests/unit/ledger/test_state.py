"""What both passes keep beside the records: results that count, and the work list."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from orchestrator import ids
from orchestrator.enums import After, AttemptState, BlockedReason, Reason
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import Kind, metadata
from orchestrator.ledger.results import (
    CollectState,
    ScheduleResults,
    dump_collect,
    failed_after,
    finished,
    load_collect,
)
from orchestrator.ledger.state import OpenRun, SubmitState, dump_submit, load_submit, read_open_run
from orchestrator.model import Timing
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
METADATA = {"state": "claimed", "nominal": "2026-06-01T12:00:00+00:00"}
TRIGGERED = ids.trigger_id(ID, "a key")


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


def test_the_times_of_failures_have_a_public_name() -> None:
    """No golden file of version 1 holds them, and versions to come read them."""
    state = finished(CollectState(), RUN, succeeded=False)

    stored = json.loads(dump_collect(state))["schedules"][ID]

    assert stored["failed"] == [RUN.run_id]
    assert datetime.fromisoformat(stored["failed_at"][RUN.run_id]) == RUN.nominal


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


def test_a_line_of_the_work_list_says_what_its_record_says() -> None:
    """As the metadata of an open record have it, in whatever case the service returns them."""
    attempt = replace(
        RUN.attempt,
        number=3,
        state=AttemptState.SUBMITTED,
        not_before=NOON + MINUTE,
        after=After.RETRY,
        ready=NOON + HOUR,
        blocked=BlockedReason.QUOTA,
    )
    stop = Stop(cause=Reason.STOPPED, reason=Reason.STOPPED, sentence="", at=NOON)
    record = replace(RUN.with_attempt(attempt), kind=Kind.TRIGGERED, forced=True, stop=stop)
    values = {key.title(): value for key, value in metadata(record).items()}

    found = read_open_run(ids.open_blob(TRIGGERED), values)

    assert found == OpenRun(
        run_id=TRIGGERED,
        schedule=ID,
        nominal=NOON,
        kind=Kind.TRIGGERED,
        forced=True,
        state=AttemptState.SUBMITTED,
        attempt=3,
        not_before=NOON + MINUTE,
        after=After.RETRY,
        untried=False,
        blocked=True,
        stop=True,
    )


def test_a_plain_line_of_the_work_list_is_that_of_a_first_attempt() -> None:
    """The nominal time is the one in its id."""
    found = read_open_run(ids.open_blob(RUN.run_id), {"state": "claimed"})
    assert found == OpenRun(
        run_id=RUN.run_id,
        schedule=ID,
        nominal=NOON,
        kind=Kind.SCHEDULED,
        forced=False,
        state=AttemptState.CLAIMED,
        attempt=1,
        not_before=None,
        after=None,
        untried=False,
        blocked=False,
        stop=False,
    )
    assert found.order == (NOON, RUN.run_id)


@pytest.mark.parametrize(
    ("values", "untried"),
    [({"after": "queue"}, True), ({"after": "queue", "ready": NOON.isoformat()}, False)],
)
def test_an_attempt_whose_gates_never_opened_was_never_tried(
    values: dict[str, str], *, untried: bool
) -> None:
    """So there is certainly no job of it."""
    found = read_open_run(ids.open_blob(RUN.run_id), {**METADATA, **values})
    assert found is not None
    assert found.untried is untried


def test_the_nominal_time_of_a_trigger_needs_an_offset() -> None:
    """It stands in its metadata alone."""
    for nominal in ({}, {"nominal": "2026-06-01T12:00:00"}):
        with pytest.raises(RecordUnreadable, match=TRIGGERED):
            read_open_run(ids.open_blob(TRIGGERED), {"state": "claimed", **nominal})


@pytest.mark.parametrize("load", [load_submit, load_collect])
def test_a_state_of_another_version_is_not_read(
    load: Callable[[bytes], SubmitState | CollectState],
) -> None:
    """Nor is what is none."""
    with pytest.raises(RecordUnreadable, match="has schema 2; this version reads 1"):
        load(b'{"schema": 2}')
    with pytest.raises(RecordUnreadable, match="is not what this version writes"):
        load(b'{"schedules": 1}')


def test_a_schedule_is_removed_by_its_last_timing() -> None:
    """A removal before that is over."""
    removed = Timing(since=NOON, recurrence=None, removed=True)
    assert not STATE.removed
    assert replace(STATE, timings=(*STATE.timings, removed)).removed
    assert not replace(STATE, timings=(removed, *STATE.timings)).removed


@pytest.mark.parametrize("reason", [Reason.STOPPED, Reason.REPLACED])
def test_what_was_asked_to_end_is_neither_a_success_nor_a_failure(reason: Reason) -> None:
    """Nothing is known that was not known before."""
    state = CollectState(schedules={ID: ScheduleResults(failed=FAILED)})
    for succeeded in (True, False):
        assert finished(state, replace(RUN, reason=reason), succeeded=succeeded) == state


@pytest.mark.parametrize(
    ("nominal", "success", "failure"),
    [
        (NOON - SECOND, False, False),
        (NOON, False, False),
        (NOON + SECOND, True, True),
    ],
)
def test_a_result_counts_if_it_is_newer_than_the_last_success(
    nominal: datetime, *, success: bool, failure: bool
) -> None:
    """What ran before it, or is that run, tells nothing new."""
    state = CollectState(schedules={ID: ScheduleResults(last_success=NOON)})
    record = replace(RUN, nominal=nominal, run_id=ids.run_id(ID, nominal))
    assert (finished(state, record, succeeded=True) != state) is success
    assert (finished(state, record, succeeded=False) != state) is failure


def test_a_success_is_kept_with_its_run_and_its_end() -> None:
    """Results of other schedules stay."""
    other = ScheduleId("other")
    state = CollectState(schedules={other: ScheduleResults(failed=FAILED)})
    done = RUN.with_attempt(replace(RUN.attempt, finished=NOON + MINUTE))

    assert finished(state, done, succeeded=True).schedules == {
        other: ScheduleResults(failed=FAILED),
        ID: ScheduleResults(
            last_success=NOON, last_success_run=RUN.run_id, last_success_finished=NOON + MINUTE
        ),
    }


def test_the_last_hundred_failures_are_kept() -> None:
    """Oldest first, each with its time."""
    state = CollectState()
    runs = [
        replace(RUN, nominal=NOON + n * HOUR, run_id=ids.run_id(ID, NOON + n * HOUR))
        for n in range(101)
    ]
    for run in runs:
        state = finished(state, run, succeeded=False)

    results = state.schedules[ID]
    assert results.failed == tuple(run.run_id for run in runs[1:])
    assert results.failed_at == {run.run_id: run.nominal for run in runs[1:]}

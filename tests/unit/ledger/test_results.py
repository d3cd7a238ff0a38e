"""What is known of finished runs: successes, and failures since."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import ids
from orchestrator.enums import Reason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Kind, Record
from orchestrator.ledger.results import (
    CollectState,
    Rebuilding,
    ScheduleResults,
    dump_collect,
    failed_after,
    finished,
    load_collect,
)
from tests.support.breadth import everything
from tests.support.hourly import (
    FAILED,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    run_at_noon,
)
from tests.support.records import RECORD, comes_to
from tests.support.schedules import ID, schedule

RUN = run_at_noon(schedule())
METADATA = {"state": "claimed", "nominal": "2026-06-01T12:00:00+00:00"}
TRIGGERED = ids.trigger_id(ID, "a key")


def test_a_success_forgets_only_what_failed_before_it() -> None:
    """A rerun of an old occurrence says nothing of the newer ones that failed."""
    state = CollectState(schedules={ID: ScheduleResults(failed=FAILED)})
    record = replace(RUN, nominal=NOON - 2 * HOUR)

    after = finished(state, comes_to(record, succeeded=True))

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
    results = finished(CollectState(), comes_to(record, succeeded=False)).schedules[ID]

    triggered = kind is Kind.TRIGGERED
    assert results.failed_at == ({record.run_id: nominal} if triggered else {})
    assert failed_after(results, NOON) == ((record.run_id,) if counts else ())


def test_the_times_of_failures_have_a_public_name() -> None:
    """No golden file of version 1 holds them, and versions to come read them."""
    run = replace(RUN, kind=Kind.TRIGGERED, run_id=TRIGGERED)
    state = finished(CollectState(), comes_to(run, succeeded=False))

    stored = json.loads(dump_collect(state))["schedules"][ID]

    assert stored["failed"] == [TRIGGERED]
    assert datetime.fromisoformat(stored["failed_at"][TRIGGERED]) == RUN.nominal


def test_a_success_forgets_a_trigger_that_failed_before_it_and_its_time() -> None:
    """One that failed after the nominal time of the success is kept."""
    state = CollectState()
    for key, nominal in (("before", NOON - MINUTE), ("after", NOON + MINUTE)):
        triggered = replace(RUN, kind=Kind.TRIGGERED, run_id=ids.trigger_id(ID, key))
        state = finished(state, comes_to(replace(triggered, nominal=nominal), succeeded=False))

    after = finished(state, comes_to(replace(RUN, nominal=NOON), succeeded=True))

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
    failed = finished(CollectState(), comes_to(RECORD, succeeded=False))
    succeeded = finished(failed, comes_to(other, succeeded=True))

    assert failed.schedules[RECORD.schedule].failed == (RECORD.run_id,)
    assert finished(failed, comes_to(RECORD, succeeded=False)) == failed
    assert succeeded.schedules[RECORD.schedule].last_success == other.nominal
    assert not succeeded.schedules[RECORD.schedule].failed
    assert finished(succeeded, comes_to(other, succeeded=True)) == succeeded
    assert finished(succeeded, comes_to(RECORD, succeeded=False)) == succeeded


@pytest.mark.parametrize("reason", [Reason.STOPPED, Reason.REPLACED])
def test_what_was_asked_to_end_is_neither_a_success_nor_a_failure(reason: Reason) -> None:
    """Nothing is known that was not known before."""
    state = CollectState(schedules={ID: ScheduleResults(failed=FAILED)})
    for succeeded in (True, False):
        assert finished(state, comes_to(replace(RUN, reason=reason), succeeded=succeeded)) == state


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
    assert (finished(state, comes_to(record, succeeded=True)) != state) is success
    assert (finished(state, comes_to(record, succeeded=False)) != state) is failure


def test_a_success_is_kept_with_its_run_and_its_end() -> None:
    """Results of other schedules stay."""
    other = ScheduleId("other")
    state = CollectState(schedules={other: ScheduleResults(failed=FAILED)})
    done = RUN.with_attempt(replace(RUN.attempt, finished=NOON + MINUTE))

    assert finished(state, comes_to(done, succeeded=True)).schedules == {
        other: ScheduleResults(failed=FAILED),
        ID: ScheduleResults(
            last_success=NOON, last_success_run=RUN.run_id, last_success_finished=NOON + MINUTE
        ),
    }


def test_the_last_hundred_failures_are_kept() -> None:
    """Oldest first; their ids tell their times."""
    state = CollectState()
    runs = [
        replace(RUN, nominal=NOON + n * HOUR, run_id=ids.run_id(ID, NOON + n * HOUR))
        for n in range(101)
    ]
    for run in runs:
        state = finished(state, comes_to(run, succeeded=False))

    results = state.schedules[ID]
    assert results.failed == tuple(run.run_id for run in runs[1:])
    assert results.failed_at == {}


@pytest.mark.parametrize(("failed", "triggers"), [(100, 0), (100, 20), (20, 20), (20, 0)])
def test_a_thousand_failing_schedules_stay_below_the_limit(failed: int, triggers: int) -> None:
    """
    With the longest ids, and as many failures as are kept; nothing of them is lost in storage.

    Fifty of them take a twentieth: each has the same size.
    """
    schedules = {}
    parts = 1 if everything() else 20
    for n in range(1000 // parts):
        id_ = ScheduleId(f"{'s' * 36}{n:04}")
        triggered = {
            ids.trigger_id(id_, str(k)): NOON + (200 + k) * HOUR + timedelta(microseconds=123456)
            for k in range(triggers)
        }
        runs = [ids.run_id(id_, NOON + k * HOUR) for k in range(failed - triggers)]
        schedules[id_] = ScheduleResults(
            last_success=NOON - HOUR,
            last_success_run=ids.run_id(id_, NOON - HOUR),
            last_success_finished=NOON + timedelta(microseconds=1),
            failed=(*runs, *triggered),
            failed_at=triggered,
        )
    state = CollectState(schedules=schedules)

    stored = dump_collect(state)

    assert len(stored) < 3_500_000 // parts
    assert load_collect(stored) == state


def test_the_last_twenty_triggers_that_failed_are_kept() -> None:
    """Runs of the recurrence beside them are kept up to the hundred."""
    state = CollectState()
    for n in range(25):
        nominal = NOON + n * HOUR
        for run_id in (ids.run_id(ID, nominal), ids.trigger_id(ID, str(n))):
            run = replace(RUN, nominal=nominal, run_id=run_id)
            state = finished(state, comes_to(run, succeeded=False))

    failed = state.schedules[ID].failed
    assert [run for run in failed if ids.parse_run_id(run) == (ID, None)] == [
        ids.trigger_id(ID, str(n)) for n in range(5, 25)
    ]
    assert len(failed) == 25 + 20


def test_failures_that_an_earlier_version_left_aside_end_with_a_success() -> None:
    """It kept the field that it does not know, and wrote a success that is newer."""
    state = CollectState(
        schedules={ID: ScheduleResults(failed=tuple(_failed(n) for n in range(25)))}
    )
    stored = json.loads(dump_collect(state))
    assert len(stored["schedules"][ID]["failed_earlier"]) == 20
    stored["schedules"][ID] |= {
        "failed": [_failed(30)],
        "last_success": (NOON + 18 * HOUR).isoformat(),
    }

    found = load_collect(json.dumps(stored).encode()).schedules[ID]

    assert found.failed == (_failed(19), _failed(30))


def _failed(n: int) -> RunId:
    return ids.run_id(ID, NOON + n * HOUR)


HOURS = st.integers(0, 200)
ENDS = st.lists(st.tuples(HOURS, st.booleans(), st.booleans()), unique_by=lambda one: one[0])


@given(ENDS, st.randoms(use_true_random=False))
def test_results_are_the_same_in_whatever_order_runs_end(
    ends: list[tuple[int, bool, bool]], chance: Random
) -> None:
    """So results that are made anew from records are those that were lost."""
    runs = [_ended_at(NOON + n * HOUR, triggered=triggered) for n, _, triggered in ends]
    results = [
        comes_to(run, succeeded=succeeded)
        for run, (_, succeeded, _) in zip(runs, ends, strict=True)
    ]
    state = reduce(finished, results, CollectState())
    shuffled = chance.sample(results, len(results))

    assert reduce(finished, [*shuffled, *results[:3]], CollectState()) == state


def _ended_at(nominal: datetime, *, triggered: bool) -> Record:
    if not triggered:
        return replace(RUN, nominal=nominal, run_id=ids.run_id(ID, nominal))
    run_id = ids.trigger_id(ID, nominal.isoformat())
    return replace(RUN, nominal=nominal, run_id=run_id, kind=Kind.TRIGGERED)


@pytest.mark.parametrize(
    ("schedule", "before", "lacking"),
    [
        (None, None, {"a", "b", "c"}),
        ("b", "2026/05/", {"b", "c"}),
        ("b", None, {"c"}),
        ("c", None, set[str]()),
    ],
)
def test_what_is_made_anew_is_known_schedule_by_schedule(
    schedule: str | None, before: str | None, lacking: set[str]
) -> None:
    """Those before the one in hand are done; that one when nothing is left of it."""
    hand = ScheduleId(schedule) if schedule else None
    rebuilding = Rebuilding(because="lost", schedule=hand, before=before)

    assert {id_ for id_ in ("a", "b", "c") if rebuilding.lacks(ScheduleId(id_))} == lacking
    for known in (replace(rebuilding, ended=NOON), replace(rebuilding, results=False)):
        assert not known.lacks(ScheduleId("c"))

"""What is frozen at a claim, and what follows an ended attempt."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decisions import claims
from orchestrator.decisions.backfill import Reopened, claim, eligible
from orchestrator.decisions.pauses import after_failures, pause, pausing, resume
from orchestrator.decisions.retry import again, backoff
from orchestrator.enums import After, AttemptState, Outcome, Overlap, Reason, SkipReason
from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import Action, Decided, Kind, Record, Versions
from orchestrator.ledger.request import Request, RequestKind
from orchestrator.ledger.state import CollectState, ScheduleResults, ScheduleState, finished
from orchestrator.model import Occurrence, Pause, Recurrence, Retries, Schedule, Timing
from tests.unit.schedules import ID, schedule

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
HOURLY = Recurrence(cron=("0 * * * *",))
STATE = ScheduleState(
    timings=(Timing(since=NOON - 30 * 24 * HOUR, recurrence=HOURLY),), decided_until=NOON
)
FAILED = (RunId("nightly-20260601T100000Z"), RunId("nightly-20260601T110000Z"))


def claimed(table: Schedule, results: CollectState | None = None) -> Record:
    return claims.scheduled(
        table, Occurrence(nominal=NOON), STATE, results or CollectState(), after=None, now=NOON
    )


def ended(outcome: Outcome, *, exit_code: int | None = None, **changes: object) -> Record:
    """Return a run of an hourly schedule whose first attempt has ended so."""
    retries = Retries(max=2, on=(Outcome.LOST, Outcome.FAILED))
    record = claimed(schedule(recurrence=HOURLY, retries=retries))
    attempt = replace(
        record.attempt, state=AttemptState.ENDED, outcome=outcome, exit_code=exit_code
    )
    return replace(record.with_attempt(attempt), outcome=outcome, **changes)  # type: ignore[arg-type] # whatever field


@given(st.integers(0, 100_000), st.integers(1, 3000))
def test_jitter_is_the_same_whenever_it_is_asked_for(seconds: int, gap: int) -> None:
    """It is below its limit and below the time to the next occurrence."""
    table = schedule(jitter=timedelta(seconds=seconds))
    upcoming = NOON + timedelta(seconds=gap)

    first, second = (claims.jittered(table, NOON, upcoming) for _ in range(2))

    assert first == second
    if seconds == 0:
        assert first is None
    else:
        assert first is not None
        assert timedelta(0) <= first - NOON < timedelta(seconds=min(seconds, gap))


def test_occurrences_have_different_jitter() -> None:
    """Else all schedules of the hour would start at once again."""
    table = schedule(jitter=HOUR)
    waits = {claims.jittered(table, NOON + n * 24 * HOUR, None) for n in range(50)}
    assert len({wait and wait.minute for wait in waits}) > 20


def test_the_environment_of_a_schedule_cannot_hide_the_products_own() -> None:
    """Its own variables are there, those of the product are what they are."""
    record = claimed(schedule(environment={"REPORT": "daily", "RECUR_RUN_ID": "mine"}))
    assert record.task is not None
    assert record.task.environment["REPORT"] == "daily"
    assert record.task.environment["RECUR_RUN_ID"] == record.run_id


def test_a_later_success_is_not_a_previous_one() -> None:
    """A backfilled run is not told of a success after its own time."""
    for success, known in ((NOON - HOUR, True), (NOON + HOUR, False)):
        results = CollectState(schedules={ID: ScheduleResults(last_success=success)})
        record = claimed(schedule(), results)
        assert record.task is not None
        assert ("RECUR_PREVIOUS_SUCCESS" in record.task.environment) is known


def test_attempts_end_before_the_next_occurrence_unless_they_queue() -> None:
    """The next occurrence has the place."""
    for overlap, until in ((Overlap.SKIP, NOON + HOUR), (Overlap.QUEUE, None)):
        record = claimed(schedule(recurrence=HOURLY, overlap=overlap))
        assert record.task is not None
        assert record.task.retry_until == until


def test_an_attempt_is_followed_by_another_with_its_own_job() -> None:
    """It waits for its backoff, and for what runs."""
    following = again(ended(Outcome.LOST), NOON)

    assert following is not None
    second = following.attempt
    assert (second.number, second.job_id) == (2, f"{following.run_id}-r2")
    assert (second.not_before, second.after) == (NOON + MINUTE, After.RETRY)
    assert (following.outcome, following.stop) == (None, None)


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (ended(Outcome.SUCCEEDED), "it succeeded"),
        (ended(Outcome.TIMED_OUT), "this outcome is not tried again"),
        (
            ended(
                Outcome.LOST,
                stop=Stop(cause=Reason.STOPPED, reason=Reason.STOPPED, sentence="", at=NOON),
            ),
            "an operator stopped it",
        ),
    ],
)
def test_a_run_is_final(record: Record, why: str) -> None:
    """There is no other attempt."""
    assert again(record, NOON) is None, why


def test_a_start_timeout_is_tried_again() -> None:
    """It gave up an attempt, not the run."""
    stop = Stop(
        cause=Reason.START_TIMEOUT, reason=Reason.RESIZE_FAILED, sentence="no node", at=NOON
    )
    record = ended(Outcome.LOST, stop=stop)
    following = again(record, NOON)
    assert following is not None
    assert following.stop is None


def test_no_attempt_begins_when_the_next_occurrence_is_due() -> None:
    """The run is final instead."""
    assert again(ended(Outcome.LOST), NOON + HOUR - MINUTE) is None


def test_only_some_exit_codes_are_tried_again() -> None:
    """Where they are listed, any other code is final."""
    for code, tried in ((75, True), (1, False), (None, False)):
        record = ended(Outcome.FAILED, exit_code=code)
        assert record.task is not None
        retries = replace(record.task.retries, exit_codes=(75,))
        record = replace(record, task=replace(record.task, retries=retries))
        assert (again(record, NOON) is not None) is tried


def test_backoff_doubles_up_to_an_hour() -> None:
    """Whatever it begins with."""
    assert [backoff(MINUTE, n) for n in (1, 2, 3, 9)] == [MINUTE, 2 * MINUTE, 4 * MINUTE, HOUR]
    assert backoff(5 * HOUR, 1) == HOUR


def test_a_reopened_run_has_its_retries_anew() -> None:
    """Attempts before the backfill count for the ids alone."""
    old = replace(ended(Outcome.FAILED), attempts=ended(Outcome.FAILED).attempts * 1)
    new = claim(replace(claimed(schedule()), kind=Kind.BACKFILLED), Reopened(old, "etag"))
    assert [attempt.number for attempt in new.attempts] == [1, 2]
    assert (new.replaces, new.attempt.after) == ("etag", After.BACKFILL)
    done = replace(new.attempt, state=AttemptState.ENDED, outcome=Outcome.LOST)
    assert new.task is not None
    task = replace(new.task, retries=Retries(max=1), retry_until=None)
    following = again(replace(new.with_attempt(done), task=task), NOON)
    assert following is not None
    assert (following.attempt.number, following.attempt.after) == (3, After.BACKFILL)


@pytest.mark.parametrize(
    ("action", "reason", "excluded", "plain", "rerun"),
    [
        (None, None, False, True, True),
        (None, None, True, False, True),
        (Action.SKIPPED, SkipReason.PAUSED, False, True, True),
        (Action.SKIPPED, SkipReason.EXCLUDED, True, False, True),
        (Action.MISSED, "window", False, True, True),
        (Action.SUBMIT, None, False, False, True),
    ],
)
def test_a_backfill_runs_what_did_not_run(
    action: Action | None, reason: str | None, excluded: bool, plain: bool, rerun: bool
) -> None:
    """A rerun also what ran, and what `except` leaves out."""
    final = action and Record(
        run_id=RunId("nightly-20260601T120000Z"),
        schedule=ID,
        nominal=NOON,
        decision=Decided(action=action, reason=reason, at=NOON),
        versions=Versions(product="", tzdata=""),
    )
    occurrence = Occurrence(nominal=NOON, excluded=excluded)
    assert eligible(occurrence, final or None, rerun=False) is plain
    assert eligible(occurrence, final or None, rerun=True) is rerun


def ask(kind: RequestKind, request_id: str, until: datetime | None = None) -> Request:
    return Request(id=request_id, kind=kind, by="me", schedule=ID, until=until)


def test_a_pause_begins_where_it_was_asked_for_and_not_before_what_is_decided() -> None:
    """Asked for twice it is one; another one takes its place from there on."""
    paused = pause(STATE, ask(RequestKind.PAUSE, "a"), NOON - HOUR)
    assert [(one.since, one.until) for one in paused.pauses] == [(NOON, None)]
    assert pause(paused, ask(RequestKind.PAUSE, "a"), NOON + HOUR) == paused

    other = pause(paused, ask(RequestKind.PAUSE, "b", NOON + 3 * HOUR), NOON + HOUR)
    assert [(one.since, one.until) for one in other.pauses] == [
        (NOON, NOON + HOUR),
        (NOON + HOUR - SECOND, NOON + 3 * HOUR),
    ]
    assert all(any(one.holds(NOON + n * HOUR) for one in other.pauses) for n in (0.5, 1, 2))
    assert pausing(other, NOON + 4 * HOUR) == ()


def test_a_resume_ends_pauses_and_forgives_failures() -> None:
    """Occurrences before it stay paused."""
    table = schedule(pause_after_failures=2)
    results = ScheduleResults(failed=FAILED)
    paused = after_failures(STATE, table, results)
    assert paused.pauses[0].by == "recur"
    assert after_failures(paused, table, results) == paused

    resumed = resume(paused, ask(RequestKind.RESUME, "c"), NOON + HOUR, results)

    assert resumed.pauses[0].until == NOON + HOUR
    assert resumed.pauses[0].holds(NOON + HOUR - MINUTE)
    assert after_failures(resumed, table, results) == resumed
    third = replace(results, failed=(*FAILED, RunId("nightly-20260601T130000Z")))
    assert after_failures(resumed, table, third) == resumed, "one failure since"


def test_a_schedule_without_a_limit_is_never_paused_by_failures() -> None:
    """Nor one that has failed less often."""
    results = ScheduleResults(failed=FAILED)
    assert after_failures(STATE, schedule(), results) == STATE
    assert after_failures(STATE, schedule(pause_after_failures=3), results) == STATE


def test_an_empty_pause_is_forgotten() -> None:
    """It held for no instant."""
    paused = pause(STATE, ask(RequestKind.PAUSE, "a"), NOON)
    resumed = resume(paused, ask(RequestKind.RESUME, "b"), NOON, ScheduleResults())
    assert resumed.pauses == ()
    assert not Pause(since=NOON, until=NOON, by="me").holds(NOON)


def test_a_success_forgets_only_what_failed_before_it() -> None:
    """A rerun of an old occurrence says nothing of the newer ones that failed."""
    state = CollectState(schedules={ID: ScheduleResults(failed=FAILED)})
    record = replace(claimed(schedule()), nominal=NOON - 2 * HOUR)

    after = finished(state, record, succeeded=True)

    assert after.schedules[ID].failed == FAILED[1:]

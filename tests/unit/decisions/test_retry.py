"""What follows an ended attempt."""

from dataclasses import replace

import pytest

from orchestrator.decisions.backfill import Reopened, claim
from orchestrator.decisions.retry import again, backoff
from orchestrator.enums import After, AttemptState, Outcome, Overlap, Reason
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import How, Kind, Output, Past, Record
from orchestrator.model import Retries
from tests.support.hourly import (
    HOUR,
    HOURLY,
    MINUTE,
    NOON,
    SECOND,
    ended,
    run_at_noon,
)
from tests.support.schedules import schedule


def test_an_attempt_is_followed_by_another_with_its_own_job() -> None:
    """It waits for its backoff, and for what runs."""
    following = again(ended(Outcome.LOST), NOON)

    assert following is not None
    second = following.attempt
    assert (second.number, second.job_id) == (2, f"{following.run_id}-r2")
    assert (second.not_before, second.after) == (NOON + MINUTE, After.RETRY)
    assert second.claimed == NOON
    assert second.state is AttemptState.CLAIMED
    assert following.attempts[0] == ended(Outcome.LOST).attempt


def test_what_is_said_of_an_ended_attempt_is_not_said_of_the_next() -> None:
    """The run is open again; the ended attempt keeps its own words."""
    record = ended(
        Outcome.LOST,
        reason=Reason.JOB_MISSING,
        sentence="gone",
        stop=Stop(cause=Reason.START_TIMEOUT, reason=Reason.NO_NODE, sentence="", at=NOON),
        outputs=(Output(path="stdout.txt", how=How.MISSING),),
    )

    following = again(record, NOON)

    assert following == replace(
        run_at_noon(schedule(recurrence=HOURLY)),
        task=record.task,
        attempts=(record.attempt, following.attempt if following else record.attempt),
    )


@pytest.mark.parametrize(
    ("kind", "forced", "overlap", "after"),
    [
        (Kind.SCHEDULED, False, Overlap.SKIP, After.RETRY),
        (Kind.SCHEDULED, False, Overlap.ALLOW, None),
        (Kind.TRIGGERED, True, Overlap.SKIP, None),
        (Kind.TRIGGERED, False, Overlap.SKIP, After.RETRY),
        (Kind.BACKFILLED, True, Overlap.ALLOW, After.BACKFILL),
    ],
)
def test_another_attempt_waits_for_what_the_first_one_waited_for(
    kind: Kind, forced: bool, overlap: Overlap, after: After | None
) -> None:
    """Where runs may be open at once, or this one was forced, it waits for none."""
    record = ended(Outcome.LOST, kind=kind, forced=forced)
    assert record.task is not None
    task = replace(record.task, allow=overlap is Overlap.ALLOW)
    following = again(replace(record, task=task), NOON)
    assert following is not None
    assert following.attempt.after is after


@pytest.mark.parametrize(("number", "most", "tried"), [(1, 0, False), (1, 1, True), (2, 1, False)])
def test_so_many_attempts_follow_the_first(number: int, most: int, tried: bool) -> None:
    """And not one more; the wait before the second one is the backoff, then it doubles."""
    record = ended(Outcome.LOST)
    assert record.task is not None
    task = replace(record.task, retries=replace(record.task.retries, max=most))
    record = replace(record, task=task, attempts=(record.attempt,) * number)
    assert (again(record, NOON) is not None) is tried


def test_the_wait_before_an_attempt_doubles() -> None:
    """It counts the attempts of this life alone."""
    record = ended(Outcome.LOST)
    past = Past(kind=record.kind, decision=record.decision, attempts=1)
    second = replace(record.attempt, number=4)
    attempts = (record.attempt, replace(second, number=3), second)
    third = again(replace(record, attempts=attempts, history=(past,)), NOON)
    assert third is not None
    assert third.attempt.number == 5
    assert third.attempt.not_before == NOON + 2 * MINUTE


def test_what_never_had_a_task_is_not_tried_again() -> None:
    """Nor is an attempt whose end says no outcome."""
    record = ended(Outcome.LOST)
    assert again(replace(record, task=None), NOON) is None
    assert again(record.with_attempt(replace(record.attempt, outcome=None)), NOON) is None


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
    """The run is final instead, from a tick before that on; a run without such an end is not."""
    record, late = ended(Outcome.LOST), NOON + HOUR - 2 * MINUTE

    assert again(record, late - SECOND) is not None
    assert again(record, late) is None
    assert again(record, late + SECOND) is None
    assert record.task is not None
    assert again(replace(record, task=replace(record.task, retry_until=None)), late) is not None


def test_only_some_exit_codes_are_tried_again() -> None:
    """Where they are listed, any other code of a failure is final; other ends do not ask."""
    for code, tried in ((75, True), (1, False), (None, False)):
        record = ended(Outcome.FAILED, exit_code=code)
        assert record.task is not None
        retries = replace(record.task.retries, exit_codes=(75,))
        record = replace(record, task=replace(record.task, retries=retries))
        assert (again(record, NOON) is not None) is tried
        lost = record.with_attempt(replace(record.attempt, outcome=Outcome.LOST))
        assert again(lost, NOON) is not None
    assert again(ended(Outcome.FAILED, exit_code=1), NOON) is not None, "none are listed"


@pytest.mark.parametrize(
    ("listed", "code", "tried"),
    [
        (137, -9, True),
        (-9, 137, True),
        (-15, 137, False),
        (3221225786, -1073741510, True),
        (-1073741510, 3221225786, True),
    ],
)
def test_an_exit_code_is_known_in_either_spelling(listed: int, code: int, tried: bool) -> None:
    """Of a signal, and of Windows: who lists one need not know which Batch tells."""
    record = ended(Outcome.FAILED, exit_code=code)
    assert record.task is not None
    retries = replace(record.task.retries, exit_codes=(listed,))
    record = replace(record, task=replace(record.task, retries=retries))

    assert (again(record, NOON) is not None) is tried


def test_backoff_doubles_up_to_an_hour() -> None:
    """Whatever it begins with."""
    assert [backoff(MINUTE, n) for n in (1, 2, 3, 9)] == [MINUTE, 2 * MINUTE, 4 * MINUTE, HOUR]
    assert [backoff(first, 1) for first in (HOUR - MINUTE, HOUR, 5 * HOUR)] == [
        HOUR - MINUTE,
        HOUR,
        HOUR,
    ]
    assert backoff(31 * MINUTE, 2) == HOUR


def test_a_reopened_run_has_its_retries_anew() -> None:
    """Attempts before the backfill count for the ids alone."""
    old = replace(ended(Outcome.FAILED), attempts=ended(Outcome.FAILED).attempts * 1)
    new = claim(replace(run_at_noon(schedule()), kind=Kind.BACKFILLED), Reopened(old, "etag"))
    assert [attempt.number for attempt in new.attempts] == [1, 2]
    assert (new.replaces, new.attempt.after) == ("etag", After.BACKFILL)
    done = replace(new.attempt, state=AttemptState.ENDED, outcome=Outcome.LOST)
    assert new.task is not None
    task = replace(new.task, retries=Retries(max=1), retry_until=None)
    following = again(replace(new.with_attempt(done), task=task), NOON)
    assert following is not None
    assert (following.attempt.number, following.attempt.after) == (3, After.BACKFILL)


def test_a_run_that_batch_left_unresolved_is_never_tried_again() -> None:
    """Nobody knows whether it still runs; any other lost run is tried again."""
    record = ended(Outcome.LOST)

    assert again(record, NOON) is not None
    unresolved = record.with_attempt(replace(record.attempt, reason=Reason.UNRESOLVED))
    assert again(unresolved, NOON) is None

"""What follows an ended attempt."""

from dataclasses import replace

import pytest

from orchestrator.decisions.backfill import Reopened, claim
from orchestrator.decisions.retry import again, backoff
from orchestrator.enums import After, AttemptState, Outcome, Reason
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import Kind, Record
from orchestrator.model import Retries
from tests.support.hourly import (
    HOUR,
    MINUTE,
    NOON,
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
    new = claim(replace(run_at_noon(schedule()), kind=Kind.BACKFILLED), Reopened(old, "etag"))
    assert [attempt.number for attempt in new.attempts] == [1, 2]
    assert (new.replaces, new.attempt.after) == ("etag", After.BACKFILL)
    done = replace(new.attempt, state=AttemptState.ENDED, outcome=Outcome.LOST)
    assert new.task is not None
    task = replace(new.task, retries=Retries(max=1), retry_until=None)
    following = again(replace(new.with_attempt(done), task=task), NOON)
    assert following is not None
    assert (following.attempt.number, following.attempt.after) == (3, After.BACKFILL)

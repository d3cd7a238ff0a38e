"""How a run stands, from what Batch says of its job and its task."""

from dataclasses import replace
from datetime import datetime

import pytest

from orchestrator.decisions.outcome import (
    Ended,
    EndJob,
    StartOverdue,
    Wait,
    conclude,
    is_stuck,
    start_timeout,
)
from orchestrator.enums import After, AttemptState, Outcome, Reason
from orchestrator.ledger.attempt import Attempt
from tests.support.records import RECORD, SUBMITTED
from tests.support.verdicts import (
    ACTIVE,
    COMPLETED,
    DONE,
    MINUTE,
    NODE,
    NOON,
    RUNNING,
    SECOND,
    STOP,
    WAITING,
    at,
    ending,
    failed,
    result,
    sentence,
)

DISABLED = "Its job is disabled in Batch: its task does not start until someone enables the job."


def test_a_run_is_not_final_while_its_job_is_active() -> None:
    """The job is ended first, and its end confirmed by a later tick."""
    assert isinstance(at(5, ACTIVE, DONE), EndJob)
    assert isinstance(at(5, replace(ACTIVE, state="terminating"), DONE), Wait)
    assert isinstance(at(5, COMPLETED, DONE), Ended)


def test_a_task_that_waits_is_overdue_at_its_start_timeout() -> None:
    """Not before, not while it runs, and later where the pool was busy."""
    later = replace(SUBMITTED, waiting_since=NOON + 20 * MINUTE)

    assert isinstance(at(29, ACTIVE, WAITING), Wait)
    assert isinstance(at(30, ACTIVE, WAITING), StartOverdue)
    assert isinstance(at(300, ACTIVE, RUNNING), Wait)
    assert isinstance(at(40, ACTIVE, WAITING, RECORD.with_attempt(later)), Wait)
    assert isinstance(at(50, ACTIVE, WAITING, RECORD.with_attempt(later)), StartOverdue)


def test_a_task_that_lost_its_node_waits_anew() -> None:
    """It ran, so its start timeout counts from when it was seen back in the queue."""
    began = at(120, ACTIVE, RUNNING)
    assert isinstance(began, Wait)
    assert began.note is not None
    record = RECORD.with_attempt(began.note)
    assert isinstance(at(121, ACTIVE, RUNNING, record), Wait)

    requeued = at(130, ACTIVE, replace(WAITING, requeues=1), record)
    assert isinstance(requeued, Wait)
    assert requeued.note is not None
    assert requeued.note.waiting_since == NOON + 130 * MINUTE
    waiting = RECORD.with_attempt(requeued.note)
    again = replace(WAITING, requeues=1)
    assert at(159, ACTIVE, again, waiting) == Wait()
    overdue = at(160, ACTIVE, again, waiting)
    assert overdue == StartOverdue(waiting.attempt)

    stop = start_timeout(waiting, overdue, (Reason.NO_NODE, "None came."), NOON + 160 * MINUTE)
    assert (stop.cause, stop.reason) == (Reason.START_TIMEOUT, Reason.NO_NODE)
    assert stop.sentence == ("It lost its node and got no other within 30 min. None came.")
    verdict = at(161, COMPLETED, again, replace(waiting, stop=stop))
    assert result(verdict) == (Outcome.LOST, Reason.NO_NODE)
    assert sentence(verdict) == stop.sentence


def test_a_run_always_comes_to_an_end() -> None:
    """Whatever Batch keeps to itself: ten minutes later it is concluded without."""
    over = replace(COMPLETED, finished=NOON + MINUTE)

    assert isinstance(at(10, over, RUNNING), Wait)
    assert result(at(11, over, RUNNING)) == (Outcome.LOST, Reason.TASK_UNRESOLVED)
    assert isinstance(at(9, ACTIVE, None), Wait)
    assert isinstance(at(10, ACTIVE, None), EndJob)


def test_a_missing_job_is_lost_only_after_ten_minutes() -> None:
    """Right after its creation a job may not be visible yet."""
    assert isinstance(at(9, None, None), Wait)
    assert result(at(10, None, None)) == (Outcome.LOST, Reason.JOB_MISSING)


def test_an_attempt_that_was_never_confirmed_ends_two_minutes_after_its_last_try() -> None:
    """A creation whose answer was lost may still come to pass."""
    blocked = replace(STOP, cause=Reason.BLOCKED, reason=Reason.BLOCKED, at=NOON)
    claimed = replace(SUBMITTED, state=AttemptState.CLAIMED, submitted=None)
    record = replace(RECORD.with_attempt(claimed), stop=blocked)

    assert isinstance(at(1, None, None, record), Wait)
    assert result(at(2, None, None, record)) == (Outcome.NEVER_STARTED, Reason.BLOCKED)
    assert isinstance(at(2, ACTIVE, WAITING, record), EndJob)
    assert result(at(3, COMPLETED, DONE, record)) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)


ENDED_TASK = replace(
    SUBMITTED,
    started=NOON + MINUTE,
    finished=NOON + 2 * MINUTE,
    exit_code=0,
    outcome=Outcome.SUCCEEDED,
    reason=Reason.EXIT_ZERO,
    sentence="Succeeded.",
)
"""An attempt whose task has ended, and its job has not."""


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("terminating", Wait(ENDED_TASK)),
        ("deleting", Wait(ENDED_TASK)),
        ("active", EndJob("its task has ended", ENDED_TASK)),
        ("disabled", EndJob("its task has ended", ENDED_TASK)),
    ],
)
def test_the_job_of_an_ended_task_is_ended_once(state: str, verdict: Wait | EndJob) -> None:
    """One that is ending already is waited for. The end of the task is noted, once."""
    job = replace(ACTIVE, state=state)
    noted = RECORD.with_attempt(ENDED_TASK)

    assert at(5, job, DONE) == verdict
    assert at(5, job, DONE, noted) == replace(verdict, note=None)


def test_a_job_that_is_deleted_leaves_the_end_of_its_task() -> None:
    """A run that exited 0 is no lost one, however soon its job is gone."""
    noted = RECORD.with_attempt(ENDED_TASK)

    assert at(3, None, None, noted) == Ended(replace(ENDED_TASK, state=AttemptState.ENDED))
    assert at(3, COMPLETED, DONE, noted) == Ended(replace(ENDED_TASK, state=AttemptState.ENDED))


@pytest.mark.parametrize("state", ["terminating", "deleting"])
def test_a_job_that_is_ending_is_waited_for_a_day(state: str) -> None:
    """Whatever its task does, unless that has ended: then half an hour is enough."""
    for task in (None, WAITING, RUNNING):
        assert conclude(RECORD, ending(state, hours=24), task, NOON) == Wait()
        assert conclude(RECORD, ending(state, hours=25), task, NOON) != Wait()
    half = ending(state, hours=0.5)
    assert not is_stuck(half, NOON)
    assert isinstance(conclude(RECORD, half, DONE, NOON), Wait)
    assert is_stuck(half, NOON + SECOND)
    for task in (DONE, failed(3)):
        verdict = conclude(RECORD, half, task, NOON + SECOND)
        assert result(verdict)[0] in {Outcome.SUCCEEDED, Outcome.FAILED}


@pytest.mark.parametrize("state", ["active", "disabling", "disabled", "enabling", "completed"])
def test_only_a_job_that_is_ending_is_stuck(state: str) -> None:
    """Whatever else it does, and however long; nor one of which no time is known."""
    assert not is_stuck(ending(state, hours=100), NOON)
    assert not is_stuck(replace(ACTIVE, state="deleting"), NOON)


@pytest.mark.parametrize("state", ["disabling", "disabled"])
def test_a_disabled_job_keeps_its_run_open_with_a_diagnosis(state: str) -> None:
    """Noted once, and gone when the job is enabled; then the task waits anew."""
    job = replace(ACTIVE, state=state)
    held = replace(SUBMITTED, diagnosis=DISABLED)

    for task in (None, WAITING):
        assert at(20, job, task) == Wait(held)
        assert at(21, job, task, RECORD.with_attempt(held)) == Wait()
    assert at(22, ACTIVE, WAITING, RECORD.with_attempt(held)) == Wait(
        replace(SUBMITTED, waiting_since=NOON + 22 * MINUTE)
    )
    running = replace(held, started=RUNNING.started, node=RUNNING.node)
    assert at(500, job, RUNNING) == Wait(running)
    assert at(501, ACTIVE, RUNNING, RECORD.with_attempt(running)) == Wait(
        replace(running, diagnosis=None)
    )


@pytest.mark.parametrize("state", ["disabling", "disabled"])
def test_a_disabled_job_ends_by_a_stop_or_its_start_timeout(state: str) -> None:
    """The timeout blames the disabling, and not the pool."""
    job = replace(ACTIVE, state=state)
    for task in (None, WAITING):
        assert at(31, job, task, replace(RECORD, stop=STOP)) == EndJob("No node.")
        overdue = at(30, job, task)
        held = replace(SUBMITTED, diagnosis=DISABLED)
        assert overdue == StartOverdue(held, (Reason.JOB_DISABLED, DISABLED))


def test_the_job_of_a_stopped_run_is_ended_with_the_reason() -> None:
    """Whatever its task does."""
    for task in (None, WAITING, RUNNING):
        assert at(31, ACTIVE, task, replace(RECORD, stop=STOP)) == EndJob("No node.")


def test_a_job_whose_task_is_missing_is_ended_after_ten_minutes() -> None:
    """From its submission on, or from its creation where that was not confirmed."""
    assert at(10, ACTIVE, None) == EndJob("its task is missing")
    assert at(10, replace(ACTIVE, created=NOON + SECOND), None) == EndJob("its task is missing")
    claimed = RECORD.with_attempt(replace(SUBMITTED, submitted=None))
    later = replace(ACTIVE, created=NOON + 5 * MINUTE)
    assert at(14, later, None, claimed) == Wait()
    assert at(15, later, None, claimed) == EndJob("its task is missing")
    assert at(300, replace(ACTIVE, created=None), None, claimed) == Wait()


def test_the_beginning_of_a_task_is_noted_once() -> None:
    """With its node; again only where it began anew."""
    running = replace(RUNNING, node=NODE, requeues=1)
    noted = replace(SUBMITTED, started=NOON + MINUTE, node=NODE, requeues=1)

    assert at(5, ACTIVE, running) == Wait(noted)
    assert at(5, ACTIVE, running, RECORD.with_attempt(noted)) == Wait()
    preparing = replace(RUNNING, state="preparing", started=None)
    assert at(5, ACTIVE, preparing) == Wait()
    assert at(5, ACTIVE, preparing, RECORD.with_attempt(noted)) == Wait()
    anew = replace(running, started=NOON + 3 * MINUTE, requeues=2)
    assert at(5, ACTIVE, anew, RECORD.with_attempt(noted)) == Wait(
        replace(noted, started=NOON + 3 * MINUTE, requeues=2)
    )


@pytest.mark.parametrize(
    ("waiting_since", "noted"),
    [
        (None, True),
        (NOON + 10 * MINUTE - SECOND, True),
        (NOON + 10 * MINUTE, False),
        (NOON + 10 * MINUTE + SECOND, False),
    ],
)
def test_a_task_back_in_the_queue_is_noted_once(
    waiting_since: datetime | None, *, noted: bool
) -> None:
    """Where it began after it last waited; the note keeps the requeues."""
    began = replace(SUBMITTED, started=NOON + 10 * MINUTE, waiting_since=waiting_since, requeues=1)
    record = RECORD.with_attempt(began)
    verdict = at(11, ACTIVE, replace(WAITING, requeues=1), record)
    expected = replace(began, waiting_since=NOON + 11 * MINUTE)
    assert verdict == Wait(expected if noted else None)
    more = replace(expected, requeues=2)
    assert at(11, ACTIVE, replace(WAITING, requeues=2), record) == Wait(more), "begun unseen"


@pytest.mark.parametrize(
    ("seconds", "overdue"), [(30 * 60 - 1, False), (30 * 60, True), (30 * 60 + 1, True)]
)
@pytest.mark.parametrize(
    "attempt",
    [
        SUBMITTED,
        replace(SUBMITTED, claimed=NOON - MINUTE),
        replace(SUBMITTED, submitted=None),
        replace(SUBMITTED, submitted=NOON - MINUTE, waiting_since=NOON),
    ],
)
def test_a_start_is_overdue_at_its_timeout(
    attempt: Attempt, seconds: int, *, overdue: bool
) -> None:
    """From when it last waited, else from its submission, else from its claim."""
    now = NOON + seconds * SECOND
    verdict = conclude(RECORD.with_attempt(attempt), ACTIVE, WAITING, now)
    assert verdict == (StartOverdue(attempt) if overdue else Wait())


@pytest.mark.parametrize(("seconds", "lost"), [(599, False), (600, True), (601, True)])
def test_what_is_missing_is_gone_after_ten_minutes(seconds: int, *, lost: bool) -> None:
    """A job from its submission on; the end of a task from the end of its job on."""
    now = NOON + seconds * SECOND
    missing = conclude(RECORD, None, None, now)
    silent = conclude(RECORD, replace(COMPLETED, finished=NOON), RUNNING, now)

    assert isinstance(missing, Ended) is lost
    assert isinstance(silent, Ended) is lost
    if not lost:
        assert missing == silent == Wait()
    else:
        assert missing == Ended(
            replace(
                SUBMITTED,
                state=AttemptState.ENDED,
                outcome=Outcome.LOST,
                reason=Reason.JOB_MISSING,
                sentence="Its Batch job is gone.",
            )
        )


def test_a_job_whose_end_has_no_time_is_waited_for() -> None:
    """Batch is about to write it."""
    assert at(300, COMPLETED, RUNNING) == Wait()


@pytest.mark.parametrize(("seconds", "over"), [(119, False), (120, True), (121, True)])
@pytest.mark.parametrize(
    ("after", "ready", "tried"),
    [
        (None, None, True),
        (After.RETRY, NOON, True),
        (None, NOON, True),
        (After.RETRY, None, False),
    ],
)
def test_a_creation_may_come_to_pass_for_two_minutes(
    after: After | None, ready: datetime | None, seconds: int, *, tried: bool, over: bool
) -> None:
    """Where it was ever tried: an attempt whose gates never opened ends at once."""
    claimed = replace(
        SUBMITTED, state=AttemptState.CLAIMED, submitted=None, after=after, ready=ready
    )
    record = replace(RECORD.with_attempt(claimed), stop=replace(STOP, at=NOON))

    verdict = conclude(record, None, None, NOON + seconds * SECOND)

    assert isinstance(verdict, Ended) is (over or not tried)
    if isinstance(verdict, Ended):
        assert result(verdict) == (Outcome.NEVER_STARTED, Reason.NO_NODE)
        assert sentence(verdict) == "No node."
    else:
        assert verdict == Wait()


def test_an_attempt_without_a_job_that_nobody_stopped_waits() -> None:
    """It is still to be created."""
    claimed = replace(SUBMITTED, state=AttemptState.CLAIMED, submitted=None)
    assert at(3000, None, None, RECORD.with_attempt(claimed)) == Wait()

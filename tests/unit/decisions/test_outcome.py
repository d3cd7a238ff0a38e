"""How a run stands, from what Batch says of its job and its task."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.batch_state import Fault, Job, Task
from orchestrator.decisions.outcome import Ended, EndJob, StartOverdue, Verdict, Wait, conclude
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import Record
from tests.support.records import RECORD, SUBMITTED

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RUN = RunId("nightly-20260601T120000Z")
STOP = Stop(
    cause=Reason.START_TIMEOUT, reason=Reason.NO_NODE, sentence="No node.", at=NOON + 30 * MINUTE
)
ACTIVE = Job(state="active", run_id=RUN, attempt=1, created=NOON)
COMPLETED = replace(ACTIVE, state="completed", terminate_reason="JMComplete")
WAITING = Task(state="active")
RUNNING = Task(state="running", started=NOON + MINUTE)
DONE = Task(
    state="completed",
    succeeded=True,
    exit_code=0,
    started=NOON + MINUTE,
    finished=NOON + 2 * MINUTE,
)


def failed(exit_code: int | None, code: str = "FailureExitCode") -> Task:
    failure = Fault(code=code, message="The task failed")
    return replace(DONE, succeeded=False, exit_code=exit_code, failure=failure)


def result(verdict: Verdict) -> tuple[Outcome | None, Reason | None]:
    assert isinstance(verdict, Ended)
    assert verdict.attempt.state is AttemptState.ENDED
    assert verdict.attempt.sentence
    return verdict.attempt.outcome, verdict.attempt.reason


def at(minutes: int, job: Job | None, task: Task | None, record: Record = RECORD) -> Verdict:
    return conclude(record, job, task, NOON + minutes * MINUTE)


@pytest.mark.parametrize(
    ("task", "outcome", "reason"),
    [
        (DONE, Outcome.SUCCEEDED, Reason.EXIT_ZERO),
        (failed(3), Outcome.FAILED, Reason.EXIT_CODE),
        (failed(127), Outcome.FAILED, Reason.COMMAND_NOT_FOUND),
        (failed(None, "CommandProgramNotFound"), Outcome.FAILED, Reason.COMMAND_NOT_FOUND),
        (failed(0, "FileUploadMiscError"), Outcome.FAILED, Reason.OUTPUT_UPLOAD_FAILED),
        (failed(0, "DiskFull"), Outcome.FAILED, Reason.TASK_FAILED),
        (replace(failed(0), failure=None), Outcome.FAILED, Reason.TASK_FAILED),
        (failed(None, "TaskEnded"), Outcome.TERMINATED, Reason.ENDED_IN_BATCH),
        (
            replace(failed(None, "TaskEnded"), finished=NOON + 61 * MINUTE),
            Outcome.TIMED_OUT,
            Reason.RUN_TIMEOUT,
        ),
    ],
)
def test_a_completed_task_decides_the_outcome(task: Task, outcome: Outcome, reason: Reason) -> None:
    """A job that is completed says nothing of success, nor does exit code 0 alone."""
    assert result(at(70, COMPLETED, task)) == (outcome, reason)


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


def test_a_run_given_up_never_started_unless_it_did() -> None:
    """The task is read again after the job's end: it may have begun in between."""
    given_up = replace(RECORD, stop=STOP)
    began = replace(failed(None, "TaskEnded"), started=NOON + 30 * MINUTE)

    assert isinstance(at(31, ACTIVE, WAITING, given_up), EndJob)
    assert isinstance(at(31, replace(ACTIVE, state="terminating"), WAITING, given_up), Wait)
    assert result(at(32, COMPLETED, WAITING, given_up)) == (Outcome.NEVER_STARTED, Reason.NO_NODE)
    assert result(at(32, COMPLETED, began, given_up)) == (Outcome.TERMINATED, Reason.START_TIMEOUT)
    assert result(at(32, COMPLETED, DONE, given_up)) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)


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
    assert at(159, ACTIVE, WAITING, waiting) == Wait()
    assert isinstance(at(160, ACTIVE, WAITING, waiting), StartOverdue)

    given_up = replace(waiting, stop=STOP)
    assert result(at(161, COMPLETED, WAITING, given_up)) == (
        Outcome.TERMINATED,
        Reason.START_TIMEOUT,
    )


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


def test_a_job_that_ended_without_its_task_says_why() -> None:
    """A task that is still active in a completed job never ran."""
    refused = replace(COMPLETED, scheduling_error=Fault(code="AutoPoolFailed", message="no"))

    assert result(at(5, COMPLETED, WAITING)) == (Outcome.TERMINATED, Reason.ENDED_IN_BATCH)
    assert result(at(5, refused, None)) == (Outcome.NEVER_STARTED, Reason.SCHEDULING_ERROR)
    assert result(at(5, COMPLETED, None)) == (Outcome.LOST, Reason.TASK_MISSING)
    assert isinstance(at(5, COMPLETED, RUNNING), Wait)


@pytest.mark.parametrize("cause", [Reason.STOPPED, Reason.REPLACED])
def test_a_run_that_was_asked_to_end_is_terminated_whether_it_began_or_not(cause: Reason) -> None:
    """Unless its task had ended by itself: then that is how it ended."""
    stop = Stop(cause=cause, reason=cause, sentence="Asked to.", at=NOON)
    ended_task = failed(None, "TaskEnded")
    never = replace(
        RECORD,
        stop=stop,
        attempts=(replace(SUBMITTED, state=AttemptState.CLAIMED, submitted=None),),
    )
    record = replace(RECORD, stop=stop)

    for verdict in (
        conclude(record, COMPLETED, ended_task, NOON + MINUTE),
        conclude(record, COMPLETED, WAITING, NOON + MINUTE),
        conclude(never, None, None, NOON + 3 * MINUTE),
    ):
        assert result(verdict) == (Outcome.TERMINATED, cause)
    assert result(conclude(record, COMPLETED, DONE, NOON + 3 * MINUTE))[0] is Outcome.SUCCEEDED

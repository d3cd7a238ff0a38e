"""How a run stands, from what Batch says of its job and its task."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.batch_state import Fault, Job, Task
from orchestrator.decisions.outcome import (
    AttemptVerdict,
    Ended,
    EndJob,
    StartOverdue,
    Wait,
    conclude,
)
from orchestrator.enums import After, AttemptState, BlockedReason, Outcome, Reason
from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Attempt, Stop
from orchestrator.ledger.record import Record
from tests.support.records import RECORD, SUBMITTED

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NODE = "tvm-1"
NOT_STORED = "It ended with exit code 0, but its outputs were not stored"
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


def result(verdict: AttemptVerdict) -> tuple[Outcome | None, Reason | None]:
    assert isinstance(verdict, Ended)
    assert verdict.attempt.state is AttemptState.ENDED
    assert verdict.attempt.sentence
    return verdict.attempt.outcome, verdict.attempt.reason


def at(minutes: int, job: Job | None, task: Task | None, record: Record = RECORD) -> AttemptVerdict:
    return conclude(record, job, task, NOON + minutes * MINUTE)


@pytest.mark.parametrize(
    ("task", "outcome", "reason"),
    [
        (DONE, Outcome.SUCCEEDED, Reason.EXIT_ZERO),
        (failed(3), Outcome.FAILED, Reason.EXIT_CODE),
        (failed(-9), Outcome.FAILED, Reason.EXIT_CODE),
        (failed(137), Outcome.FAILED, Reason.EXIT_CODE),
        (failed(127), Outcome.FAILED, Reason.COMMAND_NOT_FOUND),
        (failed(None, "CommandProgramNotFound"), Outcome.FAILED, Reason.COMMAND_NOT_FOUND),
        (failed(0, "FileUploadMiscError"), Outcome.FAILED, Reason.OUTPUT_UPLOAD_FAILED),
        (failed(0, "DiskFull"), Outcome.FAILED, Reason.TASK_FAILED),
        (replace(failed(0), failure=None), Outcome.FAILED, Reason.TASK_FAILED),
        (failed(None, "TaskEnded"), Outcome.TERMINATED, Reason.ENDED_IN_BATCH),
        *(
            (
                replace(failed(code, failure), finished=NOON + 61 * MINUTE),
                Outcome.TIMED_OUT,
                Reason.RUN_TIMEOUT,
            )
            for code, failure in (
                (None, "TaskEnded"),
                (-15, "FailureExitCode"),
                (-9, "FailureExitCode"),
                (143, "FailureExitCode"),
                (137, "FailureExitCode"),
            )
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


def sentence(verdict: AttemptVerdict) -> str | None:
    assert isinstance(verdict, Ended)
    return verdict.attempt.sentence


def test_an_ended_attempt_holds_what_batch_said_of_its_task() -> None:
    """What blocked it before is over."""
    blocked = replace(
        SUBMITTED, blocked=BlockedReason.QUOTA, blocked_detail="none left", submitted=None
    )
    task = replace(DONE, node=NODE, requeues=2)

    verdict = at(5, replace(COMPLETED, created=NOON + SECOND), task, RECORD.with_attempt(blocked))

    assert verdict == Ended(
        replace(
            SUBMITTED,
            state=AttemptState.ENDED,
            submitted=NOON + SECOND,
            started=NOON + MINUTE,
            finished=NOON + 2 * MINUTE,
            requeues=2,
            node=NODE,
            exit_code=0,
            outcome=Outcome.SUCCEEDED,
            reason=Reason.EXIT_ZERO,
            sentence="Succeeded.",
        )
    )


def test_what_a_task_does_not_say_is_taken_from_the_attempt_or_its_job() -> None:
    """When it was created and when it began stay as known; the job's end stands for its own."""
    known = replace(SUBMITTED, started=NOON + SECOND)
    job = replace(COMPLETED, created=NOON + MINUTE, finished=NOON + 9 * MINUTE)
    task = replace(failed(3), started=None, finished=None)

    for told in (task, replace(WAITING, requeues=1)):
        verdict = at(10, job, told, RECORD.with_attempt(known))
        assert isinstance(verdict, Ended)
        assert verdict.attempt.submitted == NOON
        assert verdict.attempt.started == NOON + SECOND
        assert verdict.attempt.finished == NOON + 9 * MINUTE


def test_an_attempt_without_a_task_ends_with_its_job() -> None:
    """Nothing else is known of it; where its creation was not confirmed, the job confirms it."""
    claimed = replace(SUBMITTED, submitted=None)
    job = replace(COMPLETED, created=NOON + SECOND, finished=NOON + MINUTE)

    verdict = at(5, job, None, RECORD.with_attempt(claimed))

    assert verdict == Ended(
        replace(
            SUBMITTED,
            state=AttemptState.ENDED,
            submitted=NOON + SECOND,
            finished=NOON + MINUTE,
            outcome=Outcome.LOST,
            reason=Reason.TASK_MISSING,
            sentence="Its job ended in Batch and holds no task.",
        )
    )


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (failed(3), "It ended with exit code 3."),
        (failed(125), "It ended with exit code 125."),
        (failed(126), "The shell could not run its command (exit code 126); see stderr."),
        (failed(127), "The shell could not run its command (exit code 127); see stderr."),
        (failed(128), "It ended with exit code 128."),
        (
            failed(None, "CommandProgramNotFound"),
            "Its program was not found on the node: The task failed (CommandProgramNotFound).",
        ),
        (failed(0, "DiskFull"), "Its task failed: The task failed (DiskFull)."),
        (replace(failed(0), failure=None), "Its task failed: no cause given."),
        (replace(DONE, exit_code=None), "Its task failed: no cause given."),
        (
            failed(0, "FileUploadMiscError"),
            f"{NOT_STORED}: The task failed (FileUploadMiscError).",
        ),
        (
            replace(
                failed(0),
                failure=Fault(code="FileUploadMiscError", message="no", details="a.csv"),
            ),
            f"{NOT_STORED}: no (FileUploadMiscError), a.csv.",
        ),
        (failed(3, "FileUploadMiscError"), "It ended with exit code 3."),
        (failed(None, "TaskEnded"), "It was ended in Batch: The task failed (TaskEnded)."),
        (
            replace(failed(None, "TaskEnded"), finished=NOON + 61 * MINUTE),
            "It was ended after its run timeout of 1:00:00.",
        ),
    ],
)
def test_an_end_is_one_sentence(task: Task, said: str) -> None:
    """With what Batch said, where it says more than the exit code."""
    assert sentence(at(70, COMPLETED, task)) == said


@pytest.mark.parametrize(
    ("ran", "outcome"),
    [
        (60 * MINUTE - SECOND, Outcome.FAILED),
        (60 * MINUTE, Outcome.TIMED_OUT),
        (60 * MINUTE + SECOND, Outcome.TIMED_OUT),
    ],
)
def test_a_task_that_ran_as_long_as_its_timeout_was_ended_by_it(
    ran: timedelta, outcome: Outcome
) -> None:
    """Unless it succeeded in the last second; one whose times are not known was not."""
    task = replace(failed(None), finished=NOON + MINUTE + ran)

    assert result(at(70, COMPLETED, task))[0] is outcome
    well = replace(task, succeeded=True, exit_code=0, failure=None)
    assert result(at(70, COMPLETED, well))[0] is Outcome.SUCCEEDED
    for unknown in (replace(task, started=None), replace(task, finished=None)):
        assert result(at(70, COMPLETED, unknown))[0] is Outcome.FAILED
    frozen = replace(RECORD, task=None)
    assert result(at(70, COMPLETED, task, frozen))[0] is Outcome.FAILED


@pytest.mark.parametrize(
    ("job", "task", "said"),
    [
        (
            replace(COMPLETED, scheduling_error=Fault(code="AutoPoolFailed", message="no")),
            WAITING,
            "Batch could not schedule the job: no (AutoPoolFailed).",
        ),
        (
            COMPLETED,
            WAITING,
            "Its job was ended in Batch before the task began (JMComplete).",
        ),
        (
            replace(COMPLETED, terminate_reason=None),
            WAITING,
            "Its job was ended in Batch before the task began (no reason given).",
        ),
        (
            replace(COMPLETED, finished=NOON),
            RUNNING,
            "Its job has ended, and its task is still told to be running.",
        ),
    ],
)
def test_a_job_without_the_end_of_its_task_says_why(job: Job, task: Task, said: str) -> None:
    """In one sentence."""
    assert sentence(at(10, job, task)) == said


def test_a_scheduling_error_comes_before_a_stop() -> None:
    """The run would not have started without one either."""
    refused = replace(COMPLETED, scheduling_error=Fault(code="AutoPoolFailed", message="no"))
    assert result(at(32, refused, WAITING, replace(RECORD, stop=STOP))) == (
        Outcome.NEVER_STARTED,
        Reason.SCHEDULING_ERROR,
    )


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("terminating", Wait()),
        ("deleting", Wait()),
        ("active", EndJob("its task has ended")),
        ("disabled", EndJob("its task has ended")),
    ],
)
def test_the_job_of_an_ended_task_is_ended_once(state: str, verdict: AttemptVerdict) -> None:
    """One that is ending already is waited for."""
    assert at(5, replace(ACTIVE, state=state), DONE) == verdict


@pytest.mark.parametrize("state", ["terminating", "deleting"])
def test_a_job_that_is_ending_is_waited_for(state: str) -> None:
    """Whatever its task does, and however late that is."""
    for task in (None, WAITING, RUNNING):
        assert at(300, replace(ACTIVE, state=state), task) == Wait()


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
    began = replace(SUBMITTED, started=NOON + 10 * MINUTE, waiting_since=waiting_since)
    verdict = at(11, ACTIVE, replace(WAITING, requeues=1), RECORD.with_attempt(began))
    expected = replace(began, waiting_since=NOON + 11 * MINUTE, requeues=1)
    assert verdict == Wait(expected if noted else None)


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
    assert verdict == (StartOverdue() if overdue else Wait())


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


def test_a_run_that_was_given_up_although_it_had_begun_says_so() -> None:
    """A run that was stopped on demand says only that."""
    began = replace(failed(None, "TaskEnded"), started=NOON + 30 * MINUTE)
    given_up = at(32, COMPLETED, began, replace(RECORD, stop=STOP))
    asked = replace(STOP, cause=Reason.STOPPED, reason=Reason.STOPPED, sentence="Asked to.")

    assert sentence(given_up) == "It was ended although it had begun: No node."
    assert sentence(at(32, COMPLETED, began, replace(RECORD, stop=asked))) == "Asked to."


def test_a_stopped_run_that_failed_by_itself_failed() -> None:
    """A stop explains only an end that it brought."""
    assert result(at(32, COMPLETED, failed(3), replace(RECORD, stop=STOP))) == (
        Outcome.FAILED,
        Reason.EXIT_CODE,
    )

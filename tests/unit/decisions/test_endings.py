"""How an attempt ended: outcome, reason and sentence."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.batch_state import Fault, Job, Task
from orchestrator.decisions.outcome import Ended, EndJob, Wait, conclude
from orchestrator.enums import AttemptState, BlockedReason, Outcome, Reason
from orchestrator.ledger.attempt import Stop
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
    failed,
    result,
    sentence,
)

NOT_STORED = "It ended with exit code 0, but its outputs were not stored"
CAUSES = "the file is not executable, or its first line ends in CRLF; see stderr"
ENDED_IN_BATCH = Outcome.TERMINATED, Reason.ENDED_IN_BATCH


@pytest.mark.parametrize(
    ("task", "outcome", "reason"),
    [
        (DONE, Outcome.SUCCEEDED, Reason.EXIT_ZERO),
        (failed(3), Outcome.FAILED, Reason.EXIT_CODE),
        (failed(-9), Outcome.FAILED, Reason.EXIT_CODE),
        (failed(137), Outcome.FAILED, Reason.EXIT_CODE),
        (failed(126), Outcome.FAILED, Reason.NOT_EXECUTABLE),
        (failed(127), Outcome.FAILED, Reason.COMMAND_NOT_FOUND),
        (failed(None, "CommandProgramNotFound"), Outcome.FAILED, Reason.COMMAND_NOT_FOUND),
        (failed(0, "FileUploadMiscError"), Outcome.FAILED, Reason.OUTPUT_UPLOAD_FAILED),
        (failed(0, "DiskFull"), Outcome.FAILED, Reason.TASK_FAILED),
        (replace(failed(0), failure=None), Outcome.FAILED, Reason.TASK_FAILED),
        (failed(None, "TaskEnded"), Outcome.TERMINATED, Reason.ENDED_IN_BATCH),
    ],
)
def test_a_completed_task_decides_the_outcome(task: Task, outcome: Outcome, reason: Reason) -> None:
    """A job that is completed says nothing of success, nor does exit code 0 alone."""
    assert result(at(70, COMPLETED, task)) == (outcome, reason)


def test_a_run_given_up_never_started_unless_it_did() -> None:
    """The task is read again after the job's end: it may have begun in between."""
    given_up = replace(RECORD, stop=STOP)
    began = replace(failed(None, "TaskEnded"), started=NOON + 30 * MINUTE)

    assert isinstance(at(31, ACTIVE, WAITING, given_up), EndJob)
    assert isinstance(at(31, replace(ACTIVE, state="terminating"), WAITING, given_up), Wait)
    assert result(at(32, COMPLETED, WAITING, given_up)) == (Outcome.NEVER_STARTED, Reason.NO_NODE)
    assert result(at(32, COMPLETED, began, given_up)) == (Outcome.TERMINATED, Reason.START_TIMEOUT)
    assert result(at(32, COMPLETED, DONE, given_up)) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)


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
            sentence="Its job ended in Batch and has no task.",
        )
    )


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (failed(3), "It ended with exit code 3."),
        (failed(125), "It ended with exit code 125."),
        (
            failed(126),
            f"The shell found its command and could not run it (exit code 126): {CAUSES}.",
        ),
        (failed(127), "The shell did not find its command (exit code 127); see stderr."),
        (failed(143), "It was killed by SIGTERM (exit code 143)."),
        (failed(128), "It ended with exit code 128."),
        (
            failed(None, "CommandProgramNotFound"),
            "Its program was not found on the node: The task failed (CommandProgramNotFound).",
        ),
        (
            failed(0, "DiskFull"),
            "Its task failed although its exit code is 0: The task failed (DiskFull).",
        ),
        (
            replace(failed(0), failure=None),
            "Its task failed although its exit code is 0: no cause given.",
        ),
        (
            replace(DONE, exit_code=None),
            "Its task failed and has no exit code: no cause given.",
        ),
        (
            failed(None, "DiskFull"),
            "Its task failed and has no exit code: The task failed (DiskFull).",
        ),
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
            "Batch ended it after its run timeout of 1 h.",
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
            "Its job has ended, but Batch still reports its task as running.",
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


def test_a_run_that_was_given_up_although_it_had_begun_says_so() -> None:
    """A run that was stopped on demand says only that."""
    began = replace(failed(None, "TaskEnded"), started=NOON + 30 * MINUTE)
    given_up = at(32, COMPLETED, began, replace(RECORD, stop=STOP))
    asked = replace(STOP, cause=Reason.STOPPED, reason=Reason.STOPPED, sentence="Asked to.")

    assert sentence(given_up) == "Recur ended it although it had started: No node."
    assert sentence(at(32, COMPLETED, began, replace(RECORD, stop=asked))) == "Asked to."


def test_a_stopped_run_that_failed_by_itself_failed() -> None:
    """A stop explains only an end that it brought."""
    assert result(at(32, COMPLETED, failed(3), replace(RECORD, stop=STOP))) == (
        Outcome.FAILED,
        Reason.EXIT_CODE,
    )

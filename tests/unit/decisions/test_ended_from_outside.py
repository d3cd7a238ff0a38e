"""Attempts that somebody or something else ended: a limit, a person, a stop, a lost node."""

from dataclasses import replace

import pytest

from orchestrator.batch_state import Job, Task
from orchestrator.decisions.outcome import Wait, conclude
from orchestrator.enums import Outcome, Reason
from tests.support.records import RECORD, SUBMITTED
from tests.support.verdicts import (
    COMPLETED,
    DONE,
    MINUTE,
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

ENDED_IN_BATCH = Outcome.TERMINATED, Reason.ENDED_IN_BATCH
RUN_TIMEOUT = Outcome.TIMED_OUT, Reason.RUN_TIMEOUT
JOB_TIMEOUT = Outcome.TIMED_OUT, Reason.JOB_TIMEOUT
EXPIRED = replace(COMPLETED, terminate_reason="MaxWallClockTimeExpiry")
BY_HAND = replace(COMPLETED, terminate_reason="cleaning up")


@pytest.mark.parametrize(
    ("code", "failure", "expected"),
    [
        (None, "TaskEnded", RUN_TIMEOUT),
        (None, "FailureExitCode", RUN_TIMEOUT),
        (-15, "FailureExitCode", RUN_TIMEOUT),
        (-9, "FailureExitCode", RUN_TIMEOUT),
        (137, "FailureExitCode", RUN_TIMEOUT),
        (143, "FailureExitCode", RUN_TIMEOUT),
        (-1073741510, "FailureExitCode", RUN_TIMEOUT),
        (3221225786, "FailureExitCode", RUN_TIMEOUT),
        (1, "FailureExitCode", (Outcome.FAILED, Reason.EXIT_CODE)),
        (3, "FailureExitCode", (Outcome.FAILED, Reason.EXIT_CODE)),
        (139, "FailureExitCode", (Outcome.FAILED, Reason.EXIT_CODE)),
        (126, "FailureExitCode", (Outcome.FAILED, Reason.NOT_EXECUTABLE)),
        (127, "FailureExitCode", (Outcome.FAILED, Reason.COMMAND_NOT_FOUND)),
        (3, "FileUploadMiscError", (Outcome.FAILED, Reason.EXIT_CODE)),
        (0, "FileUploadMiscError", (Outcome.FAILED, Reason.OUTPUT_UPLOAD_FAILED)),
        (3, "TaskEnded", ENDED_IN_BATCH),
    ],
)
def test_a_late_end_is_a_timeout_only_if_the_process_was_killed(
    code: int | None, failure: str, expected: tuple[Outcome, Reason]
) -> None:
    """The end that Batch tells includes the upload: a program that ended by itself was not late."""
    late = replace(failed(code, failure), finished=NOON + 61 * MINUTE)

    assert result(at(70, COMPLETED, late)) == expected


def test_a_late_end_that_somebody_asked_for_in_time_is_no_timeout() -> None:
    """The upload of its outputs may last beyond the limit, after a stop or an end by hand."""
    late = replace(failed(-15, "TaskEnded"), finished=NOON + 61 * MINUTE)
    asked = replace(STOP, cause=Reason.STOPPED, reason=Reason.STOPPED, at=NOON + 59 * MINUTE)
    too_late = replace(asked, at=NOON + 61 * MINUTE)

    assert result(at(70, COMPLETED, late, replace(RECORD, stop=asked))) == (
        Outcome.TERMINATED,
        Reason.STOPPED,
    )
    assert result(at(70, COMPLETED, late, replace(RECORD, stop=too_late))) == RUN_TIMEOUT
    assert result(at(70, BY_HAND, late)) == ENDED_IN_BATCH
    assert result(at(70, EXPIRED, late)) == RUN_TIMEOUT


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (failed(None, "TaskEnded"), "while its task ran"),
        (failed(-9), "while its task ran"),
        (WAITING, "before the task began"),
        (replace(WAITING, requeues=1), "while its task waited for another node"),
        (None, "before the task began"),
    ],
)
def test_the_time_limit_of_the_job_blames_nobody(task: Task | None, says: str) -> None:
    """It is ours; an end that the task brought itself stays what it is."""
    verdict = at(70, EXPIRED, task)

    assert result(verdict) == JOB_TIMEOUT
    assert (
        sentence(verdict)
        == f"Its Batch job reached its time limit {says} (MaxWallClockTimeExpiry)."
    )
    assert result(at(70, EXPIRED, failed(3))) == (Outcome.FAILED, Reason.EXIT_CODE)
    assert result(at(70, EXPIRED, DONE)) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)


@pytest.mark.parametrize(
    ("job", "task", "said"),
    [
        (
            BY_HAND,
            failed(None, "TaskEnded"),
            "It was ended in Batch (cleaning up): The task failed (TaskEnded).",
        ),
        (
            COMPLETED,
            failed(None, "TaskEnded"),
            "It was ended in Batch: The task failed (TaskEnded).",
        ),
        (BY_HAND, WAITING, "Its job was ended in Batch before the task began (cleaning up)."),
        (
            BY_HAND,
            replace(WAITING, requeues=1),
            "Its job was ended in Batch while its task waited for another node (cleaning up).",
        ),
        (BY_HAND, None, "Its job ended in Batch (cleaning up) and has no task."),
        (
            replace(BY_HAND, finished=NOON),
            RUNNING,
            "Its job has ended (cleaning up), but Batch still reports its task as running.",
        ),
    ],
)
def test_whoever_ended_a_job_is_quoted(job: Job, task: Task | None, said: str) -> None:
    """What Batch writes after its own ordinary end says nothing and is left out."""
    assert sentence(at(10, job, task)) == said


def test_a_stop_is_quoted_and_another_reason_beside_it() -> None:
    """A job that we ended bears our own words, cut short; they are not said twice."""
    asked = replace(STOP, cause=Reason.STOPPED, reason=Reason.STOPPED, sentence="Asked to.")
    record = replace(RECORD, stop=asked)
    task = failed(None, "TaskEnded")

    for said in ("Asked to.", "Asked", "JMComplete", None):
        job = replace(COMPLETED, terminate_reason=said)
        assert sentence(at(10, job, task, record)) == "Asked to."
    assert sentence(at(10, BY_HAND, task, record)) == (
        "Asked to. Batch gives another reason for the end of its job: cleaning up."
    )


def test_a_run_whose_node_was_taken_away_is_lost() -> None:
    """It had begun when it was given up; one that had just begun was only too slow."""
    took = "It lost its node and got no other within 30 min. No node."
    stop = replace(STOP, sentence=took)
    began = replace(SUBMITTED, started=NOON + MINUTE, waiting_since=NOON + 5 * MINUTE)
    requeued = replace(SUBMITTED, requeues=1, waiting_since=NOON + 5 * MINUTE)
    again = replace(failed(None, "TaskEnded"), started=NOON + 35 * MINUTE)

    for attempt in (began, requeued):
        record = replace(RECORD.with_attempt(attempt), stop=stop)
        for task in (replace(WAITING, requeues=1), again):
            verdict = at(36, COMPLETED, task, record)
            assert result(verdict) == (Outcome.LOST, Reason.NO_NODE)
            assert sentence(verdict) == took
    assert result(at(36, COMPLETED, again, replace(RECORD, stop=STOP))) == (
        Outcome.TERMINATED,
        Reason.START_TIMEOUT,
    )


@pytest.mark.parametrize(
    ("state", "says"), [("deleting", "has been deleting"), ("terminating", "has been ending")]
)
def test_a_job_that_batch_never_ends_leaves_its_run_unresolved(state: str, says: str) -> None:
    """After a day, not before; the stop and the reason are told."""
    job = replace(ending(state, hours=24), terminate_reason="cleaning up")
    stop = replace(STOP, cause=Reason.STOPPED, reason=Reason.STOPPED, sentence="Asked to.")
    record = replace(RECORD, stop=stop)

    for task in (None, WAITING, RUNNING):
        assert conclude(record, job, task, NOON) == Wait()
        verdict = conclude(record, job, task, NOON + SECOND)
        assert result(verdict) == (Outcome.LOST, Reason.UNRESOLVED)
        assert sentence(verdict) == (
            f"Batch {says} its job for more than 24 hours (cleaning up), and its task has not ended. "
            "Asked to."
        )


@pytest.mark.parametrize("job", [COMPLETED, ending("deleting", hours=1)])
def test_an_end_that_was_noted_stays_when_the_task_is_gone(job: Job) -> None:
    """A run that has succeeded is not called lost, and not run again."""
    known = replace(
        SUBMITTED, outcome=Outcome.SUCCEEDED, reason=Reason.EXIT_ZERO, sentence="Succeeded."
    )

    assert result(at(2 * 24 * 60, job, None, RECORD.with_attempt(known))) == (
        Outcome.SUCCEEDED,
        Reason.EXIT_ZERO,
    )

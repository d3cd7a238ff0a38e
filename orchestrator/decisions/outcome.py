"""
How a run stands, from what Batch says of its job and its task.

Job completed is not success, exit code 0 with a failed result is a failure, and a task that is
still active in a completed job never ran: everything is concluded from the task where there is
one.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.batch_state import Job, Task
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ledger.attempt import Attempt, Stop
from orchestrator.ledger.record import Record

LOST_AFTER = timedelta(minutes=10)
"""What is missing so long after it should be seen is gone, and not merely late to be seen."""

UNCONFIRMED = timedelta(minutes=2)
"""So long after the last try may a creation whose answer was lost still come to pass."""

STUCK_AFTER = timedelta(minutes=30)
"""A job that has been ending for longer is in nobody's way, and its task alone counts."""

UNRESOLVED_AFTER = timedelta(hours=24)
"""A task that has not ended so long after its job began to end is given up."""

_BY_WISH = {Reason.STOPPED, Reason.REPLACED}
_COMMAND_NOT_FOUND = (126, 127)
_UPLOAD_FAILURES = "FileUpload"


@dataclass(frozen=True, slots=True)
class Wait:
    """
    Nothing to do now.

    Attributes:
        note: The attempt as it is now known, where that is worth keeping: that it began, or that
            it was put back into the queue and waits again.
    """

    note: Attempt | None = None


@dataclass(frozen=True, slots=True)
class StartOverdue:
    """The task should have started by now."""


@dataclass(frozen=True, slots=True)
class EndJob:
    """The job is still active and is to be ended; the next tick looks again."""

    because: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The attempt is over, and its job with it."""

    attempt: Attempt


type AttemptVerdict = Wait | StartOverdue | EndJob | Ended


def conclude(record: Record, job: Job | None, task: Task | None, now: datetime) -> AttemptVerdict:
    """
    Say how the attempt in hand stands.

    Args:
        record: An open record whose attempt has not ended.
        job: The attempt's job; None if Batch has none of ours by that id.
        task: Its task; None if the job has none, or there is no job.
        now: The tick's only clock.
    """
    if job is None:
        return _without_job(record, now)
    attempt = _seen(record.attempt, job, task)
    if task is not None and task.state == "completed":
        ended = _by_task(record, attempt, task)
    elif job.state == "completed":
        if task is not None and task.state != "active" and not _long_ago(job.finished, now):
            return Wait()  # the task's own end is about to be written
        ended = _never_ended(record, attempt, job, task)
    elif record.stop:
        return Wait() if _ending(job) else EndJob(record.stop.sentence)
    else:
        return _going_on(record, job, task, now)
    if job.state == "completed":
        return Ended(replace(ended, state=AttemptState.ENDED))
    return Wait() if _ending(job) else EndJob("its task has ended")


def _going_on(record: Record, job: Job, task: Task | None, now: datetime) -> AttemptVerdict:
    """Look after an attempt whose job is active, or about to end."""
    attempt = record.attempt
    if _ending(job):
        return Wait()
    if task is None:
        late = _long_ago(attempt.submitted or job.created, now)
        return EndJob("its task is missing") if late else Wait()
    if task.state != "active":
        if task.started is None or task.started == attempt.started:
            return Wait()
        return Wait(replace(attempt, started=task.started, node=task.node, requeues=task.requeues))
    if attempt.started and (not attempt.waiting_since or attempt.waiting_since < attempt.started):
        # It ran, and was put back into the queue: its node was taken away. It waits anew.
        return Wait(replace(attempt, waiting_since=now, requeues=task.requeues))
    return StartOverdue() if _overdue(record, now) else Wait()


def _long_ago(instant: datetime | None, now: datetime) -> bool:
    """Tell what should have been seen by now from what is merely late to be seen."""
    return instant is not None and now - instant >= LOST_AFTER


def is_stuck(job: Job, now: datetime) -> bool:
    """Tell whether Batch has been ending or deleting a job for more than 30 minutes."""
    return _ending_longer_than(STUCK_AFTER, job, now)


def _ending_longer_than(limit: timedelta, job: Job, now: datetime) -> bool:
    if job.state not in {"terminating", "deleting"} or job.since is None:
        return False
    return now - job.since > limit


def _ending(job: Job) -> bool:
    return job.state in {"terminating", "deleting", "completed"}


def _seen(attempt: Attempt, job: Job, task: Task | None) -> Attempt:
    """Take over what Batch says of the attempt's life so far."""
    submitted = attempt.submitted or job.created
    if task is None:
        return replace(attempt, submitted=submitted, finished=job.finished)
    return replace(
        attempt,
        submitted=submitted,
        blocked=None,
        blocked_detail=None,
        started=task.started or attempt.started,
        finished=task.finished or job.finished,
        requeues=task.requeues,
        node=task.node,
        exit_code=task.exit_code,
    )


def _overdue(record: Record, now: datetime) -> bool:
    assert record.task is not None, "only a claimed run is open"  # noqa: S101
    attempt = record.attempt
    since = attempt.waiting_since or attempt.submitted or attempt.claimed
    return now - since >= record.task.start_timeout


def _without_job(record: Record, now: datetime) -> AttemptVerdict:
    attempt = replace(record.attempt, state=AttemptState.ENDED)
    if attempt.submitted is not None:
        if now - attempt.submitted < LOST_AFTER:
            return Wait()
        return Ended(
            _end_attempt(attempt, Outcome.LOST, Reason.JOB_MISSING, "Its Batch job is gone.")
        )
    if record.stop is None:
        return Wait()
    untried = attempt.after is not None and attempt.ready is None
    if not untried and now - record.stop.at < UNCONFIRMED:
        return Wait()
    return Ended(_stopped(attempt, record.stop))


def _never_ended(record: Record, attempt: Attempt, job: Job, task: Task | None) -> Attempt:
    """Conclude on a completed job whose task has no end: mostly it never began."""
    if job.scheduling_error:
        error = job.scheduling_error
        sentence = f"Batch could not schedule the job: {error.message} ({error.code})."
        return _end_attempt(attempt, Outcome.NEVER_STARTED, Reason.SCHEDULING_ERROR, sentence)
    if record.stop:
        return _stopped(attempt, record.stop)
    if task is not None and task.state != "active":
        sentence = f"Its job has ended, and its task is still told to be {task.state}."
        return _end_attempt(attempt, Outcome.LOST, Reason.TASK_UNRESOLVED, sentence)
    if task is None:
        sentence = "Its job ended in Batch and holds no task."
        return _end_attempt(attempt, Outcome.LOST, Reason.TASK_MISSING, sentence)
    reason = job.terminate_reason or "no reason given"
    sentence = f"Its job was ended in Batch before the task began ({reason})."
    return _end_attempt(attempt, Outcome.TERMINATED, Reason.ENDED_IN_BATCH, sentence)


def _by_task(record: Record, attempt: Attempt, task: Task) -> Attempt:
    """Conclude on a completed task."""
    if task.succeeded and task.exit_code == 0:
        return _end_attempt(attempt, Outcome.SUCCEEDED, Reason.EXIT_ZERO, "Succeeded.")
    if _ran_out_of_time(record, task):
        limit = record.task.run_timeout if record.task else timedelta()
        sentence = f"It was ended after its run timeout of {limit}."
        return _end_attempt(attempt, Outcome.TIMED_OUT, Reason.RUN_TIMEOUT, sentence)
    words = f"{task.failure.message} ({task.failure.code})" if task.failure else "no cause given"
    if task.failure and task.failure.code == "TaskEnded":
        return _ended_by_request(record, attempt, words)
    reason, sentence = _why_failed(task, words)
    return _end_attempt(attempt, Outcome.FAILED, reason, sentence)


def _ended_by_request(record: Record, attempt: Attempt, words: str) -> Attempt:
    """Conclude on a task that somebody ended: we, by a stop, or a person in Batch."""
    if record.stop is None:
        sentence = f"It was ended in Batch: {words}."
        return _end_attempt(attempt, Outcome.TERMINATED, Reason.ENDED_IN_BATCH, sentence)
    return _stopped(attempt, record.stop)


def _stopped(attempt: Attempt, stop: Stop) -> Attempt:
    """Conclude on an attempt that we gave up: one that ever ran did not never start."""
    if stop.cause in _BY_WISH:
        return _end_attempt(attempt, Outcome.TERMINATED, stop.reason, stop.sentence)
    if attempt.started is None:
        return _end_attempt(attempt, Outcome.NEVER_STARTED, stop.reason, stop.sentence)
    sentence = f"It was ended although it had begun: {stop.sentence}"
    return _end_attempt(attempt, Outcome.TERMINATED, stop.cause, sentence)


def _why_failed(task: Task, words: str) -> tuple[Reason, str]:
    code = task.failure.code if task.failure else ""
    if code == "CommandProgramNotFound":
        return Reason.COMMAND_NOT_FOUND, f"Its program was not found on the node: {words}."
    if task.exit_code == 0 and code.startswith(_UPLOAD_FAILURES):
        what = f", {task.failure.details}" if task.failure and task.failure.details else ""
        sentence = f"It ended with exit code 0, but its outputs were not stored: {words}{what}."
        return Reason.OUTPUT_UPLOAD_FAILED, sentence
    if task.exit_code in _COMMAND_NOT_FOUND:
        sentence = f"The shell could not run its command (exit code {task.exit_code}); see stderr."
        return Reason.COMMAND_NOT_FOUND, sentence
    if task.exit_code:
        return Reason.EXIT_CODE, f"It ended with exit code {task.exit_code}."
    return Reason.TASK_FAILED, f"Its task failed: {words}."


def _ran_out_of_time(record: Record, task: Task) -> bool:
    """
    Tell the wall-clock limit by the clock: how Batch names this end is not documented.

    The limit counts from the start that Batch tells, so an end that it brought is never earlier.
    """
    if record.task is None or task.started is None or task.finished is None:
        return False
    return task.finished - task.started >= record.task.run_timeout


def _end_attempt(attempt: Attempt, outcome: Outcome, reason: Reason, sentence: str) -> Attempt:
    return replace(attempt, outcome=outcome, reason=reason, sentence=sentence)

"""
How a run stands, from what Batch says of its job and its task.

Job completed is not success, exit code 0 with a failed result is a failure, and a task that is
still active in a completed job never ran: everything is concluded from the task where there is
one.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from orchestrator.batch_state import Job, Task
from orchestrator.decisions import endings
from orchestrator.enums import AttemptState, Reason
from orchestrator.ledger.attempt import Attempt, Stop
from orchestrator.ledger.record import Record

LOST_AFTER: Final = timedelta(minutes=10)
"""What is missing so long after it should be seen is gone, and not merely late to be seen."""

UNCONFIRMED: Final = timedelta(minutes=2)
"""So long after the last try may a creation whose answer was lost still come to pass."""

STUCK_AFTER: Final = timedelta(minutes=30)
"""A job that has been ending for longer is in nobody's way, and its task alone counts."""

UNRESOLVED_AFTER: Final = timedelta(hours=24)
"""A task that has not ended so long after its job began to end is given up."""

_DISABLED: Final = {"disabling", "disabled"}
_ENDING: Final = {"terminating", "deleting"}
_DIAGNOSIS: Final = (
    "Its job is disabled in Batch: its task does not start until someone enables the job."
)


@dataclass(frozen=True, slots=True)
class Wait:
    """
    Nothing to do now.

    Attributes:
        note: The attempt as it is now known, where that is worth keeping: that it began, that it
            was put back into the queue and waits again, how its task ended, or what holds it up.
    """

    note: Attempt | None = None


@dataclass(frozen=True, slots=True)
class StartOverdue:
    """
    The task should have started by now.

    Attributes:
        attempt: As it is now known.
        diagnosis: Why it did not, where the job itself tells; None: the pool has to be asked.
    """

    attempt: Attempt
    diagnosis: tuple[Reason, str] | None = None


@dataclass(frozen=True, slots=True)
class EndJob:
    """
    The job is still active and is to be ended; the next tick looks again.

    Attributes:
        because: Why, for Batch.
        note: The attempt with the end of its task, which nobody can read once the job is gone.
    """

    because: str
    note: Attempt | None = None


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
    if ended := _end_of_task(record, attempt, job, task):
        return _with_end(record, ended, job, now)
    if job.state == "completed":
        if task is not None and task.state != "active" and not _long_ago(job.finished, now):
            return Wait()  # the task's own end is about to be written
        return Ended(endings.without_end(record, attempt, job, task))
    if job.state in _ENDING:
        given_up = _ending_longer_than(UNRESOLVED_AFTER, job, now)
        return Ended(endings.unresolved(record, attempt, job)) if given_up else Wait()
    return EndJob(record.stop.sentence) if record.stop else _going_on(record, job, task, now)


def is_stuck(job: Job, now: datetime) -> bool:
    """Tell whether Batch has been ending or deleting a job for more than 30 minutes."""
    return _ending_longer_than(STUCK_AFTER, job, now)


def start_timeout(
    record: Record, overdue: StartOverdue, diagnosis: tuple[Reason, str], now: datetime
) -> Stop:
    """Return why a run is given up whose task no node took in time."""
    reason, words = diagnosis
    sentence = endings.start_timeout_sentence(record, overdue.attempt, words)
    return Stop(cause=Reason.START_TIMEOUT, reason=reason, sentence=sentence, at=now)


def _end_of_task(record: Record, seen: Attempt, job: Job, task: Task | None) -> Attempt | None:
    """Return the attempt as its task ended: by Batch's word, or as noted before the task was gone."""
    if task is not None:
        return endings.by_task(record, seen, job, task) if task.state == "completed" else None
    known = record.attempt
    return replace(known, state=AttemptState.ENDED) if known.outcome is not None else None


def _with_end(record: Record, ended: Attempt, job: Job, now: datetime) -> AttemptVerdict:
    """
    Look after an attempt whose task has ended.

    Its end is written down at once: when somebody deletes the job, nothing else tells it.
    """
    if job.state == "completed" or is_stuck(job, now):
        return Ended(ended)
    known = replace(ended, state=record.attempt.state)
    note = known if known != record.attempt else None
    return Wait(note) if job.state in _ENDING else EndJob(endings.TASK_ENDED, note)


def _going_on(record: Record, job: Job, task: Task | None, now: datetime) -> AttemptVerdict:
    """Look after an attempt whose job is active, or disabled."""
    disabled = job.state in _DISABLED
    if task is None and not disabled:
        late = _long_ago(record.attempt.submitted or job.created, now)
        return EndJob(endings.TASK_MISSING) if late else Wait()
    attempt = _noted(record.attempt, task, now, _DIAGNOSIS if disabled else None)
    if (task is None or task.state == "active") and _overdue(record, attempt, now):
        return StartOverdue(attempt, (Reason.JOB_DISABLED, _DIAGNOSIS) if disabled else None)
    return Wait(attempt if attempt != record.attempt else None)


def _noted(attempt: Attempt, task: Task | None, now: datetime, diagnosis: str | None) -> Attempt:
    """Return what is worth keeping of an attempt that goes on."""
    noted = replace(attempt, diagnosis=diagnosis)
    if task is None:
        return noted
    if task.state != "active":
        if task.started is None or task.started == attempt.started:
            return noted
        return replace(noted, started=task.started, node=task.node, requeues=task.requeues)
    ran = attempt.started
    back = ran and (not attempt.waiting_since or attempt.waiting_since < ran)
    enabled = attempt.diagnosis and not diagnosis
    if back or enabled or task.requeues > attempt.requeues:
        # Its node was taken away, or somebody held it back and lets it go: it waits anew.
        # Of the same second as its begin, which Batch tells more exactly, it is still later.
        return replace(noted, waiting_since=max(now, ran or now), requeues=task.requeues)
    return noted


def _long_ago(instant: datetime | None, now: datetime) -> bool:
    """Tell what should have been seen by now from what is merely late to be seen."""
    return instant is not None and now - instant >= LOST_AFTER


def _ending_longer_than(limit: timedelta, job: Job, now: datetime) -> bool:
    return job.state in _ENDING and job.since is not None and now - job.since > limit


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
        node=task.node or attempt.node,
        exit_code=task.exit_code,
    )


def _overdue(record: Record, attempt: Attempt, now: datetime) -> bool:
    assert record.task is not None, "only a claimed run is open"  # noqa: S101
    since = attempt.waiting_since or attempt.submitted or attempt.claimed
    return now - since >= record.task.start_timeout


def _without_job(record: Record, now: datetime) -> AttemptVerdict:
    attempt = record.attempt
    if attempt.outcome is not None:
        return Ended(endings.without_job(attempt))
    if attempt.submitted is not None:
        if now - attempt.submitted < LOST_AFTER:
            return Wait()
        return Ended(endings.without_job(attempt))
    if record.stop is None:
        return Wait()
    untried = attempt.after is not None and attempt.ready is None
    if not untried and now - record.stop.at < UNCONFIRMED:
        return Wait()
    return Ended(endings.stopped(record, record.stop, attempt, None))

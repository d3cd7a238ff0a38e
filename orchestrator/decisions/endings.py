"""How an attempt ended: outcome, reason and one sentence, from its task and its job."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from orchestrator import exit_codes
from orchestrator.batch_state import Job, Task
from orchestrator.duration_text import duration_text
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ledger.attempt import Attempt, Stop
from orchestrator.ledger.record import Record

START_TIMEOUT: Final = "start timeout"
TASK_ENDED: Final = "its task has ended"
TASK_MISSING: Final = "its task is missing"
"""With these three we ask Batch to end a job."""

_JOB_TIME_LIMIT: Final = "MaxWallClockTimeExpiry"
_OUR_ENDS: Final = {"JMComplete", START_TIMEOUT, TASK_ENDED, TASK_MISSING}
_BY_WISH: Final = {Reason.STOPPED, Reason.REPLACED}
_ENDED_BY_REQUEST: Final = "TaskEnded"
_UPLOAD_FAILURES: Final = "FileUpload"
_NOT_EXECUTABLE: Final = (
    "The shell found its command and could not run it (exit code 126): the file is not executable, or "
    "its first line ends in CRLF; see stderr."
)
_NOT_FOUND: Final = "The shell did not find its command (exit code 127); see stderr."
_SHELLS: Final = {
    exit_codes.NOT_EXECUTABLE: (Reason.NOT_EXECUTABLE, _NOT_EXECUTABLE),
    exit_codes.NOT_FOUND: (Reason.COMMAND_NOT_FOUND, _NOT_FOUND),
}


def by_task(record: Record, attempt: Attempt, job: Job, task: Task) -> Attempt:
    """Conclude on a completed task."""
    if task.succeeded and task.exit_code == 0:
        return _end(attempt, Outcome.SUCCEEDED, Reason.EXIT_ZERO, "Succeeded.")
    if _ran_out_of_time(record, job, task):
        limit = record.task.run_timeout if record.task else timedelta()
        sentence = f"Batch ended it after its run timeout of {duration_text(limit)}."
        return _end(attempt, Outcome.TIMED_OUT, Reason.RUN_TIMEOUT, sentence)
    words = f"{task.failure.message} ({task.failure.code})" if task.failure else "no cause given"
    by_request = _is_ended_by_request(task)
    if record.stop and by_request:
        return stopped(record, record.stop, attempt, job)
    if job.terminate_reason == _JOB_TIME_LIMIT and (by_request or _may_be_killed(task)):
        return _job_timeout(attempt, "while its task ran")
    if by_request:
        sentence = f"It was ended in Batch{_said_of_end(job)}: {words}."
        return _end(attempt, Outcome.TERMINATED, Reason.ENDED_IN_BATCH, sentence)
    reason, sentence = _why_failed(task, words)
    return _end(attempt, Outcome.FAILED, reason, sentence)


def without_end(record: Record, attempt: Attempt, job: Job, task: Task | None) -> Attempt:
    """Conclude on a completed job whose task has no end: mostly it never began."""
    if job.scheduling_error:
        error = job.scheduling_error
        sentence = f"Batch could not schedule the job: {error.message} ({error.code})."
        return _end(attempt, Outcome.NEVER_STARTED, Reason.SCHEDULING_ERROR, sentence)
    if record.stop:
        return stopped(record, record.stop, attempt, job)
    began = _has_begun(attempt)
    when = "while its task waited for another node" if began else "before the task began"
    if job.terminate_reason == _JOB_TIME_LIMIT:
        return _job_timeout(attempt, when)
    if task is not None and task.state != "active":
        sentence = (
            f"Its job has ended{_said_of_end(job)}, but Batch still reports its task as "
            f"{task.state}."
        )
        return _end(attempt, Outcome.LOST, Reason.TASK_UNRESOLVED, sentence)
    if task is None:
        sentence = f"Its job ended in Batch{_said_of_end(job)} and has no task."
        return _end(attempt, Outcome.LOST, Reason.TASK_MISSING, sentence)
    said = job.terminate_reason or "no reason given"
    sentence = f"Its job was ended in Batch {when} ({said})."
    return _end(attempt, Outcome.TERMINATED, Reason.ENDED_IN_BATCH, sentence)


def without_job(attempt: Attempt) -> Attempt:
    """Conclude on an attempt whose job is gone: as its task was last seen, else it is lost."""
    if attempt.outcome is not None:
        return replace(attempt, state=AttemptState.ENDED)
    return _end(attempt, Outcome.LOST, Reason.JOB_MISSING, "Its Batch job is gone.")


def unresolved(record: Record, attempt: Attempt, job: Job) -> Attempt:
    """Conclude on an attempt whose job Batch does not bring to its end."""
    doing = "deleting" if job.state == "deleting" else "ending"
    asked = f" {record.stop.sentence}" if record.stop else ""
    sentence = (
        f"Batch has been {doing} its job for more than 24 hours{_said_of_end(job)}, and its task "
        f"has not ended.{asked}"
    )
    return _end(attempt, Outcome.LOST, Reason.UNRESOLVED, sentence)


def stopped(record: Record, stop: Stop, attempt: Attempt, job: Job | None) -> Attempt:
    """
    Conclude on an attempt that we gave up.

    One that ever ran did not never start. Where it had run before it was given up for want of a
    node, that node was taken away.
    """
    sentence = stop.sentence + (_other_reason(stop, job) if job else "")
    if stop.cause in _BY_WISH:
        return _end(attempt, Outcome.TERMINATED, stop.reason, sentence)
    if not _has_begun(attempt):
        return _end(attempt, Outcome.NEVER_STARTED, stop.reason, sentence)
    if stop.cause is Reason.START_TIMEOUT and _has_begun(record.attempt):
        return _end(attempt, Outcome.LOST, stop.reason, sentence)
    sentence = f"Recur ended it although it had started: {sentence}"
    return _end(attempt, Outcome.TERMINATED, stop.cause, sentence)


def start_timeout_sentence(record: Record, attempt: Attempt, diagnosis: str) -> str:
    """Say that no node took the task in time, and why."""
    limit = record.task.start_timeout if record.task else timedelta()
    if _has_begun(attempt):
        return f"It lost its node and got no other within {duration_text(limit)}. {diagnosis}"
    return f"It did not start within {duration_text(limit)}. {diagnosis}"


def _has_begun(attempt: Attempt) -> bool:
    """Tell whether a node ever had the task; one that was put back into the queue has left one."""
    return attempt.started is not None or attempt.requeues > 0


def _job_timeout(attempt: Attempt, when: str) -> Attempt:
    sentence = f"Its Batch job reached its time limit {when} ({_JOB_TIME_LIMIT})."
    return _end(attempt, Outcome.TIMED_OUT, Reason.JOB_TIMEOUT, sentence)


def _said_of_end(job: Job) -> str:
    """Return the reason of a job's end in parentheses, where a person or a limit gave one."""
    if job.terminate_reason is None or job.terminate_reason in _OUR_ENDS:
        return ""
    return f" ({job.terminate_reason})"


def _other_reason(stop: Stop, job: Job) -> str:
    """Return the reason of a job's end where it is not the stop that we asked for."""
    said = job.terminate_reason
    if said is None or said in _OUR_ENDS or stop.sentence.startswith(said):
        return ""
    return f" Batch gives another reason for the end of its job: {said}."


def _why_failed(task: Task, words: str) -> tuple[Reason, str]:
    code = task.failure.code if task.failure else ""
    if code == "CommandProgramNotFound":
        return Reason.COMMAND_NOT_FOUND, f"Its program was not found on the node: {words}."
    if task.exit_code is None:
        return Reason.TASK_FAILED, f"Its task failed and has no exit code: {words}."
    if task.exit_code == 0 and code.startswith(_UPLOAD_FAILURES):
        what = f", {task.failure.details}" if task.failure and task.failure.details else ""
        sentence = f"It ended with exit code 0, but its outputs were not stored: {words}{what}."
        return Reason.OUTPUT_UPLOAD_FAILED, sentence
    if task.exit_code == 0:
        return Reason.TASK_FAILED, f"Its task failed although its exit code is 0: {words}."
    if task.exit_code in _SHELLS:
        return _SHELLS[task.exit_code]
    return Reason.EXIT_CODE, exit_codes.sentence(task.exit_code)


def _ran_out_of_time(record: Record, job: Job, task: Task) -> bool:
    """
    Tell the task's wall-clock limit by the clock and by the exit code.

    How Batch tells this end is not documented. Assumed of the wire: the process was killed, so it has
    no exit code or that of a kill (BatchExplorer's issue 146 shows -1073741510 on Windows; what
    Linux shows was not found), and it ends no earlier than its start plus the limit. The end that
    Batch tells includes the upload of outputs, so time alone proves nothing: a program that ended
    by itself has an exit code of its own.
    """
    if record.task is None or task.started is None or task.finished is None:
        return False
    limit = record.task.run_timeout
    if task.finished - task.started < limit or not _may_be_killed(task):
        return False
    stopped_before = record.stop is not None and record.stop.at - task.started < limit
    by_somebody = stopped_before or _is_ended_by_a_person(job)
    return not (by_somebody and _is_ended_by_request(task))


def _is_ended_by_a_person(job: Job) -> bool:
    said = job.terminate_reason
    return said is not None and said not in _OUR_ENDS and said != _JOB_TIME_LIMIT


def _is_ended_by_request(task: Task) -> bool:
    return task.failure is not None and task.failure.code == _ENDED_BY_REQUEST


def _may_be_killed(task: Task) -> bool:
    return task.exit_code is None or exit_codes.is_kill(task.exit_code)


def _end(attempt: Attempt, outcome: Outcome, reason: Reason, sentence: str) -> Attempt:
    return replace(
        attempt,
        state=AttemptState.ENDED,
        diagnosis=None,
        outcome=outcome,
        reason=reason,
        sentence=sentence,
    )

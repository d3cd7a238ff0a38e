"""What to do about a run that did not succeed, by its reason; ``docs/alerts.md`` says more."""

from typing import Final

from orchestrator.enums import AttemptState, BlockedReason, Reason
from orchestrator.exit_codes import signal_name
from orchestrator.ledger.record import Record

_MEMORY: Final = "let the job use less memory, or take a VM size with more"
_LOOK_AT_POOL: Final = "recur doctor says what mends the pool"
_MAY_HAVE_RUN: Final = (
    "it may have done its work: look before you run it again with "
    "recur backfill {schedule} --from TIME --to TIME --rerun-failed"
)
_ASK: Final = "ask who ended it in Batch: the sentence has the reason that was given"

REMEDIES: Final[dict[Reason, str | None]] = {
    Reason.EXIT_ZERO: None,
    Reason.EXIT_CODE: None,
    Reason.COMMAND_NOT_FOUND: "compare the command with what the application packages hold; "
    "a script whose first line ends in CRLF names an interpreter that no node has",
    Reason.NOT_EXECUTABLE: "chmod +x before it is packed, or name its interpreter in the command; "
    "save it with LF line ends",
    Reason.OUTPUT_UPLOAD_FAILED: "a file that need not be there is named by a pattern; else recur "
    "doctor checks the outputs container and the role of the node identity",
    Reason.TASK_FAILED: "the sentence has Batch's code and words",
    Reason.RUN_TIMEOUT: "find out why it took so long, or raise run_timeout",
    Reason.JOB_TIMEOUT: "its task waited for nodes, or began again and again, for longer than a day: "
    + _LOOK_AT_POOL,
    Reason.ENDED_IN_BATCH: _ASK,
    Reason.STOPPED: None,
    Reason.REPLACED: None,
    Reason.START_TIMEOUT: "raise start_timeout above what the pool needs to start a node",
    Reason.JOB_MISSING: _MAY_HAVE_RUN,
    Reason.TASK_MISSING: _MAY_HAVE_RUN,
    Reason.TASK_UNRESOLVED: _MAY_HAVE_RUN,
    Reason.UNRESOLVED: _MAY_HAVE_RUN,
    Reason.ACCOUNT_LEFT: _MAY_HAVE_RUN,
    Reason.JOB_DISABLED: "ask who disabled its job; az batch job enable lets one go on that is open",
    Reason.SCHEDULING_ERROR: "the sentence has Batch's code and words",
    Reason.POOL_MISSING: "deploy the pool",
    Reason.START_TASK_FAILED: "read startup/stderr.txt of the node and mend the setup package",
    Reason.NODE_UNUSABLE: _LOOK_AT_POOL,
    Reason.CORE_QUOTA: "ask for quota, or take a smaller VM size",
    Reason.RESIZE_FAILED: "wait for capacity, or take another VM size or region",
    Reason.AUTOSCALE_FAILED: "read the pool's last evaluation; disable and enable its autoscale",
    Reason.NO_NODE: _LOOK_AT_POOL,
    Reason.BLOCKED: "recur doctor says what mends it",
    Reason.REJECTED: "mend the setting that Batch names in the sentence",
}

WHY_BLOCKED: Final[dict[str, tuple[str, str]]] = {
    BlockedReason.QUOTA: (
        "the account holds as many active jobs as it may",
        "end stuck jobs, or ask for a higher quota of active jobs",
    ),
    BlockedReason.ID_TAKEN: (
        "another job has the run's id",
        "delete that job, or rename the schedule",
    ),
    BlockedReason.PACKAGE_MISSING: ("an application package is not there", "recur publish"),
    BlockedReason.POOL_MISSING: ("the pool does not exist", "deploy infra/pool"),
    BlockedReason.AUTH: (
        "Batch refuses the function app's identity",
        "grant it the role Azure Batch Job Submitter on the Batch account",
    ),
    BlockedReason.UNAVAILABLE: (
        "Batch gives the function app no answer",
        "compare the app's setting BATCH_ACCOUNT_URL with the account's URL",
    ),
}
"""Why an attempt has no job yet, and what mends that."""


def remedy(record: Record) -> str | None:
    """Return what to do about a run that did not succeed; None where its output alone tells."""
    reason = record.reason
    if reason is None:
        return None
    if reason is Reason.EXIT_CODE and _killed_for_memory(record):
        return _MEMORY
    text = REMEDIES[reason]
    return text.format(schedule=record.schedule) if text else None


def held_up(record: Record) -> str | None:
    """Return how an open run goes on that a person holds back in Batch; None if nobody does."""
    attempt = record.attempt
    if attempt.state is not AttemptState.SUBMITTED or attempt.diagnosis is None:
        return None
    return f"az batch job enable --job-id {attempt.job_id}, or recur stop {record.run_id}"


def _killed_for_memory(record: Record) -> bool:
    code = record.attempt.exit_code
    return code is not None and signal_name(code) == "SIGKILL"

"""
What to do about a run, by its reason; ``docs/alerts.md`` says more.

Each remedy holds a command that works in its place: on a laptop there is no ``az``.
"""

from datetime import timedelta
from typing import Final

from orchestrator import ids
from orchestrator.enums import BlockedReason, MissReason, Outcome, Reason, SkipReason
from orchestrator.exit_codes import signal_name
from orchestrator.ledger.record import How, Record
from recur.causes.surroundings import Subject
from recur.formats import utc

_SECOND: Final = timedelta(seconds=1)
_LOOK_AT_POOL: Final = "recur doctor names the problem of the pool, and its fix"
_MAY_HAVE_RUN: Final = "it may have done its work: check that before you run it again with {again}"
_BATCH_SAID: Final = (
    "the sentence has Batch's code and words; recur doctor checks packages, roles and quotas"
)
_MEMORY: Final = (
    "let the job use less memory, or take a VM size with more; {again} runs it again then"
)
_WANTED: Final = "{again} runs it again, if it is still wanted"
_MAKE_UP: Final = "end `make up` and start it again"

REMEDIES: Final[dict[Reason, str | None]] = {
    Reason.EXIT_ZERO: None,
    Reason.EXIT_CODE: None,
    Reason.COMMAND_NOT_FOUND: "check that an application package contains the program; "
    "save scripts with LF line ends, since a first line with CRLF names no interpreter",
    Reason.NOT_EXECUTABLE: "chmod +x the file before you publish it, or name its interpreter in the command; "
    "save it with LF line ends",
    Reason.OUTPUT_UPLOAD_FAILED: "declare an optional file with a pattern such as report*.csv; recur "
    "doctor checks the outputs container and the role of the node identity",
    Reason.TASK_FAILED: _BATCH_SAID,
    Reason.RUN_TIMEOUT: "find out why it took so long, or raise run_timeout and recur apply FILE",
    Reason.JOB_TIMEOUT: "its task waited for nodes, or started again and again, for more than a day: "
    + _LOOK_AT_POOL,
    Reason.ENDED_IN_BATCH: "ask who ended it in Batch: the sentence has the reason that they gave; "
    + _WANTED,
    Reason.STOPPED: _WANTED,
    Reason.REPLACED: _WANTED,
    Reason.START_TIMEOUT: "raise start_timeout above what the pool needs to start a node, then recur "
    "apply FILE",
    Reason.JOB_MISSING: _MAY_HAVE_RUN,
    Reason.TASK_MISSING: _MAY_HAVE_RUN,
    Reason.TASK_UNRESOLVED: _MAY_HAVE_RUN,
    Reason.UNRESOLVED: _MAY_HAVE_RUN,
    Reason.ACCOUNT_LEFT: _MAY_HAVE_RUN,
    Reason.JOB_DISABLED: "ask who disabled its job; az batch job enable lets an open job continue; "
    + _WANTED,
    Reason.SCHEDULING_ERROR: _BATCH_SAID,
    Reason.POOL_MISSING: "recur publish, then deploy infra/pool (docs/deploy.md)",
    Reason.START_TASK_FAILED: "fix workload/pythonsetup, then recur publish, deploy infra/pool and "
    "reboot the node (docs/alerts.md, start-task-failed)",
    Reason.NODE_UNUSABLE: _LOOK_AT_POOL,
    Reason.CORE_QUOTA: "ask for more quota, or use a smaller VM size; recur doctor shows what is left",
    Reason.RESIZE_FAILED: "wait for capacity, or use another VM size or region; recur status shows "
    "when a node comes",
    Reason.AUTOSCALE_FAILED: "recur doctor shows the pool's last evaluation; disable and enable its "
    "autoscale",
    Reason.NO_NODE: _LOOK_AT_POOL,
    Reason.BLOCKED: "recur doctor names the problem, and its fix",
    Reason.REJECTED: "correct the setting that Batch names in the sentence; recur doctor checks the settings",
}
_WITHOUT_COMMAND: Final = frozenset({Reason.COMMAND_NOT_FOUND, Reason.NOT_EXECUTABLE})
"""Their remedies lead to no command of their own: what the run wrote says more."""

_LAPTOP_REMEDIES: Final[dict[Reason, str]] = {
    Reason.JOB_DISABLED: f"ask who disabled its job; {_WANTED}",
    Reason.POOL_MISSING: f"{_MAKE_UP}: it makes the pool",
    Reason.START_TASK_FAILED: f"fix workload/pythonsetup, then {_MAKE_UP}: it creates the pool again",
    Reason.CORE_QUOTA: "take a smaller VM size in infra/pool/pool.json and `make infra-write`, then "
    + _MAKE_UP,
    Reason.AUTOSCALE_FAILED: "mend infra/pool/autoscale.formula and `make infra-write`, then "
    + _MAKE_UP,
}

WHY_BLOCKED: Final[dict[str, tuple[str, str]]] = {
    BlockedReason.QUOTA: (
        "the account holds as many active jobs as it may",
        "recur runs --open lists jobs to end; or ask for a higher quota of active jobs",
    ),
    BlockedReason.ID_TAKEN: (
        "another job has the run's id",
        "delete that job in Batch, or rename the schedule and recur apply FILE",
    ),
    BlockedReason.PACKAGE_MISSING: ("an application package is not there", "recur publish"),
    BlockedReason.POOL_MISSING: (
        "the pool does not exist",
        "recur publish, then deploy infra/pool (docs/deploy.md)",
    ),
    BlockedReason.AUTH: (
        "Batch refuses the function app's identity",
        "recur doctor prints what grants it the role Azure Batch Job Submitter on the account",
    ),
    BlockedReason.UNAVAILABLE: (
        "Batch gives the function app no answer",
        "compare the app's setting BATCH_ACCOUNT_URL with the account's URL: recur doctor shows both",
    ),
}
"""Why an attempt has no job yet, and what mends that."""

_MAKE_UP_RUNS: Final = (
    "`make up` runs the Batch account and writes its key into the settings, then `make start`"
)
_LAPTOP_BLOCKED: Final[dict[str, str]] = {
    BlockedReason.POOL_MISSING: f"{_MAKE_UP}: it makes the pool",
    BlockedReason.AUTH: _MAKE_UP_RUNS,
    BlockedReason.UNAVAILABLE: _MAKE_UP_RUNS,
}
_LATER_VERSION: Final = "a later version wrote it", "use that version of recur: recur doctor"

_NOT_RUN: Final[dict[str, str]] = {
    SkipReason.QUEUE_FULL: "recur runs {schedule} --open lists the runs that wait",
    SkipReason.MAX_PARALLEL: "recur runs {schedule} --open lists the runs in the way",
    SkipReason.PAUSED: "recur resume {schedule} ends the pause, if it still holds",
    SkipReason.EXCLUDED: "recur next {schedule} shows what comes next",
    SkipReason.HOLIDAY: "recur next {schedule} shows what comes next",
    SkipReason.NONEXISTENT: "recur next {schedule} shows what comes next",
    SkipReason.REMOVED: "recur document --log shows who removed it",
    MissReason.WINDOW: "{first} runs it now",
    MissReason.SUPERSEDED: "{first} runs it all the same",
    MissReason.OFF: "{first} runs it now",
}


def remedy_for(reason: Reason, subject: Subject) -> str | None:
    """Return what to do about an end, or about a pool, by its reason; None: its output tells."""
    text = REMEDIES[reason]
    if subject.on_laptop:
        text = _LAPTOP_REMEDIES.get(reason, text)
    return _filled(text, subject) if text else None


def pool_remedy(reason: Reason, *, on_laptop: bool) -> str:
    """Return what mends a pool; see `diagnose`."""
    text = REMEDIES[reason] or _LOOK_AT_POOL
    return _LAPTOP_REMEDIES.get(reason, text) if on_laptop else text


def why_blocked(reason: str, *, on_laptop: bool) -> tuple[str, str]:
    """Return why a run has no job yet, with the reason's word, and what mends that."""
    why, step = WHY_BLOCKED.get(reason, _LATER_VERSION)
    if on_laptop:
        step = _LAPTOP_BLOCKED.get(reason, step)
    return f"{why} ({reason})", step


def not_run_remedy(reason: str | None, because: str | None, subject: Subject) -> str:
    """Return what to do about an occurrence that was skipped or missed, by the decision's reason."""
    if reason == SkipReason.OVERLAP and because:
        return f"recur show {because} says how that run stands"
    text = _NOT_RUN.get(reason or "", "recur runs {schedule} shows those around it")
    return _filled(text, subject)


def ended_remedy(record: Record, *, on_laptop: bool) -> str:
    """Return what to do about a run that has ended: by its reason, its output and its runbook."""
    subject = subject_of(record, on_laptop=on_laptop)
    page = record.about.runbook if record.about else None
    failed = record.outcome is not Outcome.SUCCEEDED
    runbook = f"the runbook of its schedule: {page}" if page and failed else None
    reason = record.reason
    if reason is Reason.EXIT_CODE and _killed_for_memory(record):
        text: str | None = _filled(_MEMORY, subject)
    else:
        text = remedy_for(reason, subject) if reason else None
    wrote = _output_of(record)
    if wrote is None and (text is None or reason in _WITHOUT_COMMAND):
        wrote = f"recur logs {record.run_id} --outputs says why nothing is stored"
    return "; ".join(filter(None, (text, wrote, runbook)))


def subject_of(record: Record, *, on_laptop: bool) -> Subject:
    """Return what the remedies of a record are about."""
    return Subject(
        schedule=record.schedule,
        run_id=record.run_id,
        nominal=record.nominal,
        last=record.range.last if record.range else None,
        on_laptop=on_laptop,
    )


def _filled(text: str, subject: Subject) -> str:
    return text.format(
        schedule=subject.schedule, again=_again(subject), first=_backfill(subject, rerun=False)
    )


def _again(subject: Subject) -> str:
    """Return the command that runs a run once more: a triggered one has no time of its own."""
    parsed = ids.parse_run_id(subject.run_id) if subject.run_id else None
    if parsed and parsed[1] is None:
        return f"recur trigger {subject.schedule}"
    return _backfill(subject, rerun=True)


def _backfill(subject: Subject, *, rerun: bool) -> str:
    begin, end = subject.nominal - _SECOND, subject.last or subject.nominal
    again = " --rerun-failed" if rerun else ""
    return f"recur backfill {subject.schedule} --from {utc(begin)} --to {utc(end)}{again}"


def _output_of(record: Record) -> str | None:
    """Say how to see what a run wrote; None if it wrote nothing."""
    if any(one.how is not How.MISSING for one in record.outputs):
        return f"recur logs {record.run_id}"
    earlier = [one for one in record.attempts_of_claim[:-1] if one.started]
    if earlier:
        number = earlier[-1].number
        return f"recur logs {record.run_id} --attempt {number} shows what that attempt wrote"
    return None


def _killed_for_memory(record: Record) -> bool:
    code = record.attempt.exit_code
    return code is not None and signal_name(code) == "SIGKILL"

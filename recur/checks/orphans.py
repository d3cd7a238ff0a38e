"""Checks of what fits nothing else: jobs without a record, records without a job, old requests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from azure.batch.models import BatchJob
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobProperties, ContainerClient

from orchestrator import ids
from orchestrator.adapters.calls import enum_word
from orchestrator.batch_state import LEDGER_KEY, RUN_ID_KEY
from orchestrator.enums import AttemptState
from orchestrator.errors import RecurError
from orchestrator.ids import RunId
from orchestrator.ledger.record import Record
from orchestrator.ledger.state import load_submit
from recur.checks.findings import Finding, good, note, problem
from recur.ledger_reader.record_blobs import month_folder
from recur.ledger_reader.records import History
from recur.output import Printer
from recur.target import Target

_WAITS: Final = timedelta(minutes=5)
"""A tick answers within two minutes."""
_MISSING: Final = timedelta(minutes=20)
"""Ten minutes after its submission the collector ends a run whose job is missing."""
_READ: Final = 1000
"""Final records that are read at most."""
_DAMAGED: Final = "docs/operations.md, a record that cannot be read, says how to put it back"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """
    What lies below ``open/``.

    Attributes:
        runs: Open records by run id, with their metadata.
        requests: When each request was made, by its id.
        strangers: Names that are neither.
    """

    runs: Mapping[RunId, Mapping[str, str]]
    requests: Mapping[str, datetime]
    strangers: Sequence[str]


def check_orphans(target: Target, now: datetime | None = None) -> Iterator[Finding]:
    """
    Yield what has been left alone in the ledger and in the Batch account.

    Jobs are listed before records: a job has its record before it is created, and the final record
    is there before the open one goes.

    Args:
        target: The deployment.
        now: The time by which waiting is measured; None: that of this machine.
    """
    now = now or datetime.now(UTC)
    ledger = target.ledger()
    history = History(ledger, Printer(as_json=True))  # the progress of doctor is shown already
    jobs = _own_jobs(target, _ledger_id(ledger))
    opened = _open(ledger)
    records = _open_records(history, opened)
    yield from _jobs_without_record(history, jobs, opened)
    yield from _runs_without_job(jobs, records, now)
    yield from _requests(opened, now)
    yield from _damaged_open(history, opened, records)
    yield from _damaged_final(history, now)


def _ledger_id(ledger: ContainerClient) -> str | None:
    """Return the ledger's id; None if it has none, or none that can be read."""
    try:
        return load_submit(ledger.download_blob(ids.SUBMIT_STATE).readall()).ledger or None
    except (ResourceNotFoundError, RecurError):
        return None


def _own_jobs(target: Target, ledger_id: str | None) -> dict[str, BatchJob]:
    """Return the jobs of runs by their ids in lower case; those of another ledger are left out."""
    found: dict[str, BatchJob] = {}
    with target.batch() as batch:
        for job in batch.list_jobs(select=["id", "state", "metadata", "creationTime"]):
            told = {item.name: item.value for item in job.metadata or ()}
            if told.get(RUN_ID_KEY) and told.get(LEDGER_KEY) in {None, ledger_id}:
                found[job.id.lower()] = job
    return found


def _open(ledger: ContainerClient) -> _Open:
    runs: dict[RunId, Mapping[str, str]] = {}
    requests: dict[str, datetime] = {}
    strangers: list[str] = []
    blobs: Iterator[BlobProperties] = ledger.list_blobs(
        name_starts_with=ids.OPEN_PREFIX, include=["metadata"]
    )
    for blob in blobs:
        name = str(blob.name)
        if run := ids.open_run_id(name):
            runs[run] = blob.metadata or {}
        elif request := ids.open_request_id(name):
            requests[request] = blob.creation_time
        elif name != ids.HOUSEKEEPING:
            strangers.append(name)
    return _Open(runs=runs, requests=requests, strangers=strangers)


def _open_records(history: History, opened: _Open) -> dict[RunId, Record | None]:
    """Return the open records; None for one that is gone, or that cannot be read."""
    found = history.records([ids.open_blob(run) for run in opened.runs])
    return dict(zip(opened.runs, found, strict=True))


def _jobs_without_record(
    history: History, jobs: Mapping[str, BatchJob], opened: _Open
) -> Iterator[Finding]:
    """Yield the jobs of runs that the ledger does not know, those that can still run apart."""
    check = "jobs without record"
    runs = {id_: _run_of(job) for id_, job in jobs.items()}
    closed = {id_: run for id_, run in runs.items() if run and run not in opened.runs}
    folders = {_folder(run) for run in closed.values()}
    final = {one.run_id for one in history.entries(sorted(folders))}
    orphans = [jobs[id_] for id_, run in runs.items() if _is_orphan(run, opened, final)]
    active = [job.id for job in orphans if (enum_word(job.state) or "").lower() != "completed"]
    ended = [job.id for job in orphans if job.id not in active]
    if active:
        what = f"{_some(active)}: not completed, but the ledger has no record of the run"
        why = "Recur does not end it or collect its outputs, and it may keep a node busy"
        fix = f"restore the record (docs/operations.md), or az batch job stop --job-id {active[0]}"
        yield problem(check, what, why, fix)
    if ended:
        what = f"{_some(ended)}: completed, but the ledger has no record of the run"
        why = "someone removed the record: its occurrence is a gap (recur gaps)"
        fix = f"restore the record (docs/operations.md), or az batch job delete --job-id {ended[0]}"
        yield note(check, what, why, fix)
    if not orphans:
        yield good(check, f"none of {len(jobs)} job(s) of runs")


def _run_of(job: BatchJob) -> RunId | None:
    """Return the run that a job's metadata name; None if that is not the id of a run."""
    told = {item.name: item.value for item in job.metadata or ()}
    run = told.get(RUN_ID_KEY, "")
    return RunId(run) if ids.parse_run_id(run) else None


def _folder(run: RunId) -> str:
    """Return the folder in which the final record of a run would be."""
    parsed = ids.parse_run_id(run)
    assert parsed is not None, "only the ids of runs are checked"  # noqa: S101
    schedule, nominal = parsed
    if nominal is None:
        return ids.triggered_blob(schedule, run)
    return month_folder(schedule, nominal.year, nominal.month)


def _is_orphan(run: RunId | None, opened: _Open, final: set[RunId]) -> bool:
    return run is None or (run not in opened.runs and run not in final)


def _runs_without_job(
    jobs: Mapping[str, BatchJob], records: Mapping[RunId, Record | None], now: datetime
) -> Iterator[Finding]:
    """Yield the submitted runs of which Batch has no job, long after the collector ends them."""
    check = "runs without job"
    left = [
        run
        for run, record in records.items()
        if record
        and record.attempts
        and record.attempt.state is AttemptState.SUBMITTED
        and record.attempt.job_id.lower() not in jobs
        and now - (record.attempt.submitted or record.attempt.claimed) > _MISSING
    ]
    if not left:
        yield good(check, "none")
        return
    what = f"{_some(left)}: submitted, but Batch has no job of it"
    why = "the collect function should end such a run as lost: it does not run, or fails"
    fix = "see tick-silent in docs/alerts.md; `recur tick collect` does one tick now"
    yield problem(check, what, why, fix)


def _requests(opened: _Open, now: datetime) -> Iterator[Finding]:
    check = "requests"
    old = {id_: made for id_, made in opened.requests.items() if now - made > _WAITS}
    if old:
        first = min(old, key=lambda id_: old[id_])
        names = [first, *(one for one in old if one != first)]
        what = f"{_some(names)}: unanswered since {old[first]:%Y-%m-%d %H:%M} UTC"
        why = "a submit tick should answer within two minutes: it does not run, fails, or waits for Batch"
        fix = "see tick-silent in docs/alerts.md; `recur tick submit` does one tick now"
        yield problem(check, what, why, fix)
    else:
        yield good(check, f"{len(opened.requests)} request(s) wait, none for long")
    if opened.strangers:
        what = f"{_some(opened.strangers)}: neither a run's record nor a request"
        why = "ticks ignore it, so it has no effect"
        yield note("open/", what, why, "make the request with recur, and delete the blob")


def _damaged_open(
    history: History, opened: _Open, records: Mapping[RunId, Record | None]
) -> Iterator[Finding]:
    """Yield open records that cannot be read, or that no listing tells of."""
    check = "open records"
    why = "its job goes on, but Recur does not end or collect it"
    damaged: dict[RunId, str] = {}
    for run, record in records.items():
        if told := history.unreadable.get(ids.open_blob(run)):
            damaged[run] = told
        elif record and not record.attempts:
            damaged[run] = "it has no attempt"
        elif record and not opened.runs[run].get("state"):
            damaged[run] = "its metadata are missing"
    for run, told in damaged.items():
        yield problem(f"record {ids.open_blob(run)}", f"is damaged: {told}", why, _DAMAGED)
    if not damaged:
        yield good(check, f"{len(records)}, all of them can be read")


def _damaged_final(history: History, now: datetime) -> Iterator[Finding]:
    """Yield the final records of yesterday and today that cannot be read."""
    days = (now - timedelta(days=1), now)
    prefixes = [
        f"{month_folder(schedule, day.year, day.month)}{schedule}-{day:%Y%m%d}"
        for schedule in history.schedules()
        for day in days
    ]
    found = sorted(history.entries(prefixes), key=lambda one: one.nominal or now)
    blobs = [one.blob for one in found[-_READ:]]
    before = set(history.unreadable)
    history.records(blobs)
    damaged = {blob: told for blob, told in history.unreadable.items() if blob not in before}
    for blob, told in damaged.items():
        why = "the result of this occurrence is not known, and a backfill does not run it"
        yield problem(f"record {blob}", f"is damaged: {told}", why, _DAMAGED)
    if not damaged:
        what = (
            f"{len(blobs)} of {len(found)} of yesterday and today were read, all without a problem"
        )
        yield good("final records", what)


def _some(names: Sequence[str]) -> str:
    """Name the first, and count the others."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"

"""`recur show`: one record, for people, with its cause and what Batch says of its job right now."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import typer
from azure.core.exceptions import ResourceNotFoundError

from orchestrator import ids
from orchestrator.adapters.calls import enum_word
from orchestrator.decisions.places import portless
from orchestrator.enums import AttemptState
from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Record, dump
from recur.arguments import Runs
from recur.causes.pool_reader import read_surroundings, without_pool
from recur.causes.refusals import JOB, REFUSED, why_unreadable
from recur.causes.run_cause import RunCause, run_cause
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.formats import utc
from recur.ledger_reader.records import History
from recur.ledger_reader.run_lookup import FoundRun, find_run
from recur.ledger_reader.run_state import run_state
from recur.ledger_reader.snapshot import Snapshot, read_snapshot, zone_of
from recur.record_lines import LAST_LINES, record_lines
from recur.target import Target

_QUICKLY: Final[dict[str, Any]] = {
    "retry_total": 0,
    "connection_timeout": 3,
    "read_timeout": 5,
}
_TASK: Final = "main"
_COMPLETED: Final = "completed"
_MOST_IN_THE_WAY: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """
    What Batch says of an attempt's job.

    Attributes:
        job: Its state; None if Batch has none, or gave no answer.
        task: The state of its task; None likewise.
        trouble: Why Batch could not be asked; None where it answered.
    """

    job: str | None = None
    task: str | None = None
    trouble: str | None = None


def live_sentence(live: Live, attempt: Attempt) -> str:
    """Say the same for people; where there is no job, whether there ever was one."""
    if live.trouble:
        return f"not asked: {live.trouble}"
    if live.job is not None:
        return f"job {live.job}, task {live.task or 'missing'}"
    if attempt.submitted is None:
        waits = attempt.state is AttemptState.CLAIMED
        return "there is no job yet: it was not submitted" if waits else "it never had a job"
    return "the job no longer exists (jobs are removed some days after their end)"


def command(context: typer.Context, run_ids: Runs) -> None:
    """
    Show the record of one or more runs: decision, attempts, outputs and earlier lives.

    It starts with the state of the run and its cause: the last lines of its output, a problem of
    the pool if it waits, or the run that blocks it. If something cannot be read, it names the
    missing role. The last line says what to do, with a command.

    Example: recur show nightly-report-20261123T070000Z
    """
    run(context, lambda given: show_runs(given, run_ids))


def show_runs(given: Context, texts: Sequence[str]) -> Exit:
    """
    Show the records of runs.

    Raises:
        CliError: One is not there; nothing is shown then.
    """
    target = given.target()
    ledger = target.ledger()
    snapshot = read_snapshot(ledger)
    history = History(ledger, given.output)
    told = []
    for n, found in enumerate([find_run(history, snapshot, text) for text in texts]):
        record = found.record
        zone = given.zone or zone_of(snapshot, record.schedule) or UTC
        live = ask_batch(target, record) if record.attempts else None
        cause = _read_cause(target, history, found, snapshot.now, live)
        others = _others(history, snapshot, cause)
        sentence = live_sentence(live, record.attempt) if live else None
        if n:
            given.output.say("")
        for line in record_lines(found, cause, others, zone, snapshot.now, sentence):
            given.output.say(line)
        told.append(_run_json(found, cause, live))
    given.output.result(told[0] if len(told) == 1 else told)
    return Exit.DONE


def _read_cause(
    target: Target, history: History, found: FoundRun, now: datetime, live: Live | None
) -> RunCause:
    """Read what the cause of a run's state follows from, as far as it may matter."""
    attempt = found.open.attempt if found.open and found.open.attempts else None
    around = without_pool(target, now)
    if attempt and attempt.state is not AttemptState.ENDED:
        around = read_surroundings(target, now, attempt.pool)
    work = history.open_list() if found.open else None
    return run_cause(
        found.record,
        is_open=found.open is not None,
        around=around,
        open_runs=work.runs if work else (),
        job_ended=live is not None and live.job == _COMPLETED,
        unlisted=work.unlisted.get(found.record.run_id) if work else None,
        lines=LAST_LINES,
    )


def _others(history: History, snapshot: Snapshot, cause: RunCause) -> dict[RunId, str]:
    """Return how the runs stand that are in the way, as far as the ledger has them."""
    return {
        run: _stands(history, snapshot, run) for run in islice(cause.in_the_way, _MOST_IN_THE_WAY)
    }


def _stands(history: History, snapshot: Snapshot, run: RunId) -> str:
    try:
        found = find_run(history, snapshot, run)
    except CliError as error:
        return f"unknown: {error.message}"
    stands = run_state(found.record, snapshot.now, is_open=found.open is not None)
    why = f" ({stands.reason})" if stands.reason else ""
    since = f" since {utc(stands.since)}" if found.open and stands.since else ""
    return f"{stands.word}{why}{since}"


def _run_json(found: FoundRun, cause: RunCause, live: Live | None) -> dict[str, Any]:
    record = found.record
    return {
        "open": found.open is not None,
        "state": cause.stands.word,
        "cause": cause.cause,
        "last_lines": cause.last_lines,
        "in_the_way": cause.in_the_way,
        "unknown": cause.unread,
        "next": cause.next_step,
        "blob": ids.open_blob(record.run_id) if found.open else found.blob,
        "record": json.loads(dump(record)),
        "before": json.loads(dump(found.final)) if found.open and found.final else None,
        "batch": live,
    }


def ask_batch(target: Target, record: Record) -> Live:
    """Ask Batch for the job of the attempt in hand; where it does not answer, that is said."""
    job_id, account = record.attempt.job_id, record.attempt.account
    if account and account != portless(target.need("BATCH_ACCOUNT_URL").rstrip("/")):
        return Live(trouble=f"its job is in the Batch account {account}")
    try:
        batch = target.batch()
        job = batch.get_job(job_id, **_QUICKLY)
    except ResourceNotFoundError:
        return Live()
    except REFUSED as error:
        return Live(trouble=why_unreadable(error, JOB, target).sentence)
    try:
        task = batch.get_task(job_id, _TASK, **_QUICKLY)
    except ResourceNotFoundError:
        return Live(job=enum_word(job.state))
    except REFUSED as error:
        trouble = why_unreadable(error, JOB, target).sentence
        return Live(job=enum_word(job.state), trouble=trouble)
    return Live(job=enum_word(job.state), task=enum_word(task.state))

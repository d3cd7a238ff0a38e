"""`recur show`: one record, for people, with what Batch says of its job right now."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

import typer
from azure.core.exceptions import AzureError, ResourceNotFoundError

from orchestrator import ids
from orchestrator.adapters.calls import enum_word, first_line
from orchestrator.decisions.places import portless
from orchestrator.enums import AttemptState
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Record, dump
from recur.about import about_lines
from recur.arguments import Runs
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.explain.recorded import SUCCESS_UNKNOWN
from recur.formats import ago, local, short_duration, utc
from recur.ledger_reader.records import History
from recur.ledger_reader.run_lookup import FoundRun, find_run
from recur.ledger_reader.run_state import run_duration, run_state
from recur.ledger_reader.snapshot import read_snapshot, zone_of
from recur.run_output.vouching import last_line_of, output_lines, unmatched_lines
from recur.state_cells import state_text
from recur.target import Target

_QUICKLY: Final[dict[str, Any]] = {
    "retry_total": 0,
    "connection_timeout": 3,
    "read_timeout": 5,
}
_TASK: Final = "main"


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
    return "there is no such job any more (jobs are removed some days after their end)"


def command(context: typer.Context, run_ids: Runs) -> None:
    """
    Show the record of a run: what was decided, its attempts, its outputs, its past. Or of several.

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
        if n:
            given.output.say("")
        for line in _lines(found, zone, snapshot.now, live):
            given.output.say(line)
        told.append(_run_json(found, snapshot.now, live))
    given.output.result(told[0] if len(told) == 1 else told)
    return Exit.DONE


def _run_json(found: FoundRun, now: datetime, live: Live | None) -> dict[str, Any]:
    record = found.record
    return {
        "open": found.open is not None,
        "state": run_state(record, now, is_open=found.open is not None).word,
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
    except (AzureError, CliError, ValueError) as error:
        return Live(trouble=first_line(error))
    try:
        task = batch.get_task(job_id, _TASK, **_QUICKLY)
    except ResourceNotFoundError:
        return Live(job=enum_word(job.state))
    except AzureError as error:
        return Live(job=enum_word(job.state), trouble=first_line(error))
    return Live(job=enum_word(job.state), task=enum_word(task.state))


def _lines(found: FoundRun, zone: tzinfo, now: datetime, live: Live | None) -> Iterator[str]:
    record = found.record
    yield _headline(found, zone, now)
    if record.sentence:
        yield f"  {record.sentence}"
    if record.stop and (found.open or record.stop.sentence != record.sentence):
        asked = "is" if found.open else "was"
        at = local(record.stop.at, zone)
        yield f"  it {asked} to be ended, {at}: {record.stop.sentence}"
    yield _fact("schedule", record.schedule)
    for name, value in about_lines(record.about):
        yield _fact(name, value)
    yield _fact(
        "nominal",
        f"{local(record.nominal, zone)}, {utc(record.nominal)}, {ago(record.nominal, now)}",
    )
    if record.range:
        spans = f"{record.range.count} occurrences, the last {local(record.range.last, zone)}"
        yield _fact("stands for", spans)
    yield from _decision(record, zone)
    if record.previous_success_unknown:
        yield f"  {SUCCESS_UNKNOWN}"
    for attempt in record.attempts:
        yield from _attempt_facts(attempt, zone)
    yield from _figures(record, now)
    yield from _output_facts(record)
    if live:
        yield _fact("batch", live_sentence(live, record.attempt))
    for past in record.history:
        ended = past.outcome or f"{past.decision.action}({past.decision.reason})"
        yield _fact("before", f"{ended}, decided {local(past.decision.at, zone)}")
    yield _fact("record", ids.open_blob(record.run_id) if found.open else found.blob or "")
    yield from _command_facts(record)
    yield _fact("versions", f"recur {record.versions.product}, tzdata {record.versions.tzdata}")


def _headline(found: FoundRun, zone: tzinfo, now: datetime) -> str:
    record = found.record
    stands = run_state(record, now, is_open=found.open is not None)
    why = f" ({stands.reason})" if stands.reason else ""
    since = ""
    if found.open and stands.since:
        since = f" since {local(stands.since, zone)}, {ago(stands.since, now)}"
    return f"{record.run_id}: {state_text(record, stands)}{why}{since}"


def _command_facts(record: Record) -> Iterator[str]:
    """Yield each line of the command behind an indent that no line of it can leave."""
    lines = record.task.command.rstrip("\n").split("\n") if record.task else []
    for number, line in enumerate(lines):
        yield _fact("" if number else "command", line)


def _output_facts(record: Record) -> Iterator[str]:
    for line in output_lines(record):
        yield _fact("output", line)
    for line in unmatched_lines(record):
        yield _fact("no output", line)
    if said := last_line_of(record):
        yield _fact(f"{said[0]} ends", said[1])


def _figures(record: Record, now: datetime) -> Iterator[str]:
    took = run_duration(record, now)
    if took:
        yield _fact("took", short_duration(took))
    if record.cost:
        yield _fact("cost", f"{record.cost.amount} {record.cost.currency}, estimated")


def _decision(record: Record, zone: tzinfo) -> Iterator[str]:
    decided = record.decision
    reason = f" ({decided.reason})" if decided.reason else ""
    because = f", because of {decided.because}" if decided.because else ""
    yield _fact("decided", f"{decided.action}{reason}{because}, {local(decided.at, zone)}")
    if record.request:
        who = f" by {record.by}" if record.by else ""
        why = f": {record.note}" if record.note else ""
        yield _fact("request", f"{record.kind}{who}{why} (request {record.request})")
    for name, value in record.parameters.items():
        yield _fact("parameter", f"{name}={value}")
    if record.lateness_seconds is not None:
        yield _fact("lateness", short_duration(record.lateness_seconds))
    if record.moved_from:
        yield _fact("moved from", ", ".join(local(one, zone) for one in record.moved_from))
    if record.merged > 1:
        yield _fact("merged", f"{record.merged} wall times fell on this instant")


def _attempt_facts(attempt: Attempt, zone: tzinfo) -> Iterator[str]:
    ended = attempt.outcome or attempt.state
    why = f" ({attempt.reason})" if attempt.reason else ""
    code = f", exit code {attempt.exit_code}" if attempt.exit_code is not None else ""
    yield _fact(f"attempt {attempt.number}", f"{ended}{why}{code}, job {attempt.job_id}")
    times = (
        ("claimed", attempt.claimed),
        ("not before", attempt.not_before),
        ("first tried", attempt.ready),
        ("submitted", attempt.submitted),
        ("started", attempt.started),
        ("finished", attempt.finished),
    )
    for name, time in times:
        if time:
            yield _fact(f"  {name}", local(time, zone))
    if attempt.after:
        waits = "waits" if attempt.state is AttemptState.CLAIMED else "waited"
        yield _fact(f"  {waits}", f"for the earlier runs of its schedule ({attempt.after})")
    if attempt.blocked:
        yield _fact("  blocked", f"{attempt.blocked}: {attempt.blocked_detail or ''}".rstrip(": "))
    if attempt.diagnosis:
        yield _fact("  held up", attempt.diagnosis)
    if attempt.node:
        back = f", put back into the queue {attempt.requeues} times" if attempt.requeues else ""
        taken = f", taken away {attempt.preemptions} times" if attempt.preemptions else ""
        yield _fact("  node", attempt.node + back + taken)
    if attempt.sentence:
        yield f"    {attempt.sentence}"


def _fact(name: str, value: str) -> str:
    return f"  {name:<13} {value}"

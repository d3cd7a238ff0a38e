"""The record of a run as lines for people: what stands in it, and why it stands as it does."""

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Final

from orchestrator import ids
from orchestrator.enums import AttemptState
from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Record
from recur.about import about_lines
from recur.causes.run_cause import RunCause
from recur.explain.recorded import SUCCESS_UNKNOWN
from recur.formats import ago, local, short_duration, utc
from recur.ledger_reader.run_lookup import FoundRun
from recur.ledger_reader.run_state import run_duration
from recur.run_output.vouching import last_lines_of, output_lines, unmatched_lines
from recur.state_cells import state_text

LAST_LINES: Final = 10
"""So many lines of what a run wrote are shown."""


def record_lines(  # noqa: PLR0913, PLR0917 - the parts of what is shown
    found: FoundRun,
    cause: RunCause,
    others: Mapping[RunId, str],
    zone: tzinfo,
    now: datetime,
    live: str | None,
) -> Iterator[str]:
    """
    Yield the lines of a record: how it stands and why, what is in it, and what to do.

    Args:
        found: The record.
        cause: Why it stands as it does.
        others: How the runs stand that are in its way.
        zone: Of all times.
        now: By the clock of the storage.
        live: What Batch says of its job; None: it never had one.
    """
    record = found.record
    yield _headline(found, cause, zone, now)
    yield from _cause_facts(record, cause, others)
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
        yield _fact("batch", live)
    for past in record.history:
        ended = past.outcome or f"{past.decision.action}({past.decision.reason})"
        yield _fact("before", f"{ended}, decided {local(past.decision.at, zone)}")
    yield _fact("record", ids.open_blob(record.run_id) if found.open else found.blob or "")
    yield from _command_facts(record)
    yield _fact("versions", f"recur {record.versions.product}, tzdata {record.versions.tzdata}")
    yield f"  next: {cause.next_step}"


def _headline(found: FoundRun, cause: RunCause, zone: tzinfo, now: datetime) -> str:
    record, stands = found.record, cause.stands
    why = f" ({stands.reason})" if stands.reason else ""
    since = ""
    if found.open and stands.since:
        since = f" since {local(stands.since, zone)}, {ago(stands.since, now)}"
    return f"{record.run_id}: {state_text(record, stands)}{why}{since}"


def _cause_facts(record: Record, cause: RunCause, others: Mapping[RunId, str]) -> Iterator[str]:
    """Yield why a run stands as it does, with the words that tell it."""
    if cause.cause:
        yield _fact("cause", cause.cause)
    if record.sentence and record.sentence.rstrip(".") not in (cause.cause or ""):
        yield f"  {record.sentence}"
    words = last_lines_of(record, LAST_LINES)
    name, said = (f"{words[0]} ends", words[1]) if words else ("start task", cause.last_lines)
    for number, line in enumerate(said):
        yield _fact("" if number else name, line)
    for run, stands in others.items():
        yield _fact("in the way", f"{run}, {stands}")
    if cause.unread:
        yield _fact("unknown", cause.unread)


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

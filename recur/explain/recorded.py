"""The explanation of an occurrence that the ledger has a record of."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from orchestrator import ids
from orchestrator.decisions.last_words import escape_controls
from orchestrator.enums import Outcome
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Action, How, Kind, Record
from recur.about import about_sentence
from recur.causes.run_cause import RunCause, run_cause
from recur.explain.case import (
    POOL,
    Background,
    Case,
    Explanation,
    Fact,
    Verdict,
    subject,
    timing_facts,
)
from recur.formats import local, short_duration, utc
from recur.ledger_reader.records import OLDER
from recur.ledger_reader.run_state import RunState, run_duration
from recur.run_output.vouching import unmatched_lines

_OUTCOMES = {
    Outcome.SUCCEEDED: "succeeded",
    Outcome.FAILED: "failed",
    Outcome.TIMED_OUT: "timed out",
    Outcome.TERMINATED: "was terminated",
    Outcome.LOST: "was lost",
    Outcome.NEVER_STARTED: "never started",
}


def opened(case: Case, record: Record, background: Background) -> Explanation:
    """Explain a run that has not ended."""
    found = run_cause(
        record, is_open=True, around=background.around, open_runs=background.open_runs
    )
    blob = ids.open_blob(record.run_id)
    facts = [*timing_facts(case, background), *_facts(record, blob, background)]
    if case.final and case.blob:
        facts.append(Fact(source=case.blob, says=f"before: {_outcome_text(case.final)}"))
    facts += case.unreadable
    if found.unread:
        facts.append(Fact(source=POOL, says=found.unread))
    return Explanation(
        verdict=Verdict.OPEN,
        nominal=case.nominal,
        sentence=f"{subject(case, background)} {_progress_sentence(record, found, background)}.",
        facts=tuple(facts),
        next_step=found.next_step,
        last_lines=found.last_lines,
    )


def final(case: Case, record: Record, background: Background) -> Explanation:
    """Explain what has its final record."""
    found = run_cause(record, is_open=False, around=background.around)
    facts = [*timing_facts(case, background), *_facts(record, case.blob or "", background)]
    facts += _in_the_way(found, background)
    verdict = {
        Action.SUBMIT: Verdict.ENDED,
        Action.SKIPPED: Verdict.SKIPPED,
        Action.MISSED: Verdict.MISSED,
    }[record.decision.action]
    if verdict is Verdict.ENDED:
        sentence = f"{subject(case, background)} {_result(record, background)}"
    else:
        sentence = (
            f"{subject(case, background)} did not run. {record.sentence or _outcome_text(record)}"
        )
    return Explanation(
        verdict=verdict,
        nominal=case.nominal,
        sentence=sentence,
        facts=tuple(facts),
        next_step=found.next_step,
        last_lines=found.last_lines,
        outcome=record.outcome,
    )


def _in_the_way(found: RunCause, background: Background) -> Iterator[Fact]:
    """Yield what the work list says of the runs that were in the way: they may still be."""
    for run in background.open_runs:
        if run.run_id in found.in_the_way:
            says = f"{run.run_id} was in the way, and has not ended"
            yield Fact(source=ids.open_blob(run.run_id), says=says)


def planned(case: Case, record: Record, background: Background) -> Explanation:
    """Explain what is decided and has no blob of its own yet."""
    says = f"the plan holds it: {_outcome_text(record)}, decided {utc(record.decision.at)}"
    facts = [*timing_facts(case, background), Fact(source=ids.SUBMIT_STATE, says=says)]
    return Explanation(
        verdict=Verdict.PLANNED,
        nominal=case.nominal,
        sentence=f"{subject(case, background)} is decided ({record.decision.action}), and a tick is "
        "about to carry that out.",
        facts=tuple(facts),
    )


def unreadable(case: Case, background: Background) -> Explanation:
    """Explain what has a record, and one that nobody can read."""
    facts = [*timing_facts(case, background), *case.unreadable]
    if case.final and case.blob:
        facts += _facts(case.final, case.blob, background)
    return Explanation(
        verdict=Verdict.UNREADABLE,
        nominal=case.nominal,
        sentence=f"{subject(case, background)} has a record that cannot be read.",
        facts=tuple(facts),
        next_step=OLDER,
    )


def _progress_sentence(record: Record, found: RunCause, background: Background) -> str:
    """Say what an open run does or waits for, and why."""
    attempt, zone, stands = record.attempt, background.zone, found.stands
    again = f", attempt {attempt.number}" if attempt.number > 1 else ""
    since = f" since {local(stands.since, zone)}" if stands.since else ""
    match stands.word:
        case "running":
            took = short_duration(run_duration(record, background.now))
            text = f"is running{again}{since}, for {took}"
        case "submitted":
            text = f"is submitted{again} and waits for a node{since}"
        case "stopping":
            return f"is being ended ({stands.reason}){since}"
        case "finishing":
            text = f"has ended ({stands.reason}){again}; its final record is about to be written"
        case "blocked":
            return f"has no job yet, blocked ({stands.reason}){since}{_blocked(record, stands)}"
        case "waiting" if attempt.after and stands.reason == attempt.after:
            return f"has not been submitted: {found.cause}"
        case "waiting":
            until = local(attempt.not_before, zone) if attempt.not_before else "its time"
            text = f"has not been submitted: it is put off until {until} ({stands.reason})"
        case _:
            text = f"is claimed{since}{again}; the next tick creates its job"
    return f"{text}. {found.cause[0].upper()}{found.cause[1:]}" if found.cause else text


def _blocked(record: Record, stands: RunState) -> str:
    """Return what Batch said of a job that it does not take, and until when that is tried."""
    said = f": {record.attempt.blocked_detail}" if record.attempt.blocked_detail else ""
    if record.task is None:
        return said
    opened = stands.since or record.attempt.claimed
    until = utc(opened + record.task.catch_up_window)
    return f"{said.rstrip('.')}; each tick tries again, until {until}"


def _outcome_text(record: Record) -> str:
    if record.outcome:
        return f"{record.outcome}" + (f" ({record.reason})" if record.reason else "")
    decision = record.decision
    return decision.action + (f" ({decision.reason})" if decision.reason else "")


SUCCESS_UNKNOWN: Final = "at its claim the last success was not known: results were made anew"
"""What is said of a run whose task did not get the time of the last success."""


def _facts(record: Record, blob: str, background: Background) -> Iterator[Fact]:
    """Yield what a record says, oldest first."""
    for past in record.history:
        ended = past.outcome or f"{past.decision.action} ({past.decision.reason})"
        yield Fact(source=blob, says=f"before: {ended}, decided {utc(past.decision.at)}")
    decision = record.decision
    reason = f" ({decision.reason})" if decision.reason else ""
    because = f", because of {decision.because}" if decision.because else ""
    text = f"{record.kind}: {decision.action}{reason}{because}, decided {utc(decision.at)}"
    by = f" of {record.by}" if record.by else ""
    why = f" ({record.note})" if record.note else ""
    asked = f", request {record.request}{by}{why}" if record.request else ""
    yield Fact(source=blob, says=text + asked)
    if record.range:
        first, last = utc(record.range.first), utc(record.range.last)
        text = f"one record for {record.range.count} occurrences, {first} to {last}"
        yield Fact(source=blob, says=text)
    if said := about_sentence(record.about):
        yield Fact(source=blob, says=said)
    yield from _pauses(record.nominal, decision.reason, background)
    if record.previous_success_unknown:
        yield Fact(source=blob, says=SUCCESS_UNKNOWN)
    for attempt in record.attempts:
        yield Fact(source=blob, says=_attempt_line(attempt))
    yield from _output_facts(record, blob)


def _output_facts(record: Record, blob: str) -> Iterator[Fact]:
    """Yield what a record says of what its run wrote, as far as it is worth a word."""
    for output in record.outputs:
        if output.how is How.MISSING:
            yield Fact(source=blob, says=f"{output.path} is missing: {output.why}")
        elif output.how is How.UNVERIFIED:
            path = escape_controls(output.path)
            yield Fact(source=blob, says=f"{path} is unverified: {output.why}")
    for line in unmatched_lines(record):
        yield Fact(source=blob, says=line)


def _attempt_line(attempt: Attempt) -> str:
    times = (
        ("claimed", attempt.claimed),
        ("submitted", attempt.submitted),
        ("began", attempt.started),
        ("ended", attempt.finished),
    )
    told = ", ".join(f"{name} {utc(time)}" for name, time in times if time)
    ended = f": {attempt.outcome} ({attempt.reason})" if attempt.outcome else ""
    return f"attempt {attempt.number}, job {attempt.job_id}: {told}{ended}"


def _pauses(nominal: datetime, reason: str | None, background: Background) -> Iterator[Fact]:
    if reason != "paused" or background.state is None:
        return
    for pause in background.state.pauses:
        if pause.holds(nominal):
            note = f": {pause.note}" if pause.note else ""
            until = f" until {utc(pause.until)}" if pause.until else ""
            says = f"paused by {pause.by} from {utc(pause.since)}{until}{note}"
            yield Fact(source=ids.SUBMIT_STATE, says=says)


def _attempts(record: Record) -> tuple[Attempt, ...]:
    """Return the attempts of a run without those from before a backfill opened it again."""
    return record.attempts_of_claim


def _result(record: Record, background: Background) -> str:
    """Say how a run ended, when it began and how long it took."""
    outcome = record.outcome
    word = _OUTCOMES[outcome] if outcome else "ended"
    if outcome is not Outcome.SUCCEEDED:
        word += f" ({record.reason})"
    attempts = _attempts(record)
    if len(attempts) > 1:
        word += f" at attempt {len(attempts)} of {len(attempts)}"
    ran = _times(record, attempts, background)
    sentence = f" {record.sentence}" if record.sentence and outcome is not Outcome.SUCCEEDED else ""
    return f"{word}{ran}.{sentence}"


def _times(record: Record, attempts: Sequence[Attempt], background: Background) -> str:
    """Say when a run first began, and how long its last attempt took."""
    began = [one.started for one in attempts if one.started]
    if not began:
        return ""
    again = len(attempts) > 1
    late = f"it {'first ' * again}began {short_duration(began[0] - record.nominal)} after its time"
    if record.kind is Kind.BACKFILLED:
        late = f"a backfill {'first ' * again}ran it at {local(began[0], background.zone)}"
    last = record.attempt
    if last.started is None:
        return f": {late}"
    took = f"took {short_duration(run_duration(record, background.now))}"
    if again:
        return f": {late}; its last attempt began {local(last.started, background.zone)} and {took}"
    return f": {late}" + (f"; it {took}" if record.kind is Kind.BACKFILLED else f" and {took}")

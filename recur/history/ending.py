"""How a run ended, in one sentence, and where its output is."""

from collections.abc import Sequence
from typing import Final

from orchestrator.enums import Outcome
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import How, Kind, Record
from recur.history.evidence import Background
from recur.history.standing import duration, local, span

_STDOUT: Final = "stdout.txt"
_WORDS = {
    Outcome.SUCCEEDED: "succeeded",
    Outcome.FAILED: "failed",
    Outcome.TIMED_OUT: "was ended at its run timeout",
    Outcome.TERMINATED: "was terminated",
    Outcome.LOST: "was lost",
    Outcome.NEVER_STARTED: "never started",
}


def output_of(record: Record) -> str | None:
    """Say how to see what a run wrote; None if it wrote nothing."""
    stored = [one.path for one in record.outputs if one.how is not How.MISSING]
    if _STDOUT in stored:
        return f"recur logs {record.run_id} shows its output"
    if stored:
        return f"recur logs {record.run_id} --outputs lists what is stored of it"
    earlier = [one for one in _attempts(record)[:-1] if one.started]
    if earlier:
        number = earlier[-1].number
        return f"recur logs {record.run_id} --attempt {number} shows what that attempt wrote"
    return None


def _attempts(record: Record) -> tuple[Attempt, ...]:
    """Return the attempts of a run without those from before a backfill opened it again."""
    return record.attempts[record.history[-1].attempts :] if record.history else record.attempts


def result(record: Record, background: Background) -> str:
    """Say how a run ended, when it began and how long it took."""
    outcome = record.outcome
    word = _WORDS[outcome] if outcome else "ended"
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
    late = f"it {'first ' * again}began {span(began[0] - record.nominal)} after its time"
    if record.kind is Kind.BACKFILLED:
        late = f"a backfill {'first ' * again}ran it at {local(began[0], background.zone)}"
    last = record.attempt
    if last.started is None:
        return f": {late}"
    took = f"took {span(duration(record, background.now))}"
    if again:
        return f": {late}; its last attempt began {local(last.started, background.zone)} and {took}"
    return f": {late}" + (f"; it {took}" if record.kind is Kind.BACKFILLED else f" and {took}")

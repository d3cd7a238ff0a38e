"""The state of a run as its record tells it, and how long it took."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.enums import AttemptState
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Action, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """
    The state of a run.

    Attributes:
        word: Of a final record its outcome, or skipped or missed; else claimed, waiting, blocked,
            submitted, running, stopping or finishing.
        reason: Why, in one word; None where there is nothing to say.
        since: When this began, where that is known.
    """

    word: str
    reason: str | None = None
    since: datetime | None = None


def run_state(record: Record, now: datetime, *, is_open: bool) -> RunState:
    """Return the state of the run of a record."""
    if is_open and record.attempts:
        return _open(record, record.attempt, now)
    if record.outcome:
        return RunState(word=record.outcome, reason=record.reason, since=record.attempt.finished)
    decision = record.decision
    return RunState(word=decision.action, reason=decision.reason, since=decision.at)


def _open(record: Record, attempt: Attempt, now: datetime) -> RunState:
    if attempt.state is AttemptState.ENDED:
        return RunState(word="finishing", reason=attempt.outcome, since=attempt.finished)
    if record.stop:
        return RunState(word="stopping", reason=record.stop.cause, since=record.stop.at)
    if attempt.state is AttemptState.SUBMITTED:
        if attempt.is_running:
            return RunState(word="running", since=attempt.started)
        return RunState(word="submitted", since=attempt.waiting_since or attempt.submitted)
    return _claimed_state(record, now)


def _claimed_state(record: Record, now: datetime) -> RunState:
    """Say why an attempt has no job yet."""
    attempt = record.attempt
    if attempt.blocked:
        since = attempt.ready or attempt.not_before or attempt.claimed
        return RunState(word="blocked", reason=attempt.blocked, since=since)
    if attempt.not_before and attempt.not_before > now:
        reason = "backoff" if record.attempts_of_claim[:-1] else "jitter"
        return RunState(word="waiting", reason=reason, since=attempt.claimed)
    if attempt.after:
        return RunState(word="waiting", reason=attempt.after, since=attempt.claimed)
    return RunState(word="claimed", since=attempt.claimed)


def run_duration(record: Record, now: datetime) -> timedelta | None:
    """Return for how long the attempt in hand has run; None if it has not begun."""
    if record.decision.action is not Action.SUBMIT or not record.attempts:
        return None
    attempt = record.attempt
    if attempt.started is None:
        return None
    if attempt.finished is None and not attempt.is_running:
        return None
    return max((attempt.finished or now) - attempt.started, timedelta())

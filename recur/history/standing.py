"""How a record reads: in what state its run is, how late it was and how long it took."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from orchestrator.enums import AttemptState
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Action, Record

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    Where a run stands.

    Attributes:
        word: Of a final record its outcome, or skipped or missed; else claimed, waiting, blocked,
            submitted, running, stopping or finishing.
        reason: Why, in one word; None where there is nothing to say.
        since: When this began, where that is known.
    """

    word: str
    reason: str | None = None
    since: datetime | None = None


def standing(record: Record, now: datetime, *, is_open: bool) -> Standing:
    """Say where the run of a record stands."""
    if is_open and record.attempts:
        return _open(record, record.attempt, now)
    if record.outcome:
        return Standing(word=record.outcome, reason=record.reason, since=record.attempt.finished)
    decision = record.decision
    return Standing(word=decision.action, reason=decision.reason, since=decision.at)


def _open(record: Record, attempt: Attempt, now: datetime) -> Standing:
    if attempt.state is AttemptState.ENDED:
        return Standing(word="finishing", reason=attempt.outcome, since=attempt.finished)
    if record.stop:
        return Standing(word="stopping", reason=record.stop.cause, since=record.stop.at)
    if attempt.state is AttemptState.SUBMITTED:
        if runs(attempt):
            return Standing(word="running", since=attempt.started)
        return Standing(word="submitted", since=attempt.waiting_since or attempt.submitted)
    return _claimed(attempt, now)


def _claimed(attempt: Attempt, now: datetime) -> Standing:
    """Say why an attempt has no job yet."""
    if attempt.blocked:
        since = attempt.ready or attempt.not_before or attempt.claimed
        return Standing(word="blocked", reason=attempt.blocked, since=since)
    if attempt.not_before and attempt.not_before > now:
        reason = "jitter" if attempt.number == 1 else "backoff"
        return Standing(word="waiting", reason=reason, since=attempt.claimed)
    if attempt.after:
        return Standing(word="waiting", reason=attempt.after, since=attempt.claimed)
    return Standing(word="claimed", since=attempt.claimed)


def runs(attempt: Attempt) -> bool:
    """Whether a node has its task, as far as is known."""
    if attempt.state is not AttemptState.SUBMITTED or attempt.started is None:
        return False
    return not (attempt.waiting_since and attempt.waiting_since >= attempt.started)


def duration(record: Record, now: datetime) -> timedelta | None:
    """Return for how long the attempt in hand has run; None if it has not begun."""
    if record.decision.action is not Action.SUBMIT or not record.attempts:
        return None
    attempt = record.attempt
    if attempt.started is None:
        return None
    if attempt.finished is None and not runs(attempt):
        return None
    return max((attempt.finished or now) - attempt.started, timedelta())


def span(length: timedelta | float | None) -> str:
    """Return a length of time as people say it, to two units; ``-`` for None."""
    if length is None:
        return "-"
    seconds = round(length.total_seconds() if isinstance(length, timedelta) else length)
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    units = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s"))
    for n, (size, name) in enumerate(units):
        if seconds >= size:
            text = f"{seconds // size} {name}"
            if n + 1 < len(units) and (rest := seconds % size // units[n + 1][0]):
                text += f" {rest} {units[n + 1][1]}"
            return sign + text
    return "0 s"


def local(instant: datetime, zone: tzinfo) -> str:
    """Return an instant as the wall clock of a zone shows it, with its offset."""
    shown = instant.astimezone(zone)
    text = shown.strftime("%Y-%m-%d %H:%M") + (shown.strftime(":%S") if shown.second else "")
    return text + offset(shown)


def offset(shown: datetime) -> str:
    """Return the offset of a local time: ``-05:00``, and ``Z`` for UTC."""
    return "Z" if shown.tzinfo is UTC or str(shown.tzinfo) == "UTC" else shown.isoformat()[-6:]


def utc(instant: datetime) -> str:
    """Return an instant in UTC, to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

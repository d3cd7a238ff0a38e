"""Whether an ended attempt is followed by another one: concluded from its record alone."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from orchestrator import ids
from orchestrator.enums import After, AttemptState, Outcome, Reason
from orchestrator.exit_codes import is_same
from orchestrator.ledger.attempt import Attempt, FrozenTask
from orchestrator.ledger.record import Kind, Record

LONGEST_BACKOFF: Final = timedelta(hours=1)
A_TICK: Final = timedelta(minutes=1)
"""So long after its time an attempt may have to wait for its tick."""


def again(record: Record, now: datetime) -> Record | None:
    """
    Return the record with its next attempt; None if it has none: then the run is final.

    The backoff doubles from one attempt to the next, up to an hour.

    Args:
        record: Its attempt in hand has ended.
        now: The tick's only clock.
    """
    task, attempt = record.task, record.attempt
    if task is None or _is_over_for_good(record) or not _is_tried_again(task, attempt):
        return None
    done = len(record.attempts_of_claim)
    if done > task.retries.max:
        return None
    not_before = now + backoff(task.retries.backoff, done)
    if task.retry_until and not_before + A_TICK >= task.retry_until:
        return None
    number = attempt.number + 1
    following = Attempt(
        number=number,
        job_id=ids.job_id(record.run_id, number),
        state=AttemptState.CLAIMED,
        claimed=now,
        not_before=not_before,
        after=_gate(record, task),
    )
    return replace(
        record,
        attempts=(*record.attempts, following),
        outcome=None,
        reason=None,
        sentence=None,
        stop=None,
        outputs=(),
    )


def backoff(first: timedelta, attempts: int) -> timedelta:
    """Return how long to wait after so many attempts."""
    if first >= LONGEST_BACKOFF:
        return LONGEST_BACKOFF
    wait = first
    for _ in range(attempts - 1):
        wait = min(wait * 2, LONGEST_BACKOFF)
    return wait


def _is_over_for_good(record: Record) -> bool:
    """
    Whether the run, and not only its attempt, is over.

    It was given up (a start timeout is an attempt's alone), or nobody knows whether its last
    attempt still runs.
    """
    if record.attempt.reason is Reason.UNRESOLVED:
        return True
    return record.stop is not None and record.stop.cause is not Reason.START_TIMEOUT


def _is_tried_again(task: FrozenTask, attempt: Attempt) -> bool:
    retries = task.retries
    if attempt.outcome is None or attempt.outcome not in retries.on:
        return False
    if attempt.outcome is Outcome.FAILED and retries.exit_codes:
        code = attempt.exit_code
        return code is not None and any(is_same(code, one) for one in retries.exit_codes)
    return True


def _gate(record: Record, task: FrozenTask) -> After | None:
    if record.kind is Kind.BACKFILLED:
        return After.BACKFILL
    return None if task.allow or record.forced else After.RETRY

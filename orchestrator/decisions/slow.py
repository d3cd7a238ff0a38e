"""Whether a run takes much longer than runs of its schedule usually do."""

from datetime import datetime
from typing import Final

from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.result import task_seconds

TIMES: Final = 2
"""So many times the usual p95 is slow."""


def slow_seconds(attempt: Attempt, usual: float | None, now: datetime) -> float | None:
    """
    Return how long an attempt has taken, if that is to be told as slow.

    Args:
        attempt: One that goes on or has ended.
        usual: The p95 of earlier runs in seconds; None where there are too few.
        now: The tick's only clock.

    Returns:
        Seconds since its task began; None where that is not slow, or has been told.
    """
    if usual is None or attempt.slow or attempt.started is None:
        return None
    ended = attempt.outcome is not None
    seconds = task_seconds(attempt) if ended else (now - attempt.started).total_seconds()
    return seconds if seconds is not None and seconds > TIMES * usual else None

"""
Where a job schedule ends and a schedule begins: pure functions of what was seen of the one.

An instant belongs to the job schedule if it has made a job for it, and to the schedule otherwise.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from recur.importing.job_schedule import Instants, read_time, toml_time

MARK: Final = "recur-hand-over"
"""The name of the metadata of a job schedule that holds the mark."""

_NUMBER: Final = re.compile(r":job-(\d+)$")

TOLERANCE: Final = timedelta(seconds=5)
"""How much earlier than its instant a job may say that it was made: two clocks of the service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """
    What was seen of a job schedule while it was active, kept in its metadata.

    Attributes:
        schedule: The schedule that takes over.
        next_run: The first instant without a job.
        recent_job: The newest job; None: there was none.
    """

    schedule: str
    next_run: datetime
    recent_job: str | None

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the mark that a text holds; None if it is no mark."""
        schedule, _, rest = text.partition(" ")
        next_run, _, recent_job = rest.partition(" ")
        try:
            moment = read_time(next_run)
        except ValueError:
            return None
        if moment is None or not schedule:
            return None
        return cls(schedule=schedule, next_run=moment, recent_job=recent_job or None)

    def text(self) -> str:
        """Return the mark as text."""
        return f"{self.schedule} {toml_time(self.next_run)} {self.recent_job or ''}".rstrip()


def first_without_job(
    mark: Mark, instants: Instants, *, recent_job: str | None, made: datetime | None
) -> datetime | None:
    """
    Return the first instant for which a disabled job schedule has made no job, also one of the past.

    Args:
        mark: What was seen while it was active.
        instants: When it is due.
        recent_job: Its newest job now.
        made: When that was made; None if it is gone.

    Returns:
        None if there is none: it does not recur, and its job has been made.
    """
    if recent_job == mark.recent_job:
        return mark.next_run
    if instants.interval is None:
        return None
    # Jobs have been made since: the first for the instant of the mark, or for a later one.
    fewest = _made_since(mark.recent_job, recent_job)
    early, late = (
        mark.next_run + max(steps + 1, fewest) * instants.interval
        for steps in (
            0 if made is None else (made + spare - mark.next_run) // instants.interval
            for spare in (timedelta(), TOLERANCE)
        )
    )
    first = early if instants.next_run == early else late
    return None if instants.end is not None and first > instants.end else first


def _made_since(before: str | None, now: str | None) -> int:
    """Return how many jobs have been made at least, by the numbers in their ids."""
    numbers = [_NUMBER.search(one) if one else None for one in (before, now)]
    first, last = (int(found[1]) if found else 0 for found in numbers)
    return max(last - first, 1)

"""The backlog of a pool: which of its tasks can start, and how many are in which state."""

import itertools
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

_NUMBERS: Final = itertools.count()
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

type Place = tuple[int, int]
"""Where a job stands among those of its pool: the highest priority first, then the oldest."""


class Progress(StrEnum):
    """How far a task is, in the terms of task counts."""

    ACTIVE = "active"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


type Counts = dict[Progress, int]
"""Numbers of tasks; every key is present."""


_NOTHING: Final[Counts] = dict.fromkeys(Progress, 0)


def no_counts() -> Counts:
    """Return counts of zero."""
    return _NOTHING.copy()


def shift(counts: Counts, others: Counts, sign: int) -> None:
    """Add other counts to some counts, or subtract them."""
    for progress, number in others.items():
        counts[progress] += sign * number


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """The tasks of a job by how far they are, and the slots that they need, at one time."""

    at: datetime = _LONG_AGO
    tasks: Counts = field(default_factory=no_counts)
    slots: Counts = field(default_factory=no_counts)


@dataclass(slots=True, eq=False)
class Backlog[T]:
    """
    The tasks of the jobs of one pool, which need not exist.

    Its numbers are always up to date, so that neither a creation nor a sample looks at every job.

    Attributes:
        counts: The tasks of all jobs, by how far they are.
        ready: How many tasks can start: active, in an active job, and waiting for no other task.
    """

    counts: Counts = field(default_factory=no_counts)
    ready: int = 0
    _places: list[Place] = field(default_factory=list)
    _queues: dict[Place, Mapping[T, None]] = field(default_factory=dict)

    def offer(self, place: Place, queue: Mapping[T, None]) -> None:
        """Let the tasks in a job's queue start when there is room."""
        insort(self._places, place)
        self._queues[place] = queue

    def withdraw(self, place: Place) -> None:
        """Start no more tasks of the job in this place."""
        del self._places[bisect_left(self._places, place)]
        del self._queues[place]

    def waiting(self) -> Iterator[T]:
        """Return the tasks that can start, in order; change nothing meanwhile."""
        return (task for place in self._places for task in self._queues[place])


def next_number() -> int:
    """Return the number of a new job: later jobs have greater ones."""
    return next(_NUMBERS)

"""What is wrong with a schedule or one of its runs, as values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from orchestrator.ids import RunId, ScheduleId


class Health(StrEnum):
    """How something stands, the worst first."""

    PROBLEM = "problem"
    UNKNOWN = "unknown"
    NOTE = "note"
    GOOD = "good"

    @property
    def rank(self) -> int:
        """Its place among all of them: 0 is the worst."""
        return list(Health).index(self)

    @property
    def needs_person(self) -> bool:
        """Whether somebody has to act; what cannot be read may hide that."""
        return self in {Health.PROBLEM, Health.UNKNOWN}


class Kind(StrEnum):
    """What is wrong with a schedule or one of its runs, the worst first."""

    DOCUMENT = "document"
    INVALID = "invalid"
    UNDECIDED = "undecided"
    BLOCKED = "blocked"
    WAITING = "waiting"
    NODE_LOST = "node_lost"
    STUCK = "stuck"
    ELSEWHERE = "elsewhere"
    DAMAGED = "damaged"
    FAILED = "failed"
    MISSED = "missed"
    OVERDUE = "overdue"
    PAUSED = "paused"

    @property
    def rank(self) -> int:
        """Its place among all of them: 0 is the worst."""
        return list(Kind).index(self)

    @property
    def of_open_run(self) -> bool:
        """Whether it is about a run that has not ended."""
        return self in _OF_OPEN_RUNS


_OF_OPEN_RUNS: Final = frozenset(
    {
        Kind.BLOCKED,
        Kind.WAITING,
        Kind.NODE_LOST,
        Kind.STUCK,
        Kind.ELSEWHERE,
        Kind.DAMAGED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """
    Something about one schedule that somebody should know of.

    Attributes:
        health: A problem or a note.
        kind: What it is.
        schedule: Whose.
        run_id: The run that it is about; None: no single one.
        since: When it began; None: that is not known.
        cause: Why, in a sentence without a full stop.
        next_step: What to do about it.
        last_lines: The end of what the run wrote to stderr or stdout, where its record was read;
            of a start task that failed, from its node.
    """

    health: Health = Health.PROBLEM
    kind: Kind
    schedule: ScheduleId
    run_id: RunId | None = None
    since: datetime | None = None
    cause: str
    next_step: str
    last_lines: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[int, int, float, str, str]:
        """The worst come first; among equal ones those that last longest."""
        began = self.since.timestamp() if self.since else 0.0
        return self.health.rank, self.kind.rank, began, self.schedule, self.run_id or ""

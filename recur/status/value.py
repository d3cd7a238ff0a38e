"""
How a deployment stands, as one value.

`recur status` shows it as text and as JSON; whatever else shows it renders the same value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.ids import RunId, ScheduleId
from recur.causes.trouble import Health, Trouble


class State(StrEnum):
    """What a schedule does at present."""

    INVALID = "invalid"
    BLOCKED = "blocked"
    STOPPING = "stopping"
    WAITING = "waiting"
    FINISHING = "finishing"
    RUNNING = "running"
    PAUSED = "paused"
    NEW = "new"
    ENDED = "ended"
    IDLE = "idle"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    How one part stands.

    Attributes:
        health: In one word.
        what: In a sentence without a full stop.
        next_step: What to do about it; None where there is nothing to do.
    """

    health: Health
    what: str
    next_step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """
    The heartbeat of one timer function.

    Attributes:
        function: submit or collect.
        last: When it last ran, or left its last trace; None: that is not known.
        finding: How it stands.
    """

    function: str
    last: datetime | None
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStatus:
    """
    The pool.

    Attributes:
        id: Its id.
        nodes: How many nodes are in each state, by Batch's names; None: that is not known.
        target: Nodes wanted; None likewise.
        finding: How it stands.
    """

    id: str
    nodes: tuple[tuple[str, int], ...] | None
    target: int | None
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerStatus:
    """
    The ledger.

    Attributes:
        owner: URL of the Batch account that it belongs to; None: not known, or nobody's yet.
        finding: How it stands.
    """

    owner: str | None
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentStatus:
    """
    The schedule document.

    Attributes:
        version: Its number; None: it has none, or that is not known.
        since: When it came into force; None likewise.
        finding: How it stands.
    """

    version: int | None
    since: datetime | None
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """
    The newest occurrence of a schedule that has an end.

    Attributes:
        run_id: Of the run; None: it did not run.
        outcome: Of the run; else skipped or missed.
        reason: Why; None: there is nothing to say.
        exit_code: Where the record was read, and holds one.
        nominal: When it was due.
    """

    run_id: RunId | None
    outcome: str
    reason: str | None
    exit_code: int | None = None
    nominal: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseStatus:
    """
    What keeps a schedule paused.

    Attributes:
        by: Who paused it; None: the document.
        until: Its end; None as long as nobody resumes.
        note: Why.
    """

    by: str | None = None
    until: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStatus:
    """
    One schedule.

    Attributes:
        health: The worst of its troubles; unknown where its state or its outcomes are not known.
        state: What it does at present.
        run_id: The open run that the state is about.
        since: When that began; None: that is not known.
        open_runs: How many of its runs have not ended.
        last: Its newest run that ended; None: there is none, or that is not known.
        last_known: Whether it is known how its runs ended.
        not_run: The newest occurrence since then that was skipped or missed.
        next_due: When it is due next and will run; None: not as far as is known.
        pause: None: it is not paused.
        owner: Who answers for it, by its table.
        runbook: The page that says what to do when it fails, by its table.
    """

    schedule: ScheduleId
    health: Health
    state: State
    run_id: RunId | None = None
    since: datetime | None = None
    open_runs: int = 0
    last: Last | None = None
    last_known: bool = True
    not_run: Last | None = None
    next_due: datetime | None = None
    pause: PauseStatus | None = None
    owner: str | None = None
    runbook: str | None = None

    @property
    def order(self) -> tuple[int, int, str]:
        """The worst come first, then what is at work."""
        return self.health.rank, list(State).index(self.state), self.schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """
    How a deployment stands.

    Attributes:
        at: When it was looked at, by the clock of the storage.
        timers: Both timer functions.
        pool: The pool.
        ledger: The ledger.
        document: The schedule document.
        troubles: What somebody should know of, the worst first.
        schedules: All of them, the worst first.
    """

    at: datetime
    timers: tuple[Timer, ...]
    pool: PoolStatus
    ledger: LedgerStatus
    document: DocumentStatus
    troubles: tuple[Trouble, ...]
    schedules: tuple[ScheduleStatus, ...]

    @property
    def findings(self) -> Iterator[Finding]:
        """What all schedules share."""
        yield from (one.finding for one in self.timers)
        yield from (self.pool.finding, self.ledger.finding, self.document.finding)

    @property
    def needs_person(self) -> bool:
        """Whether anything needs a person."""
        healths = [one.health for one in self.findings]
        healths += [one.health for one in self.troubles]
        healths += [one.health for one in self.schedules]
        return any(one.needs_person for one in healths)

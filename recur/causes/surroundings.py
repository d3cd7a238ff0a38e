"""What the cause of a run's trouble follows from beside its record, as values."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.batch_state import Node, Pool
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.state import OpenRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """
    Something that could not be read.

    Attributes:
        why: In words.
        next_step: What to do about it: the role that is missing, where it is a role.
        damaged: Whether it was read, and is not what it should be.
    """

    why: str
    next_step: str
    damaged: bool = False

    @property
    def sentence(self) -> str:
        """Both in one."""
        return f"{self.why} ({self.next_step})"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLine:
    """
    One line of the work list.

    Attributes:
        run: What the line says of a run.
        blocked: Why it has no job yet; None: it is not blocked.
    """

    run: OpenRun
    blocked: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """
    What a run runs in.

    Attributes:
        now: By the clock of the storage.
        account: URL of the Batch account of these settings, on a laptop without its port.
        on_laptop: Whether that account is the emulator's.
        pool_id: The pool that was looked at.
        pool: What Batch says of it; None: it does not exist.
        nodes: Its nodes.
        start_task: The last lines of stderr of the start task that failed, from its node; None:
            none failed, or nobody looked.
    """

    now: datetime
    account: str
    on_laptop: bool
    pool_id: str
    pool: Pool | Unreadable | None
    nodes: tuple[Node, ...] = ()
    start_task: tuple[str, ...] | Unreadable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """
    What a remedy is about: its commands name it.

    Attributes:
        schedule: Its id.
        run_id: The run; None: no single one.
        nominal: Its nominal time, or that of an occurrence that did not run.
        last: The last of several such occurrences.
        on_laptop: Whether the remedy has to work against the emulator.
    """

    schedule: ScheduleId
    run_id: RunId | None = None
    nominal: datetime
    last: datetime | None = None
    on_laptop: bool

"""The plans and the results of rehearsals."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from batch_emulator.simulation import Nodes

EVERY_FIVE_MINUTES = timedelta(minutes=5)
"""The shortest evaluation interval that Azure Batch allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """
    A job with one task.

    Attributes:
        id: Of the job; case does not count.
        seconds: How long the task takes on its node.
        slots: The task slots that it needs.
        start_timeout_seconds: The run is given up if it has not started after this time.
    """

    id: str
    seconds: float
    slots: int = 1
    start_timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPool:
    """
    A pool that follows a formula.

    Attributes:
        formula: Its text.
        id: Of the pool; case does not count.
        interval: The time between two evaluations.
        slots: Task slots of each node.
    """

    formula: str
    id: str = "pool"
    interval: timedelta = EVERY_FIVE_MINUTES
    slots: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """
    How nodes turn out, decided by a seed.

    Attributes:
        seed: The seed of everything random.
        nodes: How nodes boot, fail and are preempted, and how samples arrive.
    """

    seed: int = 0
    nodes: Nodes = field(default_factory=Nodes)


class End(StrEnum):
    """How a task left its node."""

    COMPLETED = "completed"
    CUT = "cut"
    PREEMPTED = "preempted"


@dataclass(slots=True, kw_only=True)
class Stay:
    """
    A task on a node, from its start to its end.

    Attributes:
        node: The node's id.
        started: When it began.
        ended: When it left the node; None while it is there.
        how: How it left. A task that was cut off by a removal or preempted runs again.
    """

    node: str
    started: datetime
    ended: datetime | None = None
    how: End | None = None

    @property
    def seconds(self) -> float:
        """How long it was there; 0 until it has left."""
        return (self.ended - self.started).total_seconds() if self.ended else 0.0


@dataclass(slots=True, kw_only=True)
class RehearsedRun:
    """
    The result of a planned run.

    Attributes:
        plan: What was planned.
        submitted: When its job was created.
        stays: Its task on nodes, in order; more than one if it was cut off or preempted.
        given_up: When its start timeout ended it.
    """

    plan: PlannedRun
    submitted: datetime
    stays: list[Stay] = field(default_factory=list)
    given_up: datetime | None = None

    @property
    def started(self) -> datetime | None:
        """When its task first began."""
        return self.stays[0].started if self.stays else None

    @property
    def ended(self) -> datetime | None:
        """When its task was completed."""
        return self.stays[-1].ended if self.completed else None

    @property
    def completed(self) -> bool:
        """Whether its task ran to its end."""
        return bool(self.stays) and self.stays[-1].how is End.COMPLETED

    @property
    def open(self) -> bool:
        """Whether its job has not ended."""
        return not self.completed and self.given_up is None

    @property
    def waiting_seconds(self) -> float | None:
        """How long its task waited for its first start."""
        return (self.started - self.submitted).total_seconds() if self.started else None


@dataclass(slots=True, kw_only=True)
class RehearsedNode:
    """
    A node, from its first allocation to its removal.

    Attributes:
        id: As Batch shows it.
        dedicated: Whether it is a dedicated node.
        pending: How many tasks waited or ran when it was allocated.
        allocated: When it was allocated.
        ready: When tasks could first run on it.
        removed: When it left, or the rehearsal ended.
        failed: Whether its start task failed.
        preempted_seconds: How long it was without a machine; that time is not billed.
        preempted_since: When it lost its machine; None while it has one.
        runs: How many tasks began on it.
        busy_seconds: How long at least one task was on it.
        last_ended: When the last task left it.
    """

    id: str
    dedicated: bool
    pending: int
    allocated: datetime
    ready: datetime | None = None
    removed: datetime | None = None
    failed: bool = False
    preempted_seconds: float = 0.0
    preempted_since: datetime | None = None
    runs: int = 0
    busy_seconds: float = 0.0
    last_ended: datetime | None = None

    @property
    def billed_seconds(self) -> float:
        """How long it had a machine; 0 until it is removed."""
        if self.removed is None:
            return 0.0
        return (self.removed - self.allocated).total_seconds() - self.preempted_seconds

    @property
    def kept_seconds(self) -> float:
        """How long it stayed after its last task; 0 if it never had one."""
        if self.removed is None or self.last_ended is None:
            return 0.0
        return (self.removed - self.last_ended).total_seconds()

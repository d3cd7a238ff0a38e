"""A node of a pool: its state, its task slots, and the tasks that run on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from batch_emulator.clock import Timer
from batch_emulator.package import Package
from batch_emulator.runtime.enums import NodeState, SchedulingState, TaskState
from batch_emulator.runtime.execution import Execution, Failure
from batch_emulator.runtime.life_cycles import NODE
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.wire import Json

if TYPE_CHECKING:
    from batch_emulator.runtime.state.run import Run
    from batch_emulator.runtime.state.task import Task

_MOST_RECENT: Final = 10
"""How many tasks a node remembers."""

_OUT_OF_REACH: Final = {
    NodeState.CREATING,
    NodeState.DEALLOCATED,
    NodeState.DEALLOCATING,
    NodeState.LEAVING_POOL,
    NodeState.PREEMPTED,
    NodeState.REBOOTING,
    NodeState.REIMAGING,
    NodeState.UNUSABLE,
}


@dataclass(frozen=True, slots=True)
class RecentTask:
    """A task as it was when its state last changed on a node."""

    job: str
    task: str
    state: TaskState
    execution: Execution


@dataclass(slots=True, eq=False)
class Node:
    """
    One node: a folder on this machine, and the processes of its tasks.

    Attributes:
        packages: The packages of the pool.
        installed: Further packages, which tasks needed.
        users: The users that clients made, by their names in lower case.
        recent: The tasks whose state has last changed here, the newest first.
        entered: Set when the node enters its next state, and then replaced by a new event.
        side_tasks: Job preparation and job release tasks that run, which need no slots.
        preemption: The timer of its next preemption in a simulation.
    """

    id: str
    pool: Pool
    dedicated: bool
    root: Path
    state: NodeState = NodeState.CREATING
    allocated: datetime = field(init=False)
    state_since: datetime = field(init=False)
    booted: datetime | None = None
    scheduling: SchedulingState = SchedulingState.ENABLED
    draining: bool = False
    restart: NodeState | None = None
    returns: datetime | None = None
    boots: int = 0
    preemptions: int = 0
    restored: asyncio.Event = field(default_factory=asyncio.Event)
    packages: tuple[Package, ...] = ()
    installed: set[Package] = field(default_factory=set)
    installing: asyncio.Lock = field(default_factory=asyncio.Lock)
    start: Execution | None = None
    errors: list[Failure] = field(default_factory=list)
    runs: dict[Task, Run] = field(default_factory=dict)
    total_run: int = 0
    total_succeeded: int = 0
    lives: set[asyncio.Task[None]] = field(default_factory=set)
    users: dict[str, Json] = field(default_factory=dict)
    recent: list[RecentTask] = field(default_factory=list)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    side_tasks: set[asyncio.Task[None]] = field(default_factory=set)
    preemption: Timer | None = None

    def __post_init__(self) -> None:
        self.allocated = self.state_since = self.pool.clock.now()

    def enter(self, state: NodeState) -> None:
        """Enter a state."""
        if state is not self.state:
            NODE.require(self.state, state)
            before, self.state, self.state_since = self.state, state, self.pool.clock.now()
            self.entered.set()
            self.entered = asyncio.Event()
            self.pool.observer.node_entered(self, before)

    @property
    def open(self) -> bool:
        """Whether new tasks may start: neither a client nor a pending change forbids it."""
        enabled = self.scheduling is SchedulingState.ENABLED
        return enabled and not self.draining and self.restart is None

    @property
    def reachable(self) -> bool:
        """Whether the files of the node can be read."""
        return self.booted is not None and self.state not in _OUT_OF_REACH

    def rest(self) -> None:
        """Enter the state of a node without running tasks."""
        enabled = self.scheduling is SchedulingState.ENABLED
        self.enter(NodeState.IDLE if enabled else NodeState.OFFLINE)

    @property
    def ready(self) -> bool:
        """Whether tasks can run here."""
        return self.state in {NodeState.IDLE, NodeState.RUNNING} and self.open

    @property
    def slots_taken(self) -> int:
        """The task slots in use; a task that runs exclusively takes them all."""
        return sum(run.slots for run in self.runs.values())

    @property
    def slots_free(self) -> int:
        """The task slots that are left."""
        return int(self.pool.body["taskSlotsPerNode"]) - self.slots_taken

    def begin(self, run: Run) -> None:
        """Let a task's run take its slots."""
        self.runs[run.task] = run
        self.remember(run.task)
        self.enter(NodeState.RUNNING)
        self.pool.observer.run_began(run)

    def end(self, run: Run) -> None:
        """Give a run's slots back."""
        self.runs.pop(run.task, None)
        self.remember(run.task)
        self.total_succeeded += run.task.execution.result == "success"
        self.pool.observer.run_ended(run)
        if not self.runs and self.state is NodeState.RUNNING:
            self.rest()

    def remember(self, task: Task) -> None:
        """Remember that a task has changed its state here, even when the task is gone."""
        one = RecentTask(task.job.id, task.id, task.state, replace(task.execution))
        others = [other for other in self.recent if (other.job, other.task) != (one.job, one.task)]
        self.recent = [one, *others][:_MOST_RECENT]

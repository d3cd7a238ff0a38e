"""
What the account holds: pools, nodes, jobs and tasks, as plain values that change in one place each.

Everything runs on one event loop, so that a change between two awaits is seen whole or not at all.
``body`` is what the client gave, with the service's defaults, and is echoed as it is; what the
emulator acts upon has a field of its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from batch_emulator.formula import EvaluationError, Formula
from batch_emulator.package import Package
from batch_emulator.runtime.enums import (
    AllocationState,
    JobState,
    NodeState,
    PoolState,
    TaskState,
    TaskStop,
)
from batch_emulator.runtime.execution import Execution, Failure
from batch_emulator.runtime.life_cycles import ALLOCATION, JOB, NODE, TASK
from batch_emulator.wire import Json, now


@dataclass(slots=True)
class Scaling:
    """What the last evaluation of a pool's formula said."""

    at: datetime
    results: str
    error: EvaluationError | None


@dataclass(slots=True, eq=False)
class Pool:
    """A pool, its targets and its nodes; ``tags`` are only Azure Resource Manager's."""

    body: Json
    packages: tuple[Package, ...]
    formula: Formula | None = None
    follower: asyncio.Task[None] | None = None
    tags: Json = field(default_factory=dict)
    target_dedicated: int = 0
    target_low_priority: int = 0
    created: datetime = field(default_factory=now)
    modified: datetime = field(init=False)
    state: PoolState = PoolState.ACTIVE
    state_since: datetime = field(init=False)
    allocation: AllocationState = AllocationState.STEADY
    allocation_since: datetime = field(init=False)
    deallocation: str = "requeue"
    scaling: Scaling | None = None
    resize_error: Failure | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.modified = self.state_since = self.allocation_since = self.created

    @property
    def id(self) -> str:
        """The id as it was given."""
        return str(self.body["id"])

    def current(self, *, dedicated: bool) -> int:
        """Return how many nodes of one kind there are, whatever their state."""
        return sum(node.dedicated == dedicated for node in self.nodes.values())

    def retarget(self, dedicated: int, low_priority: int, deallocation: str) -> None:
        """Ask for another size; the pool's own coroutine brings it about."""
        self.target_dedicated, self.target_low_priority = dedicated, low_priority
        self.deallocation = deallocation
        self.allocate(AllocationState.RESIZING)
        self.changed.set()

    def allocate(self, state: AllocationState) -> None:
        """Enter an allocation state."""
        if state is not self.allocation:
            ALLOCATION.require(self.allocation, state)
            self.allocation, self.allocation_since = state, now()

    def settle(self) -> None:
        """Say whether the size is changing: steady when every node is there and none leaves."""
        moving = any(
            node.draining or node.state in {NodeState.CREATING, NodeState.LEAVING_POOL}
            for node in self.nodes.values()
        )
        self.allocate(AllocationState.RESIZING if moving else AllocationState.STEADY)

    def delete(self) -> None:
        """Begin the end of the pool: its size goes to zero and its tasks back to their queue."""
        self.state, self.state_since = PoolState.DELETING, now()
        self.retarget(0, 0, "requeue")


@dataclass(slots=True, eq=False)
class Node:
    """One node: a folder on this machine, and the processes of its tasks."""

    id: str
    pool: Pool
    dedicated: bool
    root: Path
    state: NodeState = NodeState.CREATING
    allocated: datetime = field(default_factory=now)
    state_since: datetime = field(init=False)
    booted: datetime | None = None
    draining: bool = False
    packages: tuple[Package, ...] = ()
    start: Execution | None = None
    errors: list[Failure] = field(default_factory=list)
    runs: dict[Task, Run] = field(default_factory=dict)
    total_run: int = 0
    total_succeeded: int = 0
    life: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.state_since = self.allocated

    def enter(self, state: NodeState) -> None:
        """Enter a state."""
        if state is not self.state:
            NODE.require(self.state, state)
            self.state, self.state_since = state, now()

    @property
    def ready(self) -> bool:
        """Whether tasks can run here."""
        return self.state in {NodeState.IDLE, NodeState.RUNNING} and not self.draining

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
        self.total_run += 1
        self.enter(NodeState.RUNNING)

    def end(self, run: Run) -> None:
        """Give a run's slots back."""
        self.runs.pop(run.task, None)
        self.total_succeeded += run.task.execution.result == "success"
        if not self.runs and self.state is NodeState.RUNNING:
            self.enter(NodeState.IDLE)


@dataclass(slots=True, eq=False)
class Job:
    """A job and its tasks."""

    body: Json
    created: datetime = field(default_factory=now)
    modified: datetime = field(init=False)
    state: JobState = JobState.ACTIVE
    state_since: datetime = field(init=False)
    previous: tuple[JobState, datetime] | None = None
    ended: datetime | None = None
    reason: str | None = None
    tasks: dict[str, Task] = field(default_factory=dict)
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.modified = self.state_since = self.created

    @property
    def id(self) -> str:
        """The id as it was given."""
        return str(self.body["id"])

    @property
    def pool_id(self) -> str:
        """The id of the pool, which need not exist."""
        return str(self.body["poolInfo"]["poolId"])

    def enter(self, state: JobState) -> None:
        """Enter a state, remembering the one before."""
        JOB.require(self.state, state)
        self.previous = (self.state, self.state_since)
        self.state, self.state_since = state, now()

    def end(self, reason: str) -> None:
        """Begin the job's end, if it has not begun: no task is started any more."""
        if self.state is JobState.ACTIVE:
            self.reason = reason
            self.enter(JobState.TERMINATING)
            self.ending.set()

    def forget(self) -> None:
        """End the job whatever its state, as no job of the service ends: only a fault does this."""
        self.state, self.state_since = JobState.TERMINATING, now()
        self.ending.set()

    def complete(self) -> None:
        """End the job: its tasks that never ran stay active for ever."""
        if self.state is JobState.TERMINATING:
            self.enter(JobState.COMPLETED)
            self.ended = self.state_since


@dataclass(slots=True, eq=False)
class Task:
    """A task; every one is a job manager task, since tasks cannot be added."""

    job: Job
    body: Json
    created: datetime = field(default_factory=now)
    state: TaskState = TaskState.ACTIVE
    state_since: datetime = field(init=False)
    previous: tuple[TaskState, datetime] | None = None
    execution: Execution = field(default_factory=Execution)
    node: Node | None = None

    def __post_init__(self) -> None:
        self.state_since = self.created

    @property
    def id(self) -> str:
        """The id as it was given."""
        return str(self.body["id"])

    @property
    def root(self) -> str:
        """The task's folder below the node's root."""
        return f"workitems/{self.job.id}/job-1/{self.id}"

    def enter(self, state: TaskState) -> None:
        """Enter a state, remembering the one before."""
        TASK.require(self.state, state)
        self.previous = (self.state, self.state_since)
        self.state, self.state_since = state, now()

    def begin(self, node: Node) -> None:
        """Start running on ``node``."""
        self.node = node
        self.enter(TaskState.RUNNING)
        self.execution.started = self.state_since

    def requeue(self) -> None:
        """Become active again; this is no retry, and is counted apart."""
        before = self.execution
        self.node = None
        self.enter(TaskState.ACTIVE)
        self.execution = Execution(
            retries=before.retries, requeues=before.requeues + 1, last_requeue=self.state_since
        )

    def complete(self) -> None:
        """Be done; the execution says how it went."""
        self.enter(TaskState.COMPLETED)
        self.execution.ended = self.state_since


@dataclass(slots=True, eq=False)
class Run:
    """One run of a task on a node, and the wish to end it."""

    task: Task
    node: Node
    slots: int
    stop: TaskStop | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    carrier: asyncio.Task[None] | None = None

    def ask_to_stop(self, stop: TaskStop) -> None:
        """Ask for the end of the run; the first to ask decides what becomes of the task."""
        if self.stop is None:
            self.stop = stop
            self.stopping.set()

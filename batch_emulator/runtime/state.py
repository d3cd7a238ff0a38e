"""
What the account holds: pools, nodes, jobs and tasks, as plain values that change in one place each.

Everything runs on one event loop, so that a change between two awaits is seen whole or not at all.
``body`` is what the client gave, with the service's defaults, and is echoed as it is; what the
emulator acts upon has a field of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from batch_emulator.clock import Clock, Timer
from batch_emulator.formula import EvaluationError, Formula, SampleStore
from batch_emulator.package import Package
from batch_emulator.runtime.backlog import (
    Backlog,
    Counts,
    Place,
    Progress,
    TaskCounts,
    next_number,
    no_counts,
    shift,
)
from batch_emulator.runtime.collection import Collection
from batch_emulator.runtime.dependencies import Dependencies
from batch_emulator.runtime.enums import (
    AllocationState,
    JobState,
    NodeState,
    PoolState,
    SchedulingState,
    TaskState,
    TaskStop,
)
from batch_emulator.runtime.execution import Execution, Failure
from batch_emulator.runtime.job_schedule import JobSchedule
from batch_emulator.runtime.life_cycles import ALLOCATION, JOB, NODE, TASK
from batch_emulator.wire import Json

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


@dataclass(slots=True)
class Scaling:
    """What the last evaluation of a pool's formula said."""

    at: datetime
    results: str
    error: EvaluationError | None


class PoolObserver:
    """Is told what happens in a pool, as it happens; this one does nothing with it."""

    def node_created(self, node: Node) -> None:
        """Take note of a new node."""

    def node_entered(self, node: Node, before: NodeState) -> None:
        """Take note of a node in another state."""

    def node_removed(self, node: Node) -> None:
        """Take note of a node that is gone."""

    def run_began(self, run: Run) -> None:
        """Take note of a task that starts on a node."""

    def run_ended(self, run: Run) -> None:
        """Take note of a task that has left its node: its state says whether it is to run again."""


@dataclass(slots=True, eq=False)
class Pool:
    """
    A pool, its targets and its nodes; ``tags`` are only Azure Resource Manager's.

    Faults ask for ``withheld`` nodes, for start tasks that end with ``start_exit_code``, and for an
    ``evaluation_failure``.
    """

    body: Json
    packages: tuple[Package, ...]
    clock: Clock
    formula: Formula | None = None
    follower: asyncio.Task[None] | None = None
    samples: SampleStore | None = None
    rescheduled: asyncio.Event = field(default_factory=asyncio.Event)
    auto_scale_enabled: datetime | None = None
    tags: Json = field(default_factory=dict)
    target_dedicated: int = 0
    target_low_priority: int = 0
    created: datetime = field(init=False)
    modified: datetime = field(init=False)
    state: PoolState = PoolState.ACTIVE
    state_since: datetime = field(init=False)
    allocation: AllocationState = AllocationState.STEADY
    allocation_since: datetime = field(init=False)
    deallocation: str = "requeue"
    held: bool = False
    scaling: Scaling | None = None
    resize_errors: tuple[Failure, ...] = ()
    withheld: Failure | None = None
    start_exit_code: int | None = None
    evaluation_failure: Failure | None = None
    nodes_made: int = 0
    nodes: dict[str, Node] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    observer: PoolObserver = field(default_factory=PoolObserver)

    def __post_init__(self) -> None:
        self.created = self.modified = self.clock.now()
        self.state_since = self.allocation_since = self.created

    @property
    def id(self) -> str:
        """The id as it was given."""
        return str(self.body["id"])

    def current(self, *, dedicated: bool) -> int:
        """Return how many nodes of one kind there are, whatever their state."""
        return sum(node.dedicated == dedicated for node in self.nodes.values())

    @property
    def start_task(self) -> Json | None:
        """The start task of nodes that start now: one that fails, where a fault asks for that."""
        given: Json | None = self.body.get("startTask")
        if given is None or self.start_exit_code is None:
            return given
        return {**given, "commandLine": f"/bin/sh -c 'exit {self.start_exit_code}'"}

    def retarget(self, dedicated: int, low_priority: int, deallocation: str) -> None:
        """Ask for another size; the pool's own coroutine brings it about."""
        self.target_dedicated, self.target_low_priority = dedicated, low_priority
        self.deallocation = deallocation
        self.held, self.resize_errors = False, ()
        self.allocate(AllocationState.RESIZING)
        self.changed.set()

    def allocate(self, state: AllocationState) -> None:
        """Enter an allocation state."""
        if state is not self.allocation:
            ALLOCATION.require(self.allocation, state)
            self.allocation, self.allocation_since = state, self.clock.now()

    def hold(self) -> None:
        """Stop the change of size: the pool keeps the nodes that it has until the next resize."""
        self.held = True
        self.allocate(AllocationState.STOPPING)
        self.changed.set()

    def settle(self) -> None:
        """Say whether the size is changing: steady when every node is there and none leaves."""
        moving = any(
            node.draining or node.state in {NodeState.CREATING, NodeState.LEAVING_POOL}
            for node in self.nodes.values()
        )
        if not moving:
            if self.allocation is AllocationState.STOPPING:
                self.resize_errors = self._missed_targets()
            self.allocate(AllocationState.STEADY)
        elif self.allocation is not AllocationState.STOPPING:
            self.allocate(AllocationState.RESIZING)

    def _missed_targets(self) -> tuple[Failure, ...]:
        errors = []
        for dedicated, kind, target in (
            (True, "dedicated", self.target_dedicated),
            (False, "low priority", self.target_low_priority),
        ):
            if (current := self.current(dedicated=dedicated)) != target:
                verb = "allocated" if current < target else "removed"
                text = f"Desired number of {kind} nodes could not be {verb} due to a stop resize operation"
                errors.append(Failure("ResizeStopped", text))
        return tuple(errors)

    def delete(self) -> None:
        """Begin the end of the pool: its size goes to zero and its tasks back to their queue."""
        self.state, self.state_since = PoolState.DELETING, self.clock.now()
        self.retarget(0, 0, "requeue")


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
        packages: Those of the pool.
        installed: The packages that tasks have brought besides.
        users: The users that clients have made, by their name in lower case.
        recent: The tasks whose state has last changed here, the newest first.
        entered: Set when the node enters its next state; then another event takes its place.
        side_tasks: Job preparation and job release tasks that run, which need no slots.
        preemption: Takes its machine away, where a simulation says so.
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
        """Whether new tasks are let in: neither a client nor a change to come keeps them out."""
        enabled = self.scheduling is SchedulingState.ENABLED
        return enabled and not self.draining and self.restart is None

    @property
    def reachable(self) -> bool:
        """Whether the files of the node can be read."""
        return self.booted is not None and self.state not in _OUT_OF_REACH

    def rest(self) -> None:
        """Enter the state of a node on which no task runs."""
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
        """Keep that a task has changed its state here, also when the task is gone."""
        one = RecentTask(task.job.id, task.id, task.state, replace(task.execution))
        others = [other for other in self.recent if (other.job, other.task) != (one.job, one.task)]
        self.recent = [one, *others][:_MOST_RECENT]


LIVING: Final = frozenset(
    {JobState.ACTIVE, JobState.DISABLING, JobState.DISABLED, JobState.ENABLING}
)
"""The states of a job whose end has not begun."""


@dataclass(slots=True, eq=False)
class Visit:
    """
    What the job preparation and job release tasks of a job have done on one node.

    Attributes:
        preparation: The last run of the job preparation task.
        due: Whether that task has to run, again or to its end, before another task of the job.
        used: Whether a task of the job has run on the node.
        release: The run of the job release task, once it has begun.
        preparing: What runs the job preparation task.
    """

    node: Node
    preparation: Execution
    due: bool = True
    used: bool = False
    release: Execution | None = None
    preparing: asyncio.Task[None] | None = None

    @property
    def prepared(self) -> bool:
        """Whether the job preparation task has succeeded and need not run again."""
        return not self.due and self.preparation.failure is None

    @property
    def failed(self) -> bool:
        """Whether the job preparation task has failed after all its retries."""
        return not self.due and self.preparation.failure is not None


@dataclass(slots=True, eq=False)
class Job:
    """
    A job and its tasks.

    Attributes:
        schedule: The job schedule that has made it, if one has.
        auto_pool: The id of the pool that was made for it, or for its job schedule.
        scheduling_error: Why no task of it could ever start.
        visits: What has been done on each node to prepare it for the job and to release it, by the node's id.
        stuck: Whether its removal does not end, as a fault asks for.
        upload_failure: What the outputs of its tasks fail with, as a fault asks for.
        counts_held: How long its counts stay as they were told, as a fault asks for.
        number: Later jobs have greater ones.
        runs: The runs of its tasks that go on.
        remembered: Ids of tasks that are gone or active again, but let others go on before.
        ready: Its active tasks that wait for no other task, the first to start first.
        counts: Its tasks by how far they are; ``slots`` are the slots that they need.
        told: The counts that clients were told last.
        offered: How many of the ready tasks its pool counts.
        place: Where it stands in its pool's order, while it has tasks that could start.
        on_change: Called when its end has begun, or its limit has changed.
        limit: Ends it when its longest time is over.
    """

    body: Json
    backlog: Backlog[Task]
    clock: Clock
    schedule: JobSchedule | None = None
    number: int = field(default_factory=next_number)
    created: datetime = field(init=False)
    modified: datetime = field(init=False)
    state: JobState = JobState.ACTIVE
    state_since: datetime = field(init=False)
    previous: tuple[JobState, datetime] | None = None
    ended: datetime | None = None
    reason: str | None = None
    auto_pool: str | None = None
    scheduling_error: Failure | None = None
    visits: dict[str, Visit] = field(default_factory=dict)
    stuck: bool = False
    upload_failure: Failure | None = None
    counts_held: timedelta = timedelta()
    tasks: Collection[Task] = field(default_factory=Collection)
    runs: dict[Task, Run] = field(default_factory=dict)
    ready: dict[Task, None] = field(default_factory=dict)
    dependencies: Dependencies[Task] = field(default_factory=Dependencies)
    remembered: list[str] = field(default_factory=list)
    counts: Counts = field(default_factory=no_counts)
    slots: Counts = field(default_factory=no_counts)
    told: TaskCounts = field(default_factory=TaskCounts)
    offered: int = 0
    place: Place | None = None
    on_change: Callable[[], None] = lambda: None
    limit: Timer | None = None

    def __post_init__(self) -> None:
        self.created = self.modified = self.state_since = self.clock.now()
        self.told = TaskCounts(self.created)

    @property
    def id(self) -> str:
        """The id as it was given."""
        return str(self.body["id"])

    @property
    def pool_id(self) -> str:
        """The id of the pool, which need not exist."""
        return self.auto_pool or str(self.body["poolInfo"]["poolId"])

    @property
    def folder(self) -> str:
        """The folder of all that it has below the root of each node."""
        return f"workitems/{self.id.replace(':', '/') if self.schedule else self.id}"

    @property
    def root(self) -> str:
        """The folder of its tasks, below the root of each node."""
        return self.folder if self.schedule else f"{self.folder}/job-1"

    def keeps_from(self, node: Node) -> bool:
        """Whether its tasks are kept from a node that could not be prepared for them."""
        visit = self.visits.get(node.id)
        return (
            visit is not None and visit.failed and self.body["jobPreparationTask"]["waitForSuccess"]
        )

    def join(self, backlog: Backlog[Task]) -> None:
        """Belong to another pool from now on, or with a backlog of its own to none."""
        self._offer(0)
        shift(self.backlog.counts, self.counts, -1)
        self.backlog = backlog
        shift(self.backlog.counts, self.counts, 1)
        self.refresh()

    def refresh(self) -> None:
        """Let the pool know of another state or priority, or of other tasks that could start."""
        self._offer(len(self.ready) if self.state is JobState.ACTIVE else 0)

    def _offer(self, tasks: int) -> None:
        self.backlog.ready += tasks - self.offered
        self.offered = tasks
        place = (-self.body["priority"], self.number) if tasks else None
        if place == self.place:
            return
        if self.place is not None:
            self.backlog.withdraw(self.place)
        if place is not None:
            self.backlog.offer(place, self.ready)
        self.place = place

    def enter(self, state: JobState) -> None:
        """Enter a state, remembering the one before."""
        JOB.require(self.state, state)
        self.previous = (self.state, self.state_since)
        self.state, self.state_since = state, self.clock.now()
        self.refresh()

    def set_limit(self, limit: Timer | None) -> None:
        """Replace what ends the job when its longest time is over."""
        if self.limit is not None:
            self.limit.cancel()
        self.limit = limit

    def end(self, reason: str | None) -> None:
        """Begin the job's end, if it has not begun: no task is started any more."""
        if self.state in LIVING:
            self.reason = reason
            self.enter(JobState.TERMINATING)
            self.on_change()

    def end_if_all_done(self) -> None:
        """
        Begin the job's end if it asks for that where all its tasks are completed.

        That goes before its being disabled, as reported in Azure/batch-shipyard#227.
        """
        wanted = self.body["onAllTasksComplete"] == "terminatejob"
        open_tasks = self.counts[Progress.ACTIVE] + self.counts[Progress.RUNNING]
        if wanted and not open_tasks:
            self.end("AllTasksComplete")

    def forget(self) -> None:
        """End the job whatever its state, as no job of the service ends: only a fault does this."""
        self.state, self.state_since = JobState.TERMINATING, self.clock.now()
        self.on_change()

    def complete(self) -> None:
        """End the job: its tasks that never ran stay active for ever."""
        if self.state is JobState.TERMINATING:
            self.enter(JobState.COMPLETED)
            self.ended = self.state_since
            self.tell_schedule()

    def tell_schedule(self) -> None:
        """Let its job schedule know that it is completed or gone."""
        if self.schedule is not None:
            self.schedule.changed.set()

    def add(self, task: Task) -> None:
        """Take in a new task."""
        self.tasks.add(task.id, task)
        task.conditions = self.dependencies.add(task, task.body.get("dependsOn", {}))
        self.count(task, 1)
        self.queue(task)

    def remove(self, task: Task) -> None:
        """Let go of a task that does not run."""
        self.remember(task)
        self.tasks.remove(task.id)
        self.count(task, -1)
        self.unqueue(task)

    def count(self, task: Task, sign: int) -> None:
        """Count a task, or count it no more."""
        progress = task.progress
        self.counts[progress] += sign
        self.slots[progress] += sign * task.slots
        self.backlog.counts[progress] += sign

    def tell_counts(self, delay: timedelta) -> TaskCounts:
        """Return counts of its tasks that may be ``delay`` old."""
        if (moment := self.clock.now()) - self.told.at >= max(delay, self.counts_held):
            self.told = TaskCounts(moment, self.counts.copy(), self.slots.copy())
        return self.told

    def queue(self, task: Task) -> None:
        """Let an active task start when there is room, if it waits for no other."""
        if task.state is not TaskState.ACTIVE or task.conditions or task.leaving:
            return
        if task.manages:
            others = list(self.ready)
            self.ready.clear()
            self.ready.update(dict.fromkeys([task, *others]))
        else:
            self.ready[task] = None
        self.refresh()

    def unqueue(self, task: Task) -> None:
        """Let a task not start any more."""
        self.ready.pop(task, None)
        self.refresh()

    def remember(self, task: Task) -> None:
        """Keep that a task has let others go on: soon its own state will not show it."""
        if self.body["usesTaskDependencies"] and self.dependencies.satisfied(task.id):
            self.remembered.append(task.id)

    def satisfy(self, name: str) -> None:
        """Let the tasks go on that wait for this one and for no other."""
        for task in self.dependencies.satisfy(name):
            task.conditions -= 1
            if self.tasks.find(task.id) is task:
                self.queue(task)


@dataclass(slots=True, eq=False)
class Task:
    """
    A task, be it the job manager task or one that was added.

    Attributes:
        manages: Whether it is its job's job manager task, which goes before the others.
        conditions: How many of its dependencies are not satisfied.
        leaving: Whether it is being deleted.
        stop: Why its run is to end, where somebody has asked for that.
    """

    job: Job
    body: Json
    manages: bool = False
    created: datetime = field(init=False)
    modified: datetime = field(init=False)
    state: TaskState = TaskState.ACTIVE
    state_since: datetime = field(init=False)
    previous: tuple[TaskState, datetime] | None = None
    execution: Execution = field(default_factory=Execution)
    node: Node | None = None
    conditions: int = 0
    leaving: bool = False
    stop: TaskStop | None = None

    def __post_init__(self) -> None:
        self.created = self.modified = self.state_since = self.job.clock.now()

    @property
    def id(self) -> str:
        """The id as it was given."""
        return str(self.body["id"])

    @property
    def root(self) -> str:
        """The task's folder below the node's root."""
        return f"{self.job.root}/{self.id}"

    @property
    def slots(self) -> int:
        """The task slots that it needs, if it does not run exclusively."""
        return int(self.body["requiredSlots"])

    @property
    def exclusive(self) -> bool:
        """Whether nothing else may run on its node meanwhile."""
        return bool(self.body.get("runExclusive", False))

    @property
    def allows_spot(self) -> bool:
        """Whether it may run on a Spot node."""
        return bool(self.body.get("allowLowPriorityNode", True))

    @property
    def affinity(self) -> str | None:
        """The node on which it would rather run."""
        given: str | None = self.body.get("affinityInfo", {}).get("affinityId")
        return given

    @property
    def progress(self) -> Progress:
        """How far it is."""
        match self.state:
            case TaskState.ACTIVE:
                return Progress.ACTIVE
            case TaskState.PREPARING | TaskState.RUNNING:
                return Progress.RUNNING
            case TaskState.COMPLETED:
                return Progress.FAILED if self.execution.failure else Progress.SUCCEEDED

    def enter(self, state: TaskState) -> None:
        """Enter a state, remembering the one before."""
        TASK.require(self.state, state)
        self.previous = (self.state, self.state_since)
        self.job.count(self, -1)
        self.stop = None
        self.state, self.state_since = state, self.job.clock.now()
        self.job.count(self, 1)

    def begin(self, node: Node, *, prepared: bool = True) -> None:
        """Start running on ``node``, or wait there until it is prepared for the job."""
        self.node = node
        self.job.unqueue(self)
        self.enter(TaskState.RUNNING if prepared else TaskState.PREPARING)
        self.execution.started = self.state_since

    def requeue(self, *, counted: bool = True) -> None:
        """Become active again: no retry, and ``counted`` apart where a client asked for it."""
        before = self.execution
        self.node = None
        self.enter(TaskState.ACTIVE)
        self.execution = Execution(
            retries=before.retries,
            requeues=before.requeues + counted,
            last_requeue=self.state_since if counted else before.last_requeue,
        )
        self.job.queue(self)

    def reactivate(self) -> None:
        """Become active again after a failure, with all retries before it."""
        before = self.execution
        self.node = None
        self.job.remember(self)
        self.enter(TaskState.ACTIVE)
        self.execution = Execution(requeues=before.requeues, last_requeue=before.last_requeue)
        self.modified = self.state_since
        self.job.queue(self)

    def complete(self, exit_code: int | None, failure: Failure | None) -> None:
        """Be done, in this way."""
        self.job.unqueue(self)
        self.execution.exit_code, self.execution.failure = exit_code, failure
        self.enter(TaskState.COMPLETED)
        self.execution.ended = self.state_since


@dataclass(slots=True, eq=False)
class Run:
    """
    One run of a task on a node, and the requests to end it.

    ``stopping`` is set by a request. ``ending`` ends the command alone: it is set by a request as
    well, and by a fault as at the end of the task's longest time.
    """

    task: Task
    node: Node
    slots: int
    stop: TaskStop | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    carrier: asyncio.Task[None] | None = None

    def ask_to_stop(self, stop: TaskStop) -> None:
        """
        Ask for the end of the run; the first to ask decides what becomes of the task.

        Only to end the task goes before to run it again, unless the task is being deleted.
        """
        if self.stop is None or (stop is TaskStop.TERMINATE and not self.task.leaving):
            self.stop = self.task.stop = stop
            self.stopping.set()
            self.ending.set()

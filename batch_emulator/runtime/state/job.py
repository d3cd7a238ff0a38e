"""A job: its tasks, their order and their counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from batch_emulator.clock import Clock, Timer
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
from batch_emulator.runtime.enums import JobState, TaskState
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.life_cycles import JOB
from batch_emulator.runtime.state.job_schedule import JobSchedule
from batch_emulator.runtime.state.visit import Visit
from batch_emulator.wire import Json

if TYPE_CHECKING:
    from batch_emulator.runtime.state.node import Node
    from batch_emulator.runtime.state.run import Run
    from batch_emulator.runtime.state.task import Task

LIVING: Final = frozenset(
    {JobState.ACTIVE, JobState.DISABLING, JobState.DISABLED, JobState.ENABLING}
)
"""The states of a job whose end has not begun."""


@dataclass(slots=True, eq=False)
class Job:
    """
    A job and its tasks.

    Attributes:
        schedule: The job schedule that made it, if any.
        auto_pool: The id of the pool that was made for it, or for its job schedule.
        scheduling_error: Why none of its tasks can ever start.
        visits: What has been done on each node to prepare it for the job and to release it, by the node's id.
        stuck: Whether a fault keeps its removal from ending.
        upload_failure: The failure that a fault gives to the outputs of its tasks.
        counts_held: How long a fault keeps the counts that clients get.
        number: Its place in the order of creation.
        runs: The current runs of its tasks.
        remembered: Ids of tasks that are gone or active again, and have satisfied dependencies
            before.
        ready: Its active tasks that wait for no other task, the first to start first.
        counts: Numbers of its tasks by progress; ``slots`` counts the slots that they need.
        told: The counts that clients got last.
        offered: How many of the ready tasks its pool counts.
        place: Its place in its pool's order, while it has tasks that can start.
        on_change: Called when its end has begun, or its limit has changed.
        limit: The timer that ends it at its time limit.
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
        """Its folder below the root of each node."""
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
        """Move to the backlog of another pool; a new backlog means no pool."""
        self._offer(0)
        shift(self.backlog.counts, self.counts, -1)
        self.backlog = backlog
        shift(self.backlog.counts, self.counts, 1)
        self.refresh()

    def refresh(self) -> None:
        """Update the pool's backlog after a change of state, priority or tasks that can start."""
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
        """Replace the timer that ends the job at its time limit."""
        if self.limit is not None:
            self.limit.cancel()
        self.limit = limit

    def end(self, reason: str | None) -> None:
        """Begin the job's end, if it has not begun: no more tasks start."""
        if self.state in LIVING:
            self.reason = reason
            self.enter(JobState.TERMINATING)
            self.on_change()

    def end_if_all_done(self) -> None:
        """
        Begin the job's end if all its tasks are completed and it asks for that.

        A disabled job ends as well, as reported in Azure/batch-shipyard#227.
        """
        wanted = self.body["onAllTasksComplete"] == "terminatejob"
        open_tasks = self.counts[Progress.ACTIVE] + self.counts[Progress.RUNNING]
        if wanted and not open_tasks:
            self.end("AllTasksComplete")

    def forget(self) -> None:
        """End the job in any state, as only a fault can."""
        self.state, self.state_since = JobState.TERMINATING, self.clock.now()
        self.on_change()

    def complete(self) -> None:
        """End the job: its tasks that never ran stay active forever."""
        if self.state is JobState.TERMINATING:
            self.enter(JobState.COMPLETED)
            self.ended = self.state_since
            self.tell_schedule()

    def tell_schedule(self) -> None:
        """Tell its job schedule that it is completed or gone."""
        if self.schedule is not None:
            self.schedule.changed.set()

    def add(self, task: Task) -> None:
        """Add a new task."""
        self.tasks.add(task.id, task)
        task.conditions = self.dependencies.add(task, task.body.get("dependsOn", {}))
        self.count(task, 1)
        self.queue(task)

    def remove(self, task: Task) -> None:
        """Remove a task that does not run."""
        self.remember(task)
        self.tasks.remove(task.id)
        self.count(task, -1)
        self.unqueue(task)

    def count(self, task: Task, sign: int) -> None:
        """Add a task to the counts, or take it out."""
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
        """Keep a task from starting."""
        self.ready.pop(task, None)
        self.refresh()

    def remember(self, task: Task) -> None:
        """Remember that a task has satisfied dependencies, before its state stops showing it."""
        if self.body["usesTaskDependencies"] and self.dependencies.satisfied(task.id):
            self.remembered.append(task.id)

    def satisfy(self, name: str) -> None:
        """Queue the tasks that waited only for this one."""
        for task in self.dependencies.satisfy(name):
            task.conditions -= 1
            if self.tasks.find(task.id) is task:
                self.queue(task)

"""A job: its tasks, their order, and how many of them are how far."""

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

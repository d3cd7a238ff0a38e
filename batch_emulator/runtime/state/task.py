"""A task of a job: its state, and how its last run ended."""

from dataclasses import dataclass, field
from datetime import datetime

from batch_emulator.runtime.backlog import Progress
from batch_emulator.runtime.enums import TaskState, TaskStop
from batch_emulator.runtime.execution import Execution, Failure
from batch_emulator.runtime.life_cycles import TASK
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.node import Node
from batch_emulator.wire import Json


@dataclass(slots=True, eq=False)
class Task:
    """
    A task: the job manager task or one that was added.

    Attributes:
        manages: Whether it is its job's job manager task, which starts before the others.
        conditions: How many of its dependencies are not satisfied.
        leaving: Whether it is being deleted.
        stop: Why its run must end, if that was asked for.
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
        """Whether nothing else may run on its node at the same time."""
        return bool(self.body.get("runExclusive", False))

    @property
    def allows_spot(self) -> bool:
        """Whether it may run on a Spot node."""
        return bool(self.body.get("allowLowPriorityNode", True))

    @property
    def affinity(self) -> str | None:
        """The id of the node that it prefers."""
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
        """Become active again, which is not a retry; ``counted`` if a client asked for it."""
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
        """Become active again after a failure, with all its retries."""
        before = self.execution
        self.node = None
        self.job.remember(self)
        self.enter(TaskState.ACTIVE)
        self.execution = Execution(requeues=before.requeues, last_requeue=before.last_requeue)
        self.modified = self.state_since
        self.job.queue(self)

    def complete(self, exit_code: int | None, failure: Failure | None) -> None:
        """Complete with this result."""
        self.job.unqueue(self)
        self.execution.exit_code, self.execution.failure = exit_code, failure
        self.enter(TaskState.COMPLETED)
        self.execution.ended = self.state_since

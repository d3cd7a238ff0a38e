"""The words for what things are doing, and how the run of a program went."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PoolState(StrEnum):
    """States of a pool."""

    ACTIVE = "active"
    DELETING = "deleting"


class AllocationState(StrEnum):
    """Whether a pool is changing its size."""

    STEADY = "steady"
    RESIZING = "resizing"


class NodeState(StrEnum):
    """States of a node that the emulator brings about."""

    CREATING = "creating"
    STARTING = "starting"
    WAITING_FOR_START_TASK = "waitingforstarttask"
    START_TASK_FAILED = "starttaskfailed"
    UNUSABLE = "unusable"
    IDLE = "idle"
    RUNNING = "running"
    LEAVING_POOL = "leavingpool"


class JobState(StrEnum):
    """States of a job that the emulator brings about."""

    ACTIVE = "active"
    TERMINATING = "terminating"
    COMPLETED = "completed"
    DELETING = "deleting"


class TaskState(StrEnum):
    """States of a task that the emulator brings about."""

    ACTIVE = "active"
    RUNNING = "running"
    COMPLETED = "completed"


class Stop(StrEnum):
    """Why a running task is ended by another hand than its own."""

    TERMINATE = "terminate"  # it is completed, as a failure
    REQUEUE = "requeue"  # it becomes active again


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task failed, in the service's words."""

    code: str
    message: str
    details: tuple[tuple[str, str], ...] = ()
    category: str = "UserError"


@dataclass(slots=True)
class Execution:
    """How the last run of a task or start task went; ``None`` is what is not known yet."""

    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    failure: Failure | None = None
    retries: int = 0
    last_retry: datetime | None = None
    requeues: int = 0
    last_requeue: datetime | None = None

    @property
    def result(self) -> str | None:
        """Success or failure, once it has ended."""
        if self.ended is None:
            return None
        return "failure" if self.failure else "success"

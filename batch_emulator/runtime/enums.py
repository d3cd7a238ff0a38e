"""The states of pools, nodes, jobs and tasks, and why a task is stopped."""

from enum import StrEnum


class PoolState(StrEnum):
    """States of a pool."""

    ACTIVE = "active"
    DELETING = "deleting"


class AllocationState(StrEnum):
    """Whether a pool is changing its size."""

    STEADY = "steady"
    RESIZING = "resizing"
    STOPPING = "stopping"


class NodeState(StrEnum):
    """States of a node that the emulator brings about."""

    CREATING = "creating"
    STARTING = "starting"
    WAITING_FOR_START_TASK = "waitingforstarttask"
    START_TASK_FAILED = "starttaskfailed"
    UNUSABLE = "unusable"
    IDLE = "idle"
    RUNNING = "running"
    OFFLINE = "offline"
    REBOOTING = "rebooting"
    REIMAGING = "reimaging"
    PREEMPTED = "preempted"
    LEAVING_POOL = "leavingpool"
    DEALLOCATING = "deallocating"
    DEALLOCATED = "deallocated"


class SchedulingState(StrEnum):
    """Whether tasks are scheduled on a node, as clients ask for it."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class JobState(StrEnum):
    """States of a job that the emulator brings about."""

    ACTIVE = "active"
    DISABLING = "disabling"
    DISABLED = "disabled"
    ENABLING = "enabling"
    TERMINATING = "terminating"
    COMPLETED = "completed"
    DELETING = "deleting"


class JobScheduleState(StrEnum):
    """States of a job schedule."""

    ACTIVE = "active"
    DISABLED = "disabled"
    TERMINATING = "terminating"
    COMPLETED = "completed"
    DELETING = "deleting"


class TaskState(StrEnum):
    """States of a task that the emulator brings about."""

    ACTIVE = "active"
    PREPARING = "preparing"
    RUNNING = "running"
    COMPLETED = "completed"


class TaskStop(StrEnum):
    """Why a running task is stopped before it ends by itself."""

    TERMINATE = "terminate"  # it is completed, as a failure
    REQUEUE = "requeue"  # it becomes active again, and the requeue counts
    RECOVER = "recover"  # it becomes active again, and that counts nowhere: its node was lost or not prepared

    @property
    def runs_again(self) -> bool:
        """Whether the task goes back to its queue."""
        return self is not TaskStop.TERMINATE

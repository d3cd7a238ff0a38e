"""
The life cycles: which state of a task, job, node or allocation can follow which.

Source: the tables of states in Microsoft's documentation of the data plane's resources.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from batch_emulator.runtime.enums import (
    AllocationState,
    JobScheduleState,
    JobState,
    NodeState,
    TaskState,
)


class LifeCycle[State: StrEnum]:
    """The table of one kind of resource; a state without a row is final."""

    def __init__(self, followers: Mapping[State, frozenset[State]]) -> None:
        self._followers = followers

    def allows(self, before: State, after: State) -> bool:
        """Tell whether a resource may go from one state to another."""
        return after in self._followers.get(before, ())

    def steps(self) -> frozenset[tuple[State, State]]:
        """Return every step of the table."""
        return frozenset(
            (before, after) for before, afters in self._followers.items() for after in afters
        )

    def require(self, before: State, after: State) -> None:
        """
        Refuse a step that no resource of the service takes: it would be a bug of the emulator.

        Raises:
            RuntimeError: ``after`` does not follow ``before``.
        """
        if not self.allows(before, after):
            raise RuntimeError(f"{type(before).__name__} {after} cannot follow {before}")


TASK: Final = LifeCycle(
    {
        TaskState.ACTIVE: frozenset({TaskState.PREPARING, TaskState.RUNNING, TaskState.COMPLETED}),
        TaskState.PREPARING: frozenset({TaskState.ACTIVE, TaskState.RUNNING, TaskState.COMPLETED}),
        TaskState.RUNNING: frozenset({TaskState.ACTIVE, TaskState.COMPLETED}),
        TaskState.COMPLETED: frozenset({TaskState.ACTIVE}),
    }
)

_ENDS: Final = frozenset({JobState.TERMINATING, JobState.DELETING})

JOB: Final = LifeCycle(
    {
        JobState.ACTIVE: _ENDS | {JobState.DISABLING},
        JobState.DISABLING: _ENDS | {JobState.DISABLED},
        JobState.DISABLED: _ENDS | {JobState.ENABLING},
        JobState.ENABLING: frozenset({JobState.ACTIVE}),
        JobState.TERMINATING: frozenset({JobState.COMPLETED, JobState.DELETING}),
        JobState.COMPLETED: frozenset({JobState.DELETING}),
    }
)

_SCHEDULE_ENDS: Final = frozenset({JobScheduleState.TERMINATING, JobScheduleState.DELETING})

JOB_SCHEDULE: Final = LifeCycle(
    {
        JobScheduleState.ACTIVE: _SCHEDULE_ENDS | {JobScheduleState.DISABLED},
        JobScheduleState.DISABLED: _SCHEDULE_ENDS | {JobScheduleState.ACTIVE},
        JobScheduleState.TERMINATING: frozenset(
            {JobScheduleState.COMPLETED, JobScheduleState.DELETING}
        ),
        JobScheduleState.COMPLETED: frozenset({JobScheduleState.DELETING}),
    }
)

_GONE: Final = frozenset({NodeState.LEAVING_POOL, NodeState.PREEMPTED})
_RESTARTS: Final = frozenset({NodeState.REBOOTING, NodeState.REIMAGING})
_STOPS: Final = _RESTARTS | {NodeState.DEALLOCATING}
_AT_REST: Final = frozenset({NodeState.IDLE, NodeState.OFFLINE})

NODE: Final = LifeCycle(
    {
        NodeState.CREATING: _GONE | {NodeState.STARTING},
        NodeState.STARTING: _GONE
        | _AT_REST
        | {NodeState.WAITING_FOR_START_TASK, NodeState.UNUSABLE},
        NodeState.WAITING_FOR_START_TASK: _GONE
        | _AT_REST
        | {NodeState.START_TASK_FAILED, NodeState.UNUSABLE},
        NodeState.START_TASK_FAILED: _GONE | _RESTARTS,
        NodeState.UNUSABLE: _GONE | _RESTARTS,
        NodeState.IDLE: _GONE | _STOPS | {NodeState.RUNNING, NodeState.OFFLINE, NodeState.UNUSABLE},
        # A node leaves or restarts when its tasks have ended, by way of one of the states at rest.
        NodeState.RUNNING: _AT_REST | {NodeState.UNUSABLE, NodeState.PREEMPTED},
        NodeState.OFFLINE: _GONE | _STOPS | {NodeState.IDLE, NodeState.UNUSABLE},
        NodeState.REBOOTING: _GONE | {NodeState.STARTING},
        NodeState.REIMAGING: _GONE | {NodeState.STARTING},
        NodeState.PREEMPTED: frozenset({NodeState.CREATING, NodeState.LEAVING_POOL}),
        NodeState.DEALLOCATING: frozenset({NodeState.DEALLOCATED, NodeState.LEAVING_POOL}),
        NodeState.DEALLOCATED: frozenset({NodeState.STARTING, NodeState.LEAVING_POOL}),
    }
)

ALLOCATION: Final = LifeCycle(
    {
        AllocationState.STEADY: frozenset({AllocationState.RESIZING}),
        AllocationState.RESIZING: frozenset({AllocationState.STEADY, AllocationState.STOPPING}),
        # A formula or the end of the pool asks for another size before the stop is over.
        AllocationState.STOPPING: frozenset({AllocationState.STEADY, AllocationState.RESIZING}),
    }
)

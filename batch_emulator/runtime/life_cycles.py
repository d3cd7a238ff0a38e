"""
The life cycles: which state of a task, job, node or allocation may follow which.

Source: the tables of states in Microsoft's documentation of the data plane's resources.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from batch_emulator.runtime.enums import AllocationState, JobState, NodeState, TaskState


class LifeCycle[State: StrEnum]:
    """The table of one kind of resource; a state without a row is the last one."""

    def __init__(self, followers: Mapping[State, frozenset[State]]) -> None:
        self._followers = followers

    def allows(self, before: State, after: State) -> bool:
        """Tell whether a resource may go from one state to another."""
        return after in self._followers.get(before, ())

    def require(self, before: State, after: State) -> None:
        """
        Refuse a step that no resource of the service takes: it would be a fault of the emulator.

        Raises:
            RuntimeError: ``after`` does not follow ``before``.
        """
        if not self.allows(before, after):
            raise RuntimeError(f"{type(before).__name__} {after} cannot follow {before}")


TASK: Final = LifeCycle(
    {
        TaskState.ACTIVE: frozenset({TaskState.RUNNING, TaskState.COMPLETED}),
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
        JobState.ENABLING: _ENDS | {JobState.ACTIVE},
        JobState.TERMINATING: frozenset({JobState.COMPLETED, JobState.DELETING}),
        JobState.COMPLETED: frozenset({JobState.DELETING}),
    }
)

NODE: Final = LifeCycle(
    {
        NodeState.CREATING: frozenset({NodeState.STARTING, NodeState.LEAVING_POOL}),
        NodeState.STARTING: frozenset(
            {
                NodeState.WAITING_FOR_START_TASK,
                NodeState.IDLE,
                NodeState.UNUSABLE,
                NodeState.LEAVING_POOL,
            }
        ),
        NodeState.WAITING_FOR_START_TASK: frozenset(
            {
                NodeState.START_TASK_FAILED,
                NodeState.IDLE,
                NodeState.UNUSABLE,
                NodeState.LEAVING_POOL,
            }
        ),
        NodeState.START_TASK_FAILED: frozenset({NodeState.LEAVING_POOL}),
        NodeState.UNUSABLE: frozenset({NodeState.LEAVING_POOL}),
        NodeState.IDLE: frozenset({NodeState.RUNNING, NodeState.UNUSABLE, NodeState.LEAVING_POOL}),
        NodeState.RUNNING: frozenset({NodeState.IDLE, NodeState.UNUSABLE, NodeState.LEAVING_POOL}),
    }
)

ALLOCATION: Final = LifeCycle(
    {
        AllocationState.STEADY: frozenset({AllocationState.RESIZING}),
        AllocationState.RESIZING: frozenset({AllocationState.STEADY}),
    }
)

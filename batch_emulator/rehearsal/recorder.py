"""The record of what happens in a rehearsed pool."""

from collections.abc import Callable
from datetime import datetime

from batch_emulator.clock import Clock
from batch_emulator.rehearsal.values import End, RehearsedNode, RehearsedRun, Stay
from batch_emulator.runtime.enums import NodeState, TaskState
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.pool import PoolObserver
from batch_emulator.runtime.state.run import Run


class Recorder(PoolObserver):
    """
    Records every node and every stay of a task.

    Args:
        clock: The account's clock.
        pending: Returns how many tasks wait or run.
        ended: Called with a job whose task is completed.
    """

    def __init__(
        self, clock: Clock, pending: Callable[[], int], ended: Callable[[Job], None]
    ) -> None:
        self.runs: dict[str, RehearsedRun] = {}
        self.nodes: list[RehearsedNode] = []
        self._clock = clock
        self._pending = pending
        self._ended = ended
        self._here: dict[str, RehearsedNode] = {}
        self._busy_since: dict[str, datetime] = {}

    def node_created(self, node: Node) -> None:
        """Take note of a new node."""
        made = RehearsedNode(
            id=node.id,
            dedicated=node.dedicated,
            pending=self._pending(),
            allocated=node.allocated,
        )
        self.nodes.append(made)
        self._here[node.id] = made

    def node_entered(self, node: Node, before: NodeState) -> None:
        """Take note of a node in another state."""
        mine = self._here[node.id]
        match node.state:
            case NodeState.IDLE if mine.ready is None:
                mine.ready = node.state_since
            case NodeState.START_TASK_FAILED:
                mine.failed = True
            case NodeState.PREEMPTED:
                mine.preempted_since = node.state_since
            case _:
                pass
        if before is NodeState.PREEMPTED and mine.preempted_since is not None:
            mine.preempted_seconds += (node.state_since - mine.preempted_since).total_seconds()
            mine.preempted_since = None

    def node_removed(self, node: Node) -> None:
        """Take note of a node that is gone."""
        self._here.pop(node.id).removed = self._clock.now()

    def run_began(self, run: Run) -> None:
        """Take note of a task that starts on a node."""
        now, mine = self._clock.now(), self._here[run.node.id]
        mine.runs += 1
        if len(run.node.runs) == 1:
            self._busy_since[mine.id] = now
        self.runs[run.task.job.id].stays.append(Stay(node=mine.id, started=now))

    def run_ended(self, run: Run) -> None:
        """Take note of a task that has left its node."""
        now, mine = self._clock.now(), self._here[run.node.id]
        mine.last_ended = now
        if not run.node.runs:
            mine.busy_seconds += (now - self._busy_since.pop(mine.id)).total_seconds()
        stay = self.runs[run.task.job.id].stays[-1]
        stay.ended = now
        if run.task.state is TaskState.COMPLETED:
            stay.how = End.COMPLETED
            self._ended(run.task.job)
        else:
            stay.how = End.PREEMPTED if run.node.state is NodeState.PREEMPTED else End.CUT

    def close(self, now: datetime) -> None:
        """Record the end of the nodes that are left."""
        for mine in self._here.values():
            mine.removed = now
            if mine.preempted_since is not None:
                mine.preempted_seconds += (now - mine.preempted_since).total_seconds()
            if since := self._busy_since.get(mine.id):
                mine.busy_seconds += (now - since).total_seconds()
        self._here.clear()

"""What an attempt took: times, its part of a node, and how often its node was taken away."""

from dataclasses import replace
from datetime import datetime

from orchestrator.batch_state import Node, Pool, Task
from orchestrator.ledger.attempt import Attempt

_PREEMPTED = "preempted"


def measured(
    attempt: Attempt, task: Task | None, pool: Pool | None, nodes: tuple[Node, ...]
) -> Attempt:
    """
    Return an attempt that has ended with its numbers; what nobody tells stays as it was.

    Args:
        attempt: As it ended.
        task: As Batch tells it.
        pool: The attempt's pool.
        nodes: Of that pool, right now: the attempt's own may be gone.
    """
    began, submitted = attempt.started, attempt.submitted
    node = _node_of(attempt, nodes)
    allocated = node.allocated if node and _was_there(node, began) else None
    share = min(1.0, task.slots / pool.slots_per_node) if task and pool else None
    return replace(
        attempt,
        queue_seconds=_seconds(submitted, began),
        task_seconds=_seconds(began, _end_of_task(attempt, task)),
        slot_share=share if share is not None else attempt.slot_share,
        node_allocated=allocated or attempt.node_allocated,
    )


def is_interrupted(before: Attempt, after: Attempt) -> bool:
    """
    Tell whether a task that had begun was put back into the queue, as seen for the first time.

    Batch counts no requeue when a Spot node is taken away, so the begin of the task tells.

    Args:
        before: The attempt as it was known.
        after: The same with what Batch says now.
    """
    if before.started is None:
        return False
    if before.waits_again:  # it was counted then
        return False
    return after.waiting_since != before.waiting_since or after.started != before.started


def with_preemption(before: Attempt, after: Attempt, nodes: tuple[Node, ...]) -> Attempt:
    """
    Count an interruption as a preemption if the Spot node that had the task was taken away.

    It is seen preempted, or back under its id on a machine that is younger than the task's begin.

    Args:
        before: The attempt as it was known, with the node that it had.
        after: The same with what Batch says now.
        nodes: Of the pool, right now.
    """
    node = _node_of(before, nodes)
    if node is None or node.dedicated or not is_interrupted(before, after):
        return after
    if node.state == _PREEMPTED or not _was_there(node, before.started):
        return replace(after, preemptions=before.preemptions + 1)
    return after


def _end_of_task(attempt: Attempt, task: Task | None) -> datetime | None:
    """Return when the task last ran: one that waits for another node does not run."""
    began, waits = attempt.started, attempt.waiting_since
    if task and task.finished:
        return task.finished
    return waits if began and waits and waits > began else attempt.finished


def _node_of(attempt: Attempt, nodes: tuple[Node, ...]) -> Node | None:
    return next((node for node in nodes if node.id == attempt.node), None)


def _was_there(node: Node, began: datetime | None) -> bool:
    """Tell whether a node's machine is the one on which the task began: ids come back."""
    return node.allocated is None or began is None or node.allocated <= began


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    if since is None or until is None:
        return None
    return max(0.0, (until - since).total_seconds())

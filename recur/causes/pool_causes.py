"""Why a pool runs no task that waits, and whether it still has the node of one that runs."""

from dataclasses import dataclass
from typing import Final

from orchestrator.decisions.diagnose import busy, diagnose
from orchestrator.enums import Reason
from recur.causes.remedies import pool_remedy
from recur.causes.surroundings import Surroundings, Unreadable
from recur.causes.trouble import Health

_WELL: Final = frozenset({"idle", "running", "offline"})
"""States of a node that can have a task; one that is offline only takes no new ones."""

_BROKEN: Final = frozenset({"unusable", "starttaskfailed"})
"""States that a node does not leave by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """
    Why something stands as it does.

    Attributes:
        health: Whether somebody has to act.
        text: In a sentence without a full stop.
        next_step: What to do about it.
        last_lines: What a program said of it: a start task on its node.
    """

    health: Health = Health.PROBLEM
    text: str
    next_step: str
    last_lines: tuple[str, ...] = ()


def pool_cause(around: Surroundings) -> Cause | None:
    """Return what keeps the pool from running tasks; None: nothing, as far as is known."""
    if isinstance(around.pool, Unreadable):
        return None
    reason, sentence = diagnose(around.pool, around.nodes, around.now)
    return None if reason is Reason.NO_NODE else _broken(reason, sentence, around)


def pool_sentence(around: Surroundings) -> str:
    """Say why no node has taken a task so far, also where nothing is wrong with the pool."""
    if isinstance(around.pool, Unreadable):
        return around.pool.sentence
    reason, sentence = diagnose(around.pool, around.nodes, around.now)
    if reason is Reason.NO_NODE and busy(around.nodes):
        return "it waits for its turn: the nodes of the pool are busy with other tasks"
    return sentence.rstrip(".")


def node_cause(node_id: str, around: Surroundings, next_step: str) -> Cause | None:
    """
    Return what is wrong with the node of a task that runs, as far as the ledger knows.

    Batch puts the task back into its queue, sooner or later; a collect tick sees that it waits.

    Args:
        node_id: The node.
        around: The pool that it was in, and its nodes.
        next_step: What to do where Batch mends it by itself.

    Returns:
        None: the node has its task, or that is not known.
    """
    if isinstance(around.pool, Unreadable):
        return None
    if around.pool is None:
        return pool_cause(around)
    node = next((one for one in around.nodes if one.id == node_id), None)
    if node is None:
        return _left(f"its node {node_id} is no longer in the pool", next_step)
    if node.state in _BROKEN:
        return _broken(*diagnose(around.pool, (node,), around.now), around)
    if node.state in _WELL:
        return None
    return _left(f"its node {node_id} is {node.state}", next_step)


def _left(what: str, next_step: str) -> Cause:
    text = f"{what}: its task has ended, or waits for another node"
    return Cause(health=Health.NOTE, text=text, next_step=next_step)


def _broken(reason: Reason, sentence: str, around: Surroundings) -> Cause:
    text = sentence.rstrip(".")
    lines: tuple[str, ...] = ()
    if reason is Reason.START_TASK_FAILED:
        if isinstance(around.start_task, Unreadable):
            text = f"{text}; {around.start_task.sentence}"
        else:
            lines = around.start_task or ()
    return Cause(
        text=text,
        next_step=pool_remedy(reason, on_laptop=around.on_laptop),
        last_lines=lines,
    )

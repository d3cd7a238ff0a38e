"""Why a task does not start: one reason, one sentence, from all the places where Batch hides it."""

from datetime import datetime

from orchestrator.batch_state import Fault, Node, Pool
from orchestrator.duration_text import duration_text
from orchestrator.enums import Reason

_CORE_QUOTA = "corequota"
_MISSED_EVALUATIONS = 3


def busy(nodes: tuple[Node, ...]) -> bool:
    """Tell whether the pool is simply busy: nodes run tasks, and none stands free."""
    states = {node.state for node in nodes}
    return "running" in states and "idle" not in states


def diagnose(pool: Pool | None, nodes: tuple[Node, ...], now: datetime) -> tuple[Reason, str]:
    """Say why no node took the task, the nearest cause first."""
    if pool is None:
        return Reason.POOL_MISSING, "The pool does not exist."
    return (
        _of_nodes(nodes)
        or _of_resize(pool)
        or _of_formula(pool, now)
        or (Reason.NO_NODE, _no_node(pool, nodes))
    )


def _of_nodes(nodes: tuple[Node, ...]) -> tuple[Reason, str] | None:
    for node in nodes:
        if node.state == "starttaskfailed":
            return Reason.START_TASK_FAILED, _start_task(node)
    for node in nodes:
        if node.state == "unusable":
            words = "; ".join(_fault_text(error) for error in node.errors) or "no cause given"
            return Reason.NODE_UNUSABLE, f"Node {node.id} is unusable: {words}."
    return None


def _of_resize(pool: Pool) -> tuple[Reason, str] | None:
    """Read the resize errors; they stay until the next resize, so they count while nodes miss."""
    if pool.current >= pool.target or not pool.resize_errors:
        return None
    error = pool.resize_errors[0]
    reason = Reason.CORE_QUOTA if _CORE_QUOTA in error.code.lower() else Reason.RESIZE_FAILED
    return reason, f"The pool got no node: {_fault_text(error)}."


def _of_formula(pool: Pool, now: datetime) -> tuple[Reason, str] | None:
    if pool.autoscale_error:
        sentence = (
            f"Batch could not evaluate the pool's formula: {_fault_text(pool.autoscale_error)}."
        )
        return Reason.AUTOSCALE_FAILED, sentence
    if pool.interval and pool.evaluated:
        age = now - pool.evaluated
        if age > pool.interval * _MISSED_EVALUATIONS:
            return (
                Reason.AUTOSCALE_FAILED,
                f"The pool's formula was last evaluated {duration_text(age)} ago.",
            )
    return None


def _start_task(node: Node) -> str:
    code = node.start_task_exit_code
    detail = f" with exit code {code}" if code is not None else ""
    words = f": {_fault_text(node.start_task_failure)}" if node.start_task_failure else ""
    return f"The start task of node {node.id} failed{detail}{words}."


def _no_node(pool: Pool, nodes: tuple[Node, ...]) -> str:
    states = f" ({', '.join(sorted(node.state for node in nodes))})" if nodes else ""
    return f"No node took the task: the pool has {pool.current} of {pool.target} nodes{states}."


def _fault_text(fault: Fault) -> str:
    details = " ".join(fault.details.split()).rstrip(".")
    return f"{fault.message.rstrip('.')} ({fault.code}){f': {details}' if details else ''}"

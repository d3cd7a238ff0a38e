"""How the pool stands: a pure function of what Batch says of it."""

from collections import Counter
from typing import Final

from orchestrator.batch_state import Pool
from orchestrator.decisions.diagnose import diagnose
from orchestrator.enums import Reason
from recur.explain.remedies import REMEDIES
from recur.status.readings import Readings, Unreadable
from recur.status.value import Finding, Health, PoolStatus

_ACTIVE: Final = "active"
_DEPLOY: Final = "recur publish, then deploy infra/pool (docs/deploy.md)"
_MAKE_UP: Final = "end `make up` and start it again: it makes the pool"


def judge_pool(readings: Readings) -> PoolStatus:
    """Return how the pool stands."""
    pool = readings.pool
    if isinstance(pool, Unreadable):
        unknown = Finding(health=Health.UNKNOWN, what=pool.why, next_step=pool.next_step)
        return PoolStatus(id=readings.pool_id, nodes=None, target=None, finding=unknown)
    if pool is None:
        gone = Finding(
            health=Health.PROBLEM, what="it does not exist", next_step=make_pool(readings)
        )
        return PoolStatus(id=readings.pool_id, nodes=None, target=None, finding=gone)
    states = tuple(sorted(Counter(node.state for node in readings.nodes).items()))
    finding = _of_pool(pool, readings)
    return PoolStatus(id=readings.pool_id, nodes=states, target=pool.target, finding=finding)


def waiting_cause(readings: Readings) -> tuple[str, str] | None:
    """
    Say why the pool runs no task that waits.

    Returns:
        The cause and what to do about it; None: nothing is wrong with it, as far as is known.
    """
    if isinstance(readings.pool, Unreadable):
        return None
    reason, sentence = diagnose(readings.pool, readings.nodes, readings.now)
    if reason is Reason.NO_NODE:
        return None
    step = make_pool(readings) if reason is Reason.POOL_MISSING else REMEDIES[reason]
    return sentence.rstrip("."), step or "recur doctor"


def make_pool(readings: Readings) -> str:
    """Return what makes the pool."""
    return _MAKE_UP if readings.on_laptop else _DEPLOY


def _of_pool(pool: Pool, readings: Readings) -> Finding:
    if pool.state != _ACTIVE:
        return Finding(
            health=Health.PROBLEM, what=f"it is {pool.state}", next_step=make_pool(readings)
        )
    if cause := waiting_cause(readings):
        what, step = cause
        return Finding(health=Health.PROBLEM, what=what, next_step=step)
    if pool.resize_errors:
        error = pool.resize_errors[0]
        what = f"{_nodes(pool, readings)}; an earlier resize ended with {error.code}"
        return Finding(health=Health.NOTE, what=what)
    return Finding(health=Health.GOOD, what=_nodes(pool, readings))


def _nodes(pool: Pool, readings: Readings) -> str:
    """Count the nodes by their states."""
    counts = Counter(node.state for node in readings.nodes)
    if not counts:
        return "no node, as it should be while nothing runs" if not pool.target else "no node yet"
    states = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    wanted = f", {pool.target} wanted" if pool.target != pool.current else ""
    return f"{states}{wanted}"

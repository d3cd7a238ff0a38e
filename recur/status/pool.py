"""How the pool stands: a pure function of what Batch says of it."""

from collections import Counter
from typing import Final

from orchestrator.batch_state import Pool
from orchestrator.enums import Reason
from recur.causes.pool_causes import pool_cause
from recur.causes.remedies import pool_remedy
from recur.causes.surroundings import Surroundings, Unreadable
from recur.causes.trouble import Health
from recur.status.value import Finding, PoolStatus

_ACTIVE: Final = "active"


def judge_pool(around: Surroundings) -> PoolStatus:
    """Return how the pool stands."""
    pool = around.pool
    if isinstance(pool, Unreadable):
        unknown = Finding(health=Health.UNKNOWN, what=pool.why, next_step=pool.next_step)
        return PoolStatus(id=around.pool_id, nodes=None, target=None, finding=unknown)
    if pool is None:
        gone = Finding(health=Health.PROBLEM, what="it does not exist", next_step=_make(around))
        return PoolStatus(id=around.pool_id, nodes=None, target=None, finding=gone)
    states = tuple(sorted(Counter(node.state for node in around.nodes).items()))
    finding = _of_pool(pool, around)
    return PoolStatus(id=around.pool_id, nodes=states, target=pool.target, finding=finding)


def _of_pool(pool: Pool, around: Surroundings) -> Finding:
    if pool.state != _ACTIVE:
        return Finding(health=Health.PROBLEM, what=f"it is {pool.state}", next_step=_make(around))
    if cause := pool_cause(around):
        return Finding(health=cause.health, what=cause.text, next_step=cause.next_step)
    if pool.resize_errors:
        error = pool.resize_errors[0]
        what = f"{_nodes(pool, around)}; an earlier resize ended with {error.code}"
        return Finding(health=Health.NOTE, what=what)
    return Finding(health=Health.GOOD, what=_nodes(pool, around))


def _make(around: Surroundings) -> str:
    return pool_remedy(Reason.POOL_MISSING, on_laptop=around.on_laptop)


def _nodes(pool: Pool, around: Surroundings) -> str:
    """Count the nodes by their states."""
    counts = Counter(node.state for node in around.nodes)
    if not counts:
        return "no node, as it should be while nothing runs" if not pool.target else "no node yet"
    states = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    wanted = f", {pool.target} wanted" if pool.target != pool.current else ""
    return f"{states}{wanted}"

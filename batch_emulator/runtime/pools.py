"""The life of a pool: its size follows its targets."""

from typing import Final

from batch_emulator.errors import ServiceError
from batch_emulator.formula import Formula
from batch_emulator.journal import tell, tell_failure
from batch_emulator.package import Package
from batch_emulator.runtime import nodes
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.autoscale import follow_formula, read_formula
from batch_emulator.runtime.enums import NodeState, PoolState, TaskStop
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.node_packages import resolve_packages
from batch_emulator.runtime.scheduling import assign, stop_runs
from batch_emulator.runtime.state import Node, Pool
from batch_emulator.wire import Json, now

MOST_NODES: Final = 64
"""The quota of nodes of one kind in one pool: they are processes of one laptop."""

_OVER_QUOTA: Final = {
    True: Failure(
        "AccountCoreQuotaReached", "The specified account has reached dedicated core quota"
    ),
    False: Failure(
        "AccountSpotCoreQuotaReached", "The specified account has reached spot core quota"
    ),
}
_FIRST_TO_GO: Final = (
    NodeState.UNUSABLE,
    NodeState.START_TASK_FAILED,
    NodeState.CREATING,
    NodeState.STARTING,
    NodeState.WAITING_FOR_START_TASK,
    NodeState.IDLE,
    NodeState.RUNNING,
)


def create(account: Account, body: Json) -> Pool:
    """
    Add a pool and begin to bring it to its size.

    Raises:
        ServiceError: The pool exists, its packages do not, or its formula is wrong.
    """
    if there := account.pools.find(body["id"]):
        deleting = there.state is PoolState.DELETING
        raise ServiceError("PoolBeingDeleted" if deleting else "PoolExists")
    pool = Pool(body, *_packages_and_formula(account, body))
    pool.retarget(*_targets(body), pool.deallocation)
    account.pools.add(pool.id, pool)
    tell("pool.created", pool=pool.id)
    _follow(account, pool)
    account.background.start(_live_pool(account, pool), name=f"pool {pool.id}")
    return pool


def update(account: Account, pool: Pool, body: Json) -> None:
    """
    Give a pool other properties; nodes that are there keep the packages that they have.

    Raises:
        ServiceError: The pool is being deleted, its packages do not exist, or its formula is wrong.
    """
    if pool.state is PoolState.DELETING:
        raise ServiceError("PoolBeingDeleted")
    pool.packages, pool.formula = _packages_and_formula(account, body)
    targets = _targets(body)
    pool.body, pool.modified = body, now()
    if pool.formula is None:
        pool.scaling = None
        pool.retarget(*targets, pool.deallocation)
    _follow(account, pool)
    tell("pool.updated", pool=pool.id)


def _packages_and_formula(
    account: Account, body: Json
) -> tuple[tuple[Package, ...], Formula | None]:
    references = body.get("applicationPackageReferences", ())
    packages = resolve_packages(references, account.applications.active())
    return packages, read_formula(body["autoScaleFormula"]) if body["enableAutoScale"] else None


def _targets(body: Json) -> tuple[int, int]:
    """Take the targets out of the body: what is echoed are those in force."""
    return body.pop("targetDedicatedNodes", 0), body.pop("targetLowPriorityNodes", 0)


def _follow(account: Account, pool: Pool) -> None:
    """Let the pool follow its formula, with the samples that it has, or no formula any more."""
    if pool.formula is None and pool.follower is not None:
        pool.follower.cancel()
        pool.follower = None
    elif pool.formula is not None and pool.follower is None:
        pool.follower = account.background.start(
            follow_formula(account, pool), name=f"formula of pool {pool.id}"
        )


def delete(pool: Pool) -> None:
    """
    Begin the removal of a pool; the tasks on its nodes go back to their queue.

    Raises:
        ServiceError: It has begun already.
    """
    if pool.state is PoolState.DELETING:
        raise ServiceError("PoolBeingDeleted")
    pool.delete()


async def _live_pool(account: Account, pool: Pool) -> None:
    while pool.state is PoolState.ACTIVE or pool.nodes:
        await pool.changed.wait()
        pool.changed.clear()
        pool.resize_error = None
        for dedicated, target in (
            (True, pool.target_dedicated),
            (False, pool.target_low_priority),
        ):
            _resize(account, pool, target, dedicated=dedicated)
        pool.settle()
    if pool.follower is not None:
        pool.follower.cancel()
    account.pools.remove(pool.id)
    tell("pool.removed", pool=pool.id)


def _resize(account: Account, pool: Pool, wanted: int, *, dedicated: bool) -> None:
    target = min(wanted, MOST_NODES)
    if target < wanted:
        pool.resize_error = _OVER_QUOTA[dedicated]
    members = [
        node
        for node in pool.nodes.values()
        if node.dedicated == dedicated and node.state is not NodeState.LEAVING_POOL
    ]
    staying = [node for node in members if not node.draining]
    for node in (node for node in members if node.draining):
        # Under taskcompletion a node waits for its tasks: until then it can be kept after all.
        if len(staying) < target:
            node.draining = False
            staying.append(node)
        elif not node.runs:
            _let_go(account, node)
    for _ in range(target - len(staying)):
        node = nodes.create(account, pool, dedicated=dedicated)
        node.life = account.background.start(_boot(account, node), name=f"boot of {node.id}")
    staying.sort(key=lambda node: (_FIRST_TO_GO.index(node.state), node.allocated))
    for node in staying[: max(0, len(staying) - target)]:
        _drain(account, node)


def _drain(account: Account, node: Node) -> None:
    node.draining = True
    if not node.runs:
        _let_go(account, node)
    elif node.pool.deallocation != "taskcompletion":
        why = TaskStop.TERMINATE if node.pool.deallocation == "terminate" else TaskStop.REQUEUE
        account.background.start(stop_runs([*node.runs.values()], why), name=f"drain of {node.id}")


def _let_go(account: Account, node: Node) -> None:
    node.enter(NodeState.LEAVING_POOL)
    account.background.start(_leave(account, node), name=f"removal of {node.id}")


async def _leave(account: Account, node: Node) -> None:
    await nodes.leave(account, node)
    node.pool.changed.set()


async def _boot(account: Account, node: Node) -> None:
    try:
        ready = await nodes.boot(account, node)
    except Exception as error:  # noqa: BLE001 - or the node would be starting for ever
        tell_failure("node.boot_failed", error, pool=node.pool.id, node=node.id)
        nodes.spoil(node, "Unknown", "The emulator failed to start the node", error)
        return
    if ready:
        assign(account, node.pool)
        await nodes.start_beside_tasks(account, node)

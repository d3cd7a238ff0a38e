"""The life of a pool: its size follows its targets."""

from collections.abc import Iterable
from typing import Final

from batch_emulator.errors import ServiceError
from batch_emulator.formula import Formula
from batch_emulator.journal import tell
from batch_emulator.package import Package
from batch_emulator.runtime import node_changes, nodes
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.autoscale import follow, read_formula
from batch_emulator.runtime.enums import AllocationState, NodeState, PoolState, TaskStop
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.node_packages import resolve_packages
from batch_emulator.runtime.scheduling import assign, node_of, stop_runs
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.wire import Json

MOST_NODES: Final = 64
"""The quota of nodes of one kind in one pool: they are processes of one laptop."""

_REMOVAL_SECONDS: Final = 5.0
"""How long a pool without nodes is still seen being deleted, at its speed."""

_MOST_SIMULATED_NODES: Final = 2500
"""The same if no program runs: the limit of a pool without communication between nodes."""

_OVER_QUOTA: Final = {
    True: Failure(
        "AccountCoreQuotaReached", "The specified account has reached dedicated core quota"
    ),
    False: Failure(
        "AccountSpotCoreQuotaReached", "The specified account has reached spot core quota"
    ),
}
_FIRST_TO_GO: Final = (
    NodeState.PREEMPTED,
    NodeState.UNUSABLE,
    NodeState.START_TASK_FAILED,
    NodeState.DEALLOCATED,
    NodeState.DEALLOCATING,
    NodeState.CREATING,
    NodeState.STARTING,
    NodeState.REBOOTING,
    NodeState.REIMAGING,
    NodeState.WAITING_FOR_START_TASK,
    NodeState.OFFLINE,
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
    packages, formula = _packages_and_formula(account, body)
    pool = Pool(body, packages, account.clock, formula)
    pool.retarget(*_targets(body), pool.deallocation)
    account.pools.add(pool.id, pool)
    live(account, pool)
    return pool


def live(account: Account, pool: Pool) -> None:
    """Start the life of a pool that was created or loaded."""
    follow(account, pool, at_once=True)
    account.background.start(_live_pool(account, pool), name=f"pool {pool.id}")


def live_again(account: Account, node: Node) -> None:
    """Go on with the removal of a stored node from its pool."""
    account.background.start(_leave(account, node), name=f"removal of {node.id}")


def update(account: Account, pool: Pool, body: Json) -> None:
    """
    Change the properties of a pool; existing nodes keep their packages.

    Raises:
        ServiceError: The pool is being deleted, its packages do not exist, or its formula is wrong.
    """
    _refuse_unless_here(pool)
    pool.packages, pool.formula = _packages_and_formula(account, body)
    targets = _targets(body)
    pool.body, pool.modified = body, pool.clock.now()
    if pool.formula is None:
        pool.scaling = None
        pool.retarget(*targets, pool.deallocation)
    follow(account, pool)
    tell("pool.updated", pool=pool.id)


def _packages_and_formula(
    account: Account, body: Json
) -> tuple[tuple[Package, ...], Formula | None]:
    references = body.get("applicationPackageReferences", ())
    packages = resolve_packages(references, account.applications.active())
    return packages, read_formula(body["autoScaleFormula"]) if body["enableAutoScale"] else None


def _targets(body: Json) -> tuple[int, int]:
    """Take the targets out of the body: replies show those in force."""
    return body.pop("targetDedicatedNodes", 0), body.pop("targetLowPriorityNodes", 0)


def delete(pool: Pool) -> None:
    """
    Begin the removal of a pool; the tasks on its nodes go back to their queue.

    Raises:
        ServiceError: It has begun already.
    """
    _refuse_unless_here(pool)
    pool.delete()


def resize(pool: Pool, targets: tuple[int, int], option: str, timeout: str) -> None:
    """
    Begin to bring a pool of a fixed size to another one.

    Raises:
        ServiceError: The pool is being deleted, follows a formula, or is being resized already.
    """
    _refuse_unless_here(pool)
    if pool.formula is not None:
        reason = "A pool with automatic scaling enabled cannot be resized"
        raise ServiceError("OperationNotValidOnPool", values=(("Reason", reason),))
    _refuse_unless_steady(pool)
    pool.body["resizeTimeout"] = timeout
    pool.modified = pool.clock.now()
    pool.retarget(*targets, option)
    tell("pool.resized", pool=pool.id, dedicated=targets[0], low_priority=targets[1])


def stop_resize(account: Account, pool: Pool) -> None:
    """
    Stop a resize of a pool: nodes that are still being created are given up, others stay.

    Raises:
        ServiceError: The pool is being deleted.
    """
    _refuse_unless_here(pool)
    pool.modified = pool.clock.now()
    if pool.allocation is not AllocationState.RESIZING:
        return
    for node in pool.nodes.values():
        node.draining = False
        if node.state is NodeState.CREATING:
            _let_go(account, node, seconds=nodes.WITHDRAWN_SECONDS)
    pool.hold()
    assign(account, pool)
    tell("pool.resize_stopped", pool=pool.id)


def remove_nodes(
    account: Account, pool: Pool, names: Iterable[str], option: str, timeout: str
) -> None:
    """
    Begin to remove these nodes; the pool's targets become what is left.

    Raises:
        ServiceError: The pool is being deleted or resized, or one of the nodes is not there.
    """
    _refuse_unless_here(pool)
    _refuse_unless_steady(pool)
    found = {name: node_of(pool, name) for name in names}
    if missing := [name for name, node in found.items() if node is None]:
        raise ServiceError("NodeNotFound", values=(("NodeId", missing[0]),))
    leaving = {node.id: node for node in found.values() if node is not None}
    gone = [node.dedicated for node in leaving.values()]
    if pool.formula is None:
        pool.body["resizeTimeout"] = timeout
    pool.modified = pool.clock.now()
    pool.retarget(
        pool.current(dedicated=True) - gone.count(True),
        pool.current(dedicated=False) - gone.count(False),
        option,
    )
    for node in leaving.values():
        _drain(account, node)
    tell("pool.nodes_removed", pool=pool.id, nodes=[*leaving])


def change(account: Account, pool: Pool, changes: Json) -> None:
    """
    Replace properties of a pool that do not concern its size; an empty one is removed.

    Existing nodes get the packages and the start task at their next boot.

    Raises:
        ServiceError: The pool is being deleted, or its packages do not exist.
    """
    _refuse_unless_here(pool)
    body = {**pool.body, **changes}
    for name in changes:
        if body[name] in (None, []):
            del body[name]
    references = body.get("applicationPackageReferences", ())
    pool.packages = resolve_packages(references, account.applications.active())
    pool.body, pool.modified = body, pool.clock.now()
    tell("pool.updated", pool=pool.id)


def withhold(pool: Pool, failure: Failure) -> None:
    """Give a pool no more nodes, with this as the error of its last resize."""
    pool.withheld, pool.resize_errors = failure, (failure,)
    tell("pool.withheld", pool=pool.id, code=failure.code)


def grant(pool: Pool) -> None:
    """
    Give a pool nodes again from its next resize on; the error of the last one stays until then.

    Raises:
        ValueError: No nodes are withheld from it.
    """
    if pool.withheld is None:
        raise ValueError("no nodes are withheld from the pool")
    pool.withheld = None
    tell("pool.granted", pool=pool.id)


def shrink(pool: Pool, dedicated: int, low_priority: int, option: str) -> None:
    """
    Give a pool another size, as its formula would; it need not have one.

    Raises:
        ValueError: The pool is being deleted.
    """
    if pool.state is PoolState.DELETING:
        raise ValueError("the pool is deleting")
    pool.retarget(dedicated, low_priority, option)
    tell("pool.shrunk", pool=pool.id, dedicated=dedicated, low_priority=low_priority)


def _refuse_unless_here(pool: Pool) -> None:
    if pool.state is PoolState.DELETING:
        raise ServiceError("PoolBeingDeleted")


def _refuse_unless_steady(pool: Pool) -> None:
    if pool.allocation is not AllocationState.STEADY:
        raise ServiceError("PoolBeingResized")


async def _live_pool(account: Account, pool: Pool) -> None:
    while pool.state is PoolState.ACTIVE or pool.nodes:
        await pool.changed.wait()
        pool.changed.clear()
        if not pool.held:
            errors = (
                _resize(account, pool, pool.target_dedicated, dedicated=True),
                _resize(account, pool, pool.target_low_priority, dedicated=False),
            )
            found = tuple(error for error in errors if error is not None)
            # An error stays until the next resize, whatever happens to the nodes.
            pool.resize_errors = found or pool.resize_errors
        pool.settle()
    if pool.follower is not None:
        pool.follower.cancel()
    await account.pause(_REMOVAL_SECONDS)
    account.pools.remove(pool.id)
    tell("pool.removed", pool=pool.id)


def _resize(account: Account, pool: Pool, wanted: int, *, dedicated: bool) -> Failure | None:
    quota = MOST_NODES if account.options.simulation is None else _MOST_SIMULATED_NODES
    target = min(wanted, quota)
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
        else:  # its tasks have ended, or are to end now under another option
            _drain(account, node)
    if pool.withheld is not None and len(staying) < target:
        return pool.withheld
    for _ in range(target - len(staying)):
        node_changes.start(account, nodes.create(account, pool, dedicated=dedicated))
    staying.sort(key=lambda node: (_FIRST_TO_GO.index(node.state), node.allocated))
    for node in staying[: max(0, len(staying) - target)]:
        _drain(account, node)
    return _OVER_QUOTA[dedicated] if target < wanted else None


def _drain(account: Account, node: Node) -> None:
    node.draining = True
    waits = node.pool.deallocation == "taskcompletion"
    if not node.runs and not (waits and node.side_tasks):
        _let_go(account, node)
    elif not waits:
        why = TaskStop.TERMINATE if node.pool.deallocation == "terminate" else TaskStop.REQUEUE
        account.background.start(stop_runs([*node.runs.values()], why), name=f"drain of {node.id}")


def _let_go(account: Account, node: Node, **seconds: float) -> None:
    nodes.interrupt(node)
    node.enter(NodeState.LEAVING_POOL)
    account.background.start(_leave(account, node, **seconds), name=f"removal of {node.id}")


async def _leave(account: Account, node: Node, **seconds: float) -> None:
    await nodes.leave(account, node, **seconds)
    node.pool.changed.set()

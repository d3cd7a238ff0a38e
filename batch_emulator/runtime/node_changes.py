"""Changes of a node by clients and faults: restart it, keep tasks from it, preempt it."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Final

from batch_emulator.errors import ServiceError
from batch_emulator.journal import tell, tell_failure
from batch_emulator.runtime import nodes, preparation
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.enums import NodeState, SchedulingState, TaskStop
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.life_cycles import NODE
from batch_emulator.runtime.scheduling import assign, stop_runs
from batch_emulator.runtime.state.node import Node

_STOPS: Final = {"requeue": TaskStop.REQUEUE, "terminate": TaskStop.TERMINATE}
"""How the tasks of a node are stopped, by the options of clients; ``taskcompletion`` stops none."""

_REFUSALS: Final = {
    NodeState.CREATING: "NodeBeingCreated",
    NodeState.STARTING: "NodeBeingStarted",
    NodeState.WAITING_FOR_START_TASK: "NodeBeingStarted",
    NodeState.REBOOTING: "NodeBeingRebooted",
    NodeState.REIMAGING: "NodeBeingReimaged",
    NodeState.UNUSABLE: "NodeStateUnusable",
    NodeState.START_TASK_FAILED: "NodeStateUnusable",
    NodeState.PREEMPTED: "NodeNotReady",
    NodeState.LEAVING_POOL: "NodeNotReady",
    NodeState.DEALLOCATING: "OperationInvalidForCurrentState",
    NodeState.DEALLOCATED: "OperationInvalidForCurrentState",
}
_STOPPING: Final = frozenset({NodeState.REBOOTING, NodeState.REIMAGING, NodeState.DEALLOCATING})
_FAILED: Final = frozenset({NodeState.UNUSABLE, NodeState.START_TASK_FAILED})


def start(account: Account, node: Node) -> None:
    """Begin the life of a node that its pool has just been given."""
    nodes.live(account, node, _boot(account, node), "boot")
    _expect_preemption(account, node)


def _expect_preemption(account: Account, node: Node) -> None:
    """Let a Spot node be preempted when the simulation says so."""
    simulation = account.options.simulation
    if simulation is None or node.dedicated:
        return
    if node.preemption is not None:  # of the machine that the node had before
        node.preemption.cancel()
    if lot := simulation.preemption(node.id, node.preemptions):
        after, seconds = lot
        node.preemption = account.clock.call_later(
            account.at_speed(timedelta(seconds=after)).total_seconds(),
            partial(_preempt_if_there, account, node, seconds),
        )


def _preempt_if_there(account: Account, node: Node, seconds: float) -> None:
    here = node.pool.nodes.get(node.id) is node
    if here and NODE.allows(node.state, NodeState.PREEMPTED):
        preempt(account, node, seconds)


async def _boot(account: Account, node: Node) -> None:
    with _spoiled_by_errors(node):
        if await nodes.boot(account, node):
            await _serve(account, node)


async def _serve(account: Account, node: Node) -> None:
    assign(account, node.pool)
    await nodes.start_beside_tasks(account, node)


@contextlib.contextmanager
def _spoiled_by_errors(node: Node) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - or the node would be starting forever
        tell_failure("node.boot_failed", error, pool=node.pool.id, node=node.id)
        nodes.spoil(node, "Unknown", "The emulator failed to start the node", error)


def resume(account: Account, node: Node) -> None:
    """Let a stored node go on with what it was doing; its tasks are gone."""
    how = node.state if node.state in _STOPPING else node.restart
    if how is not None:
        nodes.live(account, node, _restart(account, node, how, "requeue"), "restart")
    elif node.state is NodeState.PREEMPTED:
        nodes.live(account, node, _survive(account, node, TaskStop.RECOVER), "preemption")
    elif node.state in {NodeState.CREATING, NodeState.STARTING}:
        start(account, node)
    else:
        _expect_preemption(account, node)
        if node.start is not None and node.start.ended is None:
            nodes.live(account, node, nodes.start_beside_tasks(account, node), "start task")


def restart(account: Account, node: Node, how: NodeState, option: str) -> None:
    """
    Begin to reboot, reimage or deallocate a node, as soon as its tasks have ended.

    A node that failed can be restarted too: that is how it recovers.

    Raises:
        ServiceError: The node is not in a state from which it can be restarted.
    """
    if node.state not in _FAILED:
        require_in_service(node)
    elif how is NodeState.DEALLOCATING:
        raise ServiceError("OperationInvalidForCurrentState")
    node.restart = how
    if not node.runs:
        nodes.interrupt(node)
        node.enter(how)
    nodes.live(account, node, _restart(account, node, how, option), "restart")
    tell("node.restarted", pool=node.pool.id, node=node.id, how=how)


async def _restart(account: Account, node: Node, how: NodeState, option: str) -> None:
    await _end_tasks(node, option)
    if how is NodeState.REBOOTING:
        preparation.node_reboots(account, node)
    else:
        preparation.node_is_gone(account, node)
    with _spoiled_by_errors(node):
        if how is NodeState.DEALLOCATING:
            await nodes.deallocate(account, node)
        elif await nodes.restart(account, node, how):
            await _serve(account, node)


async def _end_tasks(node: Node, option: str) -> None:
    runs = [*node.runs.values()]
    if option in _STOPS:
        await stop_runs(runs, _STOPS[option])
    elif waiting := {run.carrier for run in runs if run.carrier is not None} | node.side_tasks:
        await asyncio.wait(waiting)


def start_again(account: Account, node: Node) -> None:
    """
    Begin to start a node that is deallocated; it boots with an empty disk.

    Raises:
        ServiceError: The node is not deallocated.
    """
    if node.state is not NodeState.DEALLOCATED:
        raise ServiceError("OperationInvalidForCurrentState")
    node.enter(NodeState.STARTING)
    start(account, node)
    tell("node.started_again", pool=node.pool.id, node=node.id)


def require_in_service(node: Node) -> None:
    """
    Refuse a change of a node that cannot run tasks now.

    Raises:
        ServiceError: The code says what the node is doing.
    """
    state = node.restart or node.state
    if code := _REFUSALS.get(state):
        raise ServiceError(code)


def disable_scheduling(account: Account, node: Node, option: str) -> None:
    """
    Start no new task on a node; it is offline when its running tasks have ended.

    Raises:
        ServiceError: The node is not in service, or tasks are kept from it already.
    """
    require_in_service(node)
    if node.scheduling is SchedulingState.DISABLED:
        raise ServiceError("NodeAlreadyInTargetSchedulingState")
    node.scheduling = SchedulingState.DISABLED
    if not node.runs:
        node.rest()
    account.background.start(_end_tasks(node, option), name=f"last tasks of {node.id}")


def enable_scheduling(account: Account, node: Node) -> None:
    """
    Let tasks start on a node again.

    Raises:
        ServiceError: The node is not in service, or tasks are let in already.
    """
    require_in_service(node)
    if node.scheduling is SchedulingState.ENABLED:
        raise ServiceError("NodeAlreadyInTargetSchedulingState")
    node.scheduling = SchedulingState.ENABLED
    if not node.runs:
        node.rest()
    assign(account, node.pool)


def preempt(account: Account, node: Node, seconds: float | None, *, counted: bool = False) -> None:
    """
    Preempt a Spot node, for some seconds at the pool's speed or until it is restored.

    Its tasks go back to their queue, which their ``requeueCount`` tells where it is ``counted``. The
    node comes back under its id, with an empty disk.

    Raises:
        ValueError: It is a dedicated node, or it is preempted or leaves its pool already.
    """
    if node.dedicated:
        raise ValueError("a dedicated node is never preempted")
    if not NODE.allows(node.state, NodeState.PREEMPTED):
        raise ValueError(f"the node is {node.state}")
    nodes.interrupt(node)
    node.enter(NodeState.PREEMPTED)
    node.preemptions += 1
    node.restart = None
    node.restored.clear()
    node.returns = None
    if seconds is not None:
        node.returns = account.clock.now() + account.at_speed(timedelta(seconds=seconds))
    stop = TaskStop.REQUEUE if counted else TaskStop.RECOVER
    nodes.live(account, node, _survive(account, node, stop), "preemption")
    tell("node.preempted", pool=node.pool.id, node=node.id)


def restore(node: Node) -> None:
    """
    Give a preempted node another machine.

    Raises:
        ValueError: The node is not preempted.
    """
    if node.state is not NodeState.PREEMPTED:
        raise ValueError(f"the node is {node.state}")
    node.restored.set()


def spoil(account: Account, node: Node, code: str, message: str) -> None:
    """
    Make a node unusable for this cause; its tasks go back to their queue.

    Raises:
        ValueError: A node in this state cannot become unusable.
    """
    if not NODE.allows(node.state, NodeState.UNUSABLE):
        raise ValueError(f"the node is {node.state}")
    nodes.interrupt(node)
    node.errors.append(Failure(code, message))
    node.enter(NodeState.UNUSABLE)
    account.background.start(
        stop_runs([*node.runs.values()], TaskStop.RECOVER), name=f"tasks of {node.id}"
    )
    tell("node.unusable", pool=node.pool.id, node=node.id, reason=message)


async def _survive(account: Account, node: Node, stop: TaskStop) -> None:
    await stop_runs([*node.runs.values()], stop)
    preparation.node_is_gone(account, node)
    await nodes.lose(account, node)
    limit = (
        None
        if node.returns is None
        else max(0, (node.returns - account.clock.now()).total_seconds())
    )
    await account.clock.wait(node.restored, limit)
    node.enter(NodeState.CREATING)
    node.allocated = account.clock.now()
    tell("node.restored", pool=node.pool.id, node=node.id)
    _expect_preemption(account, node)
    await _boot(account, node)

"""Going on with a stored account: pools, nodes, jobs and tasks as after a crash of the emulator."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from batch_emulator.journal import tell
from batch_emulator.runtime import job_schedules, jobs, node_changes, pools, preparation, tasks
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.command_line import ENDED
from batch_emulator.runtime.enums import (
    AllocationState,
    JobState,
    NodeState,
    PoolState,
    TaskState,
    TaskStop,
)
from batch_emulator.runtime.process import SUPERVISOR
from batch_emulator.runtime.scheduling import assign, disable, follow_up
from batch_emulator.runtime.state.job import LIVING, Job
from batch_emulator.runtime.state.node import Node

_SPARE_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.02


async def end_former(root: Path, grace_seconds: float) -> None:
    """
    Wait until no process of an earlier emulator runs below ``root``.

    Supervisors end their trees when their emulator is gone. A process that has lost its supervisor,
    or does not end in time, is killed.
    """
    await asyncio.to_thread(_end_former, root, grace_seconds + _SPARE_SECONDS)


def _end_former(root: Path, limit_seconds: float) -> None:
    limit = time.monotonic() + limit_seconds
    while (supervisors := list(_supervisors(root))) and time.monotonic() < limit:
        time.sleep(_LOOK_SECONDS)
    for process in supervisors:
        with contextlib.suppress(psutil.Error):
            process.kill()
    while found := list(_processes(root)):
        for process in found:
            tell("process.killed", pid=process.pid, root=str(root))
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(_LOOK_SECONDS)


def _supervisors(root: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if str(SUPERVISOR) in words and Path(words[-1]).is_relative_to(root):
                yield process


def _processes(root: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            node = process.environ().get("AZ_BATCH_NODE_ROOT_DIR")
            alive = process.status() != psutil.STATUS_ZOMBIE
            if node and Path(node).is_relative_to(root) and alive:
                yield process


def resume(account: Account) -> None:
    """
    Let everything go on from where it was stored.

    Tasks that ran go back to their queue, or fail if they or their job were being ended. Nodes that were not up
    boot again; the others keep what they have.
    """
    for job in account.jobs:
        preparation.recover(job)
        _settle_tasks(account, job)
    for pool in account.pools:
        for node in pool.nodes.values():
            _resume_node(account, node)
        if pool.allocation is not AllocationState.STEADY or pool.state is PoolState.DELETING:
            pool.changed.set()
        pools.live(account, pool)
    for job in account.jobs:
        if job.state is not JobState.COMPLETED:
            jobs.live(account, job)
        if job.state is JobState.DISABLING:
            disable(account, job, None)
    for schedule in account.job_schedules:
        job_schedules.live(account, schedule)
    for pool in account.pools:
        assign(account, pool)


def _settle_tasks(account: Account, job: Job) -> None:
    for task in job.tasks:
        if task.leaving:
            account.background.start(tasks.delete(task), name=f"removal of task {task.id}")
        if task.state not in {TaskState.PREPARING, TaskState.RUNNING}:
            continue
        if job.state in LIVING and task.stop is not TaskStop.TERMINATE:
            task.requeue()
        else:
            task.complete(None, ENDED)
            if not task.leaving:
                follow_up(account, task)
        tell("task.recovered", job=job.id, task=task.id, state=task.state)


def _resume_node(account: Account, node: Node) -> None:
    if node.state is NodeState.LEAVING_POOL:
        pools.live_again(account, node)
        return
    if node.state is NodeState.RUNNING:
        node.rest()
    elif node.state is NodeState.WAITING_FOR_START_TASK:
        # Its boot begins anew; no node of the service takes this step back.
        node.state, node.start = NodeState.STARTING, None
    node_changes.resume(account, node)

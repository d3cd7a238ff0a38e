"""The faults of one job, task, node or pool, by the last part of their paths."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from batch_emulator.faults.bodies import (
    read_cause,
    read_exit_code,
    read_nothing,
    read_preemption,
    read_seconds,
    read_size,
)
from batch_emulator.formula.errors import MESSAGES
from batch_emulator.runtime import jobs, node_changes, pools, tasks
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.scheduling import node_of
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.runtime.state.task import Task

type Change = Callable[[Account, Any, bytes], Awaitable[None]]

_PREEMPTED_SECONDS: Final = 300.0
_HELD_SECONDS: Final = 1800.0
_SPOILED: Final = ("DiskFull", "There is not enough disk space on the node")
_WITHHELD: Final = (
    "AllocationFailed",
    "Desired number of dedicated nodes could not be allocated",
)
_NOT_UPLOADED: Final = (
    "FileUploadContainerNotFound",
    "One of the specified Azure container(s) was not found while attempting to upload an output file",
)
_NOT_EVALUATED: Final = (
    "InsufficientSampleData",
    "Line 1, Col 1: Insufficient data from data set: $PendingTasks wanted 70%, received 0%",
)


async def _forget_job(account: Account, job: Job, body: bytes) -> None:
    read_nothing(body)
    await jobs.forget(account, job)


async def _delete_job(_: Account, job: Job, body: bytes) -> None:
    await jobs.keep_deleting(job, timedelta(seconds=read_seconds(body, 0.0) or 0.0))


async def _break_uploads(_: Account, job: Job, body: bytes) -> None:
    job.upload_failure = Failure(*read_cause(body, *_NOT_UPLOADED))


async def _hold_counts(_: Account, job: Job, body: bytes) -> None:
    job.counts_held = timedelta(seconds=read_seconds(body, _HELD_SECONDS) or 0.0)


async def _mend_job(_: Account, job: Job, body: bytes) -> None:
    read_nothing(body)
    job.upload_failure, job.counts_held = None, timedelta()


async def _skip_task(account: Account, task: Task, body: bytes) -> None:
    read_nothing(body)
    tasks.skip(account, task)


async def _expire_task(_: Account, task: Task, body: bytes) -> None:
    read_nothing(body)
    tasks.expire(task)


async def _preempt_node(account: Account, node: Node, body: bytes) -> None:
    seconds, counted = read_preemption(body, _PREEMPTED_SECONDS)
    node_changes.preempt(account, node, seconds, counted=counted)


async def _restore_node(_: Account, node: Node, body: bytes) -> None:
    read_nothing(body)
    node_changes.restore(node)


async def _spoil_node(account: Account, node: Node, body: bytes) -> None:
    node_changes.spoil(account, node, *read_cause(body, *_SPOILED))


async def _withhold_nodes(_: Account, pool: Pool, body: bytes) -> None:
    pools.withhold(pool, Failure(*read_cause(body, *_WITHHELD)))


async def _grant_nodes(_: Account, pool: Pool, body: bytes) -> None:
    read_nothing(body)
    pools.grant(pool)


async def _shrink_pool(_: Account, pool: Pool, body: bytes) -> None:
    pools.shrink(pool, *read_size(body))


async def _break_start(_: Account, pool: Pool, body: bytes) -> None:
    pool.start_exit_code = read_exit_code(body)


async def _break_formula(_: Account, pool: Pool, body: bytes) -> None:
    pool.evaluation_failure = Failure(*read_cause(body, *_NOT_EVALUATED, codes=tuple(MESSAGES)))


async def _mend_pool(_: Account, pool: Pool, body: bytes) -> None:
    read_nothing(body)
    pool.start_exit_code = pool.evaluation_failure = None


CHANGES: Final[Mapping[str, Mapping[str, Change]]] = {
    "jobs": {
        "forget": _forget_job,
        "delete": _delete_job,
        "break-uploads": _break_uploads,
        "hold-counts": _hold_counts,
        "mend": _mend_job,
    },
    "tasks": {"skip": _skip_task, "expire": _expire_task},
    "nodes": {"preempt": _preempt_node, "restore": _restore_node, "spoil": _spoil_node},
    "pools": {
        "withhold": _withhold_nodes,
        "grant": _grant_nodes,
        "shrink": _shrink_pool,
        "break-start": _break_start,
        "break-formula": _break_formula,
        "mend": _mend_pool,
    },
}


def find_thing(account: Account, kind: str, names: list[str]) -> object | None:
    """Return the job, task, node or pool with this name; a task's name follows that of its job."""
    match kind, names:
        case "jobs", [job]:
            return account.jobs.find(job)
        case "tasks", [job, task]:
            return found.tasks.find(task) if (found := account.jobs.find(job)) else None
        case "nodes", [node]:
            nodes = (node_of(pool, node) for pool in account.pools)
            return next((found for found in nodes if found is not None), None)
        case _:
            return account.pools.find(names[0])

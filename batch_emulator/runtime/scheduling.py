"""Which task runs where, and what becomes of it when its run ends."""

import asyncio

from batch_emulator.journal import tell, tell_failure
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.command_line import Ending
from batch_emulator.runtime.enums import JobState, TaskState, TaskStop
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.state import Job, Node, Pool, Run, Task
from batch_emulator.runtime.task_execution import execute


def waiting(account: Account, pool: Pool) -> list[Task]:
    """Return the active tasks of a pool's active jobs, the first to run first."""
    jobs = account.jobs.where(
        lambda job: job.state is JobState.ACTIVE and job.pool_id.lower() == pool.id.lower()
    )
    jobs.sort(key=lambda job: (-job.body["priority"], job.created))
    return [task for job in jobs for task in job.tasks.values() if task.state is TaskState.ACTIVE]


def assign(account: Account, pool: Pool) -> None:
    """Start every waiting task for which there is room."""
    if not any(node.ready and node.slots_free > 0 for node in pool.nodes.values()):
        return  # most jobs are created while there is none
    for task in waiting(account, pool):
        fits = [node for node in pool.nodes.values() if _has_room(task, node)]
        if not fits:
            continue
        pack = pool.body["taskSchedulingPolicy"]["nodeFillType"] == "Pack"
        node = (max if pack else min)(fits, key=lambda node: node.slots_taken)
        slots = pool.body["taskSlotsPerNode"]
        run = Run(task, node, slots if task.body["runExclusive"] else task.body["requiredSlots"])
        task.begin(node)
        node.begin(run)
        run.carrier = account.background.start(
            _carry(account, run), name=f"task {task.job.id}/{task.id}"
        )
        tell("task.started", job=task.job.id, task=task.id, node=node.id)


def _has_room(task: Task, node: Node) -> bool:
    slots = node.pool.body["taskSlotsPerNode"]
    needed = slots if task.body["runExclusive"] else task.body["requiredSlots"]
    allowed = node.dedicated or task.body["allowLowPriorityNode"]
    # More slots than a node has are never free: the task waits for ever, as on the service.
    wanted = max(needed, task.body["requiredSlots"])
    return node.ready and allowed and wanted <= node.slots_free


async def _carry(account: Account, run: Run) -> None:
    task, node = run.task, run.node
    try:
        ending, failure, stopped = await execute(account, run)
    except asyncio.CancelledError:
        node.runs.pop(task, None)
        raise
    except Exception as error:  # noqa: BLE001 - or the task would run for ever
        tell_failure("task.lost", error, job=task.job.id, task=task.id)
        message = f"The emulator failed to run the task: {error}"
        failure = Failure("Unknown", message, category="ServerError")
        ending, stopped = Ending(None, failure), None
    if stopped is TaskStop.REQUEUE:
        task.requeue()
    else:
        task.execution.exit_code, task.execution.failure = ending.exit_code, failure
        task.complete()
    node.end(run)
    tell("task.ended", job=task.job.id, task=task.id, state=task.state, code=ending.exit_code)
    if task.state is TaskState.COMPLETED and task.body["killJobOnCompletion"]:
        task.job.end("JMComplete")
    if node.draining:
        node.pool.changed.set()
    assign(account, node.pool)


async def stop_runs(runs: list[Run], why: TaskStop) -> None:
    """End these runs and wait until their processes are gone and their tasks are settled."""
    for run in runs:
        run.ask_to_stop(why)
    carriers = [run.carrier for run in runs if run.carrier is not None]
    if carriers:
        await asyncio.wait(carriers)


def runs_of(job: Job) -> list[Run]:
    """Return the runs of a job's tasks."""
    return [
        task.node.runs[task]
        for task in job.tasks.values()
        if task.node is not None and task in task.node.runs
    ]


def pool_of(account: Account, job: Job) -> Pool | None:
    """Return the pool of a job, if it exists."""
    return account.pools.find(job.pool_id)


def node_of(pool: Pool, name: str) -> Node | None:
    """Return a pool's node by its id."""
    return next((node for node in pool.nodes.values() if node.id.lower() == name.lower()), None)

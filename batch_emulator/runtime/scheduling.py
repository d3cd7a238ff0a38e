"""Which task runs where, and what happens when its run ends."""

import asyncio
from collections import Counter
from collections.abc import Iterable

from batch_emulator.journal import tell, tell_failure
from batch_emulator.runtime import preparation
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.command_line import ENDED, Ending
from batch_emulator.runtime.enums import JobState, TaskState, TaskStop
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.exit_conditions import exit_options
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.runtime.state.run import Run
from batch_emulator.runtime.state.task import Task
from batch_emulator.runtime.task_execution import execute


def assign(account: Account, pool: Pool, tasks: Iterable[Task] | None = None) -> None:
    """
    Start every waiting task for which there is room.

    Args:
        account: The account.
        pool: The pool in which there is room.
        tasks: The tasks to consider, such as new ones; by default all that wait.
    """
    if not account.backlog(pool.id).ready:
        return
    free = {node: node.slots_free for node in pool.nodes.values() if node.ready}
    if not any(slots > 0 for slots in free.values()):
        return  # most jobs are created while there is none
    waiting = account.backlog(pool.id).waiting() if tasks is None else tasks
    for run in _choose(pool, free, waiting):
        task, node = run.task, run.node
        task.begin(node, prepared=preparation.begin(account, task.job, node))
        task.job.runs[task] = run
        node.begin(run)
        run.carrier = account.background.start(
            _carry(account, run), name=f"task {task.job.id}/{task.id}"
        )
        tell("task.started", job=task.job.id, task=task.id, node=node.id)


def _choose(pool: Pool, free: dict[Node, int], waiting: Iterable[Task]) -> list[Run]:
    """Return the runs that can start now; change nothing."""
    all_slots = pool.body["taskSlotsPerNode"]
    pack = pool.body["taskSchedulingPolicy"]["nodeFillType"] == "Pack"
    chosen: list[Run] = []
    running: Counter[Job] = Counter()
    for task in waiting:
        if not any(free.values()):
            break
        if not _may_start(task, running):
            continue
        # More slots than a node has are never free: the task waits forever, as on the service.
        wanted = max(all_slots, task.slots) if task.exclusive else task.slots
        fits = [
            node
            for node, slots in free.items()
            if wanted <= slots
            and (node.dedicated or task.allows_spot)
            and not task.job.keeps_from(node)
        ]
        if not fits:
            continue
        near = [node for node in fits if f"TVM:{node.id}" == task.affinity]
        node = (min if pack else max)(near or fits, key=lambda node: free[node])
        free[node] -= wanted
        running[task.job] += 1
        chosen.append(Run(task, node, wanted))
    return chosen


def _may_start(task: Task, chosen: Counter[Job]) -> bool:
    job, most = task.job, task.job.body["maxParallelTasks"]
    offered = job.state is JobState.ACTIVE and task in job.ready
    return offered and (most < 0 or len(job.runs) + chosen[job] < most)


async def _carry(account: Account, run: Run) -> None:
    task, node = run.task, run.node
    try:
        ending, failure, stopped = await _execute_when_prepared(account, run)
    except asyncio.CancelledError:
        node.runs.pop(task, None)
        raise
    except Exception as error:  # noqa: BLE001 - or the task would run forever
        tell_failure("task.lost", error, job=task.job.id, task=task.id)
        message = f"The emulator failed to run the task: {error}"
        failure = Failure("Unknown", message, category="ServerError")
        ending, stopped = Ending(None, failure), None
    task.job.runs.pop(task, None)
    if stopped and stopped.runs_again:
        task.requeue(counted=stopped is TaskStop.REQUEUE)
    else:
        task.complete(ending.exit_code, failure)
    node.end(run)
    tell("task.ended", job=task.job.id, task=task.id, state=task.state, code=ending.exit_code)
    if task.state is TaskState.COMPLETED and not task.leaving:
        follow_up(account, task)
    if node.draining:
        node.pool.changed.set()
    assign(account, node.pool)


async def _execute_when_prepared(
    account: Account, run: Run
) -> tuple[Ending, Failure | None, TaskStop | None]:
    """Run a task when its node is prepared for its job; return the result."""
    task, node = run.task, run.node
    if task.state is TaskState.PREPARING:
        if (stopped := await preparation.ready(run)) is not None:
            return Ending(None, ENDED), ENDED, stopped
        task.enter(TaskState.RUNNING)
    if visit := task.job.visits.get(node.id):
        visit.used = True
    node.total_run += 1
    node.remember(task)
    return await execute(account, run)


def follow_up(account: Account, task: Task) -> None:
    """Do what the end of a task means for its job and for the tasks that depend on it."""
    job = task.job
    options = exit_options(task.body.get("exitConditions", {}), task.execution)
    if options["dependencyAction"] == "satisfy":
        job.satisfy(task.id)
    if task.body.get("killJobOnCompletion"):
        job.end("JMComplete")
    if job.body["onTaskFailure"] == "performexitoptionsjobaction":
        if options["jobAction"] == "terminate":
            job.end("TaskFailed")
        elif options["jobAction"] == "disable" and job.state is JobState.ACTIVE:
            disable(account, job, TaskStop.REQUEUE)
    job.end_if_all_done()


def disable(account: Account, job: Job, how: TaskStop | None) -> None:
    """
    Start no more tasks of a job, and deal with those that run.

    Args:
        account: The account.
        job: A job that is active, being disabled or disabled.
        how: What stops the running tasks; None lets them finish.
    """
    if job.state is JobState.ACTIVE:
        job.enter(JobState.DISABLING)
    if how is not None:
        for run in job.runs.values():
            run.ask_to_stop(how)
    if job.state is JobState.DISABLING:
        _settle(account, job)


def _settle(account: Account, job: Job) -> None:
    if not job.runs:
        job.enter(JobState.DISABLED)
        tell("job.disabled", job=job.id)
        return
    account.background.start(_wait_and_settle(account, job), name=f"disabling of job {job.id}")


async def _wait_and_settle(account: Account, job: Job) -> None:
    await _ended([*job.runs.values()])
    if job.state is JobState.DISABLING:
        _settle(account, job)


async def stop_runs(runs: list[Run], why: TaskStop) -> None:
    """End these runs and wait until their processes are gone and their tasks are settled."""
    for run in runs:
        run.ask_to_stop(why)
    await _ended(runs)


async def _ended(runs: list[Run]) -> None:
    carriers = [run.carrier for run in runs if run.carrier is not None]
    if carriers:
        await asyncio.wait(carriers)


def pool_of(account: Account, job: Job) -> Pool | None:
    """Return the pool of a job, if it exists."""
    return account.pools.find(job.pool_id)


def node_of(pool: Pool, name: str) -> Node | None:
    """Return a pool's node by its id."""
    return next((node for node in pool.nodes.values() if node.id.lower() == name.lower()), None)

"""
What a job runs on a node before its first task there, and when the job ends.

Source: the descriptions of the job preparation and the job release task in the API.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from functools import partial
from typing import Final

from batch_emulator.clock import Clock
from batch_emulator.journal import tell, tell_failure
from batch_emulator.runtime import nodes
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.command_line import (
    ENDED,
    Ending,
    job_environment,
    launch_failure,
    run_command,
    run_until_success,
)
from batch_emulator.runtime.enums import JobState, NodeState, TaskStop
from batch_emulator.runtime.execution import Execution, Failure
from batch_emulator.runtime.process import LaunchError
from batch_emulator.runtime.resource_files import download_all
from batch_emulator.runtime.simulated_runs import run_side_task
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.run import Run
from batch_emulator.runtime.state.visit import Visit
from batch_emulator.wire import Json, parse_duration

_UP: Final = frozenset({NodeState.IDLE, NodeState.RUNNING, NodeState.OFFLINE})
_COMING: Final = frozenset(
    {NodeState.REBOOTING, NodeState.STARTING, NodeState.WAITING_FOR_START_TASK}
)


def begin(account: Account, job: Job, node: Node) -> bool:
    """
    Start the job preparation task on a node before a task of the job, if it is due.

    Returns:
        Whether the task can run at once.
    """
    body: Json | None = job.body.get("jobPreparationTask")
    if body is None:
        return True
    visit = job.visits.get(node.id)
    if visit is None:
        visit = job.visits[node.id] = Visit(node=node, preparation=Execution())
    if visit.due and visit.preparing is None:
        visit.preparation = Execution(started=account.clock.now())
        work = _beside_tasks(account, node, _prepare(account, job, visit, body))
        work.add_done_callback(lambda _: _stop_preparing(account.clock, visit))
        visit.preparing = work
        tell("job.preparation_started", job=job.id, node=node.id)
    return visit.prepared or not body["waitForSuccess"]


def _stop_preparing(clock: Clock, visit: Visit) -> None:
    visit.preparing = None
    _settle(clock, visit.preparation)


def _settle(clock: Clock, execution: Execution) -> None:
    """Note the end of a task that its node or the end of the job has cut off."""
    if execution.ended is None:
        execution.ended, execution.failure = clock.now(), ENDED


async def ready(run: Run) -> TaskStop | None:
    """
    Wait until the node of a run is prepared.

    Returns:
        What happens to the task instead, if the preparation failed or the run must end.
    """
    visit = run.task.job.visits.get(run.node.id)
    stopping = asyncio.create_task(run.stopping.wait())
    waiting: list[asyncio.Task[object]] = [stopping]
    if visit is not None and visit.preparing is not None:
        waiting.append(visit.preparing)
    try:
        if len(waiting) > 1:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    if run.stop is not None:
        return run.stop
    return None if visit is not None and visit.prepared else TaskStop.RECOVER


def _beside_tasks(
    account: Account, node: Node, work: Coroutine[object, object, None]
) -> asyncio.Task[None]:
    """Run ``work`` on a node until it or the node ends; a draining node waits for it."""
    task = nodes.live(account, node, work, "job preparation or release")
    node.side_tasks.add(task)

    def ended(_: asyncio.Task[None]) -> None:
        node.side_tasks.discard(task)
        if node.draining:
            node.pool.changed.set()

    task.add_done_callback(ended)
    return task


async def _prepare(account: Account, job: Job, visit: Visit, body: Json) -> None:
    constraints = body["constraints"]
    await _perform(
        account,
        job,
        visit.node,
        body,
        visit.preparation,
        limit=constraints["maxWallClockTime"],
        most_retries=constraints["maxTaskRetryCount"],
    )
    visit.due = False
    code = visit.preparation.exit_code
    tell("job.preparation_ended", job=job.id, node=visit.node.id, code=code)


async def _perform(  # noqa: PLR0913 - a task, its place and its limits
    account: Account,
    job: Job,
    node: Node,
    body: Json,
    execution: Execution,
    *,
    limit: str,
    most_retries: int = 0,
) -> None:
    """Run one of the two tasks of a job on a node, and keep its result."""
    root = node.root / job.root / body["id"]
    try:
        failure = None
        if account.options.simulation is None:
            files = body.get("resourceFiles", ())
            failure = await download_all(account.storage, files, root / "wd")
        ending = Ending(None, failure)
        if failure is None:
            once = partial(_try, account, job, node, body, execution, parse_duration(limit))
            ending = await run_until_success(
                account.clock, execution, once, most_retries=most_retries
            )
    except OSError as error:  # an earlier run has replaced the folder
        ending = Ending(None, launch_failure(LaunchError(str(error), missing=False)))
    except Exception as error:  # noqa: BLE001 - or what waits for the task would wait forever
        tell_failure("job.side_task_lost", error, job=job.id, node=node.id, task=body["id"])
        message = f"The emulator failed to run the task: {error}"
        ending = Ending(None, Failure("Unknown", message, category="ServerError"))
    execution.exit_code, execution.failure = ending.exit_code, ending.failure
    execution.ended = account.clock.now()


async def _try(  # noqa: PLR0913, PLR0917 - a task, its place and its limit
    account: Account, job: Job, node: Node, body: Json, execution: Execution, limit: timedelta
) -> Ending:
    root, simulation = node.root / job.root / body["id"], account.options.simulation
    if simulation is not None:
        outcome = simulation.tasks.find(job.id, body["id"], execution.retries, node.id)
        return await run_side_task(account, simulation, outcome, root, limit)
    return await run_command(
        account,
        body["commandLine"],
        root=root,
        environment=job_environment(account, node, job, body),
        limit=limit,
    )


async def stop(clock: Clock, visits: list[Visit]) -> None:
    """Stop the running job preparation tasks; return when nothing of them is left."""
    running = [visit.preparing for visit in visits if visit.preparing is not None]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
    for visit in visits:
        _settle(clock, visit.preparation)
        if visit.preparation.failure == ENDED:
            visit.due = False


async def release(account: Account, job: Job) -> None:
    """
    Stop the job preparation tasks of a job, then run its job release tasks.

    These run at the same time on all nodes that were prepared and then used. One that a reboot
    interrupts runs again after it. Returns when all have ended.
    """
    used = [
        visit
        for visit in job.visits.values()
        if visit.used and visit.preparation.ended and visit.preparation.failure != ENDED
    ]
    await stop(account.clock, [*job.visits.values()])
    body: Json | None = job.body.get("jobReleaseTask")
    if body is None:
        return
    async with asyncio.TaskGroup() as group:
        for visit in used:
            if visit.release is None or visit.release.ended is None:
                group.create_task(_release(account, job, visit, body))


async def _release(account: Account, job: Job, visit: Visit, body: Json) -> None:
    node = visit.node
    while await _is_up(node) and job.visits.get(node.id) is visit:
        visit.release = Execution(started=account.clock.now())
        limit = body["maxWallClockTime"]
        work = _perform(account, job, node, body, visit.release, limit=limit)
        task = _beside_tasks(account, node, work)
        await asyncio.wait([task])
        if not task.cancelled():
            tell("job.released", job=job.id, node=node.id, code=visit.release.exit_code)
            return
    if visit.release is not None:
        _settle(account.clock, visit.release)


async def _is_up(node: Node) -> bool:
    """Wait until a node can run tasks; return False if only a new image or start can make it so."""
    while node.state in _UP | _COMING:
        if node.state in _UP and node.restart is None:
            return True
        await node.entered.wait()
    return False


def node_is_gone(account: Account, node: Node) -> None:
    """Forget that a node was prepared: what was on its disk is gone."""
    for job in account.jobs:
        if job.state is not JobState.COMPLETED:
            job.visits.pop(node.id, None)


def node_reboots(account: Account, node: Node) -> None:
    """Let the jobs that ask for it prepare a node again after its reboot."""
    for job in account.jobs:
        visit = job.visits.get(node.id)
        if visit is not None and visit.prepared:
            visit.due = job.body["jobPreparationTask"]["rerunOnNodeRebootAfterSuccess"]


def recover(job: Job) -> None:
    """Settle what an earlier emulator has left: its processes have ended with it."""
    for visit in job.visits.values():
        if visit.preparation.ended is None:
            visit.due = True

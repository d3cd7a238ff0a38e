"""What happens on the node between the start of a task and its end."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from batch_emulator.errors import ServiceError
from batch_emulator.package import Package
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.command_line import (
    ENDED,
    Ending,
    launch_failure,
    run_command,
    task_environment,
)
from batch_emulator.runtime.enums import TaskStop
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.node_packages import INSTALL_FAILURE, install_all, resolve_packages
from batch_emulator.runtime.output_files import upload_all
from batch_emulator.runtime.process import LaunchError
from batch_emulator.runtime.resource_files import download_all
from batch_emulator.runtime.simulated_runs import run_task
from batch_emulator.runtime.state.run import Run
from batch_emulator.wire import parse_duration

NO_CONTAINERS: Final = Failure(
    "ContainerPoolNotSupported", "The specified pool does not support container tasks."
)
"""The failure of a task with a container: no node here can run one. Source: issues that quote it."""


async def execute(account: Account, run: Run) -> tuple[Ending, Failure | None, TaskStop | None]:
    """
    Run a task on its node; return how it went.

    Its packages and resource files come first: without them nothing runs and nothing is retried.
    Then comes its command, with retries, and last the upload of its outputs.
    """
    task, node = run.task, run.node
    if "containerSettings" in task.body and account.options.simulation is None:
        return Ending(None, NO_CONTAINERS), NO_CONTAINERS, run.stop
    root = node.root / task.root
    references = task.body.get("applicationPackageReferences", ())
    try:
        packages = resolve_packages(references, account.applications.active())
    except ServiceError as error:  # they were there when the task was added
        missing = Failure(*INSTALL_FAILURE, tuple(error.values))
        return Ending(None, missing), missing, run.stop
    if account.options.simulation is None:
        unprepared = await _unless_stopped(account, run, packages, root / "wd")
        if unprepared is not None:
            return Ending(None, unprepared), unprepared, run.stop
    outputs, real = task.body.get("outputFiles", ()), account.options.simulation is None
    environment = task_environment(account, node, task, packages) if real or outputs else {}
    ending = await _run_with_retries(account, run, root, environment)
    stopped = run.stop  # a request to stop that comes while outputs are uploaded is too late
    failure = ENDED if stopped is TaskStop.TERMINATE else ending.failure
    if not outputs or (stopped and stopped.runs_again) or ending.exit_code is None:
        return ending, failure, stopped
    if task.job.upload_failure is not None:
        return ending, failure or task.job.upload_failure, stopped
    with account.clock.real_work():
        upload_failure = await upload_all(
            account.storage,
            outputs,
            success=failure is None,
            directory=root / "wd",
            variables=environment,
        )
    return ending, failure or upload_failure, stopped


async def _unless_stopped(
    account: Account, run: Run, packages: Sequence[Package], directory: Path
) -> Failure | None:
    """Bring what the task needs to its node; give up when it is asked to stop."""
    preparing = asyncio.create_task(_prepare(account, run, packages, directory))
    stopping = asyncio.create_task(run.stopping.wait())
    try:
        await asyncio.wait([preparing, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in (preparing, stopping):
            future.cancel()
        await asyncio.wait([preparing, stopping])
    return ENDED if preparing.cancelled() else preparing.result()


async def _prepare(
    account: Account, run: Run, packages: Sequence[Package], directory: Path
) -> Failure | None:
    if failure := await install_all(account.storage, run.node, packages):
        return failure
    files = run.task.body.get("resourceFiles", ())
    return await download_all(account.storage, files, directory)


async def _run_once(account: Account, run: Run, root: Path, environment: dict[str, str]) -> Ending:
    if account.options.simulation is not None:
        return await run_task(account, account.options.simulation, run, root)
    body = run.task.body
    return await run_command(
        account,
        body["commandLine"],
        root=root,
        environment=environment,
        limit=parse_duration(body["constraints"]["maxWallClockTime"]),
        stopping=run.ending,
    )


async def _run_with_retries(
    account: Account, run: Run, root: Path, environment: dict[str, str]
) -> Ending:
    task = run.task
    constraints = task.body["constraints"]
    while True:
        try:
            ending = await _run_once(account, run, root, environment)
        except OSError as error:  # an earlier run has replaced the folder
            return Ending(None, launch_failure(LaunchError(str(error), missing=False)))
        exhausted = task.execution.retries == constraints["maxTaskRetryCount"]
        if run.stop is None:
            run.ending.clear()
        if run.stop or not ending.exit_code or exhausted:
            return ending
        task.execution.retries += 1
        task.execution.last_retry = task.execution.started = account.clock.now()

"""One run of a command line on a node: its folders, its environment, its end."""

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from batch_emulator.clock import Clock
from batch_emulator.package import Package
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.execution import Execution, Failure
from batch_emulator.runtime.node_packages import folder_of
from batch_emulator.runtime.process import Command, LaunchError, Program
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.task import Task
from batch_emulator.wire import UNLIMITED, Json

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_USER: Final = "_azbatch"

EXIT_CODE: Final = Failure(
    "FailureExitCode",
    "The task exited with an exit code representing a failure",
    (
        ("Message", "The task process exited with an unexpected exit code"),
        ("AdditionalErrorCode", "FailureExitCode"),
    ),
)
"""The failure of a task whose program ended with another exit code than 0."""
ENDED: Final = Failure("TaskEnded", "Task Was Ended by User Request")
"""The failure of a task that was ended by a request."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended; one without an exit code never ran."""

    exit_code: int | None
    failure: Failure | None


def settings(items: Iterable[Json]) -> dict[str, str]:
    """Return environment settings as a mapping."""
    return {item["name"]: item.get("value", "") for item in items}


def node_environment(
    account: Account, node: Node, packages: Iterable[Package] = ()
) -> dict[str, str]:
    """Return Batch's variables on a node, with those of the pool's packages and of ``packages``."""
    folders = {
        package.variable: str(folder_of(node, package)) for package in (*node.packages, *packages)
    }
    return {
        "PATH": _PATH,
        "USER": _USER,
        "AZ_BATCH_ACCOUNT_NAME": account.options.account,
        "AZ_BATCH_ACCOUNT_URL": f"{account.url}/",
        "AZ_BATCH_NODE_ID": node.id,
        "AZ_BATCH_NODE_IS_DEDICATED": str(node.dedicated).lower(),
        "AZ_BATCH_NODE_MOUNTS_DIR": str(node.root / "fsmounts"),
        "AZ_BATCH_NODE_ROOT_DIR": str(node.root),
        "AZ_BATCH_NODE_SHARED_DIR": str(node.root / "shared"),
        "AZ_BATCH_NODE_STARTUP_DIR": str(node.root / "startup"),
        "AZ_BATCH_POOL_ID": node.pool.id,
        **folders,
    }


def start_environment(account: Account, node: Node, start_task: Json) -> dict[str, str]:
    """Return the environment of a node's start task."""
    return _with_folders(
        settings(start_task.get("environmentSettings", ())),
        node_environment(account, node),
        node.root / "startup",
    )


def task_environment(
    account: Account, node: Node, task: Task, packages: Iterable[Package] = ()
) -> dict[str, str]:
    """Return the environment of a task: the job's settings, the task's over them, Batch's last."""
    return job_environment(account, node, task.job, task.body, packages)


def job_environment(
    account: Account, node: Node, job: Job, task: Json, packages: Iterable[Package] = ()
) -> dict[str, str]:
    """
    Return the environment of a task of a job, also of its job preparation or job release task.

    Every task except the job preparation task gets variables with that task's folders.
    """
    theirs = settings(job.body.get("commonEnvironmentSettings", ()))
    theirs |= settings(task.get("environmentSettings", ()))
    ours = node_environment(account, node, packages)
    ours |= {"AZ_BATCH_JOB_ID": job.id, "AZ_BATCH_TASK_ID": str(task["id"])}
    root = node.root / job.root
    preparation: Json | None = job.body.get("jobPreparationTask")
    if preparation is not None and preparation["id"] != task["id"]:
        folder = root / preparation["id"]
        ours["AZ_BATCH_JOB_PREP_DIR"] = str(folder)
        ours["AZ_BATCH_JOB_PREP_WORKING_DIR"] = str(folder / "wd")
    return _with_folders(theirs, ours, root / task["id"])


def _with_folders(theirs: Mapping[str, str], ours: Mapping[str, str], root: Path) -> dict[str, str]:
    reserved = {name: value for name, value in ours.items() if name.startswith("AZ_BATCH_")}
    return {
        "HOME": str(root / "wd"),
        **ours,
        **theirs,
        **reserved,
        "AZ_BATCH_TASK_DIR": str(root),
        "AZ_BATCH_TASK_WORKING_DIR": str(root / "wd"),
    }


async def run_command(  # noqa: PLR0913 - a command, its place and its limits
    account: Account,
    command_line: str,
    *,
    root: Path,
    environment: Mapping[str, str],
    limit: timedelta = UNLIMITED,
    stopping: asyncio.Event | None = None,
) -> Ending:
    """
    Run one command line in ``root`` until it ends, its time is up, or it is asked to stop.

    Afterwards no process of its tree is alive, however it ended.

    Raises:
        OSError: An earlier program has replaced the folder with something else.
        RuntimeError: The account runs no program.
    """
    if account.options.simulation is not None:
        raise RuntimeError("an account that simulates its tasks runs no program")
    directory = root / "wd"
    directory.mkdir(parents=True, exist_ok=True)
    command = Command(
        argv=shlex.split(command_line),
        directory=directory,
        environment=environment,
        stdout=root / "stdout.txt",
        stderr=root / "stderr.txt",
        grace_seconds=account.options.kill_grace_seconds,
    )
    program = Program(command)
    try:
        await _first(account.clock, program, limit, stopping)
    finally:
        await program.kill()
    try:
        code = await program.ended()
    except LaunchError as error:
        return Ending(None, launch_failure(error))
    return Ending(account.options.signal_exit_code.of(code), EXIT_CODE if code else None)


async def run_until_success(
    clock: Clock,
    execution: Execution,
    once: Callable[[], Awaitable[Ending]],
    *,
    most_retries: int = 0,
) -> Ending:
    """
    Run a program until it succeeds or its retries are used up, and count the retries.

    Args:
        clock: Gives the times of the retries.
        execution: The execution of the task, which has begun.
        once: Runs the program once.
        most_retries: The largest number of retries; -1 is no limit.

    Raises:
        OSError: An earlier program has replaced the folder with something else.
    """
    while True:
        ending = await once()
        if not ending.exit_code or execution.retries == most_retries:
            return ending
        execution.retries += 1
        execution.last_retry = execution.started = clock.now()


async def _first(
    clock: Clock, program: Program, limit: timedelta, stopping: asyncio.Event | None
) -> None:
    waiting: list[asyncio.Task[object]] = [asyncio.create_task(program.settled())]
    if stopping is not None:
        waiting.append(asyncio.create_task(stopping.wait()))
    if limit < UNLIMITED:
        waiting.append(asyncio.create_task(clock.sleep(limit.total_seconds())))
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in waiting:
            future.cancel()


def launch_failure(error: LaunchError) -> Failure:
    """Return why a program could not be started, in the service's words."""
    if error.missing:
        return Failure(
            "CommandProgramNotFound",
            "The specified command program is not found",
            (("Message", "The system cannot find the file specified"),),
        )
    return Failure(
        "CommandLaunchFailed",
        "The specified command could not be launched",
        (("Message", str(error)),),
    )

"""The life of a node: boot, packages, start task, and the end of its folder."""

import asyncio
import contextlib
import secrets
import shutil
from collections.abc import Coroutine
from pathlib import Path
from typing import Final

from batch_emulator.journal import tell
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.command_line import (
    Ending,
    run_command,
    run_until_success,
    start_environment,
)
from batch_emulator.runtime.enums import NodeState
from batch_emulator.runtime.execution import Execution, Failure
from batch_emulator.runtime.node_packages import INSTALL_FAILURE, fetch, folder_of, unzip
from batch_emulator.runtime.resource_files import download_all
from batch_emulator.runtime.simulated_runs import run_start_task
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.wire import Json

_CREATING_SECONDS: Final = 1.0
_LEAVING_SECONDS: Final = 30.0
WITHDRAWN_SECONDS: Final = 1.0
"""How long it takes to give up a node that is still being created."""
_RESTARTING_SECONDS: Final = 60.0
_FOLDERS: Final = ("applications", "fsmounts", "shared", "startup/wd", "volatile", "workitems")


def create(account: Account, pool: Pool, *, dedicated: bool) -> Node:
    """Add a node to a pool; the caller starts its life."""
    name = f"tvmps_{_digits(account, pool)}_{'d' if dedicated else 'p'}"
    pool.nodes_made += 1
    root = account.options.root.resolve() / pool.id / name
    node = Node(id=name, pool=pool, dedicated=dedicated, root=root)
    pool.nodes[name] = node
    pool.observer.node_created(node)
    tell("node.created", pool=pool.id, node=name, dedicated=dedicated)
    return node


def _digits(account: Account, pool: Pool) -> str:
    simulation = account.options.simulation
    if simulation is None:
        return secrets.token_hex(32)
    return simulation.node_name(pool.id, pool.nodes_made)


async def boot(account: Account, node: Node) -> bool:
    """Boot a new node; tell whether tasks can run on it."""
    simulation, seconds = account.options.simulation, account.options.boot_seconds
    if simulation is not None:
        seconds = simulation.boot_seconds(node.id, seconds)
    creating = min(_CREATING_SECONDS, seconds)
    if node.state is NodeState.CREATING:  # and not stored when it was starting
        await account.pause(creating)
        node.enter(NodeState.STARTING)
        node.pool.settle()
    await account.pause(seconds - creating)
    return await _prepare(account, node)


async def restart(account: Account, node: Node, how: NodeState) -> bool:
    """Reboot or reimage a node on which nothing runs; tell whether tasks can run on it again."""
    await halt(node)
    node.enter(how)
    node.start = None
    node.errors.clear()
    if how is NodeState.REIMAGING:
        node.users.clear()
    await _empty(account, node.root if how is NodeState.REIMAGING else node.root / "applications")
    await account.pause(_RESTARTING_SECONDS)
    node.enter(NodeState.STARTING)
    node.restart = None
    return await _prepare(account, node)


async def deallocate(account: Account, node: Node) -> None:
    """Deallocate a node on which nothing runs, until a client starts it."""
    await halt(node)
    node.enter(NodeState.DEALLOCATING)
    node.start = None
    node.users.clear()
    node.errors.clear()
    await _empty(account, node.root)
    await account.pause(_LEAVING_SECONDS)
    node.enter(NodeState.DEALLOCATED)
    node.restart = None
    tell("node.deallocated", pool=node.pool.id, node=node.id)


async def lose(account: Account, node: Node) -> None:
    """Forget everything that was on a node whose machine is gone."""
    await halt(node)
    await _empty(account, node.root)
    node.booted, node.start, node.packages = None, None, ()
    node.total_run = node.total_succeeded = 0
    node.errors.clear()
    node.users.clear()
    node.recent.clear()


async def _prepare(account: Account, node: Node) -> bool:
    node.booted = account.clock.now()
    node.boots += 1
    node.installed.clear()  # what tasks had brought is gone with the folder
    if _has_folder(account):
        for folder in _FOLDERS:
            (node.root / folder).mkdir(parents=True, exist_ok=True)
    if not _mount(account, node) or not await _unzip_packages(account, node):
        return False
    if not await _start_before_tasks(account, node):
        return False
    node.rest()
    tell("node.ready", pool=node.pool.id, node=node.id)
    return True


def _has_folder(account: Account) -> bool:
    simulation = account.options.simulation
    return simulation is None or simulation.writes_files


def _mount(account: Account, node: Node) -> bool:
    """Fail if the pool mounts anything: a task must not find an empty folder in its place."""
    if not node.pool.body.get("mountConfiguration") or account.options.simulation is not None:
        return True
    error = OSError("The emulator mounts no file systems; see batch_emulator/SUPPORT.md.")
    spoil(node, "MountConfigurationFailed", "A file system could not be mounted on the node", error)
    return False


async def _unzip_packages(account: Account, node: Node) -> bool:
    packages = node.pool.packages  # as they are now: others concern nodes that come later
    for package in packages if account.options.simulation is None else ():
        try:
            local = await fetch(account.storage, package, node.root / "volatile")
            await asyncio.to_thread(unzip, local, folder_of(node, package))
        except Exception as error:  # noqa: BLE001 - a damaged archive fails in many ways
            spoil(node, *INSTALL_FAILURE, error)
            return False
    node.packages = packages
    return True


def spoil(node: Node, code: str, message: str, error: Exception) -> None:
    """Make a node unusable, and say why."""
    reason = str(error) or type(error).__name__
    node.errors.append(Failure(code, message, (("Message", reason),)))
    node.enter(NodeState.UNUSABLE)
    tell("node.unusable", pool=node.pool.id, node=node.id, reason=reason)


async def _start_before_tasks(account: Account, node: Node) -> bool:
    start_task: Json | None = node.pool.start_task
    if start_task is None or not start_task["waitForSuccess"]:
        return True
    node.enter(NodeState.WAITING_FOR_START_TASK)
    if await _run_start_task(account, node, start_task):
        return True
    node.enter(NodeState.START_TASK_FAILED)
    tell("node.start_task_failed", pool=node.pool.id, node=node.id)
    return False


async def start_beside_tasks(account: Account, node: Node) -> None:
    """Run a start task that nothing waits for, while tasks may already run."""
    start_task: Json | None = node.pool.start_task
    if start_task is not None and not start_task["waitForSuccess"]:
        await _run_start_task(account, node, start_task)


async def _run_start_task(account: Account, node: Node, start_task: Json) -> bool:
    execution = node.start = Execution(started=account.clock.now())
    if account.options.simulation is None:
        files, directory = start_task.get("resourceFiles", ()), node.root / "startup/wd"
        execution.failure = await download_all(account.storage, files, directory)
    if execution.failure is not None:
        execution.ended = account.clock.now()
        return False
    ending = await run_until_success(
        account.clock,
        execution,
        lambda: _try_start_task(account, node, start_task),
        most_retries=start_task["maxTaskRetryCount"],
    )
    execution.ended = account.clock.now()
    execution.exit_code, execution.failure = ending.exit_code, ending.failure
    return execution.failure is None


async def _try_start_task(account: Account, node: Node, start_task: Json) -> Ending:
    if account.options.simulation is not None:
        return await run_start_task(account, account.options.simulation, node)
    return await run_command(
        account,
        start_task["commandLine"],
        root=node.root / "startup",
        environment=start_environment(account, node, start_task),
    )


async def leave(account: Account, node: Node, *, seconds: float = _LEAVING_SECONDS) -> None:
    """Remove a node whose tasks have ended from its pool, with its folder."""
    node.enter(NodeState.LEAVING_POOL)
    await halt(node)
    await account.pause(seconds)
    await _empty(account, node.root)
    del node.pool.nodes[node.id]
    node.pool.observer.node_removed(node)
    tell("node.removed", pool=node.pool.id, node=node.id)


def live(
    account: Account, node: Node, work: Coroutine[object, object, None], name: str
) -> asyncio.Task[None]:
    """Run ``work`` as a part of the node's life, so that it ends with the node."""
    task = account.background.start(work, name=f"{name} of {node.id}")
    node.lives.add(task)
    task.add_done_callback(node.lives.discard)
    return task


def interrupt(node: Node) -> set[asyncio.Task[None]]:
    """Cancel what is under way on a node except tasks and the caller; return it."""
    others = node.lives - {asyncio.current_task()}
    for life in others:
        life.cancel()
    return others


async def halt(node: Node) -> None:
    """Cancel what is under way on a node, such as its boot, and wait for its end."""
    if others := interrupt(node):
        await asyncio.wait(others)


async def _empty(account: Account, folder: Path) -> None:
    """Remove a folder; its path is free at once, also for what follows if this is cancelled."""
    if not _has_folder(account):
        return
    doomed = _set_aside(folder)
    await account.clock.in_thread(wipe, doomed)
    if doomed.exists():
        tell("folder.left", folder=str(doomed))


def _set_aside(folder: Path) -> Path:
    aside = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
    try:
        return folder.rename(aside)
    except OSError:  # it is not there, or a task has shut the folder above
        return folder


def wipe(folder: Path) -> None:
    """Remove a folder, whatever file modes tasks have set in it."""

    def unlock(function: object, path: str, _error: BaseException) -> None:
        parent = Path(path).parent
        with contextlib.suppress(OSError):
            parent.chmod(0o700)
            if not Path(path).is_symlink():  # what a link leads to is not ours to change
                Path(path).chmod(0o700)
            if callable(function):
                function(path)

    shutil.rmtree(folder, onexc=unlock, ignore_errors=False)

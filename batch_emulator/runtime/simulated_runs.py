"""Simulated programs: they take their time, and end as a table says."""

import asyncio
import signal
from datetime import timedelta
from pathlib import Path
from typing import Final

from batch_emulator.errors import ServiceError, not_supported
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.command_line import EXIT_CODE, Ending
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.run import Run
from batch_emulator.simulation import Outcome, Simulation
from batch_emulator.wire import UNLIMITED, parse_duration

_FAILED: Final = 1
_UNKNOWN: Final = Failure(
    "NotSupportedByEmulator",
    "This account simulates its tasks and runs no program; no row of its simulation matches the task",
    category="ServerError",
)


def refuse_real_task(account: Account, job: str, task: str) -> None:
    """
    Refuse a task that the account's simulation does not know.

    Raises:
        ServiceError: NotSupportedByEmulator, with the ids that no row of the simulation matches.
    """
    simulation = account.options.simulation
    if simulation is not None and simulation.tasks.find(job, task, 0) is None:
        raise refusal(job, task)


def refusal(job: str, task: str) -> ServiceError:
    """Make the refusal of a task that is not simulated."""
    return not_supported(
        f"real tasks in an account that simulates them (--simulation, --clock virtual): no row of "
        f"its simulation matches task {task} of job {job}"
    )


async def run_task(account: Account, simulation: Simulation, run: Run, root: Path) -> Ending:
    """Let a task take its time, until its limit or a request ends it."""
    task = run.task
    number = task.execution.retries + task.execution.requeues
    outcome = simulation.tasks.find(task.job.id, task.id, number)
    if outcome is None:
        return Ending(None, _UNKNOWN)
    limit = parse_duration(task.body["constraints"]["maxWallClockTime"])
    seconds = _shortened(outcome, limit)
    stopped = await account.clock.wait(run.ending, seconds)
    if simulation.writes_files:
        _write(root, outcome)
    return _ending(account, outcome, in_time=seconds == outcome.seconds and not stopped)


async def run_side_task(
    account: Account, simulation: Simulation, outcome: Outcome | None, root: Path, limit: timedelta
) -> Ending:
    """Let a job preparation or job release task take its time; without an outcome it takes none."""
    outcome = outcome or Outcome(0.0)
    seconds = _shortened(outcome, limit)
    await account.clock.sleep(seconds)
    if simulation.writes_files:
        _write(root, outcome)
    return _ending(account, outcome, in_time=seconds == outcome.seconds)


def _shortened(outcome: Outcome, limit: timedelta) -> float:
    """Return how many seconds a program runs, at most its limit."""
    return outcome.seconds if limit >= UNLIMITED else min(outcome.seconds, limit.total_seconds())


def _ending(account: Account, outcome: Outcome, *, in_time: bool) -> Ending:
    code = outcome.exit_code if in_time else account.options.signal_exit_code.of(-signal.SIGTERM)
    return Ending(code, EXIT_CODE if code else None)


def _write(root: Path, outcome: Outcome) -> None:
    (root / "wd").mkdir(parents=True, exist_ok=True)
    (root / "stdout.txt").write_text(outcome.stdout)
    (root / "stderr.txt").write_text(outcome.stderr)


async def run_start_task(account: Account, simulation: Simulation, node: Node) -> Ending:
    """Let a node's start task take its time; one that hangs ends only with the boot."""
    seconds, how = simulation.start_task(node.id, node.boots)
    if how == "hangs":
        await asyncio.Event().wait()
    await account.pause(seconds)
    if simulation.writes_files:
        _write(node.root / "startup", Outcome(seconds))
    return Ending(_FAILED, EXIT_CODE) if how == "fails" else Ending(0, None)

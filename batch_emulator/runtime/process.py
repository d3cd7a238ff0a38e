"""Running one program of a node, and ending it with everything that it started."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import psutil

TREE_VARIABLE: Final = "AZ_BATCH_EMULATOR_TREE"
"""The environment variable that marks the processes of a tree, whatever their parents."""

_SWEEP_SECONDS: Final = 0.01

type _Pipes = tuple[asyncio.StreamWriter, asyncio.StreamReader]

SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to run: no shell is added, nothing is inherited from the emulator."""

    argv: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    stdout: Path
    stderr: Path
    grace_seconds: float


class LaunchError(Exception):
    """The program could not be started: ``missing`` if there is no such program."""

    def __init__(self, message: str, *, missing: bool) -> None:
        super().__init__(message)
        self.missing = missing


class Program:
    """
    One process tree under its supervisor, which starts when this object is made.

    Everything between start and end happens in one asyncio task that is never cancelled, because
    that would leave processes behind that are half started or half ended.
    """

    def __init__(self, command: Command) -> None:
        self._marker = uuid.uuid4().hex
        self._killing = asyncio.Event()
        self._report = asyncio.create_task(self._supervise(command))

    async def _supervise(self, command: Command) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(SUPERVISOR),
            str(command.directory),  # not read: it tells whose supervisor this is
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={},
            start_new_session=True,  # Ctrl-C in a terminal is the emulator's to handle
        )
        orders, report = cast("_Pipes", (process.stdin, process.stdout))
        orders.write(_order(command, self._marker))
        killer = asyncio.create_task(self._pass_on_kill(orders))
        text = await report.read()
        await process.wait()
        killer.cancel()
        orders.close()
        with contextlib.suppress(ConnectionError):
            await orders.wait_closed()
        # Without a report the supervisor itself was killed, and its tree is nobody's.
        if sys.platform != "linux" or not text:
            await asyncio.to_thread(_sweep_until_gone, self._marker)
        return text

    async def _pass_on_kill(self, orders: asyncio.StreamWriter) -> None:
        await self._killing.wait()
        orders.write(b"kill\n")

    async def settled(self) -> None:
        """Wait until nothing of the tree is left."""
        await asyncio.shield(self._report)

    async def ended(self) -> int:
        """
        Wait for the end of the whole tree and return the exit code of its first process.

        A process that a signal ended has the negative number of the signal.

        Raises:
            LaunchError: It never started.
        """
        text = await asyncio.shield(self._report)
        if not text:
            return -signal.SIGKILL  # the supervisor itself was killed
        report = json.loads(text)
        if "failed" in report:
            raise LaunchError(report["message"], missing=report["failed"] == "not_found")
        return int(report["exit"])

    async def kill(self) -> None:
        """
        End the tree: a request first, force after the grace; return when nothing is left.

        Cancelling the caller does not make this return earlier, because processes would be left
        behind.
        """
        self._killing.set()
        cancelled: asyncio.CancelledError | None = None
        while not self._report.done():
            try:
                await self.settled()
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled


def _order(command: Command, marker: str) -> bytes:
    order = {
        "argv": list(command.argv),
        "directory": str(command.directory),
        "environment": {**command.environment, TREE_VARIABLE: marker},
        "stdout": str(command.stdout),
        "stderr": str(command.stderr),
        "grace_seconds": command.grace_seconds,
    }
    return json.dumps(order).encode() + b"\n"


def _sweep_until_gone(marker: str) -> None:
    while sweep(marker):
        time.sleep(_SWEEP_SECONDS)


def sweep(marker: str) -> int:
    """
    Kill every process whose environment holds ``marker``, and return how many there were.

    For systems without child subreapers, where a process can leave its tree, and for a tree whose
    supervisor was killed.
    """
    killed = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(TREE_VARIABLE) == marker:
                process.kill()
                killed += 1
    return killed

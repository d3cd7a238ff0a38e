"""
Child processes that can be waited for, and that do not outlive whoever started them.

Where that is killed and can end nothing any more, Linux asks its children to end. macOS does not:
there they are left.
"""

import contextlib
import ctypes
import functools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from local.errors import ChildError

_ROOT = Path(__file__).resolve().parent.parent
_STEP_SECONDS = 0.02
_TAIL_LINES = 15
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # found now: between fork and exec there is not much that can be done


class Child:
    """
    One process in a session of its own, which writes what it has to say to a log file.

    A session of its own, because Ctrl-C in a terminal goes to every process of the foreground
    group at once: here whoever started the child decides when it ends, and in which order.

    Attributes:
        name: What people call it; used in messages.
        log: Where its stdout and stderr go, appended.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._start_of_log = 0

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running().pid

    def start(self) -> None:
        """
        Start it, without waiting for it to be of use.

        Raises:
            ChildError: The program cannot be started.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._start_of_log = log.tell()
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the command is ours, no shell
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self._environment,
                    cwd=_ROOT,
                    start_new_session=True,
                    preexec_fn=_last_wish(),  # noqa: PLW1509 - it takes no lock
                )
            except OSError as error:
                raise ChildError(f"{self.name} cannot be started: {error}") from error

    def wait_for(
        self,
        pattern: re.Pattern[str],
        *,
        limit_seconds: float,
        pause: Callable[[float], None] = time.sleep,
    ) -> re.Match[str]:
        """
        Wait until the log has a match, and return it.

        Args:
            pattern: Searched in everything written since the start.
            limit_seconds: How long to wait.
            pause: Waits between two looks; may raise to give up.

        Raises:
            ChildError: It ended, or said nothing of the kind in time.
        """
        limit = time.monotonic() + limit_seconds
        while True:
            ended = self._running().poll() is not None  # before reading: its last words count
            if match := pattern.search(self.said()):
                return match
            if ended:
                self.check()
            if time.monotonic() > limit:
                raise ChildError(
                    f"{self.name} was not ready in {limit_seconds:g} s; {self._tail()}"
                )
            pause(_STEP_SECONDS)

    def check(self) -> None:
        """
        Do nothing while it runs.

        Raises:
            ChildError: It has ended.
        """
        code = self._running().poll()
        if code is not None:
            raise ChildError(f"{self.name} ended by itself with exit code {code}; {self._tail()}")

    def wait(self) -> int:
        """Wait until it ends by itself, and return its exit code."""
        return self._running().wait()

    def said(self) -> str:
        """Return what it has written since its start."""
        with self.log.open("rb") as log:
            log.seek(self._start_of_log)
            return log.read().decode(errors="replace")

    def stop(self, *, limit_seconds: float = 10) -> None:
        """Ask it to end by SIGTERM, and after the limit kill it with its process group."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(limit_seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses for zombies
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ChildError(f"{self.name} has not been started")
        return self._process

    def _tail(self) -> str:
        lines = [line.rstrip() for line in self.said().splitlines() if line.strip()]
        return "\n".join([f"its log is {self.log}, and ends:", *lines[-_TAIL_LINES:]])


def _last_wish() -> Callable[[], None] | None:
    """
    Return what a child is to do before it becomes its program, so that it ends when we are killed.

    Linux sends the signal at the end of the thread that has started the child, so only the main
    thread, which ends with the process, can ask for it.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    return functools.partial(_end_with, os.getpid())


def _end_with(parent: int) -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:  # it was killed just before
        os._exit(1)

"""
A small process above one task's process tree, from which no part of the tree can escape.

It is run by path with ``python -I -S`` and imports the standard library alone, because each task
pays for its start. Its first line of input is the command as JSON; any later line, or the end of
the input (the emulator is gone, however it died), means: kill the tree. It reports one line of
JSON on its output: ``{"exit": code}``, where a signal counts as its negative number, or
``{"failed": reason, "message": text}`` when the program cannot be started.

On Linux the supervisor is a child subreaper: a process that forks twice and makes a session of
its own becomes the supervisor's child, and is found.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Adopt every orphan below this process, where the system can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants() -> list[int]:
    """Return the ids of all living processes below this one, from /proc; none where it is absent."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(FileNotFoundError):
        for entry in os.listdir("/proc"):  # noqa: PTH208 - names are enough, at half the cost
            if not entry.isdigit():
                continue
            with contextlib.suppress(OSError):
                # The name stands in parentheses and may hold anything; after it: state, parent.
                state, parent = (
                    Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[:2]
                )
                if state not in "ZX":
                    children.setdefault(int(parent), []).append(int(entry))
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def signal_tree(leader: int, number: signal.Signals) -> bool:
    """Send a signal to the leader's process group and all descendants; tell whether any lived."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
    below = descendants()
    for pid in below:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
    return bool(below)


def reap() -> None:
    """Collect every child that has ended, without waiting."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _anew(file: str) -> BinaryIO:
    """Open a new file; an earlier run may have left anything there, even a pipe."""
    path = Path(file)
    path.unlink(missing_ok=True)
    return path.open("xb")


class Tree:
    """The task's process tree: one leader with a session of its own, and what it left."""

    def __init__(self, command: dict[str, Any]) -> None:
        self.grace: float = command["grace_seconds"]
        self.ended = threading.Event()
        self.killing = threading.Lock()
        with _anew(command["stdout"]) as out, _anew(command["stderr"]) as err:
            self.process = subprocess.Popen(  # noqa: S603 - running what it is told is its purpose
                command["argv"],
                cwd=command["directory"],
                env=command["environment"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        # The object is kept, since its finaliser would collect the process behind our back.
        self.leader = self.process.pid

    def wait(self) -> int:
        """
        Wait for the leader, collecting orphans; then kill whatever it left behind.

        Returns:
            Its exit code, or the negative number of the signal that ended it.
        """
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == self.leader:
                break
        code = self.process.returncode = os.waitstatus_to_exitcode(status)
        while signal_tree(self.leader, signal.SIGKILL):
            reap()
            self.ended.wait(0.01)
        self.ended.set()
        return code

    def kill(self) -> None:
        """Ask the tree to end, and end it when the grace has passed."""
        with self.killing:
            if self.ended.is_set():
                return
            signal_tree(self.leader, signal.SIGTERM)
            if not self.ended.wait(self.grace):
                signal_tree(self.leader, signal.SIGKILL)

    def obey(self) -> None:
        """Kill the tree at the next line of input, or at its end."""
        sys.stdin.readline()
        self.kill()


def main() -> None:
    """Run the command of the first input line and report how it ended."""
    become_subreaper()
    order = sys.stdin.readline()
    if not order:
        return  # the emulator went before it said what to run
    command = json.loads(order)
    try:
        tree = Tree(command)
    except FileNotFoundError as error:
        report: dict[str, object] = {"failed": "not_found", "message": error.strerror}
    except OSError as error:
        report = {"failed": "not_launched", "message": error.strerror}
    else:
        # A handler and not SIG_IGN, which the next program started from here would inherit.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(
                number, lambda *_: threading.Thread(target=tree.kill, daemon=True).start()
            )
        threading.Thread(target=tree.obey, daemon=True).start()
        report = {"exit": tree.wait()}
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), json.dumps(report).encode() + b"\n")


if __name__ == "__main__":
    main()
    os._exit(0)  # at once: on a busy machine the interpreter takes long to put itself away

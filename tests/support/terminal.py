"""`recur` on a terminal: what it shows there, and what is typed."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.operator import Operator

ROOT = Path(__file__).parents[2]


@contextmanager
def at_a_terminal(
    someone: Operator, *arguments: str
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run a command on a terminal; yield its other end, and the process."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "recur", "--settings", str(someone.settings), *arguments]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment
    ) as process:
        os.close(theirs)
        try:
            yield ours, process
        finally:
            process.kill()
            os.close(ours)


def read_until(terminal: int, wanted: str) -> str:
    """Return what is shown, up to the text that is waited for, or to the end."""
    shown = ""
    while wanted not in shown:
        try:
            shown += os.read(terminal, 4096).decode(errors="replace")
        except OSError:  # the other end is closed
            break
    assert wanted in shown
    return shown

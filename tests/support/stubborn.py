"""A command that is hard to end, and the processes that are left of it."""

import contextlib
import sys

import psutil

STUBBORN = """
trap '' TERM
env -i {python} -c "
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
open('{mark}-far', 'w').close()
time.sleep(600)
" {mark}
touch {mark}-near
exec -a {mark} sleep 600
"""


def survivors(mark: str) -> list[int]:
    """Return the processes whose command line holds a mark."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(mark in part for part in process.cmdline()):
                found.append(process.pid)
    return found


def stubborn(mark: str) -> str:
    """Return a command that ignores TERM, and a grandchild of it that has left its session."""
    script = STUBBORN.format(python=sys.executable, mark=mark).replace("'", "'\"'\"'")
    return f"/bin/bash -c '{script}'"

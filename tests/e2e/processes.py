"""What a test needs to know of processes that it did not start itself."""

import contextlib
import re
import socket
import threading
from pathlib import Path
from typing import Self

import psutil


def running_below(folder: Path) -> list[str]:
    """
    Return the processes that have to do with a folder.

    Whatever the laptop starts has the folder in its environment (`TMPDIR`, the root of a node), in
    its arguments, or works in it; a zombie waits for init and holds nothing.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE or process.pid == psutil.Process().pid:
                continue
            traces = [*process.environ().values(), *process.cmdline(), process.cwd()]
        except psutil.Error:
            continue
        if any(str(folder) in trace for trace in traces):
            found.append(f"{process.pid} {' '.join(process.cmdline())}")
    return found


class CommandLines:
    """
    What every user of this machine can read of its processes, from entering to leaving the context.

    Attributes:
        seen: Every command line that there was, looked at 4 times a second.
    """

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._ending = threading.Event()
        self._looking = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._looking.join()

    def _look(self) -> None:
        while not self._ending.wait(0.25):
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error):
                    self.seen.add(" ".join(process.cmdline()))


def listening(output: str) -> list[int]:
    """Return those of the ports named in an output on which somebody still listens."""
    ports = {int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", output)}
    open_ports = []
    for port in sorted(ports):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                open_ports.append(port)
    return open_ports

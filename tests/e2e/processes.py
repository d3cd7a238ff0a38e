"""What a test needs to know of processes that it did not start itself."""

import re
import socket
from pathlib import Path

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


def listening(output: str) -> list[int]:
    """Return those of the ports named in an output on which somebody still listens."""
    ports = {int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", output)}
    open_ports = []
    for port in sorted(ports):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                open_ports.append(port)
    return open_ports

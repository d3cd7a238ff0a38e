"""Processes that outlived what they belonged to: there must be none."""

import os
from pathlib import Path
from uuid import uuid4

import psutil

MARK_VARIABLE = "RECUR_LAPTOP"


def mark() -> str:
    """Mark this process: whatever it starts inherits the mark in its environment."""
    mark = uuid4().hex
    os.environ[MARK_VARIABLE] = mark
    return mark


def end_survivors(mark: str, nodes: Path) -> list[str]:
    """
    Kill what still runs and return what it was.

    Args:
        mark: As returned by ``mark``.
        nodes: The folder of the emulated nodes; what runs on one may have lost the mark.
    """
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            root = environment.get("AZ_BATCH_NODE_ROOT_DIR")
            if environment.get(MARK_VARIABLE) == mark or (
                root and Path(root).is_relative_to(nodes)
            ):
                command = " ".join(process.cmdline())
                process.kill()
                found.append(f"{process.pid} {command}")
        except psutil.Error:
            continue  # it ended in this moment, or belongs to somebody else
    return found

"""A run of a task on a node."""

import asyncio
from dataclasses import dataclass, field

from batch_emulator.runtime.enums import TaskStop
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.task import Task


@dataclass(slots=True, eq=False)
class Run:
    """
    One run of a task on a node, and the requests to end it.

    ``stopping`` is set by a request. ``ending`` ends only the command: it is set by a request too,
    and by a fault that imitates the task's time limit.
    """

    task: Task
    node: Node
    slots: int
    stop: TaskStop | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    carrier: asyncio.Task[None] | None = None

    def ask_to_stop(self, stop: TaskStop) -> None:
        """
        Ask for the end of the run; the first request decides what happens to the task.

        A request to end the task overrides one to run it again, unless the task is being deleted.
        """
        if self.stop is None or (stop is TaskStop.TERMINATE and not self.task.leaving):
            self.stop = self.task.stop = stop
            self.stopping.set()
            self.ending.set()

"""What has been done on one node to prepare it for a job, and to release it from the job."""

import asyncio
from dataclasses import dataclass

from batch_emulator.runtime.execution import Execution
from batch_emulator.runtime.state.node import Node


@dataclass(slots=True, eq=False)
class Visit:
    """
    What the job preparation and job release tasks of a job have done on one node.

    Attributes:
        preparation: The last run of the job preparation task.
        due: Whether that task must run or end before another task of the job starts.
        used: Whether a task of the job has run on the node.
        release: The run of the job release task, once it has begun.
        preparing: The asyncio task that runs the job preparation task.
    """

    node: Node
    preparation: Execution
    due: bool = True
    used: bool = False
    release: Execution | None = None
    preparing: asyncio.Task[None] | None = None

    @property
    def prepared(self) -> bool:
        """Whether the job preparation task has succeeded and need not run again."""
        return not self.due and self.preparation.failure is None

    @property
    def failed(self) -> bool:
        """Whether the job preparation task has failed after all its retries."""
        return not self.due and self.preparation.failure is not None

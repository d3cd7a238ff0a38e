"""The asyncio tasks of one emulator: started here, ended here, none left behind."""

import asyncio
from collections.abc import Coroutine

from batch_emulator.journal import tell_failure


class BackgroundTasks:
    """Own every coroutine that runs beside the requests."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[object, object, None], *, name: str) -> asyncio.Task[None]:
        """Run ``work`` until it ends or the emulator stops; its failure is logged, not hidden."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            tell_failure("background.failed", error, name=task.get_name())

    async def close(self) -> None:
        """Cancel everything and wait for it; work that starts meanwhile is cancelled too."""
        while self._tasks:
            tasks = tuple(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0)  # gather yields nothing if all are done; `_ended` runs here

"""What a pass works with: the adapters of one tick, and its time."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from orchestrator.adapters.batch import Batch, open_batch
from orchestrator.adapters.blobs import Cache, Ledger, open_storage
from orchestrator.adapters.outputs import Outputs
from orchestrator.adapters.settings import Settings
from orchestrator.adapters.time_limits import CALL_SECONDS, WORK_SECONDS
from orchestrator.batch_state import JobPlace
from orchestrator.decisions.housekeeping import JOBS_KEPT
from orchestrator.errors import OutOfTime, RecurError

AT_ONCE: Final = 8
STATE_BYTES: Final = 1_500_000
"""``submit.json`` is made smaller where it would grow beyond this; its plan may come on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """
    The adapters of one tick, the place where jobs run, and the tick's time.

    Attributes:
        clock: Measures how long a tick has worked: seconds since a fixed moment.
        at_once: How many items a tick works on at a time.
        state_bytes: How large ``submit.json`` may grow, without its plan.
        jobs_kept: For so long Batch keeps a job after its end.
    """

    ledger: Ledger
    outputs: Outputs
    batch: Batch
    place: JobPlace
    cache: Cache
    clock: Callable[[], float] = time.monotonic
    at_once: int = AT_ONCE
    state_bytes: int = STATE_BYTES
    jobs_kept: timedelta = JOBS_KEPT

    def pace(self) -> "Pace":
        """Begin the time of a tick."""
        return Pace(WORK_SECONDS, clock=self.clock, at_once=self.at_once)


@asynccontextmanager
async def open_services(settings: Settings, cache: Cache) -> AsyncGenerator[Services]:
    """Open the clients of one tick; ``cache`` outlives it."""
    async with (
        open_storage(settings, cache) as (ledger, outputs),
        open_batch(settings) as batch,
    ):
        yield Services(
            ledger=ledger, outputs=outputs, batch=batch, place=settings.place, cache=cache
        )


class Pace:
    """
    Nothing is started later than 45 s after the lease was taken.

    A call takes 10 s at most, so everything has ended before the lease of 60 s has.
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float], at_once: int) -> None:
        self._clock = clock
        self._at_once = at_once
        self._end = clock() + seconds
        self._halted = False

    def part(self, seconds: float) -> "Pace":
        """Return a pace for a part of the tick, which ends with it at the latest."""
        left = self._end - self._clock()
        part = Pace(min(seconds, left), clock=self._clock, at_once=self._at_once)
        part._halted = self._halted
        return part

    @asynccontextmanager
    async def limit(self) -> AsyncGenerator[None]:
        """
        Cut off what still runs 10 s after the end, while the lease holds.

        Raises:
            OutOfTime: It was cut off, as if the process had died there.
        """
        try:
            async with asyncio.timeout(self._end + CALL_SECONDS - self._clock()):
                yield
        except TimeoutError as error:
            raise OutOfTime("the tick stopped because its lease was about to end") from error

    @property
    def over(self) -> bool:
        """Whether nothing more is to be started in this tick."""
        return self._halted or self._clock() >= self._end

    def halt(self) -> None:
        """Start nothing more: what is left would meet the same refusal."""
        self._halted = True

    async def each[T](self, items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> bool:
        """
        Do ``work`` for each item, started in order, several at a time.

        Returns:
            Whether every item was started.

        Raises:
            RecurError: The first that ``work`` raised; nothing was started after it.
        """
        waiting = iter(items)
        complete = True
        failures: list[RecurError] = []

        async def worker() -> None:
            nonlocal complete
            for item in waiting:
                if self.over:
                    complete = False
                    return
                try:
                    await work(item)
                except RecurError as error:
                    failures.append(error)
                    self.halt()

        async with asyncio.TaskGroup() as group:
            for _ in range(self._at_once):
                group.create_task(worker())
        if failures:
            raise failures[0]
        return complete

"""A clock that stands still until it is advanced, and then jumps from one timer to the next."""

import asyncio
import heapq
import itertools
import selectors
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from batch_emulator.clock import Clock, Timer

_SMALLEST = timedelta(microseconds=1)


class _IdleSelector(selectors.DefaultSelector):
    """A selector that makes a call whenever the loop would wait, with nothing left to run."""

    on_idle: Callable[[], bool] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout == 0 or self.on_idle is None:
            return super().select(timeout)
        events = super().select(0)
        if events or self.on_idle():
            return events
        return super().select(timeout)


class IdleLoop(asyncio.SelectorEventLoop):
    """An event loop that a virtual clock can be advanced in."""

    def __init__(self) -> None:
        self._idle = _IdleSelector()
        super().__init__(self._idle)

    def when_idle(self, call: Callable[[], bool] | None) -> None:
        """
        Call this whenever nothing is left to run, instead of waiting.

        Args:
            call: Returns whether there is something to run again; if not, the loop waits.
        """
        self._idle.on_idle = call


def require_idle_loop() -> IdleLoop:
    """
    Return the running loop.

    Raises:
        RuntimeError: It is of another kind.
    """
    loop = asyncio.get_running_loop()
    if not isinstance(loop, IdleLoop):
        raise RuntimeError("virtual time passes only in an event loop of the kind IdleLoop")  # noqa: TRY004 - of the loop, not of an argument
    return loop


@dataclass(slots=True, eq=False)
class _VirtualTimer:
    callback: Callable[[], object] | None

    def cancel(self) -> None:
        self.callback = None


class VirtualClock(Clock):
    """
    A clock whose time is a number, in an ``IdleLoop``.

    Advancing it calls one timer after the other. The next is called when everything that followed
    from the last has been done, so that equal starts give equal results.

    Args:
        start: The time that it shows first.
    """

    def __init__(self, start: datetime) -> None:
        self._now = start
        # Of two timers at the same time the one that was set first goes first.
        self._timers: list[tuple[datetime, int, _VirtualTimer]] = []
        self._numbers = itertools.count()
        self._working = 0
        self._until = start
        self._there: asyncio.Future[None] | None = None
        self._turn = asyncio.Lock()

    def now(self) -> datetime:
        """Return the clock's time, in UTC."""
        return self._now

    def tick(self) -> None:
        """Let a microsecond pass, so that two changes by requests have different times."""
        self._now += _SMALLEST

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call ``callback`` after some seconds of this clock; never, if that is after the year 9999."""
        timer = _VirtualTimer(callback)
        with suppress(OverflowError):
            at = self._now + timedelta(seconds=max(0.0, seconds))
            heapq.heappush(self._timers, (at, next(self._numbers), timer))
        return timer

    def quiet_until(self) -> datetime:
        """Return the time of the next timer, or the end of the current advance if that is earlier."""
        if self._there is None or self._working:
            return self._now
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return self._until
        return min(self._until, self._timers[0][0])

    @contextmanager
    def real_work(self) -> Iterator[None]:
        """Keep the time still meanwhile."""
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1

    async def advance(self, seconds: float) -> datetime:
        """
        Let time pass, with everything that is due meanwhile; return the new time.

        Raises:
            RuntimeError: The event loop is no ``IdleLoop``.
            OverflowError: That time is after the year 9999.
        """
        async with self._turn:
            return await self._go(self._now + timedelta(seconds=seconds))

    async def advance_to(self, moment: datetime) -> datetime:
        """
        Let time pass until ``moment``; return the new time, which is later if it was past already.

        Raises:
            RuntimeError: The event loop is no ``IdleLoop``.
        """
        async with self._turn:
            return await self._go(moment)

    async def _go(self, until: datetime) -> datetime:
        loop = require_idle_loop()
        self._until, self._there = until, loop.create_future()
        loop.when_idle(self._step)
        try:
            await self._there
        finally:
            loop.when_idle(None)
            self._there = None
        return self._now

    def _step(self) -> bool:
        """Call the next timer, or end the advance; tell whether anything was done."""
        there = self._there
        if self._working or there is None or there.done():
            return False
        while self._timers and self._timers[0][0] <= self._until:
            at, _, timer = heapq.heappop(self._timers)
            if timer.callback is not None:
                self._now = max(self._now, at)
                there.get_loop().call_soon(timer.callback)
                return True
        self._now = max(self._now, self._until)
        there.set_result(None)
        return True

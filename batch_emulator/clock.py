"""The time of an account: what its resources show, and what everything in it waits by."""

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from batch_emulator.wire import now

_LOOK_SECONDS: Final = 0.5


class Timer(Protocol):
    """A call at a later time."""

    def cancel(self) -> None:
        """Cancel the call."""


class Clock(ABC):
    """
    The only source of time of an account.

    Everything that the account waits for goes by its clock, in seconds of that clock. Requests,
    connections and signatures keep the time of the machine: ``batch_emulator.wire.now``.
    """

    @abstractmethod
    def now(self) -> datetime:
        """Return the clock's time, in UTC."""

    @abstractmethod
    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call ``callback`` after a number of seconds of this clock, or in the next turn of the loop."""

    @property
    def longest_wait_seconds(self) -> float:
        """The longest wait after which a timer is surely on time."""
        return math.inf

    def real_work(self) -> AbstractContextManager[None]:
        """Surround work that takes real time: files, storage. Virtual time stands still meanwhile."""
        return nullcontext()

    def quiet_until(self) -> datetime:
        """Return the time until which no timer is due; ``now`` if that is unknown."""
        return self.now()

    async def in_thread[**P, T](
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a blocking function on a thread of its own."""
        with self.real_work():
            return await asyncio.to_thread(function, *args, **kwargs)

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds of this clock."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, partial(_settle, over))
        try:
            await over
        finally:
            timer.cancel()

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        """
        Wait for an event, for a limited number of seconds of this clock.

        Returns:
            Whether the event was set.
        """
        if seconds is None or event.is_set():
            return await event.wait()
        try:
            async with asyncio.timeout(None) as limit:
                timer = self.call_later(seconds, partial(_expire, limit))
                try:
                    return await event.wait()
                finally:
                    timer.cancel()
        except TimeoutError:
            return False

    async def wait_until(self, moment: datetime | None, event: asyncio.Event) -> bool:
        """
        Wait for an event, at most until ``moment`` of this clock.

        Returns:
            Whether the event was set.
        """
        if moment is None:
            return await event.wait()
        while (left := (moment - self.now()).total_seconds()) > 0:
            if await self.wait(event, min(left, self.longest_wait_seconds)):
                return True
        return event.is_set()


class RealClock(Clock):
    """
    The clock of the machine, or one that runs faster or slower from its start on.

    Args:
        speed: Seconds of this clock per second of the machine.
        read: Returns the time of the machine.
    """

    def __init__(self, *, speed: float = 1.0, read: Callable[[], datetime] = now) -> None:
        self.speed = speed
        self._read = read
        self._origin = read()

    @property
    def exact(self) -> bool:
        """Whether it shows the time of the machine."""
        return self.speed == 1.0

    @property
    def longest_wait_seconds(self) -> float:
        """The longest wait that is surely on time: clocks can be set, and timers stop in sleep."""
        return _LOOK_SECONDS * self.speed

    def now(self) -> datetime:
        """Return the clock's time, in UTC."""
        moment = self._read()
        if self.exact:
            return moment
        passed = (moment - self._origin).total_seconds()
        return self._origin + timedelta(seconds=passed * self.speed)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call ``callback`` after a number of seconds of this clock, or in the next turn of the loop."""
        return asyncio.get_running_loop().call_later(seconds / self.speed, callback)


def _settle(over: "asyncio.Future[None]") -> None:
    if not over.done():
        over.set_result(None)


def _expire(limit: asyncio.Timeout) -> None:
    limit.reschedule(asyncio.get_running_loop().time())

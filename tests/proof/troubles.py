"""What can come over a tick: it dies, or its connections do."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from local.azurite import ACCOUNT
from orchestrator.adapters.time_limits import WORK_SECONDS
from tests.proof.proxy import Call, Forward, Reply, Reset
from tests.proof.stage import PASSES, Stage


class Kind(StrEnum):
    """What comes to pass at a request of a tick."""

    DIES_BEFORE = "it dies before it"
    DIES_AFTER = "it dies after it"
    LOST_BEFORE = "the request is lost"
    LOST_AFTER = "the answer is lost"
    STORAGE_GONE = "storage cannot be reached from then on"
    BATCH_GONE = "Batch cannot be reached from then on"
    SLEEPS = "it sleeps over it, and others tick meanwhile"
    TAKES_LONG = "its time is over with it"


_DIES = {Kind.DIES_BEFORE, Kind.DIES_AFTER}
_LEASE = timedelta(seconds=61)


@dataclass
class Seconds:
    """
    The clock by which ticks measure their time.

    Attributes:
        ahead: By how much it was put forward.
    """

    ahead: float = 0.0

    def monotonic(self) -> float:
        """Return seconds since whenever."""
        return time.monotonic() + self.ahead


@dataclass
class Trouble:
    """
    A rule: trouble for one door, at its n-th request that changes something, or at any request.

    Attributes:
        door: Whose requests are counted.
        kind: What happens.
        nth: At which of them, from 1.
        seconds: By which the tick measures its time.
    """

    door: str
    kind: Kind
    nth: int
    seconds: Seconds = field(default_factory=Seconds)

    def __post_init__(self) -> None:
        self.seen = 0
        self.here = asyncio.Event()
        self.awake = asyncio.Event()

    async def __call__(self, call: Call, forward: Forward) -> Reply:
        if call.door != self.door:
            return await forward()
        if self.here.is_set() and self._is_lost(call):
            raise Reset
        self.seen += call.changes
        if self.here.is_set() or not call.changes or self.seen != self.nth:
            return await forward()
        self.here.set()
        if self.kind is Kind.SLEEPS:
            await self.awake.wait()
        if self.kind is Kind.TAKES_LONG:
            self.seconds.ahead += WORK_SECONDS
        if self.kind in {Kind.DIES_AFTER, Kind.LOST_AFTER}:
            await forward()
        if self.kind in _DIES | {Kind.LOST_BEFORE, Kind.LOST_AFTER} or self._is_lost(call):
            raise Reset
        return await forward()

    def _is_lost(self, call: Call) -> bool:
        """Tell whether a request that comes after the trouble began goes nowhere."""
        of_storage = call.path.startswith(f"/{ACCOUNT}/")
        match self.kind:
            case Kind.DIES_BEFORE | Kind.DIES_AFTER:
                return True
            case Kind.STORAGE_GONE:
                return of_storage
            case Kind.BATCH_GONE:
                return not of_storage
            case _:
                return False


async def troubled_tick(  # noqa: PLR0913 - what, to whom, and where
    stage: Stage,
    which: str,
    host: str,
    kind: Kind,
    nth: int,
    *,
    seconds: Seconds | None = None,
) -> None:
    """
    Tick with trouble at the n-th request that changes something, if it comes that far.

    A tick that dies is dead to the world from then on. Its lease has run out in the end, as has
    that of one that sleeps before it wakes.
    """
    trouble = Trouble(f"{host} {which}", kind, nth, seconds or Seconds())
    stage.rule(trouble)
    tick = asyncio.create_task(stage.tick(which, host))
    here = asyncio.create_task(trouble.here.wait())
    await asyncio.wait((here, tick), return_when=asyncio.FIRST_COMPLETED)
    here.cancel()
    if trouble.here.is_set() and kind in _DIES:
        await _die(tick)
    elif trouble.here.is_set() and kind is Kind.SLEEPS:
        await _meanwhile(stage, which)
        trouble.awake.set()
    await asyncio.wait((tick,))
    await stage.settled()
    if not tick.cancelled():
        tick.result()
    if trouble.here.is_set():
        await stage.break_lease(which)


async def _die(tick: asyncio.Task[object]) -> None:
    """End a tick, whatever it does about it."""
    while not tick.done():
        tick.cancel()
        await asyncio.sleep(0)


async def _meanwhile(stage: Stage, which: str) -> None:
    """Let the lease of a sleeper run out, and both passes tick."""
    stage.clock.move(_LEASE)
    await stage.break_lease(which)
    for other in (which, *PASSES):
        await stage.tick(other)

"""What can come over a tick: it dies, or its connections do."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from local.azurite import ACCOUNT
from tests.proof.proxy import Call, Forward, Reply, Reset
from tests.proof.stage import Stage


class Kind(StrEnum):
    """What comes to pass at a request of a tick."""

    DIES_BEFORE = "it dies before it"
    DIES_AFTER = "it dies after it"
    LOST_BEFORE = "the request is lost"
    LOST_AFTER = "the answer is lost"
    STORAGE_GONE = "storage cannot be reached from then on"
    BATCH_GONE = "Batch cannot be reached from then on"


_DIES = {Kind.DIES_BEFORE, Kind.DIES_AFTER}


@dataclass
class Trouble:
    """
    A rule: trouble for one door, at its n-th request that changes something, or at any request.

    Attributes:
        door: Whose requests are counted.
        kind: What happens.
        nth: At which of them, from 1.
    """

    door: str
    kind: Kind
    nth: int

    def __post_init__(self) -> None:
        self.seen = 0
        self.here = asyncio.Event()

    async def __call__(self, call: Call, forward: Forward) -> Reply:
        if call.door != self.door:
            return await forward()
        if self.here.is_set() and self._is_lost(call):
            raise Reset
        self.seen += call.changes
        if self.here.is_set() or not call.changes or self.seen != self.nth:
            return await forward()
        self.here.set()
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


async def troubled_tick(stage: Stage, which: str, host: str, kind: Kind, nth: int) -> None:
    """
    Tick with trouble at the n-th request that changes something, if it comes that far.

    A tick that dies is dead to the world from then on, and its lease has run out.
    """
    trouble = Trouble(f"{host} {which}", kind, nth)
    stage.rule(trouble)
    tick = asyncio.create_task(stage.tick(which, host))
    if kind in _DIES:
        here = asyncio.create_task(trouble.here.wait())
        await asyncio.wait((here, tick), return_when=asyncio.FIRST_COMPLETED)
        here.cancel()
        while trouble.here.is_set() and not tick.done():
            tick.cancel()
            await asyncio.sleep(0)
    await asyncio.wait((tick,))
    await stage.settled()
    if not tick.cancelled():
        tick.result()
    if trouble.here.is_set():
        await stage.break_lease(which)

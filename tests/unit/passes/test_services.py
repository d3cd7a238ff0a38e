"""The time of a tick: what is started, how much at once, and when nothing more is."""

import asyncio

import pytest

from orchestrator.adapters.time_limits import CALL_SECONDS
from orchestrator.errors import LedgerUnavailable, OutOfTime
from orchestrator.passes.services import Pace


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(("seconds", "over"), [(44.9, False), (45.0, True), (45.1, True)])
def test_nothing_starts_after_the_end(clock: Clock, seconds: float, over: bool) -> None:
    """A tick of 45 s starts nothing from second 45 on."""
    pace = Pace(45, clock=clock, at_once=1)
    clock.now += seconds

    assert pace.over is over


@pytest.mark.parametrize(("part", "end"), [(10, 10), (45, 45), (100, 45)])
def test_a_part_ends_with_the_tick_at_the_latest(clock: Clock, part: float, end: float) -> None:
    """A part of a tick has its own end, but never a later one than the tick."""
    pace = Pace(45, clock=clock, at_once=1).part(part)
    clock.now += end - 0.1
    assert not pace.over
    clock.now += 0.1
    assert pace.over


def test_a_part_of_a_halted_tick_is_halted(clock: Clock) -> None:
    """What halted the tick concerns its parts, too."""
    pace = Pace(45, clock=clock, at_once=1)
    assert not pace.part(10).over
    pace.halt()
    assert pace.part(10).over


@pytest.mark.parametrize("at_once", [1, 2, 3])
async def test_items_are_worked_on_at_once(clock: Clock, at_once: int) -> None:
    """As many items as the tick allows are in work at the same time, in their order."""
    started: list[int] = []
    running = most = 0

    async def work(item: int) -> None:
        nonlocal running, most
        started.append(item)
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    assert await Pace(45, clock=clock, at_once=at_once).each(range(9), work)
    assert most == at_once
    assert started == [*range(9)]


async def test_what_is_left_at_the_end_is_not_started(clock: Clock) -> None:
    """When the time is over, the rest is left, and the caller knows."""
    started: list[int] = []

    async def work(item: int) -> None:
        started.append(item)
        clock.now += 15

    assert not await Pace(45, clock=clock, at_once=1).each(range(9), work)
    assert started == [0, 1, 2]


async def test_a_failure_stops_the_rest(clock: Clock) -> None:
    """After the first failure nothing more is started, and it is raised."""
    started: list[int] = []

    async def work(item: int) -> None:
        started.append(item)
        if item == 1:
            raise LedgerUnavailable("storage is silent")

    with pytest.raises(LedgerUnavailable, match="storage is silent"):
        await Pace(45, clock=clock, at_once=1).each(range(9), work)
    assert started == [0, 1]


async def test_what_still_runs_is_cut_off(clock: Clock) -> None:
    """What still runs one call's time after the end is cut off, while the lease holds."""
    pace = Pace(45, clock=clock, at_once=1)
    clock.now += 45 + CALL_SECONDS

    with pytest.raises(OutOfTime):
        async with pace.limit():
            await asyncio.sleep(60)

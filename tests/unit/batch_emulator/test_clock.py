"""The clock of an account: what it shows, and what waits by it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from batch_emulator.clock import RealClock

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def test_a_faster_clock_begins_with_the_machines_time() -> None:
    """A second of the machine is as many seconds as its speed says, from its making on."""
    moment = NOON
    plain, fast = RealClock(read=lambda: moment), RealClock(speed=60, read=lambda: moment)
    moment += timedelta(seconds=2)

    assert plain.now() == NOON + timedelta(seconds=2)
    assert fast.now() == NOON + timedelta(minutes=2)


async def test_a_time_has_come_when_the_clock_says_so() -> None:
    """Also where the machine's clock is set meanwhile; an event ends the wait before."""
    moment = NOON
    clock, event = RealClock(read=lambda: moment), asyncio.Event()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        waiting = group.create_task(clock.wait_until(NOON + timedelta(hours=1), event))
        await asyncio.sleep(0)
        assert not waiting.done()
        moment += timedelta(hours=2)
    assert waiting.result() is False
    event.set()
    assert await clock.wait_until(moment + timedelta(hours=1), event)
    assert await clock.wait_until(None, event)


async def test_a_faster_clock_is_waited_for_less() -> None:
    """An hour is over in a moment, and a timer that was cancelled is never called."""
    clock = RealClock(speed=1_000_000)
    called: list[str] = []
    clock.call_later(1800, lambda: called.append("timer"))
    clock.call_later(1800, lambda: called.append("cancelled")).cancel()

    async with asyncio.timeout(30):
        await clock.sleep(3600)

    assert called == ["timer"]


async def test_an_event_is_waited_for_until_it_comes() -> None:
    """What comes in time is told apart from what does not."""
    clock, event = RealClock(), asyncio.Event()

    assert not await clock.wait(event, 0.01)
    asyncio.get_running_loop().call_later(0.01, event.set)
    assert await clock.wait(event, 60)
    assert await clock.wait(event, 0)
    assert await clock.wait(event, None)


async def test_who_waits_can_be_cancelled() -> None:
    """The end of a wait from outside is no end of its time."""
    clock = RealClock()
    waits = asyncio.create_task(clock.wait(asyncio.Event(), 60))
    sleeps = asyncio.create_task(clock.sleep(60))
    await asyncio.sleep(0)
    waits.cancel()
    sleeps.cancel()

    for task in (waits, sleeps):
        with pytest.raises(asyncio.CancelledError):
            await task

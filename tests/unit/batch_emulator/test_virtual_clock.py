"""Virtual time: it stands until it is advanced, and then nothing of it is lost."""

import asyncio
import math
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_emulator.faults.clock_control import advance
from batch_emulator.virtual_clock import IdleLoop, VirtualClock

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def run[T](work: Coroutine[object, object, T]) -> T:
    """Run a coroutine in a loop in which virtual time passes."""
    return asyncio.run(work, loop_factory=IdleLoop)


def minutes(clock: VirtualClock) -> float:
    """Return how many minutes after noon it is."""
    return (clock.now() - NOON) / timedelta(minutes=1)


def test_each_sleeper_of_a_week_meets_its_times() -> None:
    """Three sleepers, one of them every 30 seconds, meet every one of their times."""
    clock, seen = VirtualClock(NOON), dict.fromkeys((30, 300, 86400), 0)

    async def sleeper(seconds: int) -> None:
        while True:
            await clock.sleep(seconds)
            assert (clock.now() - NOON).total_seconds() % seconds == 0
            seen[seconds] += 1

    async def week() -> None:
        sleepers = [asyncio.create_task(sleeper(seconds)) for seconds in seen]
        await clock.advance(7 * 86400)
        for one in sleepers:
            one.cancel()

    run(week())

    assert seen == {30: 20160, 300: 2016, 86400: 7}
    assert minutes(clock) == 7 * 24 * 60


@given(st.lists(st.integers(0, 50), max_size=30), st.lists(st.integers(0, 20), max_size=10))
def test_timers_are_called_in_order_however_time_is_cut(due: list[int], steps: list[int]) -> None:
    """In the order of their times, and at equal times in the order in which they were set."""
    clock, called = VirtualClock(NOON), list[tuple[float, int]]()

    def note(number: int) -> None:
        called.append((minutes(clock), number))

    async def play() -> None:
        for number, minute in enumerate(due):
            clock.call_later(60 * minute, partial(note, number))
        for step in (0, *steps):
            await clock.advance(60 * step)

    run(play())

    wanted = sorted((float(minute), number) for number, minute in enumerate(due))
    assert called == [item for item in wanted if item[0] <= sum(steps)]


def test_what_follows_from_a_timer_comes_before_the_next() -> None:
    """Also what takes many turns of the loop, and what it sets for the same time."""
    clock, seen = VirtualClock(NOON), list[str]()

    async def slow(name: str) -> None:
        await clock.sleep(60)
        for _ in range(50):
            await asyncio.sleep(0)
        await clock.sleep(0)
        seen.append(f"{name} {minutes(clock):g}")

    async def play() -> None:
        both = asyncio.gather(slow("first"), slow("second"))
        await clock.advance(3600)
        await both

    run(play())

    assert seen == ["first 1", "second 1"]


def test_time_stands_while_real_work_is_done() -> None:
    """A file that takes its time to write is written at one virtual time."""
    clock, seen = VirtualClock(NOON), list[float]()

    async def work() -> None:
        await clock.sleep(60)
        await clock.in_thread(time.sleep, 0.05)
        seen.append(minutes(clock))

    async def play() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        await clock.advance(7200)
        await task

    run(play())

    assert seen == [1]
    assert minutes(clock) == 120


def test_waiting_for_an_event_ends_by_the_clock_or_by_the_event() -> None:
    """And a timer that was cancelled is not called."""
    clock, event = VirtualClock(NOON), asyncio.Event()

    async def play() -> list[bool]:
        clock.call_later(90, event.set)
        clock.call_later(80, pytest.fail).cancel()
        waits = [asyncio.create_task(clock.wait(event, seconds)) for seconds in (60, 120)]
        await asyncio.sleep(0)
        await clock.advance(600)
        return [await one for one in waits]

    assert run(play()) == [False, True]


def test_two_orders_follow_each_other() -> None:
    """Each is answered with the time that it has brought about; the past cannot be asked for."""
    clock = VirtualClock(NOON)

    async def play() -> list[datetime]:
        orders = clock.advance(60), clock.advance(60), clock.advance_to(NOON), clock.advance(0)
        return list(await asyncio.gather(*orders))

    later = NOON + timedelta(minutes=2)
    assert run(play()) == [NOON + timedelta(minutes=1), later, later, later]


def test_what_happens_next_is_known_while_time_passes() -> None:
    """The next timer that is not cancelled, or the end of the order; a clock that stands knows nothing."""
    clock, seen = VirtualClock(NOON), list[float]()

    def note() -> None:
        seen.append((clock.quiet_until() - NOON) / timedelta(minutes=1))

    async def play() -> None:
        for minute in (1, 5, 20):
            clock.call_later(60 * minute, note)
        clock.call_later(180, note).cancel()
        note()
        await clock.advance(600)
        note()

    run(play())

    assert seen == [0, 5, 10, 10]


async def test_time_passes_in_no_other_loop() -> None:
    """It would not be known when everything that is due has been done."""
    with pytest.raises(RuntimeError, match="IdleLoop"):
        await VirtualClock(NOON).advance(1)


def test_changes_are_told_apart() -> None:
    """A tick is the smallest step of the clock."""
    clock = VirtualClock(NOON)
    clock.tick()

    assert clock.now() == NOON + timedelta(microseconds=1)


@pytest.mark.parametrize("seconds", [1e12, 1e300, math.inf])
def test_what_is_due_beyond_every_calendar_never_comes(seconds: float) -> None:
    """A wait of more years than there are goes on, and lets others have their turn."""

    async def year() -> bool:
        clock = VirtualClock(NOON)
        waiting = asyncio.create_task(clock.sleep(seconds))
        await clock.advance(366 * 86400)
        done = waiting.done()
        waiting.cancel()
        return done

    assert not run(year())


def test_no_time_passes_beyond_every_calendar() -> None:
    """An order to go beyond the year 9999 is refused by a sentence, and the clock stands."""
    last = datetime(9999, 12, 31, tzinfo=UTC)

    async def order() -> datetime:
        clock = VirtualClock(last)
        with pytest.raises(ValueError, match="this is beyond the calendar"):
            await advance(clock, b'{"seconds": 86400}')
        await advance(clock, b'{"seconds": 60}')
        return clock.now()

    assert run(order()) == last + timedelta(minutes=1)

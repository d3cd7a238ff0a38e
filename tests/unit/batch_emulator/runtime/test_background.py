"""The emulator's background work ends when the emulator stops, whatever state it is in."""

import asyncio
import logging

import pytest

from batch_emulator.runtime.background import BackgroundTasks


@pytest.mark.timeout(10)
async def test_work_that_ended_just_before_the_stop_is_not_waited_for_forever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is done and its callback has not run yet; the stop ends, and its failure is logged."""
    caplog.set_level(logging.ERROR, logger="batch_emulator")
    background = BackgroundTasks()

    async def work() -> None:
        raise ValueError("the disk is full")

    task = background.start(work(), name="work")
    await asyncio.sleep(0)
    assert task.done()
    assert not caplog.records, "its callback has not run"

    await background.close()

    (logged,) = caplog.records
    assert "background.failed" in logged.message


@pytest.mark.timeout(10)
async def test_work_that_begins_during_the_stop_is_cancelled() -> None:
    """Work that is cancelled may start some more to clean up."""
    background = BackgroundTasks()
    begun = asyncio.Event()
    later: list[asyncio.Task[None]] = []

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            later.append(background.start(asyncio.sleep(3600), name="later"))

    first = background.start(work(), name="work")
    await begun.wait()

    await background.close()

    assert first.cancelled()
    assert [task.cancelled() for task in later] == [True]

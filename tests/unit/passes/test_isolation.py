"""Which failures stay with a run, and which mean that a service is silent."""

import asyncio

import pytest

from orchestrator.errors import (
    BatchUnavailable,
    BlobRefused,
    LedgerConflict,
    LedgerUnavailable,
    RecordUnreadable,
)
from orchestrator.ids import RunId
from orchestrator.passes.isolation import Isolation

RUN = RunId("job-20260601T120000Z")


async def fail(error: Exception) -> int:
    raise error


async def succeed() -> int:
    return 7


@pytest.mark.parametrize(
    "error",
    [
        IndexError("tuple index out of range"),
        TypeError(),
        RecordUnreadable("x"),
        LedgerConflict("x"),
        BlobRefused("archived"),
        BatchUnavailable("x"),
    ],
)
async def test_any_failure_stays_with_its_run(error: Exception) -> None:
    """However often it comes, and whatever its class."""
    isolation = Isolation()

    for _ in range(5):
        assert await isolation.keep(RUN, fail(error)) is None

    assert await isolation.keep(RUN, succeed()) == 7
    assert isolation.left == 5


async def test_silence_of_storage_three_times_running_ends_the_tick() -> None:
    """A success between says that it was not the storage."""
    isolation = Isolation()
    silence = LedgerUnavailable("no answer")
    for _ in range(3):
        await isolation.keep(RUN, fail(silence))
        await isolation.keep(RUN, fail(silence))
        await isolation.keep(RUN, succeed())
    await isolation.keep(RUN, fail(silence))
    await isolation.keep(RUN, fail(silence))

    with pytest.raises(LedgerUnavailable, match="no answer"):
        await isolation.keep(RUN, fail(silence))


async def test_silence_about_outputs_never_ends_the_tick() -> None:
    """Their container is not the ledger's."""
    isolation = Isolation()

    for _ in range(5):
        await isolation.keep(RUN, fail(LedgerUnavailable("no answer")), ledger=False)

    assert isolation.left == 5


async def test_batch_is_silent_after_three_failures_running() -> None:
    """Then it is asked no more in this tick."""
    isolation = Isolation()
    silent = list[bool]()
    for _ in range(2):
        await isolation.keep(RUN, fail(BatchUnavailable("no answer")))
        silent.append(isolation.batch_is_silent)
    await isolation.keep(RUN, succeed())
    for _ in range(3):
        await isolation.keep(RUN, fail(BatchUnavailable("no answer")))
        silent.append(isolation.batch_is_silent)

    assert silent == [False, False, False, False, True]


async def test_jobs_that_fail_while_others_succeed_are_no_silence_of_batch() -> None:
    """They fail together, seconds later than the others: all of those came between."""
    isolation = Isolation()
    slow = asyncio.Event()

    async def fail_late() -> int:
        await slow.wait()
        return await fail(BatchUnavailable("500"))

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(isolation.keep(RUN, fail_late()))
        await asyncio.sleep(0)  # they have begun
        await isolation.keep(RUN, succeed())
        slow.set()

    assert isolation.left == 3
    assert not isolation.batch_is_silent


async def test_a_failure_that_runs_share_counts_once() -> None:
    """A pool that gives no answer says nothing about jobs."""
    isolation = Isolation()
    failure = BatchUnavailable("no answer about the pool")

    for _ in range(5):
        await isolation.keep(RUN, fail(failure))

    assert not isolation.batch_is_silent


async def stumble(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("error", [TypeError(), LedgerConflict("x"), BlobRefused("archived")])
async def test_what_is_derived_holds_up_no_run(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Its failure is told, and the tick goes on."""
    await Isolation().aside("no summaries", stumble(error))

    assert "no summaries" in caplog.text


async def test_silence_about_what_is_derived_ends_the_tick() -> None:
    """It lies in the same storage as the runs."""
    with pytest.raises(LedgerUnavailable):
        await Isolation().aside("no summaries", stumble(LedgerUnavailable("no answer")))

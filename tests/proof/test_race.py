"""Two submit processes that race: together they create each job once."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from local.azurite import Azurite
from orchestrator.ids import open_run_id
from tests.proof.proxy import Call, Forward, Reply
from tests.proof.scenarios import since, table
from tests.proof.stage import Stage, open_stage
from tests.proof.ticking import Ticker

_SCHEDULES: Final = 500
_JOBS_UNDER_A_LEASE: Final = 40
"""Then the lease is broken, so that it is lost while ticks are at work, however fast they are."""

_ASLEEP_SECONDS: Final = 1.0
"""For so long the process that had the lease hears nothing, and the other one can take it."""


@pytest.mark.timeout(900)
async def test_two_racing_submit_processes_create_each_of_500_jobs_once(
    azurite: Azurite, tmp_path: Path
) -> None:
    """Both tick again and again, started together; leases are lost under ticks at work."""
    async with open_stage(azurite, tmp_path, "first", "second") as stage, Ticker() as ticker:
        await stage.pool()
        await stage.apply(
            *(table(f"s{n:03}", "0 * * * *", start=since()) for n in range(_SCHEDULES))
        )
        holders: set[str] = set()
        over = asyncio.Event()

        async def note(call: Call, forward: Forward) -> Reply:
            reply = await forward()
            if call.path == "/jobs" and reply.status == 201:
                holders.add(call.door)
                if stage.created.total() % _JOBS_UNDER_A_LEASE == 0:
                    over.set()
                    await asyncio.sleep(_ASLEEP_SECONDS)
            return reply

        stage.rule(note)
        breaking = asyncio.create_task(_break_leases(stage, over))
        told = await asyncio.gather(_race(stage, ticker, "first"), _race(stage, ticker, "second"))
        breaking.cancel()

        assert all("crashed" not in one for each in told for one in each)
        assert holders == {"first submit", "second submit"}, "both were at work"
        assert stage.created == Counter({f"s{n:03}-20260601T120000Z": 1 for n in range(500)})
        assert await _open(stage) == {"submitted": _SCHEDULES}


async def _race(stage: Stage, ticker: Ticker, user: str) -> list[dict[str, Any]]:
    """Tick, each time as a process, until there is nothing left to do."""
    told: list[dict[str, Any]] = []
    while (
        not told
        or told[-1].get("open") != _SCHEDULES
        or await _open(stage) != {"submitted": _SCHEDULES}
    ):
        tick = await ticker.start("submit", stage.doors[f"{user} submit"])
        one = await tick.ended()
        assert one is not None
        told.append(one)
    return told


async def _break_leases(stage: Stage, over: asyncio.Event) -> None:
    while True:
        await over.wait()
        over.clear()
        await stage.break_lease("submit")


async def _open(stage: Stage) -> Counter[str]:
    """Return how many runs are open, by the state of their attempts."""
    blobs = stage.ledger.list_blobs(name_starts_with="open/", include=["metadata"])
    runs = [blob async for blob in blobs if open_run_id(blob.name)]
    return Counter((blob.metadata or {})["state"] for blob in runs)

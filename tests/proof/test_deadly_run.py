"""A run that ends the process which looks at it: all others are finished all the same."""

from pathlib import Path
from typing import Final
from urllib.parse import unquote

import pytest

from local.azurite import Azurite
from orchestrator.ids import open_run_id
from tests.proof.proxy import Call, Forward, Reply, Reset
from tests.proof.scenarios import since, table
from tests.proof.stage import Stage, open_stage
from tests.proof.ticking import Tick, Ticker

_RUNS: Final = 40
_TICKS: Final = 5
"""Two of them die among others, one alone; the others have looked at each run by then."""


@pytest.mark.parametrize("container", ["ledger", "outputs"])
@pytest.mark.timeout(300)
async def test_a_run_that_ends_the_process_holds_up_no_other(
    azurite: Azurite, tmp_path: Path, container: str
) -> None:
    """Be it when its record is read, or its outputs: like one that takes all memory."""
    async with open_stage(azurite, tmp_path, "far") as stage, Ticker() as ticker:
        await stage.pool()
        names = [f"s{number:02}" for number in range(_RUNS)]
        await stage.apply(*(table(name, "0 * * * *", start=since()) for name in names))
        await stage.tick("submit")
        await stage.end_jobs()
        deadly = "s05-20260601T120000Z"
        for _ in range(_TICKS):
            await _tick_that_dies_at(deadly, container, stage, ticker)

        left = [run for name in stage.blobs if (run := open_run_id(name))]
        assert left == [deadly]
        assert sum(name.startswith("runs/") for name in stage.blobs) == _RUNS - 1


async def _tick_that_dies_at(run: str, container: str, stage: Stage, ticker: Ticker) -> None:
    """Let a process tick, and end it at once when it reads anything of a run in a container."""
    tick: Tick | None = None

    async def kill(call: Call, forward: Forward) -> Reply:
        about = unquote(call.raw)
        reads = call.method in {"GET", "HEAD"}
        if tick and reads and run in about and f"/{container}-" in about:
            tick.kill()
            raise Reset
        return await forward()

    stage.rule(kill)
    tick = await ticker.start("collect", stage.doors["far collect"])
    await tick.ended()
    await stage.settled()
    await stage.break_lease("collect")

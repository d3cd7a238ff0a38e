"""What has ended takes no more than half of a tick from what is still to be looked at."""

from math import ceil
from pathlib import Path
from typing import Final

import pytest
from multidict import CIMultiDict

from local.azurite import Azurite
from orchestrator.ids import open_run_id
from orchestrator.ledger.record import load
from tests.proof.proxy import Call, Forward, Reply, Reset
from tests.proof.scenarios import since, table
from tests.proof.stage import Stage, open_stage
from tests.proof.troubles import Seconds

_BEFORE: Final = [f"a{number:02}" for number in range(14)]
_NOW: Final = [f"b{number:02}" for number in range(34)]


@pytest.mark.timeout(300)
async def test_runs_whose_outputs_take_long_leave_half_of_a_tick_to_others(
    azurite: Azurite, tmp_path: Path
) -> None:
    """Those that ended before would fill the whole tick; all that have ended now are seen."""
    seconds = Seconds()  # nothing but outputs takes time
    async with open_stage(
        azurite, tmp_path, clock_of_ticks=lambda: seconds.ahead, at_once=2
    ) as stage:
        await stage.pool()
        await stage.apply(*(table(name, "0 * * * *", start=since()) for name in (*_BEFORE, *_NOW)))
        await stage.tick("submit")
        await stage.end_jobs(*(f"{name}-20260601T120000Z" for name in _BEFORE))
        stage.rule(_without_outputs)
        await stage.tick("collect")
        assert _ended(stage) == set(_BEFORE)
        await stage.end_jobs()

        async def slow_outputs(call: Call, forward: Forward) -> Reply:
            if _about_outputs(call):
                seconds.ahead += 1
            return await forward()

        stage.rule(slow_outputs)
        told = await stage.tick("collect")

        assert set(_NOW) <= _ended(stage) | _final(stage)
        assert _final(stage) & set(_BEFORE), "these have their half as well"
        assert _ended(stage) & set(_BEFORE), "and no more: else nothing is shown"
        assert told["left"] == 0


@pytest.mark.timeout(300)
async def test_a_tick_begins_behind_those_that_the_last_one_had_time_for(
    azurite: Azurite, tmp_path: Path
) -> None:
    """Each of a few runs is looked at within ceil(N/K) + 1 ticks, where there is time for K."""
    seconds = Seconds()
    names = _BEFORE[:12]
    asked: set[str] = set()

    async def slow_jobs(call: Call, forward: Forward) -> Reply:
        if _about_a_job(call):
            seconds.ahead += 10
            asked.add(call.path)
        return await forward()

    async with open_stage(
        azurite, tmp_path, clock_of_ticks=lambda: seconds.ahead, at_once=1
    ) as stage:
        await stage.pool()
        await stage.apply(*(table(name, "0 * * * *", start=since()) for name in names))
        await stage.tick("submit")
        stage.rule(slow_jobs)
        await stage.tick("collect")
        in_a_tick = len(asked)
        assert 1 < in_a_tick < len(names) / 2, "else nothing is shown"
        for _ in range(ceil(len(names) / in_a_tick)):
            await stage.tick("collect")

    assert len(asked) == len(names)


@pytest.mark.timeout(300)
async def test_outputs_that_there_was_no_time_for_come_first_in_the_next_tick(
    azurite: Azurite, tmp_path: Path
) -> None:
    """Those that were read, and are to be read again, are behind them."""
    seconds = Seconds()
    names = _BEFORE[:8]
    tried: set[str] = set()

    async def slow_outputs(call: Call, forward: Forward) -> Reply:
        if not _about_outputs(call):
            return await forward()
        path = f"{call.path}/{call.query.get('prefix')}"
        (name,) = (one for one in names if f"/{one}/" in path)
        if name not in tried:
            seconds.ahead += 15
            tried.add(name)
        return Reply(403, CIMultiDict(), b"")

    async with open_stage(
        azurite, tmp_path, clock_of_ticks=lambda: seconds.ahead, at_once=1
    ) as stage:
        await stage.pool()
        await stage.apply(*(table(name, "0 * * * *", start=since()) for name in names))
        await stage.tick("submit")
        await stage.end_jobs()
        stage.rule(slow_outputs)
        await stage.tick("collect")
        assert _ended(stage) == set(names)
        tried.clear()
        await stage.tick("collect")
        in_a_tick = len(tried)
        assert 1 < in_a_tick <= len(names) / 2, "else nothing is shown"
        seen = set(tried)
        for _ in range(ceil(len(names) / in_a_tick)):
            tried.clear()
            await stage.tick("collect")
            seen |= tried

    assert len(seen) == len(names)


@pytest.mark.timeout(300)
async def test_jobs_that_always_fail_starve_no_other(azurite: Azurite, tmp_path: Path) -> None:
    """Three in a row end a tick's looking; the next tick begins behind them."""

    async def failing(call: Call, forward: Forward) -> Reply:
        if _about_a_job(call) and call.path.startswith(("/jobs/a00-", "/jobs/a01-", "/jobs/a02-")):
            raise Reset
        return await forward()

    names = _BEFORE[:6]
    async with open_stage(azurite, tmp_path, at_once=1) as stage:
        await stage.pool()
        await stage.apply(*(table(name, "0 * * * *", start=since()) for name in names))
        await stage.tick("submit")
        await stage.end_jobs()
        stage.rule(failing)
        await stage.tick("collect")
        assert not _ended(stage) | _final(stage), "they come first"
        await stage.tick("collect")

        assert _ended(stage) | _final(stage) == set(names[3:])


async def _without_outputs(call: Call, forward: Forward) -> Reply:
    if _about_outputs(call):
        raise Reset
    return await forward()


def _about_a_job(call: Call) -> bool:
    """Whether a tick looks at a run: this is its first question to Batch."""
    return call.method == "GET" and call.path.startswith("/jobs/") and "/tasks" not in call.path


def _about_outputs(call: Call) -> bool:
    return "/outputs-" in call.path


def _ended(stage: Stage) -> set[str]:
    """Return the schedules whose open runs have an attempt that has ended."""
    records = [load(data) for name, data in stage.blobs.items() if open_run_id(name)]
    return {str(one.schedule) for one in records if one.outcome}


def _final(stage: Stage) -> set[str]:
    return {name.split("/")[1] for name in stage.blobs if name.startswith("runs/")}

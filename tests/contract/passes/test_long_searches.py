"""Searches through decades in which nothing is due: a tick does them bit by bit, and keeps how far it came."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.ids import SUBMIT_STATE
from orchestrator.ledger.state import SubmitState, load_submit
from orchestrator.passes import inputs
from orchestrator.passes.plan_writer import PlanWriter
from orchestrator.passes.services import Pace
from tests.support.world import World, schedule

_ODD = """
[schedules.odd-{}]
command = "true"
start = 2000-01-01T00:00:00Z
cron = "0 0 1 1 *"
interval = {{ every = 366, unit = "months", anchor = 1999-02-01 }}
"""


def _yesterday() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


async def _kept(world: World) -> tuple[bytes, str]:
    blob = await world.ledger.download_blob(SUBMIT_STATE)
    return await blob.readall(), str(blob.properties.etag)


async def test_a_long_search_holds_up_no_other_schedule(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is it begun anew: the next tick is idle."""
    monkeypatch.setattr(inputs, "_MOST_IN_ALL", 1000)  # about two of them
    await world.pool()
    await world.apply("".join(_ODD.format(n) for n in range(7)) + schedule("hello", "true"))

    counts = await world.submit()

    assert counts["submitted"] == 1
    data, etag = await _kept(world)
    watermarks = [one.decided_until for one in load_submit(data).schedules.values()]
    assert min(watermarks) > _yesterday()
    await world.collect_until_finished()
    await world.submit()
    assert (await _kept(world))[1] == etag


async def test_time_that_ends_in_a_long_search_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each tick here is over after its first part, and the next one goes on from there."""
    monkeypatch.setattr(inputs, "_MOST_IN_ALL", 1)  # each on its own
    await world.pool()
    await world.apply("".join(_ODD.format(n) for n in range(3)))
    parts = 0
    write = PlanWriter.write

    async def write_and_end(plan: PlanWriter, state: SubmitState) -> None:
        nonlocal parts
        await write(plan, state)
        parts += any(one.decided_until > _yesterday() for one in state.schedules.values())

    monkeypatch.setattr(PlanWriter, "write", write_and_end)
    monkeypatch.setattr(Pace, "over", property(lambda _: parts > 0))
    searched = []
    for _ in range(4):
        parts = 0
        await world.submit()
        states = load_submit((await _kept(world))[0]).schedules.values()
        searched.append(sum(one.decided_until > _yesterday() for one in states))

    assert searched == [1, 2, 3, 3]

"""Where many runs are open, one list of Batch tells which of them go on."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from orchestrator.enums import Outcome, Reason
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import Record
from orchestrator.passes.batch_view import FEW
from tests.contract.conftest import Start
from tests.support.faults import Faults
from tests.support.waiting import until
from tests.support.world import World

MANY = FEW + 2


@pytest.fixture
async def faults(start_batch: Start, world: World) -> Faults:
    """Let the account of the product be one whose requests are seen and fail on demand."""
    batch = await start_batch(faults=True)
    world.settings = replace(world.settings, batch_account_url=batch.url)
    world.batch = batch.client
    return batch.faults


async def many(world: World) -> list[Record]:
    return await asyncio.gather(*(world.running(f"s{n:02}", "sleep 600") for n in range(MANY)))


async def asked(faults: Faults) -> Counter[str]:
    """Return how often Batch was asked for what, since this was last looked at."""
    found = Counter(str(seen.operation) for seen in await faults.seen())
    await faults.clear()
    return found


async def test_what_does_not_simply_go_on_is_looked_at_at_once(
    world: World, faults: Faults
) -> None:
    """Whose turn it is or not: a job that has ended, one to be ended, a start that is overdue."""
    await world.pool(targetDedicatedNodes=0)
    records = await many(world)
    ended, stopped, overdue = records[20:23]
    await world.end_job(ended)
    stop = Stop(
        cause=Reason.STOPPED, reason=Reason.STOPPED, sentence="Stopped.", at=datetime.now(UTC)
    )
    await world.put_open(replace(stopped, stop=stop))
    await world.age(overdue, minutes=31)
    await faults.clear()

    counts = await world.collect()

    assert counts["finished"] == 1
    assert [record.run_id for record in await world.final()] == [ended.run_id]
    stops = {one.run_id: one.stop.cause for one in await world.open() if one.stop}
    assert stops == {stopped.run_id: Reason.STOPPED, overdue.run_id: Reason.START_TIMEOUT}
    requests = await asked(faults)
    assert requests.pop("list_jobs") == 1 + 1  # once an hour old jobs are looked for
    assert requests.pop("terminate_job") == 2
    assert requests.pop("get_job") == 1
    assert requests.pop("get_task") <= 3 + 2  # and those whose turn it is
    assert requests == {"get_pool": 1, "list_nodes": 1}


async def test_a_start_is_noticed_within_20_ticks(world: World, faults: Faults) -> None:
    """The tasks of jobs that go on are looked at by turns, without asking for the jobs."""
    await world.pool()
    records = await many(world)

    async def running() -> list[str]:
        tasks = {one.run_id: await world.batch.get_task(one.run_id, "main") for one in records}
        return [run for run, task in tasks.items() if task["state"] == "running"]

    (run,) = await until(running, bool)
    await world.collect()  # once an hour old jobs are looked for
    await faults.clear()
    for _ in range(19):
        await world.collect()

    (started,) = [record for record in await world.open() if record.attempt.started]
    assert started.run_id == run
    assert await asked(faults) == {"list_jobs": 19, "get_task": 19 * 2}


async def test_without_the_list_runs_are_asked_about_one_by_one(
    world: World, faults: Faults
) -> None:
    """A list that fails for good, because of somebody else's job say, holds up no run."""
    await world.pool(targetDedicatedNodes=0)
    records = await many(world)
    await world.end_job(records[7])
    await faults.clear()
    await faults.add("refusal", operation="list_jobs", status=500)

    await world.collect()

    (final,) = await world.final()
    assert final.outcome is Outcome.TERMINATED
    assert (await asked(faults))["get_job"] == MANY

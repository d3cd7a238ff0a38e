"""A schedule whose occurrences did not run, and backfills that run them."""

from datetime import timedelta

from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Record, load
from orchestrator.ledger.request import Answer
from tests.support.waiting import until
from tests.support.world import World, schedule

JOB = ScheduleId("job")
NEVER = {"cron": '"0 0 29 2 *"'}
"""A schedule with nothing due while a test runs."""


async def idle_schedule(world: World, command: str = "true", **keys: str) -> None:
    await world.pool()
    await world.apply(schedule("job", command, minutes=2, **{**NEVER, **keys}))
    await world.submit()


async def decided(world: World, minutes: int, **keys: str) -> list[Record]:
    """Let occurrences be decided without a run: they were paused."""
    await world.pool()
    await world.apply(schedule("job", "true", minutes=minutes, paused="true", **keys))
    await world.submit()
    records = sorted(await world.final(), key=lambda record: record.nominal)
    assert {record.decision.reason for record in records} == {"paused"}
    return records


async def backfilled(world: World, records: list[Record], **values: object) -> Answer:
    """Ask for a backfill of all those records."""
    minute = timedelta(minutes=1)
    begin, end = records[0].nominal - minute, records[-1].nominal
    return await world.ask("backfill", "job", after=begin, until=end, **values)


async def finish(world: World, runs: tuple[RunId, ...]) -> list[Record]:
    """Tick both functions until these runs are final."""

    async def ended() -> list[Record]:
        await world.submit()
        await world.collect()
        found = [load(data) for data in (await world.blobs("runs/")).values()]
        return [record for record in found if record.run_id in runs and record.outcome]

    return await until(ended, lambda found: len(found) == len(runs), within=30)

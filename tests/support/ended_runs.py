"""Runs of which Batch is done, as tests of their outputs need them."""

from orchestrator.ledger.record import Output, Record
from tests.support.world import World, schedule


async def completed(world: World, name: str, command: str, **keys: str) -> Record:
    """Run a schedule once, and wait until Batch is done with it; nothing is collected yet."""
    await world.apply(schedule(name, command, minutes=1, **keys))
    await world.submit()
    (record,) = [one for one in await world.open() if one.schedule == name]
    await world.job_is(record.run_id, "completed")
    return record


async def remove(world: World, record: Record, *names: str) -> None:
    """Remove outputs, as if the node had never pushed them."""
    for name in names:
        await world.outputs.delete_blob(f"{record.output_prefix}{name}")


def by_path(record: Record) -> dict[str, Output]:
    return {one.path: one for one in record.outputs}

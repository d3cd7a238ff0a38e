"""Whatever is wrong with one run stays with that run: it is reported, and all others end."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from azure.storage.blob import StandardBlobTier

from orchestrator import ids
from orchestrator.enums import Outcome
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Record
from tests.support.world import World

type Damage = Callable[[World, Record], Awaitable[None]]


async def change_record(world: World, record: Record, **changes: Any) -> None:  # noqa: ANN401 - JSON
    """Put other values into an open record, past the product."""
    blob = world.ledger.get_blob_client(ids.open_blob(record.run_id))
    stream = await blob.download_blob()
    content = json.loads(await stream.readall()) | changes
    metadata = stream.properties.metadata
    await blob.upload_blob(json.dumps(content), overwrite=True, metadata=metadata)


async def no_attempt(world: World, record: Record) -> None:
    await change_record(world, record, attempts=[])


async def another_run(world: World, record: Record) -> None:
    await change_record(world, record, run_id="other-20260101T000000Z")


async def an_end_without_outcome(world: World, record: Record) -> None:
    attempt = {
        "number": 1,
        "job_id": record.run_id,
        "state": "ended",
        "claimed": "2026-01-01T00:00:00Z",
    }
    await change_record(world, record, attempts=[attempt])


async def a_time_without_offset(world: World, record: Record) -> None:
    attempt = {
        "number": 1,
        "job_id": record.run_id,
        "state": "submitted",
        "claimed": "2026-01-01T00:00:00",
        "submitted": "2026-01-01T00:00:00",
    }
    await change_record(world, record, attempts=[attempt])


async def no_json(world: World, record: Record) -> None:
    blob = world.ledger.get_blob_client(ids.open_blob(record.run_id))
    metadata = (await blob.get_blob_properties()).metadata
    await blob.upload_blob(b"\x00{", overwrite=True, metadata=metadata)


async def archived(world: World, record: Record) -> None:
    blob = world.ledger.get_blob_client(ids.open_blob(record.run_id))
    await blob.set_standard_blob_tier(StandardBlobTier.ARCHIVE)


async def neither_content_nor_metadata(world: World, record: Record) -> None:
    await world.ledger.upload_blob(ids.open_blob(record.run_id), b"", overwrite=True)


@pytest.mark.parametrize(
    "damage",
    [
        no_attempt,
        another_run,
        an_end_without_outcome,
        a_time_without_offset,
        no_json,
        archived,
        neither_content_nor_metadata,
    ],
)
async def test_a_damaged_record_is_reported_and_left(
    world: World, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    """The collector says so in an event, counts it, and finishes everything else."""
    await world.pool()
    damaged = await world.running("damaged", "true")
    others = [await world.running(name, "true") for name in ("a-one", "the-other")]
    await damage(world, damaged)

    await world.collect_until_finished(len(others))
    caplog.clear()
    counts = await world.collect()

    assert {one.run_id for one in await world.final()} == {one.run_id for one in others}
    assert counts["left"] == 1
    (event,) = events(caplog, "ledger.trouble")
    assert event["blob"] == ids.open_blob(damaged.run_id)
    assert event["what"] == "damaged_record"
    assert event["detail"]
    assert await world.ledger.get_blob_client(ids.open_blob(damaged.run_id)).exists()


async def test_outputs_that_cannot_be_had_hold_up_no_other_run(world: World) -> None:
    """There is no container of outputs: what is known of each run is in its record all the same."""
    await world.pool()
    one, other = await world.running("one", "true"), await world.running("other", "false")
    await world.job_is(one.run_id, "completed")
    await world.job_is(other.run_id, "completed")
    await world.outputs.delete_container()

    counts = await world.collect()

    assert counts["finished"] == 0
    outcomes = {record.run_id: record.outcome for record in await world.open()}
    assert outcomes == {one.run_id: Outcome.SUCCEEDED, other.run_id: Outcome.FAILED}

    await world.outputs.create_container()
    await world.collect_until_finished(2)


@pytest.mark.parametrize("name", ["files/a\x01.csv", "files/\x1f", "stdout.txt.\x02"])
async def test_a_name_that_breaks_listings_holds_up_no_other_run(world: World, name: str) -> None:
    """Any task can make such a blob: storage then fails to list its folder for good."""
    await world.pool()
    poisoned = await world.running("poisoned", "true")
    others = {(await world.running(name, "true")).run_id for name in ("a-one", "the-other")}
    await world.outputs.upload_blob(f"{poisoned.output_prefix}{name}", b"x")

    async def others_ended() -> bool:
        await world.collect()
        return {record.run_id for record in await world.final()} >= others

    await world.until(others_ended)


async def test_metadata_that_are_gone_are_repaired_from_the_content(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The run is one of the work list as before, and ends as any other."""
    await world.pool(targetDedicatedNodes=0)
    record = await world.running("job", "sleep 60")
    blob = world.ledger.get_blob_client(ids.open_blob(record.run_id))
    before = (await blob.get_blob_properties()).metadata
    await blob.set_blob_metadata({"mine": "kept", "state": "dreaming"})

    await world.collect()

    assert (await blob.get_blob_properties()).metadata == before | {"mine": "kept"}
    (event,) = events(caplog, "ledger.trouble")
    assert event["what"] == "damaged_metadata"
    assert event["blob"] == ids.open_blob(record.run_id)
    await world.end_job(record)
    (final,) = await world.collect_until_finished()
    assert final.outcome is Outcome.TERMINATED


async def test_metadata_of_a_trigger_are_repaired_too(world: World) -> None:
    """Its id does not tell its nominal time; the content does."""
    await world.pool(targetDedicatedNodes=0)
    await world.apply('[schedules.job]\ncron = "0 0 29 2 *"\ncommand = "sleep 60"\n')
    await world.submit()
    answer = await world.ask("trigger", "job", key="k")
    (run,) = answer.runs
    blob = world.ledger.get_blob_client(ids.open_blob(run))
    before = (await blob.get_blob_properties()).metadata
    await blob.set_blob_metadata({})

    await world.collect()

    assert (await blob.get_blob_properties()).metadata == before
    assert ids.parse_run_id(run) == (ScheduleId("job"), None)


def events(caplog: pytest.LogCaptureFixture, name: str) -> list[dict[str, Any]]:
    """Return the events of a name that were told since the log was cleared."""
    found = [vars(record) for record in caplog.records if record.name == "recur"]
    return [one for one in found if one.get("microsoft.custom_event.name") == name]


async def test_ten_damaged_records_hold_up_no_other_run(world: World) -> None:
    """They are looked at one after the other, and no failure counts as that of the storage."""
    await world.pool()
    for number in range(10):
        await archived(world, await world.running(f"damaged-{number}", "true"))
    last = await world.running("last", "true")

    (final,) = await world.collect_until_finished()

    assert final.run_id == last.run_id
    counts = await world.collect()
    assert counts["left"] == 10

"""More than one life of a run: no job and no output of one is taken for another's."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob.aio import BlobServiceClient

from orchestrator import ids
from orchestrator.enums import AttemptState, BlockedReason, Outcome
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Kind, Record, dump, load
from orchestrator.ledger.state import SubmitState
from orchestrator.passes.job_search import MOST_LOOKS
from tests.conftest import Containers
from tests.contract.conftest import ACCOUNT, KEY, Start
from tests.support.backfills import backfilled, finish, idle_schedule
from tests.support.faults import Faults
from tests.support.waiting import until
from tests.support.world import World, schedule, settings

MINUTE = timedelta(minutes=1)
JOB = ScheduleId("job")


@pytest.fixture
async def shaky(start_batch: Start, containers: Containers) -> AsyncIterator[tuple[World, Faults]]:
    """Start a product on an account that takes faults."""
    batch = await start_batch(faults=True)
    connection = containers.connection_string
    async with BlobServiceClient.from_connection_string(connection) as storage:
        world = World(
            settings=settings(containers, batch.url, ACCOUNT, KEY),
            storage=storage,
            batch=batch.client,
        )
        yield world, batch.faults


async def ran_once(world: World) -> Record:
    """Let one occurrence run, and return its final record."""
    await world.pool()
    await world.apply(schedule("job", 'echo "first $RECUR_ATTEMPT"', minutes=1))
    await world.submit()
    (record,) = await world.collect_until_finished()
    return record


async def remove_final(world: World, record: Record) -> None:
    await world.ledger.delete_blob(record.blob)


def attempts(record: Record) -> list[int]:
    return [one.number for one in record.attempts]


async def test_job_and_record_bear_the_ids_of_ledger_and_claim(world: World) -> None:
    """The ledger has one id from its first write on; each claim has its own."""
    record = await ran_once(world)
    state = await world.state()
    job = await world.batch.get_job(record.attempt.job_id)
    metadata = {item.name: item.value for item in job.metadata or ()}

    assert state.ledger
    assert record.ledger == state.ledger
    assert (metadata["recur_ledger"], metadata["recur_claim"]) == (record.ledger, record.claim)
    assert record.attempt.account == world.settings.place.account
    assert record.attempt.pool == world.settings.place.pool_id
    assert record.attempt.outputs_url == world.settings.place.outputs_url


@pytest.mark.parametrize("forgotten", [False, True])
async def test_the_documented_recovery_runs_the_job_again(world: World, forgotten: bool) -> None:
    """A final record is deleted and its time backfilled: the old success is not adopted."""
    old = await ran_once(world)
    await remove_final(world, old)
    if forgotten:
        await world.delete_job(old.attempt.job_id)
    await world.apply(schedule("job", 'echo "again $RECUR_ATTEMPT"', minutes=1))

    answer = await backfilled(world, [old])
    (new,) = await finish(world, answer.runs)

    assert answer.runs == (old.run_id,)
    assert (new.outcome, new.kind, attempts(new)) == (Outcome.SUCCEEDED, Kind.BACKFILLED, [2])
    assert new.claim != old.claim
    assert await world.output(new) == b"again 2\n"
    assert await world.output(old) == b"first 1\n"
    assert [job for job in await world.jobs() if job.endswith("-r2")]


async def test_a_trigger_with_the_same_key_runs_again_once_its_record_is_gone(
    world: World,
) -> None:
    """While the record is there, the key makes no second run."""
    await idle_schedule(world, "true")
    first = await world.ask("trigger", "job", key="k")
    (old,) = await finish(world, first.runs)
    same = await world.ask("trigger", "job", key="k")
    assert "used before" in same.sentence

    await remove_final(world, old)
    again = await world.ask("trigger", "job", key="k")
    (new,) = await finish(world, again.runs)

    assert new.run_id == old.run_id
    assert (new.outcome, attempts(new)) == (Outcome.SUCCEEDED, [2])
    assert new.claim != old.claim


async def test_a_rewritten_final_record_does_not_drop_a_rerun(world: World) -> None:
    """Somebody writes the old record anew while its rerun is claimed: it runs, and is kept."""
    old = await ran_once(world)
    answer = await backfilled(world, [old], rerun=True)
    await world.ledger.upload_blob(old.blob, dump(replace(old, note="mended")), overwrite=True)

    (new,) = [one for one in await finish_all(world, answer.runs) if one.kind is Kind.BACKFILLED]

    assert (new.outcome, attempts(new)) == (Outcome.SUCCEEDED, [1, 2])
    assert [past.claim for past in new.history] == [old.claim]


async def finish_all(world: World, runs: tuple[RunId, ...]) -> list[Record]:
    """Tick until nothing is open; return the final records of these runs."""

    async def closed() -> bool:
        await world.submit()
        await world.collect()
        return not await world.open()

    await world.until(closed)
    return [one for one in await world.final() if one.run_id in runs]


async def test_what_a_schedule_claims_twice_runs_once(world: World) -> None:
    """An older submit.json is restored: the final record of the first life ends the claim."""
    old = await ran_once(world)
    state = await world.state()
    one = state.schedules[JOB]
    earlier = replace(one, decided_until=old.nominal - MINUTE)
    await world.set_state(replace(state, schedules={JOB: earlier}))

    await world.submit()
    await world.submit()

    assert await world.open() == []
    assert await world.jobs() == [old.attempt.job_id]
    assert [record.claim for record in await world.final()] == [old.claim]


def in_the_way(record: Record, **changed: str | None) -> Record:
    """Return the record by which a job stands in the way of ``record``."""
    return replace(record, **changed)  # type: ignore[arg-type] # ids


async def put_claim(world: World, name: str = "job") -> Record:
    """Put the claim of a run in place that nobody has dispatched."""
    nominal = datetime.now(UTC).replace(second=0, microsecond=0) - MINUTE
    record = await world.running(name, "true")
    attempt = replace(
        record.attempt,
        state=AttemptState.CLAIMED,
        submitted=None,
        job_id=ids.run_id(record.schedule, nominal),
    )
    claim = replace(
        record,
        run_id=ids.run_id(record.schedule, nominal),
        nominal=nominal,
        ledger="test",
        claim="new",
        kind=Kind.BACKFILLED,
        attempts=(attempt,),
    )
    await world.claim(claim)
    return claim


async def open_record(world: World, run_id: RunId) -> Record:
    return load((await world.blobs(ids.open_blob(run_id)))[ids.open_blob(run_id)])


async def test_an_earlier_life_is_waited_for_and_then_its_number_is_used_up(world: World) -> None:
    """While its job goes on none is created beside it; the next number follows in the next tick."""
    await world.pool(targetDedicatedNodes=0)
    claim = await put_claim(world)
    await world.create_job(in_the_way(claim, claim="old"))

    await world.submit()
    waits = (await open_record(world, claim.run_id)).attempt
    assert (waits.state, waits.blocked) == (AttemptState.CLAIMED, BlockedReason.ID_TAKEN)

    await world.end_job(claim)
    await world.submit()
    numbered = (await open_record(world, claim.run_id)).attempt
    assert (numbered.number, numbered.state) == (2, AttemptState.CLAIMED)
    assert f"{claim.run_id}-r2" not in await world.jobs()

    await world.submit()
    record = await open_record(world, claim.run_id)
    assert (record.attempt.job_id, record.attempt.state) == (
        f"{claim.run_id}-r2",
        AttemptState.SUBMITTED,
    )
    assert len(record.attempts) == 1


@pytest.mark.parametrize("stranger", [{"ledger": "other"}, {"run_id": RunId("x-20260101T000000Z")}])
async def test_a_job_of_somebody_else_is_never_ours_however_it_ends(
    world: World, stranger: dict[str, str]
) -> None:
    """Another ledger's, or of another run: its id is taken until it is gone."""
    await world.pool(targetDedicatedNodes=0)
    claim = await put_claim(world)
    await world.create_job(in_the_way(claim, **stranger))
    await world.end_job(claim)

    for _ in range(2):
        await world.submit()
    attempt = (await open_record(world, claim.run_id)).attempt
    assert (attempt.number, attempt.blocked) == (1, BlockedReason.ID_TAKEN)

    await world.delete_job(claim.attempt.job_id)
    await world.submit()
    attempt = (await open_record(world, claim.run_id)).attempt
    assert (attempt.number, attempt.state) == (1, AttemptState.SUBMITTED)


async def test_outputs_that_an_earlier_life_left_use_its_number_up(world: World) -> None:
    """Its job is gone from Batch, and what it wrote is not."""
    await world.pool(targetDedicatedNodes=0)
    claim = await put_claim(world)
    await world.create_job(in_the_way(claim, claim="old"))
    await world.outputs.upload_blob(f"{claim.output_prefix}files/old.csv", b"old")
    await world.submit()
    await world.delete_job(claim.attempt.job_id)

    for _ in range(2):
        await world.submit()

    attempt = (await open_record(world, claim.run_id)).attempt
    assert (attempt.number, attempt.state) == (2, AttemptState.SUBMITTED)


@pytest.mark.parametrize("ours", [True, False])
async def test_a_job_that_is_being_deleted_is_ours_only_by_its_claim(
    shaky: tuple[World, Faults], ours: bool
) -> None:
    """Batch's refusal names no owner, so the job is asked for."""
    world, faults = shaky
    await world.pool(targetDedicatedNodes=0)
    claim = await put_claim(world)
    await world.create_job(claim if ours else in_the_way(claim, claim="old"))
    await faults.keep_deleting_job(claim.attempt.job_id)

    await world.submit()

    attempt = (await open_record(world, claim.run_id)).attempt
    state = AttemptState.SUBMITTED if ours else AttemptState.CLAIMED
    assert (attempt.state, attempt.blocked is None) == (state, ours)


async def test_at_most_five_jobs_that_are_in_the_way_are_looked_at_in_a_tick(
    shaky: tuple[World, Faults],
) -> None:
    """Each tick looks at others; what is not in the way waits for none of them."""
    world, faults = shaky
    await world.pool(targetDedicatedNodes=0)
    claims = [await put_claim(world, f"job-{letter}") for letter in "abcdefgh"]
    for claim in claims[:-1]:
        await world.create_job(in_the_way(claim, ledger="other"))

    looked: set[str] = set()

    async def tick() -> set[str]:
        await faults.clear()
        await world.submit()
        seen = [one.job for one in await faults.seen() if one.operation == "get_job" and one.job]
        assert len(seen) <= MOST_LOOKS
        looked.update(seen)
        return looked

    await until(tick, lambda found: found == {claim.attempt.job_id for claim in claims[:-1]})
    free = await open_record(world, claims[-1].run_id)
    assert free.attempt.state is AttemptState.SUBMITTED


async def test_a_ledger_of_an_earlier_version_gets_its_ids_with_the_next_write(
    world: World,
) -> None:
    """Its open runs and their jobs agree by having none, and end as ever."""
    await world.set_state(SubmitState())
    await world.pool()
    old = await world.running("old", "true")
    await world.apply(schedule("hello", "true", minutes=1))

    await world.submit()
    state = await world.state()
    finals = await world.collect_until_finished(2)

    assert state.ledger
    assert state.owner == world.settings.place.account
    found = {one.schedule: one for one in finals}
    assert (found[old.schedule].outcome, found[old.schedule].claim) == (Outcome.SUCCEEDED, None)
    assert found[ScheduleId("hello")].ledger == state.ledger

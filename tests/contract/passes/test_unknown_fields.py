"""Fields of a later version in the ledger: ticks of this version keep them at every level."""

import json
from dataclasses import replace
from typing import Any

from orchestrator import ids
from orchestrator.enums import AttemptState, Outcome
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Record, load, metadata
from orchestrator.ledger.request import Request, RequestKind, Status, dump_request, load_answer
from orchestrator.ledger.results import CollectState, ScheduleResults, dump_collect, load_collect
from orchestrator.ledger.state import load_submit
from tests.golden.blobs import FOLDER, METADATA, UNKNOWN, blobs, injected, lost, without_unknown
from tests.support.world import World, schedule

JOB = ScheduleId("job")
NEVER = '"0 0 29 2 *"'
"""A schedule that is not due while a test runs."""

GOLDEN = blobs(FOLDER / "v1")


async def add_unknown(world: World, name: str) -> None:
    """Add unknown fields to each object of a blob of the ledger."""
    blob = world.ledger.get_blob_client(name)
    before = await blob.download_blob()
    data, kept = await before.readall(), before.properties.metadata
    await blob.upload_blob(injected(data), metadata=kept, overwrite=True)


async def content(world: World, name: str) -> bytes:
    return await (await world.ledger.download_blob(name)).readall()


def without_outputs(record: Record) -> Record:
    """Return the part of a run with one retry that was there before the ticks."""
    return replace(record, attempts=record.attempts[:1], outputs=())


async def test_both_passes_keep_unknown_fields_from_the_first_attempt_to_the_last(
    world: World,
) -> None:
    """A retry, a pause, a dispatch, the final record: each rewrite keeps what it does not know."""
    await world.pool()
    command = 'test "$RECUR_ATTEMPT" = 2'
    record = await world.running("job", command, retries=(1, Outcome.FAILED))
    await world.apply(schedule("job", command, cron=NEVER))
    await world.submit()
    results = CollectState(schedules={JOB: ScheduleResults()})
    await world.ledger.upload_blob(ids.COLLECT_STATE, dump_collect(results))
    for name in (ids.open_blob(record.run_id), ids.SUBMIT_STATE, ids.COLLECT_STATE):
        await add_unknown(world, name)

    async def tried_again() -> list[Record]:
        await world.collect()
        return [one for one in await world.open() if one.attempt.number == 2]

    (retried,) = await world.until(tried_again)
    assert list(without_unknown(without_outputs(retried))) == []
    await world.age(retried, minutes=2)
    answer = await world.ask("pause", "job")
    (submitted,) = await world.open()
    (final,) = await world.collect_until_finished()

    assert answer.status is Status.DONE
    assert submitted.attempt.state is AttemptState.SUBMITTED
    assert list(without_unknown(without_outputs(submitted))) == []
    assert (final.outcome, len(final.attempts)) == (Outcome.SUCCEEDED, 2)
    assert list(without_unknown(without_outputs(final))) == []
    state = load_submit(await content(world, ids.SUBMIT_STATE))
    (paused,) = state.schedules[JOB].pauses
    assert paused.request == (answer.request and answer.request.id)
    before_pause = replace(state.schedules[JOB], pauses=())
    assert list(without_unknown(replace(state, schedules={JOB: before_pause}))) == []
    collected = load_collect(await content(world, ids.COLLECT_STATE))
    assert collected.schedules[JOB].last_success_run == final.run_id
    assert list(without_unknown(collected)) == []


async def test_both_passes_keep_unknown_metadata_of_an_open_record(world: World) -> None:
    """The keys that this version writes are its own; every other key outlives each rewrite."""
    await world.pool()
    command = 'test "$RECUR_ATTEMPT" = 2'
    record = await world.running("job", command, retries=(1, Outcome.FAILED))
    await world.apply(schedule("job", command, cron=NEVER))
    blob = world.ledger.get_blob_client(ids.open_blob(record.run_id))
    before = (await blob.get_blob_properties()).metadata
    later = {"added_later": "by a later version", "Another": "1"}
    await blob.set_blob_metadata({**before, **later})

    async def tried_again() -> list[Record]:
        await world.collect()
        return [one for one in await world.open() if one.attempt.number == 2]

    (retried,) = await world.until(tried_again)
    by_collect = (await blob.get_blob_properties()).metadata
    await world.age(retried, minutes=2)
    await world.submit()
    (submitted,) = await world.open()
    by_submit = (await blob.get_blob_properties()).metadata

    assert retried.attempt.not_before is not None
    assert submitted.attempt.state is AttemptState.SUBMITTED
    assert by_collect == later | metadata(retried)
    assert by_submit == later | metadata(submitted)


async def test_a_plan_of_a_later_version_becomes_records_with_all_their_fields(
    world: World,
) -> None:
    """Claims and final records alike, also where a dead tick left the plan."""
    await world.apply(schedule("job", "true", cron=NEVER))
    await world.submit()
    plan = load_submit(injected(GOLDEN[ids.SUBMIT_STATE])).plan
    await world.set_state(replace(await world.state(), plan=plan))

    await world.submit()

    found = {one.run_id: one for one in (*await world.open(), *await world.final())}
    assert found.keys() == {one.run_id for one in plan}
    assert list(without_unknown(found)) == []
    assert (await world.state()).plan == ()


async def test_a_run_that_had_ended_under_a_later_version_keeps_its_fields(world: World) -> None:
    """Its outputs included: the final record has what the open one had."""
    names = [name for name in GOLDEN if ids.open_run_id(name)]
    name = next(one for one in names if load(GOLDEN[one]).attempt.state is AttemptState.ENDED)
    given = injected(GOLDEN[name])
    stored = json.loads((FOLDER / "v1" / METADATA).read_text())[name]
    await world.ledger.upload_blob(name, given, metadata=stored)

    await world.collect()

    blob = load(given).blob
    (final,) = (await world.blobs("runs/")).items()
    assert final[0] == blob
    assert load(given).outputs
    assert list(lost(json.loads(given), json.loads(final[1]))) == []
    assert await world.open() == []


async def test_a_request_with_unknown_fields_is_refused_and_its_answer_keeps_them(
    world: World,
) -> None:
    """What the field asks for is not known, so nothing is done."""
    await world.apply(schedule("job", "true", cron=NEVER))
    await world.submit()
    request = Request(id="later", kind=RequestKind.PAUSE, by="test", schedule=JOB)
    data: dict[str, Any] = json.loads(dump_request(request)) | UNKNOWN
    await world.ledger.upload_blob(ids.request_blob("later"), json.dumps(data).encode())

    await world.submit()

    answer = load_answer(await content(world, ids.answer_blob("later")))
    assert answer.status is Status.REFUSED
    assert "added_later" in answer.sentence
    assert answer.request is not None
    assert answer.request.extra == UNKNOWN
    assert (await world.state()).schedules[JOB].pauses == ()
    assert not await world.blobs(ids.REQUEST_PREFIX)

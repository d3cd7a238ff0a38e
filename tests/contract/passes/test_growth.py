"""The ledger stays small whatever its history; real ticks against the emulator and Azurite."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator import ids
from orchestrator.ids import MOVED_PREFIX, REMOVED_PREFIX, ScheduleId, removed_blob
from orchestrator.ledger.moved import load_moved
from orchestrator.ledger.record import Action, Kind
from tests.support.world import World, schedule

JOB = ScheduleId("job")
MINUTE = timedelta(minutes=1)


async def test_a_pause_of_five_days_is_a_dozen_records(world: World) -> None:
    """7,201 minutes while nothing ticked; one of them is run later, and has its own record."""
    await world.pool()
    begin = datetime.now(UTC).replace(second=0, microsecond=0) - 7200 * MINUTE
    await world.apply(
        '[schedules.job]\ncron = "* * * * *"\ncommand = "true"\npaused = true\n'
        f"start = {begin.isoformat()}\n"
    )
    counts = await world.submit()

    assert int(counts["skipped"]) >= 7201  # a minute may have passed meanwhile
    final = await world.final()
    assert len(final) == 11
    (wide,) = (one for one in final if one.range)
    assert wide.range
    assert wide.range.count == int(counts["skipped"]) - 10
    assert wide.decision.reason == "paused"

    nominal = wide.range.first + 100 * MINUTE
    answer = await world.ask("backfill", "job", after=nominal - MINUTE, until=nominal)
    assert answer.runs == (ids.run_id(JOB, nominal),)
    (record,) = await world.collect_until_finished()
    assert (record.kind, record.nominal) == (Kind.BACKFILLED, nominal)
    assert wide in await world.final()


async def toggle(world: World, *, times: int) -> None:
    """Pause and resume by the document; the state is decided up to each change."""
    table = schedule("job", "true")
    for number in range(times):
        await world.apply(table + f"paused = {str(number % 2 == 0).lower()}\n")
        await world.submit()
        state = await world.state()
        one = state.schedules[JOB]
        back = [replace(t, since=t.since - timedelta(hours=1)) for t in one.timings]
        moved = replace(one, timings=tuple(back))
        await world.set_state(replace(state, schedules={**state.schedules, JOB: moved}))


async def test_toggled_pauses_leave_submit_json(world: World) -> None:
    """They are in blobs of their own; a backfill of that time knows them."""
    small = replace(world, state_bytes=2500)
    await small.pool()
    await toggle(small, times=12)

    state = (await small.blobs(ids.SUBMIT_STATE))[ids.SUBMIT_STATE]
    assert len(state) < 4000
    one = (await small.state()).schedules[JOB]
    assert one.earlier
    assert one.earlier < one.timings[0].since
    blobs = await small.blobs(MOVED_PREFIX)
    gone = [t for data in blobs.values() for t in load_moved(data).schedules[JOB].timings]
    assert len({t.since for t in gone}) + len(one.timings) == 12


async def test_a_removed_schedule_leaves_and_comes_back(world: World) -> None:
    """What was decided in its first life is not decided again, though its start lies before."""
    small = replace(world, state_bytes=10)
    await small.pool()
    table = schedule("job", "true")
    await small.apply(table)
    await small.submit()
    await small.collect_until_finished()
    final = await small.final()
    await small.apply(schedule("other", "true", minutes=1, paused="true"))
    await small.submit()
    await small.submit()
    assert JOB not in (await small.state()).schedules
    assert list(await small.blobs(REMOVED_PREFIX)) == [removed_blob(JOB)]

    await small.apply(table)
    await small.submit()

    back = (await small.state()).schedules[JOB]
    assert back.timings[-1].recurrence
    assert not await small.open()
    again = [one for one in await small.final() if one.schedule == JOB]
    assert again == [one for one in final if one.schedule == JOB]
    assert all(one.decision.action is not Action.SUBMIT or one.outcome for one in again)


async def test_a_removed_schedule_rests(world: World) -> None:
    """Its watermark stays where it was removed, so that it comes back alike from either place."""
    await world.pool()
    await world.apply(schedule("job", "true") + schedule("other", "true", paused="true"))
    await world.submit()
    await world.apply(schedule("other", "true", paused="true"))
    await world.submit()
    state = await world.state()
    one = state.schedules[JOB]
    hour = timedelta(hours=1)
    old = replace(
        one,
        timings=tuple(replace(timing, since=timing.since - hour) for timing in one.timings),
        decided_until=one.decided_until - hour,
    )
    await world.set_state(replace(state, schedules={**state.schedules, JOB: old}))

    await world.apply(schedule("other", "true", paused="false"))
    await world.submit()

    after = await world.state()
    assert after.schedules[ScheduleId("other")] != state.schedules[ScheduleId("other")]
    assert after.schedules[JOB] == old

"""Summaries as both passes write them, and what they are for: to know which run is slow."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator import ids
from orchestrator.adapters.telemetry import Event
from orchestrator.ids import ScheduleId
from orchestrator.ledger.result import Result, result_of
from orchestrator.ledger.results import CollectState, dump_collect
from orchestrator.ledger.summaries import (
    USUAL_FROM,
    Day,
    NotRun,
    Recent,
    counted,
    day_blob,
    day_of,
    dump_recent,
    last_occurrences,
    load_day,
    load_recent,
    with_results,
)
from tests.support.records import ran
from tests.support.world import World, schedule

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
JOB = ScheduleId("job")


async def recent(world: World) -> Recent:
    blob = await world.ledger.download_blob(ids.RECENT)
    return load_recent(await blob.readall())


async def test_both_passes_keep_what_happened_last(world: World) -> None:
    """The run that ended, and the occurrence that was missed before it; numbers of its day."""
    await world.pool()
    await world.running("other", "true")
    await world.collect_until_finished()  # so that there are summaries
    await world.apply(schedule("job", "true", minutes=4))
    await world.submit()
    finals = await world.collect_until_finished(2)

    found = await recent(world)

    ended = [result_of(one) for one in finals if one.outcome]
    for result in ended:
        (run,) = found.schedules[result.schedule].runs
        assert (run.outcome, run.seconds) == (result.outcome, result.seconds)
    not_run = [one for one in last_occurrences(found.schedules[JOB]) if isinstance(one, NotRun)]
    assert not_run, found
    assert sum(one.occurrences for one in not_run) == sum(
        one.range.count if one.range else 1 for one in await world.final() if not one.outcome
    )
    for day in {day_of(one) for one in ended}:
        data = await (await world.ledger.download_blob(day_blob(day))).readall()
        expected = counted(Day(), [one for one in ended if day_of(one) == day], ())
        assert load_day(data).schedules == expected.schedules


async def test_lost_summaries_are_made_anew_by_the_next_ticks(world: World) -> None:
    """The last occurrences, once they are missed; results that are known stay as they are."""
    await world.pool()
    await world.running("job", "true")
    (first,) = await world.collect_until_finished()
    await world.ledger.delete_blob(ids.RECENT)
    await world.running("other", "true")
    await world.collect_until_finished(2)

    await world.collect()

    found = await recent(world)
    assert found.schedules.keys() == {JOB, ScheduleId("other")}
    assert found.schedules[JOB] == with_results(Recent(), [result_of(first)]).schedules[JOB]


async def test_a_slow_run_is_told_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """While it goes on; not again at its end."""
    before = [result_of(ran(NOW - timedelta(days=n), schedule=JOB)) for n in range(1, 31)]
    assert len(before) >= USUAL_FROM
    summed_up = with_results(Recent(), [_with_seconds(one) for one in before])
    await world.ledger.upload_blob(ids.RECENT, dump_recent(summed_up))
    await world.ledger.upload_blob(ids.COLLECT_STATE, dump_collect(CollectState()))
    await world.pool()
    await world.running("job", "sleep 4")

    async def told() -> list[str]:
        await world.collect()
        events = (vars(record) for record in caplog.records)
        name = "microsoft.custom_event.name"
        return [one["event_id"] for one in events if one.get(name) == Event.RUN_SLOW]

    await world.until(told)
    (open_run,) = await world.open()
    (final,) = await world.collect_until_finished()

    assert await told() == [final.attempt.job_id]
    assert open_run.attempt.slow


def _with_seconds(result: Result) -> Result:
    return replace(result, seconds=0.1)

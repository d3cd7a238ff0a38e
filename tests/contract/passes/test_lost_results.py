"""``collect.json`` is lost: it is kept, made anew from the final records, and that is said."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest

from orchestrator import ids
from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.telemetry import Event
from orchestrator.enums import Outcome, Reason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Action, Kind, Record, dump
from orchestrator.ledger.result import result_metadata, result_of
from orchestrator.ledger.results import CollectState, dump_collect, finished, load_collect
from orchestrator.ledger.summaries import (
    Day,
    Recent,
    counted,
    day_blob,
    day_of,
    load_day,
    load_recent,
    with_results,
)
from orchestrator.passes.collect_state import CollectStore
from orchestrator.passes.rebuilding import PAGE, Rebuilder
from orchestrator.passes.services import open_services
from orchestrator.passes.summarising import Summaries
from tests.support.records import decided, ran
from tests.support.world import World, schedule

NIGHTLY, HOURLY = ScheduleId("nightly"), ScheduleId("hourly")
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOUR = timedelta(hours=1)


def history() -> list[Record]:
    """Return records of two schedules: ends of all kinds, a trigger, a skip; over two months."""
    failed = (Outcome.FAILED, Reason.EXIT_CODE)
    triggered = replace(
        ran(NOW - 5 * HOUR, *failed), run_id=ids.trigger_id(NIGHTLY, "a"), kind=Kind.TRIGGERED
    )
    return [
        ran(NOW - timedelta(days=45)),
        ran(NOW - 30 * HOUR),
        ran(NOW - 6 * HOUR, *failed),
        triggered,
        ran(NOW - 3 * HOUR, Outcome.TERMINATED, Reason.STOPPED),
        decided(NOW - 2 * HOUR, Action.SKIPPED, reason="overlap"),
        *(ran(NOW - n * HOUR, schedule=HOURLY) for n in range(1, 60)),
    ]


async def put(world: World, records: Sequence[Record], *, bare: bool = False) -> None:
    """Put final records in place; bare: as earlier versions did, without metadata."""
    for record in records:
        values = {} if bare else result_metadata(record)
        await world.ledger.upload_blob(record.blob, dump(record), metadata=values)


def results(records: Sequence[Record]) -> CollectState:
    return reduce(finished, map(result_of, records), CollectState())


async def content(world: World, name: str) -> bytes:
    return await (await world.ledger.download_blob(name)).readall()


async def state(world: World) -> CollectState:
    return load_collect(await content(world, ids.COLLECT_STATE))


async def step(
    world: World, *, still_open: Sequence[str] = (), most: int = 1000, page: int = PAGE
) -> None:
    """Make a part anew, as one tick does."""
    async with (
        open_services(world.settings, Cache()) as services,
        services.ledger.lease(ids.COLLECT_STATE, empty=b"") as lease,
    ):
        rebuilder = Rebuilder(
            services,
            CollectStore(services.ledger, lease),
            Summaries(services.ledger),
            services.pace(),
            now=NOW,
            still_open=still_open,
            most=most,
            page=page,
        )
        await rebuilder.step()


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was told of the results, in the order of the events."""
    events = (vars(record) for record in caplog.records)
    name = "microsoft.custom_event.name"
    return [one["what"] for one in events if one.get(name) == Event.LEDGER_TROUBLE]


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("damaged", [b"{", b"", b'{"schema": 2}', None])
async def test_lost_results_are_made_anew_without_any_open_run(
    world: World, caplog: pytest.LogCaptureFixture, damaged: bytes | None, *, bare: bool
) -> None:
    """Damaged, empty, of a later version: kept as it was; and the same results come back."""
    records = history()
    await put(world, records, bare=bare)
    if damaged is not None:
        await world.ledger.upload_blob(ids.COLLECT_STATE, damaged)

    await world.collect()

    found = await state(world)
    assert found.rebuilding is not None
    assert found.rebuilding.ended is not None
    assert found.schedules == results(records).schedules
    assert told(caplog) == ["results_lost"]
    kept = await world.blobs("collect.2")
    assert list(kept.values()) == ([] if damaged is None else [damaged])
    assert found.rebuilding.kept == next(iter(kept), None)
    recent = load_recent(await content(world, ids.RECENT))
    assert recent.schedules == with_results(Recent(), map(result_of, records)).schedules


async def test_a_new_ledger_has_lost_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is told, and no claim says that the last success is not known."""
    await world.pool()
    await world.apply(schedule("hello", "true", minutes=1))
    await world.submit()
    (record,) = await world.open()

    await world.collect_until_finished()

    assert (await state(world)).rebuilding is None
    assert told(caplog) == []
    assert record.task is not None
    assert not record.previous_success_unknown
    assert "RECUR_PREVIOUS_SUCCESS_UNKNOWN" not in record.task.environment


async def test_what_never_ran_is_known_to_have_had_no_success(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Or no alert would ever tell of a schedule of which everything is missed, or never starts."""
    short = {"start_timeout": '"30s"', "run_timeout": '"30s"'}
    await world.apply(schedule("hello", "true", minutes=60, **short))
    await world.submit()
    assert await world.final() != []

    await world.collect()
    await world.submit(Cache())  # it reports, as the first tick of a quarter of an hour does

    (reported,) = (
        vars(one) for one in caplog.records if one.msg and "schedule.reported" in one.getMessage()
    )
    assert reported["max_gap_seconds"] != ""
    assert told(caplog) == []


async def test_a_claim_says_that_the_last_success_is_not_known(world: World) -> None:
    """As long as the results are lost; once they are made anew the task gets it again."""
    await world.pool()
    await world.begin()
    await put(world, [one for one in history() if one.schedule == NIGHTLY])
    await world.ledger.upload_blob(ids.COLLECT_STATE, b"{")
    await world.apply(schedule("nightly", "true", minutes=1) + schedule("other", "true", minutes=1))

    await world.submit()
    claimed = {record.schedule: record for record in await world.open()}
    await world.collect()
    await world.ask("trigger", "nightly", key="later", force=True)
    later = next(one for one in await world.open() if one.kind is Kind.TRIGGERED)

    nightly = claimed[NIGHTLY]
    assert nightly.previous_success_unknown
    assert not claimed[ScheduleId("other")].previous_success_unknown
    assert nightly.task is not None
    assert nightly.task.environment["RECUR_PREVIOUS_SUCCESS_UNKNOWN"] == "1"
    assert "RECUR_PREVIOUS_SUCCESS" not in nightly.task.environment
    assert later.task is not None
    assert not later.previous_success_unknown
    assert "RECUR_PREVIOUS_SUCCESS" in later.task.environment


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("most", [1, 5])
async def test_results_are_made_anew_in_steps(world: World, most: int, *, bare: bool) -> None:
    """Each resumes where the one before it ended, and in the end nothing is missing."""
    records = history()
    await put(world, records, bare=bare)
    await world.ledger.upload_blob(ids.COLLECT_STATE, b"{")
    steps, lacking = 0, list[set[ScheduleId]]()
    while not lacking or lacking[-1]:
        await step(world, most=most)
        rebuilding = (await state(world)).rebuilding
        assert rebuilding is not None
        lacking.append({id_ for id_ in (HOURLY, NIGHTLY) if rebuilding.lacks(id_)})
        steps += 1
        assert steps < 100

    assert steps > 1
    assert {NIGHTLY} in lacking, "one schedule is known before the other"
    assert (await state(world)).schedules == results(records).schedules
    recent = load_recent(await content(world, ids.RECENT))
    assert recent.schedules == with_results(Recent(), map(result_of, records)).schedules


@pytest.mark.parametrize("bare", [False, True])
async def test_a_step_ends_within_a_folder_and_the_next_goes_on(
    world: World, *, bare: bool
) -> None:
    """All triggers of a schedule lie in one folder, which no single tick may be able to list."""
    records = [
        ran(
            NOW - n * HOUR,
            Outcome.FAILED,
            Reason.EXIT_CODE,
            run_id=ids.trigger_id(NIGHTLY, str(n)),
            kind=Kind.TRIGGERED,
        )
        for n in range(7)
    ]
    await put(world, records, bare=bare)
    await world.ledger.upload_blob(ids.COLLECT_STATE, b"{")
    known = list[int]()
    while not known or (await state(world)).schedules != results(records).schedules:
        await step(world, most=1, page=2)
        found = (await state(world)).schedules.get(NIGHTLY)
        known.append(len(found.failed) if found else 0)
        assert len(known) < 20
    await step(world)

    assert known[0] == 2
    assert known == sorted(known)
    rebuilding = (await state(world)).rebuilding
    assert rebuilding is not None
    assert rebuilding.ended is not None
    assert rebuilding.marker is None


async def test_runs_are_finished_before_results_are_made_anew(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """However long that takes, it keeps no run from its end."""
    await world.pool()
    await world.apply(schedule("hello", "true", minutes=1))
    await world.submit()
    while not await world.final():
        await world.ledger.upload_blob(ids.COLLECT_STATE, b"{", overwrite=True)
        caplog.clear()
        await world.collect()

    names = [vars(one).get("microsoft.custom_event.name") for one in caplog.records]
    finishing = names.index(Event.RUN_FINISHED)
    assert Event.LEDGER_TROUBLE in names[finishing:]


async def test_the_numbers_of_days_are_made_anew(world: World) -> None:
    """Those of the last 35 days; a run that is still open is not counted yet."""
    records = history()
    last = records[-1]
    await put(world, records)
    await world.ledger.upload_blob(ids.COLLECT_STATE, b"{")
    await world.claim(replace(last, outcome=None, reason=None))  # its closing is what is missing

    await step(world, still_open=[last.run_id])

    old = NOW - timedelta(days=35)
    ended = [result_of(one) for one in records if one is not last and one.outcome]
    days = {day_of(one) for one in ended if day_of(one) >= old.date()}
    assert (await world.blobs(ids.DAYS_PREFIX)).keys() == {day_blob(day) for day in days}
    for day in days:
        expected = counted(Day(), [one for one in ended if day_of(one) == day], ())
        found = load_day(await content(world, day_blob(day)))
        assert found.schedules == expected.schedules


async def test_a_record_that_cannot_be_read_is_left_out_of_the_results(world: World) -> None:
    """The others come back."""
    records = history()[:3]
    await put(world, records, bare=True)
    damaged = ran(NOW - HOUR)
    await world.ledger.upload_blob(damaged.blob, b"{")
    await world.ledger.upload_blob(ids.COLLECT_STATE, b"{")

    await world.collect()

    assert (await state(world)).schedules == results(records).schedules


async def test_a_whole_ledger_is_not_touched(world: World) -> None:
    """An idle collector looks at its results once in a quarter of an hour, and leaves them."""
    whole = dump_collect(results(history()))
    await world.ledger.upload_blob(ids.COLLECT_STATE, whole)

    for _ in range(3):
        await world.collect()

    assert await world.blobs("") == {ids.COLLECT_STATE: whole}

"""Sequences that once went wrong: requests that poisoned a tick, gates that let two runs through."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator import ids
from orchestrator.adapters.blobs import Cache
from orchestrator.enums import After, AttemptState, Outcome, Reason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Kind, Record
from orchestrator.ledger.request import Status, load_answer
from orchestrator.passes import open_services
from tests.contract.conftest import ACCOUNT, KEY, Start
from tests.support.backfills import backfilled, decided, finish, idle_schedule
from tests.support.waiting import until
from tests.support.world import World, schedule

JOB = ScheduleId("job")
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "pause", "until": "2030-01-01T00:00:00"}, "timezone"),
        ({"kind": "pause", "until": "9999-12-31T23:59:59-14:00"}, "years"),
        ({"kind": "pause", "untill": "2030-01-01T00:00:00Z"}, "untill"),
        (
            {"kind": "backfill", "after": "2026-01-01T00:00:00", "until": "2026-01-02T00:00:00Z"},
            "aft",
        ),
        ({"kind": "pause", "note": "n" * 1001}, "1000 characters"),
        ({"kind": "dance"}, "kind"),
    ],
)
async def test_no_request_stops_a_tick(world: World, fields: dict[str, str], said: str) -> None:
    """It is refused in one line, and those behind it are answered."""
    await idle_schedule(world)
    body = {"schema": 1, "id": "0a", "by": "me", "schedule": "job", **fields}
    await world.ledger.upload_blob(ids.request_blob("0a"), json.dumps(body))

    behind = await world.ask("trigger", "job", key="k")

    assert behind.status is Status.DONE
    refused = load_answer((await world.blobs("answers/0a"))["answers/0a.json"])
    assert refused.status is Status.REFUSED
    assert said in refused.sentence
    assert "\n" not in refused.sentence
    assert not await world.blobs("open/request/")


def gated(record: Record, after: After, *, minutes: float) -> Record:
    """Return a claim that is nominally so much later than ``record``, behind a gate."""
    nominal = record.nominal + timedelta(minutes=minutes)
    run_id = ids.run_id(record.schedule, nominal)
    attempt = replace(
        record.attempt,
        job_id=run_id,
        state=AttemptState.CLAIMED,
        submitted=None,
        after=after,
    )
    return replace(record, run_id=run_id, nominal=nominal, attempts=(attempt,))


@pytest.mark.parametrize("after", [After.QUEUE, After.REPLACE, After.RETRY])
async def test_a_gate_waits_for_what_has_started_whenever_that_was_due(
    world: World, after: After
) -> None:
    """A trigger made in the minute of an occurrence is nominally later, and was there first."""
    await world.pool()
    running = await world.running("job", "sleep 60")
    await world.claim(gated(running, after, minutes=-1))

    await world.submit()

    assert await world.jobs() == [running.run_id]


async def test_two_backfills_run_one_at_a_time_together(world: World) -> None:
    """The one that was asked for later and lies earlier waits for the one that runs."""
    records = await decided(world, 5)
    await world.apply(schedule("job", "sleep 60", minutes=5, paused="true"))
    late, early = records[-1].nominal, records[0].nominal

    await world.ask("backfill", "job", after=late - MINUTE, until=late)
    await world.ask("backfill", "job", after=early - MINUTE, until=early)

    assert await world.jobs() == [records[-1].run_id]


async def test_replacements_that_come_quickly_still_run(world: World) -> None:
    """A run whose gate is open has its turn before the next one takes its place."""
    await world.pool()
    ended = await world.running("job", "true")
    await world.end_job(ended)
    second = gated(ended, After.REPLACE, minutes=1)
    third = gated(ended, After.REPLACE, minutes=2)
    await world.claim(second)
    await world.claim(third)

    await world.submit()
    assert second.run_id in await world.jobs()
    assert third.run_id not in await world.jobs()


async def test_what_was_replaced_before_its_gate_opened_holds_nobody_up(world: World) -> None:
    """It never had a job: it is over at once, not after two minutes."""
    await world.pool()
    running = await world.running("job", "sleep 60")
    second = gated(running, After.REPLACE, minutes=1)
    third = gated(running, After.REPLACE, minutes=2)
    await world.claim(second)
    await world.claim(third)
    await world.submit()
    await world.end_job(running)

    await world.submit()

    assert await world.jobs() == [running.run_id, third.run_id]
    finals = await world.collect_until_finished(2)
    reasons = {record.run_id: record.reason for record in finals}
    assert reasons[second.run_id] is Reason.REPLACED


async def test_one_damaged_final_record_holds_up_no_other_run(world: World) -> None:
    """The reopened run replaces it; everything else ends as well."""
    records = await decided(world, 3)
    answer = await world.ask(
        "backfill", "job", after=records[0].nominal - MINUTE, until=records[0].nominal
    )
    await world.ledger.upload_blob(records[0].blob, b"{}", overwrite=True)
    other = await world.running("other", "true")

    async def all_ended() -> bool:
        await world.submit()
        await world.collect()
        return not await world.waiting()

    await world.until(all_ended)
    outcomes = {record.run_id: record.outcome for record in await world.final() if record.outcome}
    assert outcomes == {answer.runs[0]: Outcome.SUCCEEDED, other.run_id: Outcome.SUCCEEDED}


async def test_a_backfill_leaves_what_it_cannot_read(world: World) -> None:
    """It says what it has claimed, and the others run."""
    records = await decided(world, 4)
    await world.ledger.upload_blob(records[1].blob, b"{}", overwrite=True)

    answer = await world.ask(
        "backfill", "job", after=records[0].nominal - MINUTE, until=records[-1].nominal
    )

    assert answer.status is Status.DONE
    assert records[1].run_id not in answer.runs
    assert len(answer.runs) == len(records) - 1


async def test_a_schedule_that_comes_back_is_paused_no_more(world: World) -> None:
    """Its former life's pause ended with it."""
    await idle_schedule(world)
    await world.ask("pause", "job")
    state = await world.state()
    one = state.schedules[JOB]
    earlier = replace(one.pauses[0], since=one.pauses[0].since - 2 * MINUTE)
    state = replace(state, schedules={JOB: replace(one, pauses=(earlier,))})
    await world.set_state(state)

    await world.apply("")
    await world.submit()
    await world.apply(schedule("job", "true", minutes=2, cron='"0 0 29 2 *"'))
    await world.submit()

    (pause,) = (await world.state()).schedules[JOB].pauses
    assert pause.until is not None


async def test_a_silent_batch_stops_no_decision_behind_waiting_triggers(
    start_batch: Start, world: World
) -> None:
    """The requests wait; what needs no word of Batch is decided in the same tick."""
    silent = await start_batch(faults=True)
    there = world.elsewhere(batch_account_url=silent.url)
    assert (world.settings.batch_account_name, world.settings.batch_account_key) == (ACCOUNT, KEY)
    tables = [schedule(name, "true", minutes=2, cron='"0 0 29 2 *"') for name in ("one", "two")]
    await world.apply("".join(tables))
    await world.submit()
    await world.pool()
    for name in ("one", "two"):
        await world.running(name, "sleep 60")
    for name in ("one", "two"):
        body = {
            "schema": 1,
            "id": name,
            "kind": "trigger",
            "by": "me",
            "schedule": name,
            "key": "k",
        }
        await world.ledger.upload_blob(ids.request_blob(name), json.dumps(body))
    await world.apply("".join([*tables, schedule("fresh", "true", minutes=1)]))
    await silent.faults.add("refusal", status=503)

    counts = await there.submit()

    assert counts["claimed"]
    assert [one.schedule for one in await world.open() if one.kind is Kind.SCHEDULED].count(
        ScheduleId("fresh")
    ) == 1
    assert len(await world.blobs("open/request/")) == 2


async def test_many_outputs_are_stored_within_a_tick(world: World) -> None:
    """Each has its size; as far as the reading goes, its hash."""
    await world.pool()
    command = "i=0; while [ $i -lt 300 ]; do echo $i > $i.csv; i=$((i+1)); done"
    await world.apply(schedule("job", command, minutes=1, outputs='["*.csv"]'))
    await world.submit()

    (final, *_) = await world.collect_until_finished(within=60)

    assert final.outcome is Outcome.SUCCEEDED
    assert len(final.outputs) == 302
    assert all(output.bytes is not None for output in final.outputs)


async def test_a_claim_that_is_stopped_is_in_the_way_while_its_job_runs(world: World) -> None:
    """The answer to the job's creation was lost, and then somebody stopped the run."""
    await world.pool()
    await world.apply(schedule("job", "sleep 60"))
    await world.elsewhere(batch_account_url="http://127.0.0.1:9").submit()
    (record,) = await world.open()
    await world.create_job(record)
    await world.ask("stop", "job", run_id=record.run_id)

    refused = await world.ask("trigger", "job", key="k")

    assert refused.status is Status.REFUSED
    assert record.run_id in refused.sentence
    assert await world.jobs() == [record.run_id]


async def test_a_collector_that_slept_through_a_rerun_overwrites_nothing(world: World) -> None:
    """The final record of the later attempt stays, whoever comes with an earlier one."""
    skipped = await decided(world, 1)
    first = await backfilled(world, skipped)
    (slept,) = await finish(world, first.runs)
    await backfilled(world, skipped, rerun=True)

    async def run_again() -> list[Record]:
        await world.submit()
        await world.collect()
        return [one for one in await world.final() if len(one.attempts) == 2]

    await until(run_again, bool, within=30)
    before = await world.blobs("runs/")

    async with open_services(world.settings, Cache()) as services:
        assert not await services.ledger.finalise(slept)

    assert await world.blobs("runs/") == before


async def test_a_plan_that_was_carried_out_is_not_told_again(world: World) -> None:
    """The tick that wrote the records died before it could clear the plan."""
    skipped = await decided(world, 2)
    await world.set_state(replace(await world.state(), plan=tuple(skipped)))

    counts = await world.submit()

    assert counts["skipped"] == 0
    assert not (await world.state()).plan

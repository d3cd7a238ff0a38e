"""What operators ask for, as the submit tick carries it out and answers it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator import ids
from orchestrator.enums import After, AttemptState, Outcome, Reason
from orchestrator.ids import RunId
from orchestrator.ledger.record import Kind, Record
from orchestrator.ledger.request import (
    Request,
    RequestKind,
    Status,
    dump_request,
    load_answer,
)
from recur.formats import local
from tests.support.backfills import JOB, NEVER, backfilled, decided, finish, idle_schedule
from tests.support.waiting import until
from tests.support.world import World, schedule


async def test_a_trigger_makes_one_run_however_often_it_is_asked_for(world: World) -> None:
    """The run has an id space of its own, runs like any other, and ends in its own place."""
    await idle_schedule(world, 'echo "$RECUR_RUN_ID"')

    answer = await world.ask("trigger", "job", key="first", note="figures were wrong")
    run_id = ids.trigger_id(JOB, "first")
    assert (answer.status, answer.runs) == (Status.DONE, (run_id,))
    assert await world.jobs() == [run_id]
    again = await world.ask("trigger", "job", key="first")
    assert (again.status, again.runs) == (Status.DONE, (run_id,))
    (final,) = await world.collect_until_finished()
    after = await world.ask("trigger", "job", key="first")

    assert (after.status, after.runs) == (Status.DONE, (run_id,))
    assert answer.request
    assert (final.kind, final.request) == (Kind.TRIGGERED, answer.request.id)
    assert (final.by, final.note) == (answer.request.by, "figures were wrong")
    assert list(await world.blobs("runs/")) == [f"runs/job/triggered/{run_id}.json"]
    assert await world.output(final) == f"{run_id}\n".encode()
    assert await world.jobs() == [run_id]
    assert not await world.waiting()


async def test_a_trigger_has_parameters_and_a_nominal_time(world: World) -> None:
    """Its variables stand in the place of the schedule's; its record tells them from these."""
    command = 'echo "$SIDE $LEVEL $RECUR_NOMINAL_TIME_LOCAL"'
    await idle_schedule(world, command, environment='{ SIDE = "left", LEVEL = "1" }')
    nominal = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)

    answer = await world.ask(
        "trigger", "job", key="a", environment={"SIDE": "right = left"}, nominal=nominal
    )
    (final,) = await world.collect_until_finished()

    assert answer.status is Status.DONE
    assert final.nominal == nominal
    assert final.parameters == {"SIDE": "right = left"}
    assert await world.output(final) == b"right = left 1 2026-03-29T01:30:00+00:00\n"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"environment": {"RECUR_RUN_ID": "x"}}, "RECUR_RUN_ID: is set by Recur or by Batch"),
        ({"environment": {"1A": "x"}}, "1A: is not a valid variable name"),
        ({"environment": {"A": "x" * 20_000}}, "more than the 16 KiB"),
        (
            {"nominal": datetime(2199, 1, 1, tzinfo=UTC)},
            "2199-01-01T00:00:00+00:00 is in the future",
        ),
    ],
)
async def test_what_a_trigger_may_not_set_is_refused(
    world: World, values: dict[str, Any], said: str
) -> None:
    """Also where the request was not made by `recur`."""
    await idle_schedule(world, "true")

    answer = await world.ask("trigger", "job", key="a", **values)

    assert answer.status is Status.REFUSED
    assert said in answer.sentence
    assert not await world.open()


async def test_a_trigger_obeys_the_overlap_policy_unless_it_is_forced(world: World) -> None:
    """A refusal names the run in the way; a forced run is in nobody's way."""
    await idle_schedule(world, "sleep 60")
    running = await world.running("job", "sleep 60")

    refused = await world.ask("trigger", "job", key="a")
    assert refused.status is Status.REFUSED
    assert running.run_id in refused.sentence
    forced = await world.ask("trigger", "job", key="b", force=True)
    assert forced.status is Status.DONE
    await world.end_job(running)
    beside = await world.ask("trigger", "job", key="c")

    assert beside.status is Status.DONE, "the forced run is in nobody's way"
    assert len(await world.jobs()) == 3


async def test_a_queued_trigger_waits_its_turn(world: World) -> None:
    """Its answer says for whom."""
    await idle_schedule(world, "sleep 60", overlap='"queue"')
    running = await world.running("job", "sleep 60")

    answer = await world.ask("trigger", "job", key="a")

    assert running.run_id in answer.sentence
    record = next(one for one in await world.open() if one.kind is Kind.TRIGGERED)
    assert record.attempt.after is After.QUEUE
    assert await world.jobs() == [running.run_id]


@pytest.mark.parametrize(
    ("kind", "name", "values", "said"),
    [
        ("trigger", "unknown", {"key": "a"}, "no schedule"),
        ("trigger", "job", {}, "needs a key"),
        ("pause", "unknown", {}, "no schedule"),
        ("pause", "job", {"until": datetime(2020, 1, 1, tzinfo=UTC)}, "is in the past"),
        ("resume", "unknown", {}, "no schedule"),
        ("stop", "job", {"run_id": RunId("job-20200101T000000Z")}, "no run"),
        ("stop", "job", {"run_id": RunId("nonsense")}, "is not a run id"),
        ("backfill", "job", {}, "needs a start time"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_a_reason(
    world: World, kind: str, name: str, values: dict[str, object], said: str
) -> None:
    """The request is answered and removed, and nothing else happens."""
    await idle_schedule(world)

    answer = await world.ask(kind, name, **values)

    assert answer.status is Status.REFUSED
    assert said in answer.sentence
    assert not await world.waiting()


async def test_what_is_no_request_is_answered_too(world: World) -> None:
    """It does not stand in the way of those behind it."""
    await idle_schedule(world)
    await world.ledger.upload_blob(ids.request_blob("0broken"), b"{}")

    answer = await world.ask("pause", "job")

    assert answer.status is Status.DONE
    broken = load_answer((await world.blobs("answers/0broken"))["answers/0broken.json"])
    assert (broken.status, broken.request) == (Status.REFUSED, None)
    assert not await world.waiting()


BAD_REQUESTS: dict[str, tuple[dict[str, Any], str]] = {
    "0id": ({"id": "other"}, "id is 'other'"),
    "0by": ({"by": "\x1b]0;title\x07"}, "by must be one line"),
    "0schedule": ({"schedule": "job\n"}, "is not a valid schedule id"),
    "0environment": ({"environment": {"RECUR_RUN_ID": "forged"}}, "environment is not a field"),
    "0force": ({"force": "yes"}, "force: Input should be a valid boolean"),
    "0time": ({"until": 1780000000}, "until: Value error, must be a time"),
    "0large": ({"note": "x" * 300_000}, "more than 256 KiB"),
}


async def test_requests_that_recur_would_not_make_are_refused_one_by_one(world: World) -> None:
    """Each with what is wrong with it; the one behind them is carried out in the same tick."""
    await idle_schedule(world)
    good = {"kind": "backfill", "by": "eva", "schedule": "job"} | {
        "after": "2026-01-01T00:00:00Z",
        "until": "2026-01-02T00:00:00Z",
    }
    for id_, (values, _) in BAD_REQUESTS.items():
        data = json.dumps({"id": id_, **good, **values}).encode()
        await world.ledger.upload_blob(ids.request_blob(id_), data)

    answer = await world.ask("pause", "job")

    assert answer.status is Status.DONE
    for id_, (_, said) in BAD_REQUESTS.items():
        told = load_answer((await world.blobs(f"answers/{id_}"))[f"answers/{id_}.json"])
        assert told.status is Status.REFUSED
        assert said in told.sentence
        assert told.sentence.isprintable()
    assert not await world.waiting()
    assert not await world.open()


async def test_a_running_run_is_stopped(world: World) -> None:
    """Batch ends its job, and the record says who asked and why."""
    await idle_schedule(world)
    record = await world.running("job", "sleep 60")
    await world.task_is(record.attempt.job_id, "running")

    answer = await world.ask("stop", "job", run_id=record.run_id, note="wrong input")
    assert answer.status is Status.DONE
    (final,) = await world.collect_until_finished()

    assert (final.outcome, final.reason) == (Outcome.TERMINATED, Reason.STOPPED)
    assert "wrong input" in (final.sentence or "")
    assert final.stop is not None
    assert final.stop.request == (answer.request and answer.request.id)
    again = await world.ask("stop", "job", run_id=record.run_id)
    assert (again.status, "terminated" in again.sentence) == (Status.REFUSED, True)


async def test_a_run_that_was_never_created_is_stopped(world: World) -> None:
    """Two minutes after its creation was last tried it is certain that there is no job."""
    await world.apply(schedule("job", "true", minutes=2, **NEVER))
    await world.submit()
    trigger = await world.ask("trigger", "job", key="a")
    (blocked,) = await world.open()
    assert blocked.attempt.blocked == "pool_missing"

    await world.ask("stop", "job", run_id=trigger.runs[0])
    await world.collect()
    assert await world.open()
    await world.age(blocked, minutes=3)
    (final,) = await world.collect_until_finished()

    assert (final.outcome, final.reason) == (Outcome.TERMINATED, Reason.STOPPED)
    assert await world.jobs() == []


async def test_a_pause_holds_until_it_is_resumed(world: World) -> None:
    """What comes due meanwhile is skipped; asked for again, the pause gets its new end."""
    await world.apply(schedule("job", "true", minutes=1))
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    await world.submit()

    first = await world.ask("pause", "job", note="maintenance", until=soon)
    second = await world.ask("pause", "job")
    pauses = (await world.state()).schedules[JOB].pauses
    assert [pause.until for pause in pauses][-1] is None
    assert f"until {local(soon, UTC)}." in first.sentence
    assert "until it is resumed" in second.sentence

    resumed = await world.ask("resume", "job")
    assert resumed.sentence == "Schedule job is resumed."
    pauses = (await world.state()).schedules[JOB].pauses
    assert all(pause.until for pause in pauses)
    assert "was not paused" in (await world.ask("resume", "job")).sentence


async def test_a_backfill_runs_what_did_not_run_one_at_a_time(world: World) -> None:
    """Same ids, oldest first, each with its history; asked for again it has nothing to do."""
    skipped = await decided(world, 4)
    stop = await world.ask("stop", "job", run_id=skipped[0].run_id)
    assert stop.sentence == f"{skipped[0].run_id} did not run: skipped (paused)"

    answer = await backfilled(world, skipped)
    assert answer.runs == tuple(record.run_id for record in skipped)
    assert await world.jobs() == [skipped[0].run_id]

    finals = await finish(world, answer.runs)
    for record in finals:
        assert (record.kind, record.outcome) == (Kind.BACKFILLED, Outcome.SUCCEEDED)
        (past,) = record.history
        assert (past.decision.reason, past.kind) == ("paused", Kind.SCHEDULED)
    assert not await world.waiting()
    again = await backfilled(world, skipped)
    assert (again.status, again.runs) == (Status.DONE, ())
    assert len(await world.jobs()) == len(skipped)


async def test_a_rerun_makes_a_new_attempt_of_what_has_run(world: World) -> None:
    """Attempts go on counting, so that no old job is taken for the new one."""
    skipped = await decided(world, 2)
    first = await backfilled(world, skipped)
    await finish(world, first.runs)

    second = await backfilled(world, skipped, rerun=True)
    assert second.runs == first.runs

    async def all_again() -> list[Record]:
        await world.submit()
        await world.collect()
        return [one for one in await world.final() if len(one.attempts) == 2]

    finals = await until(all_again, lambda found: len(found) == len(first.runs), within=30)
    for record in finals:
        assert record.attempt.job_id == f"{record.run_id}-r2"
        assert [past.outcome for past in record.history] == [None, Outcome.SUCCEEDED]
        asked = [second.request, first.request]
        assert [record.by, record.history[1].by] == [one and one.by for one in asked]
    assert not await world.waiting()


async def test_a_backfill_overrides_its_share_of_a_range(world: World) -> None:
    """An occurrence in a range record has none of its own until it is claimed."""
    await world.pool()
    await world.apply(schedule("job", "true", minutes=60, catch_up='{ mode = "none", max = 1 }'))
    await world.submit()
    wide = next(record for record in await world.final() if record.range)
    assert wide.range is not None
    begin, end = wide.range.first - timedelta(minutes=1), wide.range.first + timedelta(minutes=1)

    answer = await world.ask("backfill", "job", after=begin, until=end)

    assert len(answer.runs) == 2
    finals = await finish(world, answer.runs)
    assert {record.history for record in finals} == {()}


async def test_a_backfill_that_is_cut_off_goes_on(world: World) -> None:
    """What already names the request is done, whether open or final."""
    skipped = await decided(world, 3)
    request = Request(
        id="once",
        kind=RequestKind.BACKFILL,
        by="test",
        schedule=JOB,
        after=skipped[0].nominal - timedelta(minutes=1),
        until=skipped[-1].nominal,
    )
    await world.ledger.upload_blob(ids.request_blob("once"), dump_request(request))
    await world.submit()
    (answered,) = (await world.blobs("answers/once")).values()
    first = load_answer(answered)
    await finish(world, first.runs[:1])

    await world.ledger.delete_blob(ids.answer_blob("once"))
    await world.ledger.upload_blob(ids.request_blob("once"), dump_request(request))
    await world.submit()

    (answered,) = (await world.blobs("answers/once")).values()
    assert load_answer(answered).runs == first.runs
    records = [*await world.open(), *await world.final()]
    assert max(len(record.attempts) for record in records) == 1


async def test_a_reopened_claim_of_a_sleeper_is_removed(world: World) -> None:
    """It names the final record it replaces, and that one is there no more."""
    skipped = await decided(world, 1)
    answer = await backfilled(world, skipped)
    (claim,) = [one for one in await world.open() if one.run_id == answer.runs[0]]
    (final, *_) = await finish(world, answer.runs)

    attempt = replace(claim.attempt, state=AttemptState.CLAIMED, submitted=None)
    await world.claim(claim.with_attempt(attempt))
    await world.submit()

    assert not [one for one in await world.open() if one.run_id == final.run_id]

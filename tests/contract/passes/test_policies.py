"""Overlap, jitter, retries and pauses, tick by tick: what waits, what is ended, what follows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.enums import After, AttemptState, Outcome, Reason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Record
from orchestrator.ledger.results import CollectState, ScheduleResults, dump_collect
from tests.support.world import World, schedule

SLEEP = "sleep 60"


async def one_run_then_another(world: World, overlap: str, **keys: str) -> tuple[Record, Record]:
    """Let occurrences come due beside a run that is running; return it and the newest of them."""
    await world.pool()
    first = await world.running("job", SLEEP)
    await world.task_is(first.attempt.job_id, "running")
    await world.apply(schedule("job", SLEEP, minutes=1, overlap=f'"{overlap}"', **keys))
    await world.submit()
    runs = sorted(await world.open(), key=lambda record: record.nominal)
    return runs[0], runs[-1]


async def test_a_queued_run_starts_when_the_one_before_it_has_ended(world: World) -> None:
    """Batch's word is enough: a collector that stands still holds nobody up."""
    first, second = await one_run_then_another(world, "queue")

    assert (second.attempt.after, second.attempt.state) == (After.QUEUE, AttemptState.CLAIMED)
    assert await world.jobs() == [first.run_id]
    await world.submit()
    assert await world.jobs() == [first.run_id]

    await world.end_job(first)
    await world.submit()

    assert await world.jobs() == sorted([first.run_id, second.run_id])


async def test_a_replacement_ends_the_run_before_it_and_then_starts(world: World) -> None:
    """It waits for the confirmed end; the replaced run says which one took its place."""
    first, second = await one_run_then_another(world, "replace")

    assert first.stop is not None
    assert first.stop.cause is Reason.REPLACED
    assert await world.jobs() == [first.run_id]

    (ended,) = await world.collect_until_finished()
    assert (ended.outcome, ended.reason) == (Outcome.TERMINATED, Reason.REPLACED)
    assert second.run_id in (ended.sentence or "")
    await world.submit()
    assert second.run_id in await world.jobs()


async def test_as_many_runs_as_allowed_are_open_at_once(world: World) -> None:
    """The one too many is skipped and names the oldest."""
    first, second = await one_run_then_another(world, "allow", max_parallel="2")
    assert second.run_id != first.run_id
    assert second.attempt.after is None
    assert len(await world.jobs()) == 2

    await world.undecide("job", minutes=1)
    await world.submit()

    skipped = [record for record in await world.final() if record.decision.action == "skipped"]
    assert {record.decision.reason for record in skipped} == {"max_parallel"}
    assert {record.decision.because for record in skipped} == {first.run_id}


async def test_jitter_puts_a_run_off_to_before_the_next_occurrence(world: World) -> None:
    """However long it may be: the runs of one schedule keep their order."""
    await world.pool()
    cron = '"* * * * *"'
    await world.apply(schedule("job", "true", minutes=1, cron=cron, jitter='"1d"'))
    await world.submit()
    (record,) = await world.open()
    wait = record.attempt.not_before
    assert wait is not None
    assert timedelta(0) <= wait - record.nominal < timedelta(minutes=1)


async def test_a_run_that_is_put_off_starts_when_its_time_has_come(world: World) -> None:
    """Until then a tick has nothing to do for it."""
    await world.pool()
    record = await world.running("job", "true")
    claim = replace(record.attempt, number=2, job_id=f"{record.run_id}-r2", submitted=None)
    soon = datetime.now(UTC) + timedelta(minutes=5)
    claim = replace(claim, state=AttemptState.CLAIMED, not_before=soon)
    await world.put_open(record.with_attempt(claim))

    await world.submit()
    assert await world.jobs() == [record.run_id]
    await world.age(record, minutes=6)
    await world.submit()

    assert await world.jobs() == [record.run_id, claim.job_id]


async def test_a_failed_attempt_is_followed_by_another_after_its_backoff(world: World) -> None:
    """The second has a job id and outputs of its own; the run ends with the last of them."""
    await world.pool()
    command = 'test "$RECUR_ATTEMPT" = 2 && echo twice'
    record = await world.running("job", command, retries=(1, Outcome.FAILED))

    async def tried_again() -> list[Record]:
        await world.collect()
        return [one for one in await world.open() if one.attempt.number == 2]

    (again,) = await world.until(tried_again)
    first, second = again.attempts
    assert (first.outcome, first.reason) == (Outcome.FAILED, Reason.EXIT_CODE)
    assert (second.state, second.job_id) == (AttemptState.CLAIMED, f"{record.run_id}-r2")
    assert second.after is After.RETRY
    assert again.outcome is None
    await world.submit()
    assert await world.jobs() == [record.run_id], "before its backoff has passed"

    await world.age(again, minutes=2)
    await world.submit()
    (final,) = await world.collect_until_finished()
    assert (final.outcome, len(final.attempts)) == (Outcome.SUCCEEDED, 2)
    assert await world.output(final) == b"twice\n"
    assert final.output_prefix.endswith(f"{record.run_id}/r2/")


async def test_a_run_has_no_more_attempts_than_allowed(world: World) -> None:
    """After the last one the run is final, with every attempt in its record."""
    await world.pool()
    record = await world.running("job", "false", retries=(1, Outcome.FAILED))

    async def ended() -> list[Record]:
        await world.collect()
        for one in await world.open():
            if one.attempt.state is AttemptState.CLAIMED:
                await world.age(one, minutes=2)
        await world.submit()
        return await world.final()

    (final,) = await world.until(ended)
    assert [attempt.job_id for attempt in final.attempts] == [record.run_id, f"{record.run_id}-r2"]
    assert final.outcome is Outcome.FAILED


async def test_so_many_failures_pause_a_schedule_until_it_is_resumed(world: World) -> None:
    """The pause says why; a resume forgives the failures it has seen."""
    await world.pool()
    failed = tuple(RunId(f"job-2026010{day}T000000Z") for day in (1, 2))
    results = CollectState(schedules={ScheduleId("job"): ScheduleResults(failed=failed)})
    await world.ledger.upload_blob("collect.json", dump_collect(results), overwrite=True)
    await world.apply(schedule("job", "true", minutes=1, pause_after_failures="2"))

    await world.submit()

    assert {record.decision.reason for record in await world.final()} == {"paused"}
    (pause,) = (await world.state()).schedules[ScheduleId("job")].pauses
    assert pause.by == "recur"
    assert failed[-1] in (pause.note or "")

    answer = await world.ask("resume", "job")
    assert answer.sentence == "Schedule job is resumed."
    await world.undecide("job", minutes=-1)
    state = (await world.state()).schedules[ScheduleId("job")]
    assert state.forgiven == failed
    assert state.pauses[0].resumed_by is not None


@pytest.mark.parametrize("reason", ["excluded", "paused"])
async def test_what_is_left_out_is_recorded(world: World, reason: str) -> None:
    """Whether `except` or a pause leaves an occurrence out, its record says so."""
    keys = {"excluded": {"except": '["* * * * *"]'}, "paused": {"paused": "true"}}[reason]
    await world.apply(schedule("job", "true", minutes=2, **keys))
    await world.submit()

    records = await world.final()
    assert len(records) >= 1
    assert {record.decision.reason for record in records} == {reason}


async def test_declared_outputs_are_stored_and_verified(world: World) -> None:
    """Each file with its size and hash, beside stdout and stderr."""
    await world.pool()
    command = (
        "mkdir report other && printf a,b > report/one.csv && printf c > other/one.csv && "
        "printf 12345 > model.bin"
    )
    outputs = '["report/*.csv", "other/*.csv", "model.bin"]'
    await world.apply(schedule("job", command, minutes=1, outputs=outputs))
    await world.submit()

    (final, *_) = await world.collect_until_finished()

    assert final.outcome is Outcome.SUCCEEDED
    found = {output.path: output.bytes for output in final.outputs}
    assert found == {
        "stdout.txt": 0,
        "stderr.txt": 0,
        "files/report/one.csv": 3,
        "files/other/one.csv": 1,
        "files/model.bin": 5,
    }
    assert await world.output(final, "files/report/one.csv") == b"a,b"


async def test_a_missing_output_without_a_wildcard_fails_the_run(world: World) -> None:
    """The program ended well, and what it should have left is not there."""
    await world.pool()
    await world.apply(schedule("job", "true", minutes=1, outputs='["model.bin"]'))
    await world.submit()

    (final, *_) = await world.collect_until_finished()

    assert (final.outcome, final.reason) == (Outcome.FAILED, Reason.OUTPUT_UPLOAD_FAILED)
    assert "model.bin" in (final.sentence or "")


async def test_a_start_long_ago_is_written_off_in_one_tick(world: World) -> None:
    """Each minute since the year 2000: a range for each cause, the newest of their own, one run."""
    await world.pool()
    table = '[schedules.job]\ncron = "* * * * *"\ncommand = "true"\nstart = 2000-01-01T00:00:00Z\n'
    await world.apply(table)

    await world.submit()

    state = (await world.state()).schedules[ScheduleId("job")]
    assert datetime.now(UTC) - state.decided_until < timedelta(minutes=2)
    records = await world.final()
    ranges = [one.range for one in records if one.range]
    (far, near) = sorted(ranges, key=lambda one: one.first)
    assert far.first == datetime(2000, 1, 1, tzinfo=UTC)
    assert far.count > 13_000_000
    assert near.count < 24 * 60
    assert len(await world.open()) == 1
    minutes = (state.decided_until - far.first) // timedelta(minutes=1)
    counted = sum(one.range.count if one.range else 1 for one in records)
    assert counted + 1 == minutes + 1

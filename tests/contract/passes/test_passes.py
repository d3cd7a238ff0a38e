"""The two passes on real storage and an emulated Batch account: what an operator relies on."""

import asyncio
import hashlib
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.telemetry import KEYS, Event
from orchestrator.enums import AttemptState, BlockedReason, Outcome, Reason, SkipReason
from orchestrator.errors import LedgerUnavailable
from orchestrator.ids import COLLECT_STATE, SUBMIT_STATE
from orchestrator.ledger.record import Action, How, Record, load
from tests.support.waiting import until
from tests.support.world import World, schedule

NOWHERE = "http://127.0.0.1:9"


async def test_a_due_occurrence_becomes_a_job_and_a_final_record(world: World) -> None:
    """The whole way: claimed, submitted, run, collected, closed; its bytes are vouched for."""
    await world.pool()
    await world.apply(schedule("hello", 'echo "$RECUR_SCHEDULE $RECUR_RUN_ID $RECUR_ATTEMPT"'))

    counts = await world.submit()
    (record,) = await world.open()

    assert counts["submitted"] == 1
    assert await world.jobs() == [record.run_id]
    assert record.attempt.state is AttemptState.SUBMITTED
    assert record.lateness_seconds is not None
    assert record.image == "canonical:ubuntu-24_04-lts:server:latest"

    (final,) = await world.collect_until_finished()

    assert (final.outcome, final.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    written = f"hello {final.run_id} 1\n".encode()
    stdout, stderr = final.outputs
    assert (stdout.path, stdout.bytes, stdout.how) == ("stdout.txt", len(written), How.PUSHED)
    assert stdout.sha256 == hashlib.sha256(written).hexdigest()
    assert stderr.bytes == 0
    assert await world.output(final) == written
    assert await world.open() == []
    assert final.attempt.started
    assert final.attempt.finished


async def test_the_same_tick_twice_submits_nothing_twice(world: World) -> None:
    """One after the other, from another process, or both at once: one job, one record."""
    await world.pool()
    await world.apply(schedule("hello", "sleep 60"))

    await asyncio.gather(world.submit(), world.submit(Cache()))
    await world.submit()
    await world.submit(Cache())

    (record,) = await world.open()
    assert await world.jobs() == [record.run_id]
    decided = [one.run_id for one in await world.final()]
    assert len(decided) == len(set(decided))
    assert record.run_id not in decided


async def test_an_idle_tick_reads_three_blobs_and_writes_none(world: World) -> None:
    """It asks Batch nothing at all: the account may be gone."""
    await world.pool()
    await world.apply(schedule("hello", "true", minutes=-60))
    await world.submit()
    before = await world.ledger.get_blob_client(SUBMIT_STATE).get_blob_properties()

    without_batch = world.elsewhere(batch_account_url=NOWHERE)
    await without_batch.submit()
    await without_batch.submit()

    after = await world.ledger.get_blob_client(SUBMIT_STATE).get_blob_properties()
    assert before.etag == after.etag


async def test_an_occurrence_is_skipped_while_a_run_is_in_the_way(world: World) -> None:
    """By Batch's word: once the job has ended the next runs, though nothing collected the first."""
    await world.pool()
    blocker = await world.running("hello", "sleep 60")
    await world.apply(schedule("hello", "true", minutes=1))

    await world.submit()

    skipped = await world.final()
    assert skipped
    assert {one.decision.reason for one in skipped} == {SkipReason.OVERLAP}
    assert {one.decision.because for one in skipped} == {blocker.run_id}

    await world.end_job(blocker)
    await world.decide_again("hello")
    await world.submit()

    assert len(await world.open()) == 2


@pytest.mark.parametrize(
    ("command", "outcome", "reason", "stdout"),
    [
        ("echo before; exit 3", Outcome.FAILED, Reason.EXIT_CODE, b"before\n"),
        ("no-such-program", Outcome.FAILED, Reason.COMMAND_NOT_FOUND, b""),
        (
            r"printf '\000\377\376binary\r'",
            Outcome.SUCCEEDED,
            Reason.EXIT_ZERO,
            b"\x00\xff\xfebinary\r",
        ),
    ],
)
async def test_what_a_command_does_is_what_the_record_says(
    world: World, command: str, outcome: Outcome, reason: Reason, stdout: bytes
) -> None:
    """Its exit code, its bytes whatever they are, and one sentence."""
    await world.pool()
    await world.apply(schedule("hello", command))
    await world.submit()

    (final,) = await world.collect_until_finished()

    assert (final.outcome, final.reason) == (outcome, reason)
    assert await world.output(final) == stdout
    assert final.outputs[0].sha256 == hashlib.sha256(stdout).hexdigest()
    assert final.sentence


async def test_a_task_is_given_the_identity_of_the_jobs(world: World) -> None:
    """The pool names it, in Azure as here."""
    await world.pool(metadata=[{"name": "recur_job_client_id", "value": "1234"}])
    await world.apply(schedule("hello", 'echo "$AZURE_CLIENT_ID"'))
    await world.submit()

    (final,) = await world.collect_until_finished()

    assert await world.output(final) == b"1234\n"


async def test_a_run_ends_at_its_run_timeout(world: World) -> None:
    """With the outcome that says so, and nothing of it left in Batch."""
    await world.pool()
    await world.apply(schedule("hello", "echo begun; sleep 60", run_timeout='"1s"'))
    await world.submit()

    (final,) = await world.collect_until_finished()

    assert (final.outcome, final.reason) == (Outcome.TIMED_OUT, Reason.RUN_TIMEOUT)


async def test_a_start_task_that_fails_is_the_reason_why_a_run_never_started(world: World) -> None:
    """After the start timeout, with the node's own words; the job is ended."""
    await world.pool(startTask={"commandLine": "/bin/sh -c 'exit 7'", "waitForSuccess": True})
    await world.apply(schedule("hello", "true", start_timeout='"2s"'))
    await world.submit()

    (final,) = await world.collect_until_finished()

    assert (final.outcome, final.reason) == (Outcome.NEVER_STARTED, Reason.START_TASK_FAILED)
    assert "exit code 7" in (final.sentence or "")
    assert {one.how for one in final.outputs} == {How.MISSING}
    assert {one.why for one in final.outputs} == {"the task never started"}
    job = await world.batch.get_job(final.attempt.job_id)
    assert job.state == "completed"


async def test_a_missing_pool_blocks_the_run_until_it_is_there(world: World) -> None:
    """Batch would take the job and let it wait for ever; the record says what is missing."""
    await world.apply(schedule("hello", "true"))
    counts = await world.submit()
    (record,) = await world.open()

    assert counts["blocked"] == 1
    assert record.attempt.blocked is BlockedReason.POOL_MISSING
    assert await world.jobs() == []

    await world.pool()
    await world.submit()
    (final,) = await world.collect_until_finished()

    assert final.outcome is Outcome.SUCCEEDED


async def test_a_job_of_somebody_else_is_not_taken_for_ours(world: World) -> None:
    """The id is the lock, and the metadata says whose it is."""
    await world.pool()
    await world.apply(schedule("hello", "true"))
    silent = world.elsewhere(batch_account_url=NOWHERE)
    await silent.submit()
    (record,) = await world.open()
    assert record.attempt.blocked is BlockedReason.UNAVAILABLE
    body = {
        "id": record.run_id,
        "poolInfo": {"poolId": "recur"},
        "jobManagerTask": {"id": "main", "commandLine": "/bin/true"},
    }
    await world.batch.create_job(body)  # type: ignore[arg-type] # REST spelling is accepted

    await world.submit()

    (record,) = await world.open()
    assert record.attempt.blocked is BlockedReason.ID_TAKEN


async def test_a_creation_whose_answer_was_lost_is_recognised(world: World) -> None:
    """The job bears our run id and attempt: it is submitted, and never created again."""
    await world.pool()
    await world.apply(schedule("hello", "sleep 60"))
    await world.elsewhere(batch_account_url=NOWHERE).submit()
    (record,) = await world.open()
    await world.create_job(record)

    await world.submit()

    (record,) = await world.open()
    assert record.attempt.state is AttemptState.SUBMITTED
    assert record.attempt.blocked is None
    assert await world.jobs() == [record.run_id]


async def test_a_claim_of_a_run_that_is_final_is_removed(world: World) -> None:
    """A tick that slept through the run's whole life creates no second job."""
    await world.pool()
    await world.apply(schedule("hello", "true"))
    await world.elsewhere(batch_account_url=NOWHERE).submit()
    (claim,) = await world.open()
    await world.submit()
    (final,) = await world.collect_until_finished()
    await world.delete_job(final.run_id)
    await world.claim(claim)

    await world.submit()

    assert await world.open() == []
    assert await world.jobs() == []


async def test_a_run_that_could_not_be_created_is_given_up_after_its_window(world: World) -> None:
    """It is tried each tick until then, and never again; the collector ends it later."""
    await world.apply(schedule("hello", "true", catch_up='{ window = "5m" }'))
    await world.submit()
    (record,) = await world.open()
    await world.age(record, minutes=6)

    await world.submit()
    await world.pool()
    await world.submit()

    (record,) = await world.open()
    assert record.stop is not None
    assert record.stop.cause is Reason.BLOCKED
    assert "pool_missing" in record.stop.sentence
    assert await world.jobs() == []

    await world.age(record, minutes=3)
    (final,) = await world.collect_until_finished()
    assert (final.outcome, final.reason) == (Outcome.NEVER_STARTED, Reason.BLOCKED)


async def test_a_run_that_waits_for_a_busy_pool_is_not_given_up(world: World) -> None:
    """Its start timeout counts again from the last look at which the pool was simply busy."""
    await world.pool()
    first = await world.running("first", "sleep 60")
    await world.task_is(first.run_id, "running")
    waiting = await world.running("second", "true", start_timeout=timedelta(seconds=1))

    async def looked() -> list[Record]:
        await world.collect()
        return [one for one in await world.open() if one.run_id == waiting.run_id]

    (seen,) = await until(looked, lambda found: found[0].attempt.waiting_since is not None)

    assert seen.stop is None


async def test_storage_that_is_gone_loses_nothing(world: World) -> None:
    """The tick fails by name, and the next one goes on where it stood."""
    await world.pool()
    await world.apply(schedule("hello", "true"))
    away = world.elsewhere(
        data_storage_connection_string=f"BlobEndpoint={NOWHERE}/a;AccountName=a;AccountKey=YQ=="
    )

    with pytest.raises(LedgerUnavailable):
        await away.submit()
    with pytest.raises(LedgerUnavailable):
        await away.collect()

    await world.submit()
    assert len(await world.collect_until_finished()) == 1


async def test_a_batch_that_is_gone_loses_nothing(world: World) -> None:
    """What was decided is on record, blocked with its reason, and goes on when Batch is back."""
    await world.pool()
    await world.apply(schedule("hello", "true"))
    away = world.elsewhere(batch_account_url=NOWHERE)

    await away.submit()
    (record,) = await world.open()
    assert record.attempt.blocked is BlockedReason.UNAVAILABLE
    await world.submit()
    await away.collect()
    assert len(await world.open()) == 1

    (final,) = await world.collect_until_finished()
    assert final.run_id == record.run_id
    assert final.attempt.blocked is None


async def test_a_batch_that_is_gone_holds_up_only_who_needs_its_word(world: World) -> None:
    """A schedule without an open run is decided; one with a run waits for Batch, undecided."""
    await world.pool()
    await world.running("first", "sleep 60")
    await world.apply(schedule("first", "true") + schedule("second", "true"))
    away = world.elsewhere(batch_account_url=NOWHERE)

    await away.submit()

    assert {one.schedule for one in await world.open()} == {"first", "second"}
    assert {one.schedule for one in await world.final()} <= {"second"}

    await world.submit()
    assert "first" in {one.schedule for one in await world.final()}


async def test_what_has_ended_is_finished_without_batch(world: World) -> None:
    """From the open record alone, to the same bytes however often."""
    run = await world.running("hello", "true")
    ended = replace(run.attempt, state=AttemptState.ENDED, outcome=Outcome.SUCCEEDED)
    record = replace(run.with_attempt(ended), outcome=Outcome.SUCCEEDED)
    await world.put_open(record)

    await world.elsewhere(batch_account_url=NOWHERE).collect()

    (final,) = await world.final()
    assert replace(final, outputs=(), outputs_total=None) == record
    assert {output.path for output in final.outputs} == {"stdout.txt", "stderr.txt"}
    assert await world.open() == []


async def test_every_claim_is_counted(world: World) -> None:
    """Eight are made at a time."""
    await world.apply("".join(schedule(f"s{n}", "true") for n in range(20)))

    assert (await world.submit())["claimed"] == 20


async def test_results_that_cannot_be_read_keep_nothing_from_running(world: World) -> None:
    """They are told, and the variable that comes from them is left out."""
    await world.pool()
    await world.ledger.upload_blob(COLLECT_STATE, b"{")
    await world.apply(schedule("hello", "true"))

    assert (await world.submit())["submitted"] == 1
    (record,) = await world.open()
    assert record.task is not None
    assert "RECUR_PREVIOUS_SUCCESS" not in record.task.environment


async def test_a_lost_answer_is_looked_for_before_a_run_is_given_up(world: World) -> None:
    """A job that runs is not ended for want of a word."""
    await world.pool()
    await world.apply(schedule("hello", "sleep 60", catch_up='{ window = "5m" }'))
    await world.elsewhere(batch_account_url=NOWHERE).submit()
    (record,) = await world.open()
    await world.create_job(record)
    await world.age(record, minutes=6)

    await world.submit()

    (record,) = await world.open()
    assert record.stop is None
    assert record.attempt.state is AttemptState.SUBMITTED


async def test_a_missing_or_broken_document_decides_nothing(world: World) -> None:
    """Runs already claimed go on, and a good document takes up where the last one stood."""
    assert "schedules.toml" in str((await world.submit())["problem"])
    await world.pool()
    await world.apply(schedule("hello", "true"))
    await world.elsewhere(batch_account_url=NOWHERE).submit()
    await world.apply("[schedules.hello\n")

    counts = await world.submit()

    assert "not TOML" in str(counts["problem"])
    assert counts["submitted"] == 1
    await world.collect_until_finished()


async def test_one_bad_table_stops_its_own_schedule(world: World) -> None:
    """The good one runs; the bad one is told, and catches up once it is valid."""
    await world.pool()
    bad = schedule("bad", "true", time_zone='"Mars/Olympus"')
    await world.apply(bad + schedule("good", "true"))

    counts = await world.submit()

    assert "Mars/Olympus" in str(counts["problem"])
    assert [record.schedule for record in await world.open()] == ["good"]
    await world.apply(bad.replace("Mars/Olympus", "UTC"))
    await world.submit()
    assert {"bad"} <= {record.schedule for record in await world.open()}


async def test_a_removed_schedule_is_decided_up_to_its_removal(world: World) -> None:
    """What was due and undecided is on record as removed; no run is claimed."""
    await world.pool()
    table = schedule("hello", "true")
    await world.apply(table)
    await world.submit()
    (run,) = await world.open()
    await world.apply("")
    await world.decide_again("hello")

    await world.submit()

    reasons = {one.run_id: one.decision.reason for one in await world.final()}
    assert SkipReason.REMOVED in reasons.values()
    assert [one.run_id for one in await world.open()] == [run.run_id]


async def test_many_late_occurrences_leave_one_run_and_records_for_the_rest(world: World) -> None:
    """Five hours of minutes: the newest runs, ten are missed by name, the others share a record."""
    await world.pool()
    await world.apply(schedule("hello", "true", minutes=300))

    await world.submit()

    (run,) = await world.open()
    final = await world.final()
    missed = [one for one in final if one.decision.action is Action.MISSED]
    counted = sum(one.range.count if one.range else 1 for one in missed)
    skipped = len(final) - len(missed)
    assert counted + skipped + 1 == 300
    assert len(missed) == 11
    assert run.decision.action is Action.SUBMIT


async def test_a_tick_that_died_over_its_plan_is_finished_by_the_next(world: World) -> None:
    """The plan was written first: the same decisions, carried out once."""
    await world.pool()
    await world.apply(schedule("hello", "sleep 60"))
    await world.elsewhere(batch_account_url=NOWHERE).submit()
    opened, finals = await world.blobs("open/"), await world.blobs("runs/")
    await world.set_plan([load(data) for data in [*opened.values(), *finals.values()]])
    for name in [*opened, *finals]:
        await world.ledger.delete_blob(name)

    await world.submit()

    (record,) = await world.open()
    assert await world.blobs("runs/") == finals
    assert await world.jobs() == [record.run_id]
    assert set(opened) == set(await world.blobs("open/"))


async def test_a_job_that_vanished_is_not_created_again(world: World) -> None:
    """Whatever Batch forgets: what was submitted once is waited for, and then lost."""
    await world.pool()
    await world.apply(schedule("hello", "sleep 60"))
    await world.submit()
    (record,) = await world.open()
    await world.delete_job(record.run_id)

    await world.submit()
    await world.collect()

    assert await world.jobs() == []
    assert [one.run_id for one in await world.open()] == [record.run_id]

    await world.age(record, minutes=10)
    (final,) = await world.collect_until_finished()
    assert (final.outcome, final.reason) == (Outcome.LOST, Reason.JOB_MISSING)


async def test_a_blob_that_is_no_record_stops_nothing_else(world: World) -> None:
    """It is left for the operator; every other run goes on."""
    await world.pool()
    await world.apply(schedule("hello", "true"))
    await world.begin()
    await world.ledger.upload_blob(
        "open/other-20260101T000000Z.json",
        b"{}",
        metadata={"state": "submitted", "attempt": "1"},
    )
    await world.submit()

    (final,) = await world.collect_until_finished()

    assert final.schedule == "hello"


async def test_every_event_carries_all_of_its_keys(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Alerts query them: a key that is missing once is an alert that stays silent."""
    caplog.set_level(logging.INFO, logger="recur")
    await world.apply(
        schedule("bad", "true", time_zone='"Mars"')
        + schedule("hello", "true", minutes=10, owner='"eva"', tags='["finance", "tier:1"]')
        + schedule("idle", "true", paused="true", owner='"eva"', tags='["finance", "tier:1"]')
    )
    await world.submit()
    await world.pool()
    await world.submit()
    await world.collect_until_finished()
    world.cache.reported = None  # as in the next quarter of an hour
    await world.submit()

    seen = set()
    for record in caplog.records:
        told = vars(record)
        event = Event(told["microsoft.custom_event.name"])
        seen.add(event)
        assert set(KEYS[event]) <= set(told), event
        if event is not Event.DOCUMENT_REJECTED and told.get("schedule") in {"hello", "idle"}:
            assert (told["owner"], told["tags"]) == ("eva", "finance, tier:1"), event
    # The heartbeat is told by the function app, and the clocks of this laptop agree.
    told_elsewhere = {
        Event.TICK_FINISHED,
        Event.CLOCK_SKEWED,
        Event.RUN_SLOW,
        Event.LEDGER_TROUBLE,
    }
    assert seen == set(Event) - told_elsewhere

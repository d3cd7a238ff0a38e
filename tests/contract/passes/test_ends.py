"""What really ended a run: its record says so, whoever or whatever it was."""

import pytest

from orchestrator.adapters.blobs import Cache
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ledger.record import Record
from orchestrator.passes import open_services
from tests.contract.passes.conftest import BadDay
from tests.support.waiting import until
from tests.support.world import schedule

HOUR = 3600.0
DISABLED = "Its job is disabled in Batch: its task does not start until someone enables the job."
ENDLESS = schedule("hello", "exec sleep 60", minutes=1)
SOON = '"2s"'
AGAIN = '{ max = 1, on = ["lost", "never_started"], backoff = "1s" }'


async def submitted(day: BadDay, document: str = ENDLESS) -> Record:
    """Let the one run of a document be submitted, and return its record."""
    await day.world.apply(document)
    await day.submit()
    record = await day.open()
    assert record.attempt.state is AttemptState.SUBMITTED
    return record


async def begun(day: BadDay, document: str = ENDLESS) -> Record:
    """Let it begin, too."""
    record = await submitted(day, document)
    await day.world.task_is(record.run_id, "running")
    await day.collect()
    return await day.open()


async def change(day: BadDay, job_id: str, what: str, **body: object) -> None:
    """Change a job as an operator does in Azure's portal."""
    reply = await day.batch.send("POST", f"/jobs/{job_id}/{what}", json=body or None)
    reply.raise_for_status()


@pytest.mark.parametrize(
    ("command", "outcome", "reason", "code"),
    [
        ("trap 'exit 3' TERM; sleep 60 & wait", Outcome.FAILED, Reason.EXIT_CODE, 3),
        ("trap 'exit 143' TERM; sleep 60 & wait", Outcome.TIMED_OUT, Reason.RUN_TIMEOUT, 143),
        ("exec sleep 60", Outcome.TIMED_OUT, Reason.RUN_TIMEOUT, -15),
    ],
)
async def test_a_run_beyond_its_time_limit_timed_out_only_if_it_was_killed(
    day: BadDay, command: str, outcome: Outcome, reason: Reason, code: int
) -> None:
    """A program that ended with a code of its own has failed, however long it took."""
    await day.world.pool()
    await day.world.apply(schedule("hello", command, minutes=1, run_timeout='"1s"'))

    final = await day.final()

    assert final.attempt.exit_code == code
    assert (final.outcome, final.reason) == (outcome, reason)
    assert (final.attempt.task_seconds or 0) >= 1


async def test_a_file_that_cannot_be_executed_is_not_one_that_is_missing(day: BadDay) -> None:
    """The sentence names both causes that the shell does not tell."""
    await day.world.pool()
    await day.world.apply(schedule("hello", "echo true > job.sh; ./job.sh", minutes=1))

    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.FAILED, Reason.NOT_EXECUTABLE)
    assert "is not executable, or its first line ends in CRLF" in (final.sentence or "")


async def test_the_time_limit_of_the_job_is_nobodys_fault(day: BadDay) -> None:
    """It is ours: the run timed out, with a reason of its own."""
    await day.world.pool()
    record = await begun(day)
    limit = {"constraints": {"maxWallClockTime": "PT1S"}}
    (await day.batch.send("PATCH", f"/jobs/{record.run_id}", json=limit)).raise_for_status()

    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.TIMED_OUT, Reason.JOB_TIMEOUT)
    assert "MaxWallClockTimeExpiry" in (final.sentence or "")


async def test_who_ended_a_job_in_batch_is_quoted(day: BadDay) -> None:
    """With the reason that was given."""
    await day.world.pool()
    record = await begun(day)
    await change(day, record.run_id, "terminate", terminateReason="making room")

    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.TERMINATED, Reason.ENDED_IN_BATCH)
    assert final.sentence == (
        "It was ended in Batch (making room): Task Was Ended by User Request (TaskEnded)."
    )


async def test_a_run_that_exited_0_is_not_lost_when_its_job_is_deleted(day: BadDay) -> None:
    """The end of its task was written down before the job was gone; nothing runs twice."""
    await day.world.pool()
    keys = {"retries": AGAIN}
    record = await submitted(day, schedule("hello", "echo done", minutes=1, **keys))
    await day.world.job_is(record.run_id, "completed")
    await day.faults.keep_deleting_job(record.run_id)
    await day.collect()

    noted = await day.open()
    assert (noted.attempt.state, noted.attempt.outcome) == (
        AttemptState.SUBMITTED,
        Outcome.SUCCEEDED,
    )
    await day.faults.forget_job(record.run_id)
    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    assert await day.world.output(final) == b"done\n"
    assert await day.faults.created() == [record.run_id]


async def test_a_job_that_stays_in_deleting_ends_with_the_result_of_its_task(day: BadDay) -> None:
    """After half an hour; the record says what its process did."""
    await day.world.pool()
    keys = {"retries": AGAIN}
    record = await submitted(day, schedule("hello", "exit 7", minutes=1, **keys))
    await day.world.job_is(record.run_id, "completed")
    await day.faults.keep_deleting_job(record.run_id, seconds=0.5 * HOUR - 60)
    await day.collect()
    assert await day.world.final() == []

    await day.faults.keep_deleting_job(record.run_id, seconds=61)
    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.FAILED, Reason.EXIT_CODE)
    assert final.attempt.exit_code == 7


async def test_a_task_without_end_in_a_job_without_end_is_given_up_after_a_day(
    day: BadDay,
) -> None:
    """It is lost and never tried again: nobody knows whether it still runs."""
    await day.world.pool(targetDedicatedNodes=0)
    keys = {"retries": AGAIN}
    record = await submitted(day, schedule("hello", "true", minutes=1, **keys))
    await day.faults.keep_deleting_job(record.run_id, seconds=24 * HOUR - 60)
    await day.both()
    assert (await day.open()).attempt.state is AttemptState.SUBMITTED

    await day.faults.keep_deleting_job(record.run_id, seconds=61)
    await day.both()
    ended = await day.open()

    assert (ended.outcome, ended.reason) == (Outcome.LOST, Reason.UNRESOLVED)
    assert [attempt.state for attempt in ended.attempts] == [AttemptState.ENDED]


async def test_a_disabled_job_is_diagnosed_and_goes_on_when_it_is_enabled(day: BadDay) -> None:
    """The run stays open until then; its record says what holds it up."""
    await day.world.pool(targetDedicatedNodes=0)
    record = await submitted(day, schedule("hello", "echo done", minutes=1))
    await change(day, record.run_id, "disable", disableTasks="requeue")
    await day.both()
    assert (await day.open()).attempt.diagnosis == DISABLED

    await change(day, record.run_id, "enable")
    await day.both()
    assert (await day.open()).attempt.diagnosis is None
    await day.resize(1)
    final = await day.final()

    assert final.outcome is Outcome.SUCCEEDED
    assert final.attempt.diagnosis is None


async def test_a_disabled_job_is_blamed_for_the_start_that_did_not_come(day: BadDay) -> None:
    """And not the pool, although that has no node."""
    await day.world.pool(targetDedicatedNodes=0)
    keys = {"start_timeout": SOON}
    await day.world.apply(schedule("hello", "true", minutes=1, **keys))
    await day.submit()
    record = await day.open()
    await change(day, record.run_id, "disable", disableTasks="requeue")

    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.NEVER_STARTED, Reason.JOB_DISABLED)
    assert final.sentence == f"It did not start within 2 s. {DISABLED}"
    await day.world.job_is(record.run_id, "completed")


async def test_a_run_whose_spot_node_was_taken_away_is_lost_and_tried_again(day: BadDay) -> None:
    """With the pool's diagnosis; the preemption is counted, the second attempt succeeds."""
    await day.world.pool(targetDedicatedNodes=0, targetLowPriorityNodes=1)
    command = '[ "$RECUR_ATTEMPT" = 2 ] || exec sleep 60; echo done'
    keys = {"retries": AGAIN, "start_timeout": SOON}
    record = await begun(day, schedule("hello", command, minutes=1, **keys))
    (node,) = await day.nodes()
    await day.faults.preempt(node.id, seconds=None)

    async def tried_again() -> bool:
        await day.both()
        return len((await day.open()).attempts) == 2

    await until(tried_again, bool)
    (first, _) = (await day.open()).attempts
    await day.faults.restore(node.id)
    final = await day.final()

    assert (first.outcome, first.reason) == (Outcome.LOST, Reason.NO_NODE)
    assert (first.sentence or "").startswith(
        "It lost its node and got no other within 2 s. No node took the task: "
    )
    assert (first.preemptions, first.node) == (1, node.id)
    assert final.outcome is Outcome.SUCCEEDED
    assert final.attempt.number == 2
    assert final.attempt.preemptions == 0
    assert await day.world.output(final) == b"done\n"
    assert record.attempt.preemptions == 0


async def test_a_record_says_what_its_attempt_took(day: BadDay) -> None:
    """Seconds in the queue and of the task, its part of a node, and when that was allocated."""
    await day.world.pool(taskSlotsPerNode=4)
    await day.world.apply(schedule("hello", "sleep 1", minutes=1))

    final = await day.final()

    attempt = final.attempt
    (node,) = await day.nodes()
    assert attempt.submitted is not None
    assert attempt.started is not None
    assert attempt.finished is not None
    assert attempt.queue_seconds == max(0, (attempt.started - attempt.submitted).total_seconds())
    assert attempt.task_seconds == (attempt.finished - attempt.started).total_seconds()
    assert attempt.slot_share == 0.25
    assert attempt.node == node.id
    assert attempt.node_allocated == node.allocation_time


@pytest.mark.parametrize("operation", ["get_pool", "list_nodes"])
async def test_a_pool_that_gives_no_answer_holds_up_no_end(day: BadDay, operation: str) -> None:
    """The run is final without what the pool would tell; the log says so."""
    await day.world.pool()
    record = await submitted(day, schedule("hello", "true", minutes=1))
    await day.world.job_is(record.run_id, "completed")
    await day.faults.add("refusal", operation=operation, status=503)
    await day.collect()

    (final,) = await day.world.final()

    assert final.outcome is Outcome.SUCCEEDED
    assert final.attempt.task_seconds is not None
    assert final.attempt.slot_share is None
    assert "records of this tick lack the pool's data" in day.caplog.text


async def test_a_job_among_many_is_told_as_one_alone(day: BadDay) -> None:
    """With the time since when it is in its state, and why it ends: nothing is left out."""
    await day.world.pool(targetDedicatedNodes=0)
    record = await submitted(day)
    await change(day, record.run_id, "terminate", terminateReason="making room")
    await day.faults.keep_deleting_job(record.run_id, seconds=HOUR)

    async with open_services(day.world.settings, Cache()) as services:
        alone = await services.batch.job(record.run_id)
        among_many = await services.batch.jobs_that_go_on()

    assert alone is not None
    assert alone.state == "deleting"
    assert alone.since is not None
    assert alone.terminate_reason == "making room"
    assert among_many == {record.run_id.lower(): alone}

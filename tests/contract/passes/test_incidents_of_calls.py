"""Incidents of single calls: what Batch answers, or does not, on a bad day."""

import hashlib
from typing import Literal

import pytest

from orchestrator.enums import AttemptState, BlockedReason, Outcome, Reason
from orchestrator.ledger.record import How, Record
from tests.contract.passes.conftest import BadDay
from tests.contract.passes.incidents import incident
from tests.support.waiting import until
from tests.support.world import schedule

STDOUT = b"done\n"
HELLO = schedule("hello", "echo done", minutes=1)
STUCK = "Batch does not take its job; each tick tries again within its catch-up window."


def blocked(reason: BlockedReason) -> dict[str, set[tuple[str, ...]]]:
    """Return the alerts of a run whose job is not taken."""
    return {"product-trouble": {("submit", "hello", reason.value, STUCK, "")}}


async def ends_well(day: BadDay) -> Record:
    """Let the run end, and see that it succeeded with all its bytes, in one job."""
    final = await day.final()
    assert (final.outcome, final.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    assert final.sentence == "Succeeded."
    assert await day.world.output(final) == STDOUT
    stdout = next(one for one in final.outputs if one.path == "stdout.txt")
    assert (stdout.how, stdout.bytes) == (How.PUSHED, len(STDOUT))
    assert stdout.sha256 == hashlib.sha256(STDOUT).hexdigest()
    assert [one.job_id for one in final.attempts] == [final.run_id]
    assert await day.faults.created() in ([final.run_id], [])
    return final


@incident(9)
async def test_no_room_for_another_job(day: BadDay) -> None:
    """Incident 9: ActiveJobAndScheduleQuotaReached. The run waits, is told, and runs in the end."""
    await day.world.pool()
    await day.world.apply(HELLO)
    full = await day.faults.add("quota")
    await day.both()

    attempt = (await day.open()).attempt
    assert (attempt.state, attempt.blocked) == (AttemptState.CLAIMED, BlockedReason.QUOTA)
    assert "quota" in (attempt.blocked_detail or "")
    assert await day.alerts() == blocked(BlockedReason.QUOTA)

    await day.faults.remove(full)
    await ends_well(day)
    assert await day.alerts() == {}


@incident(13)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("retry_after", [None, 1])
async def test_throttled_creations(day: BadDay, status: int, retry_after: int | None) -> None:
    """Incident 13: TooManyRequests and ServerBusy. The job is created once, by a later tick."""
    await day.world.pool()
    await day.world.apply(HELLO)
    busy = await day.faults.add(
        "refusal", operation="create_job", status=status, retry_after=retry_after
    )
    await day.both()

    attempt = (await day.open()).attempt
    assert attempt.blocked is BlockedReason.UNAVAILABLE
    assert attempt.blocked_detail
    assert await day.alerts() == blocked(BlockedReason.UNAVAILABLE)

    await day.faults.remove(busy)
    await ends_well(day)
    assert await day.alerts() == {}


@incident(13)
@incident(14)
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_reads_that_fail_decide_nothing(day: BadDay, status: int) -> None:
    """Incidents 13 and 14: the collector learns nothing, and ends nothing."""
    await day.world.pool()
    await day.world.apply(HELLO)
    await day.submit()
    run = await day.open()
    await day.world.job_is(run.run_id, "completed")
    for operation in ("get_job", "get_task", "list_jobs", "list_tasks"):
        await day.faults.add("refusal", operation=operation, status=status)
    await day.both()

    assert (await day.open()).attempt == run.attempt
    assert await day.world.final() == []
    assert await day.alerts() == {}

    await day.faults.clear()
    await ends_well(day)


@incident(14)
@pytest.mark.parametrize("effect", [False, True])
async def test_a_creation_that_fails_inside_the_service(day: BadDay, effect: bool) -> None:
    """Incident 14: a 500, whether the job was made or not. There is one job in the end."""
    await day.world.pool()
    await day.world.apply(HELLO)
    await day.faults.add(
        "refusal", operation="create_job", status=500, times=1, after_effect=effect
    )

    await ends_well(day)

    assert await day.alerts() == {}


@incident(15)
@pytest.mark.parametrize("kind", ["reset", "silence"])
async def test_a_creation_whose_answer_is_lost(
    day: BadDay, kind: Literal["reset", "silence"]
) -> None:
    """Incident 15: JobExists. The job is known by its metadata, and never made again."""
    await day.world.pool()
    await day.world.apply(HELLO)
    await day.faults.add(kind, operation="create_job", times=1, after_effect=True)

    final = await ends_well(day)

    assert await day.faults.created() == [final.run_id]
    assert await day.alerts() == {}


@incident(16)
async def test_a_job_that_is_not_found_yet(day: BadDay) -> None:
    """Incident 16: 404 JobNotFound right after the creation is no lost job."""
    await day.world.pool()
    await day.world.apply(HELLO)
    unseen = await day.faults.add("absence")
    await day.both()
    await day.both()

    attempt = (await day.open()).attempt
    assert attempt.state is AttemptState.SUBMITTED
    assert await day.world.final() == []

    await day.faults.remove(unseen)
    final = await ends_well(day)
    assert await day.faults.created() == [final.run_id]
    assert await day.alerts() == {}


@incident(17)
async def test_requests_with_a_wrong_date(day: BadDay) -> None:
    """Incident 17: AuthenticationFailed. Nothing is given up, and an operator is told."""
    await day.world.pool()
    await day.world.apply(HELLO)
    wrong = await day.faults.add("refusal", status=403)
    await day.both()

    attempt = (await day.open()).attempt
    assert (attempt.state, attempt.blocked) == (AttemptState.CLAIMED, BlockedReason.AUTH)
    await day.faults.remove(wrong)
    assert await day.alerts() == blocked(BlockedReason.AUTH)

    await day.submit()
    wrong = await day.faults.add("refusal", status=403)
    await day.collect()
    assert (await day.open()).attempt.state is AttemptState.SUBMITTED
    await day.faults.remove(wrong)
    await ends_well(day)


@incident(21)
@pytest.mark.parametrize("account_options", [{"counts_delay_seconds": 3600.0}], indirect=True)
async def test_task_counts_of_an_hour_ago(day: BadDay) -> None:
    """Incident 21: counts are never asked for; job and task alone decide."""
    await day.world.pool()
    await day.world.apply(HELLO)
    await day.submit()
    run = await day.open()
    await until(lambda: day.world.batch.get_job(run.run_id), lambda job: job.state == "completed")
    counts = await day.world.batch.get_job_task_counts(run.run_id)
    assert counts.task_counts.succeeded == 0, "the counts are old"

    await ends_well(day)

    asked = {one.operation for one in await day.faults.seen()} - {None}
    assert "get_job_task_counts" in asked, "by this test alone"
    by_test = [one for one in await day.faults.seen() if one.operation == "get_job_task_counts"]
    assert len(by_test) == 1

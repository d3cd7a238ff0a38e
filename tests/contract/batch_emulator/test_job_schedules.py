"""Job schedules by the official client: one job after the other, and all that clients change."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.batch.models import (
    BatchJobSchedule,
    BatchJobScheduleConfiguration,
    BatchJobScheduleCreateOptions,
    BatchJobScheduleUpdateOptions,
    BatchJobSpecification,
    BatchPoolInfo,
)
from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError

from batch_emulator.clock import RealClock
from tests.contract.conftest import Batch, Start, pool_body, refusal
from tests.support.kept_account import account, kill
from tests.support.prepared_jobs import own_pool, pool_of, pools

MINUTE = timedelta(minutes=1)
UNLIMITED = "P10675199DT2H48M5.4775807S"
SPECIFICATION = {
    "poolInfo": {"poolId": "pool"},
    "jobManagerTask": {"id": "main", "commandLine": "/bin/true"},
}
WAITS: dict[str, Any] = {"poolInfo": {"poolId": "pool"}}


class Clock:
    """The emulator's clock, which stands still between the steps of a test."""

    def __init__(self) -> None:
        self.now = datetime(2026, 12, 1, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the emulator ``timed``."""
    return Clock()


@pytest.fixture
async def timed(start_batch: Start, clock: Clock) -> Batch:
    """Start an emulator with a clock of the test's own, and a pool of one node."""
    batch = await start_batch(clock=RealClock(read=clock))
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    return batch


def body(specification: object = None, **schedule: object) -> dict[str, Any]:
    """Return the creation of the job schedule ``old``."""
    return {"id": "old", "schedule": schedule, "jobSpecification": specification or SPECIFICATION}


async def add(batch: Batch, specification: object = None, **schedule: object) -> None:
    """Create it."""
    await batch.send("POST", "/jobschedules", json=body(specification, **schedule))


async def shown(batch: Batch) -> dict[str, Any]:
    """Return it as it is on the wire."""
    shown: dict[str, Any] = (await batch.send("GET", "/jobschedules/old")).json()
    return shown


async def jobs(batch: Batch) -> dict[str, object]:
    """Return its jobs with their states."""
    listed = batch.client.list_jobs_from_schedule("old")
    return {str(job.id): job.state async for job in listed}


async def until_jobs(batch: Batch, *states: str) -> None:
    """Wait until its jobs are in these states."""
    wanted = {f"old:job-{number}": state for number, state in enumerate(states, 1)}
    await batch.until(lambda: jobs(batch), lambda seen: seen == wanted)


async def until_state(batch: Batch, state: str) -> dict[str, Any]:
    """Wait until it is in this state."""
    return await batch.until(lambda: shown(batch), lambda seen: seen["state"] == state)


async def test_a_job_is_made_at_each_instant(timed: Batch, clock: Clock) -> None:
    """The first at once; each in its turn, with the next number and what the schedule says of it."""
    await add(
        timed,
        {
            **SPECIFICATION,
            "displayName": "report",
            "commonEnvironmentSettings": [{"name": "A", "value": "1"}],
            "metadata": [{"name": "kind", "value": "old"}],
        },
        recurrenceInterval="PT1H",
    )
    await until_jobs(timed, "completed")
    before = await shown(timed)
    assert before["executionInfo"]["nextRunTime"].startswith("2026-12-01T03:00:00")
    assert before["executionInfo"]["recentJob"] == {
        "id": "old:job-1",
        "url": f"{timed.url}/jobs/old:job-1",
    }
    clock.now += timedelta(hours=1)
    await until_jobs(timed, "completed", "completed")
    after = await shown(timed)

    assert after["executionInfo"]["recentJob"]["id"] == "old:job-2"
    assert after["executionInfo"]["nextRunTime"].startswith("2026-12-01T04:00:00")
    assert (after["state"], after["eTag"]) == ("active", before["eTag"])
    job = (await timed.send("GET", "/jobs/old:job-2")).json()
    assert (job["id"], job["displayName"], job["priority"]) == ("old:job-2", "report", 0)
    assert job["commonEnvironmentSettings"] == [{"name": "A", "value": "1"}]
    assert job["metadata"] == [{"name": "kind", "value": "old"}]
    assert job["jobManagerTask"]["killJobOnCompletion"] is True
    task = await timed.client.get_task("old:job-2", "main")
    assert task.node_info is not None
    assert task.node_info.task_root_directory == "workitems/old/job-2/main"
    files = [one.name async for one in timed.client.list_task_files("old:job-2", "main")]
    assert "stdout.txt" in files


async def test_a_job_waits_for_the_one_before_it(timed: Batch, clock: Clock) -> None:
    """It is made when that ends, within the window; after the window its instant is lost."""
    await add(timed, WAITS, recurrenceInterval="PT1H", startWindow="PT10M")
    clock.now += timedelta(hours=1, minutes=9)
    await until_jobs(timed, "active")
    assert (await shown(timed))["executionInfo"]["nextRunTime"].startswith("2026-12-01T03:00:00")
    await timed.terminate("old:job-1", "late")
    await until_jobs(timed, "completed", "active")

    clock.now += timedelta(hours=1, minutes=1)  # 04:10, the end of the window of 04:00
    await timed.until(
        lambda: shown(timed),
        lambda seen: seen["executionInfo"]["nextRunTime"].startswith("2026-12-01T05:00:00"),
    )
    await timed.terminate("old:job-2", "too late")
    await until_jobs(timed, "completed", "completed")
    clock.now += timedelta(minutes=50)
    await until_jobs(timed, "completed", "completed", "active")


async def test_one_that_starts_later_waits(timed: Batch, clock: Clock) -> None:
    """Nothing is made before doNotRunUntil; its instants count from there, and are told as given."""
    await add(timed, doNotRunUntil="2026-12-01T06:00:00+01:00", recurrenceInterval="PT1H")
    found = await shown(timed)
    assert found["schedule"]["doNotRunUntil"] == "2026-12-01T05:00:00Z"
    assert found["executionInfo"] == {"nextRunTime": "2026-12-01T05:00:00Z"}
    assert await jobs(timed) == {}
    clock.now = datetime(2026, 12, 1, 5, tzinfo=UTC)
    await until_jobs(timed, "completed")
    assert (await shown(timed))["executionInfo"]["nextRunTime"] == "2026-12-01T06:00:00Z"


async def test_one_without_an_interval_is_over_with_its_job(timed: Batch) -> None:
    """It is completed, has an end and no next run; as recorded, it was active before."""
    await add(timed)
    ended = await until_state(timed, "completed")
    assert await jobs(timed) == {"old:job-1": "completed"}
    assert set(ended["executionInfo"]) == {"recentJob", "endTime"}
    assert (ended["previousState"], ended["eTag"]) == ("active", ended["eTag"])
    for path in ("disable", "enable", "terminate"):
        assert await refusal(timed.send("POST", f"/jobschedules/old/{path}")) == (
            409,
            "JobScheduleCompleted",
        )


async def test_one_ends_when_its_time_is_over_and_its_job_has_ended(
    timed: Batch, clock: Clock
) -> None:
    """A job that is active at doNotRunAfter goes on."""
    await add(timed, WAITS, recurrenceInterval="PT1H", doNotRunAfter="2026-12-01T02:30:00.000000Z")
    clock.now += timedelta(hours=2)
    await until_jobs(timed, "active")
    assert (await shown(timed))["state"] == "active"
    await timed.terminate("old:job-1", "enough")
    await until_state(timed, "completed")
    assert await jobs(timed) == {"old:job-1": "completed"}


async def test_a_disabled_one_makes_no_jobs(timed: Batch, clock: Clock) -> None:
    """Its active job goes on. Enabled within the window of an instant, it makes that one's job."""
    await add(timed, WAITS, recurrenceInterval="PT1H")
    await timed.client.disable_job_schedule("old")
    disabled = await shown(timed)
    assert (disabled["state"], disabled["previousState"]) == ("disabled", "active")
    assert await refusal(timed.client.disable_job_schedule("old")) == (409, "JobScheduleDisabled")
    assert await jobs(timed) == {"old:job-1": "active"}
    await timed.terminate("old:job-1", "enough")
    clock.now += timedelta(hours=3, minutes=5)
    await until_jobs(timed, "completed")
    reply = await timed.send("POST", "/jobschedules/old/enable")
    assert reply.status_code == 204
    assert reply.headers["ETag"] == (await shown(timed))["eTag"] != disabled["eTag"]
    await until_jobs(timed, "completed", "active")
    assert (await shown(timed))["executionInfo"]["nextRunTime"].startswith("2026-12-01T06:00:00")


async def test_the_end_of_one_ends_its_job(timed: Batch) -> None:
    """With the reason of the service; jobs that are over stay."""
    await add(timed, WAITS, recurrenceInterval="PT1H")
    await timed.client.begin_terminate_job_schedule("old", polling_interval=0)
    await until_state(timed, "completed")
    job = await timed.client.get_job("old:job-1")
    assert job.execution_info is not None
    assert job.execution_info.termination_reason == "TerminateJobSchedule"


async def test_the_removal_of_one_removes_its_jobs(timed: Batch, clock: Clock) -> None:
    """All of them; the id is free afterwards, and numbers begin anew."""
    await add(timed, recurrenceInterval="PT1H")
    await until_jobs(timed, "completed")
    clock.now += timedelta(hours=1)
    await until_jobs(timed, "completed", "completed")
    await timed.send("DELETE", "/jobschedules/old")

    async def there() -> list[str]:
        return [one.id async for one in timed.client.list_job_schedules()]

    await timed.until(there, lambda seen: not seen)
    assert [job.id async for job in timed.client.list_jobs()] == []
    assert await refusal(timed.client.get_job_schedule("old")) == (404, "JobScheduleNotFound")
    await add(timed, recurrenceInterval="PT1H")
    await until_jobs(timed, "completed")


async def test_changes_are_for_jobs_to_come(batch: Batch) -> None:
    """A PATCH keeps what it does not name; a PUT without a schedule leaves none."""
    await batch.client.create_job_schedule(
        BatchJobScheduleCreateOptions(
            id="old",
            schedule=BatchJobScheduleConfiguration(recurrence_interval=timedelta(days=1)),
            job_specification=BatchJobSpecification(pool_info=BatchPoolInfo(pool_id="pool")),
        )
    )
    before = await batch.client.get_job_schedule("old")
    await batch.client.update_job_schedule(
        "old",
        BatchJobScheduleUpdateOptions(
            job_specification=BatchJobSpecification(
                pool_info=BatchPoolInfo(pool_id="other"), priority=5
            )
        ),
        etag=before.etag,
        match_condition=MatchConditions.IfNotModified,
    )
    after = await batch.client.get_job_schedule("old")
    assert after.schedule == before.schedule
    assert after.execution_info.next_run_time == before.execution_info.next_run_time
    assert after.job_specification.priority == 5
    assert (await batch.client.get_job("old:job-1")).pool_info.pool_id == "pool"
    with pytest.raises(ResourceModifiedError) as stale:
        await batch.client.disable_job_schedule(
            "old", etag=before.etag, match_condition=MatchConditions.IfNotModified
        )
    assert stale.value.error is not None
    assert stale.value.error.code == "ConditionNotMet"

    await batch.client.replace_job_schedule(
        "old",
        BatchJobSchedule(
            job_specification=BatchJobSpecification(pool_info=BatchPoolInfo(pool_id="pool"))
        ),
    )
    replaced = await shown(batch)
    assert "schedule" not in replaced
    assert "nextRunTime" not in replaced["executionInfo"]
    assert replaced["jobSpecification"]["priority"] == 0


async def test_what_is_added_is_told_with_its_defaults(batch: Batch) -> None:
    """As recorded: 201 with its address; HEAD without a body; the tag of the reply."""
    reply = await batch.send(
        "POST", "/jobschedules", json=body(WAITS, recurrenceInterval="PT60M", startWindow="P1D")
    )
    assert reply.status_code == 201
    assert reply.headers["Location"] == reply.headers["DataServiceId"]
    assert reply.headers["Location"] == f"{batch.url}/jobschedules/old"
    found = await shown(batch)
    assert found["schedule"] == {"recurrenceInterval": "PT1H", "startWindow": "P1D"}
    assert found["eTag"] == reply.headers["ETag"]
    assert found["jobSpecification"] == {
        "priority": 0,
        "maxParallelTasks": -1,
        "allowTaskPreemption": False,
        "usesTaskDependencies": False,
        "onAllTasksComplete": "noaction",
        "onTaskFailure": "noaction",
        "constraints": {"maxWallClockTime": UNLIMITED, "maxTaskRetryCount": 0},
        "poolInfo": {"poolId": "pool"},
    }
    head = await batch.send("HEAD", "/jobschedules/OLD")
    assert (head.status_code, head.headers["ETag"]) == (200, found["eTag"])
    assert await batch.client.job_schedule_exists("old")
    listed = [one.id async for one in batch.client.list_job_schedules(filter="state eq 'active'")]
    assert listed == ["old"]


@pytest.mark.parametrize(
    ("schedule", "code"),
    [
        ({"recurrenceInterval": "PT59S"}, "InvalidPropertyValue"),
        ({"startWindow": "PT0S"}, "InvalidPropertyValue"),
        ({"doNotRunUntil": "tomorrow"}, "InvalidPropertyValue"),
        (
            {"doNotRunUntil": "2026-12-02T00:00:00.5Z", "doNotRunAfter": "2026-12-02T00:00:00Z"},
            "InvalidPropertyValue",
        ),
        ({"cron": "* * * * *"}, "NotSupportedByEmulator"),
    ],
)
async def test_a_wrong_schedule_is_refused(
    batch: Batch, schedule: dict[str, str], code: str
) -> None:
    """With the property that is wrong; nothing is added."""
    assert await refusal(batch.send("POST", "/jobschedules", json=body(**schedule))) == (400, code)
    assert [one async for one in batch.client.list_job_schedules()] == []


async def test_jobs_and_job_schedules_share_their_ids(batch: Batch) -> None:
    """Neither can be made beside the other, nor beside its like."""
    await add(batch, WAITS, recurrenceInterval="PT1H")
    again = batch.send("POST", "/jobschedules", json=body(WAITS))
    assert await refusal(again) == (409, "JobScheduleExists")
    job = batch.client.create_job({"id": "OLD", **WAITS})  # type: ignore[arg-type]
    assert await refusal(job) == (409, "JobScheduleWithSameIdExists")
    await batch.client.create_job({"id": "job", **WAITS})  # type: ignore[arg-type]
    other = batch.send("POST", "/jobschedules", json={**body(WAITS), "id": "job"})
    assert await refusal(other) == (409, "JobWithSameIdExists")


async def test_what_only_a_creation_sets_cannot_change(batch: Batch) -> None:
    """Its name, for one."""
    await add(batch, WAITS, recurrenceInterval="PT1H")
    change = batch.send("PATCH", "/jobschedules/old", json={"displayName": "other"})
    assert await refusal(change) == (400, "PropertyCannotBeUpdated")


async def test_job_schedules_are_back_after_sigkill(tmp_path: Path) -> None:
    """With their jobs, their pools, their numbers and their next run; and they go on."""
    soon = datetime.now(UTC) + timedelta(seconds=1)
    async with account(tmp_path) as (batch, emulator):
        await add(batch, own_pool(poolLifetimeOption="jobschedule"), recurrenceInterval="PT1M")
        await batch.client.disable_job_schedule("old")
        before = await shown(batch)
        pool = pool_of(await batch.client.get_job("old:job-1"))
        later = {**body(WAITS, doNotRunUntil=soon.isoformat()), "id": "later"}
        await batch.send("POST", "/jobschedules", json=later)
        kill(emulator)

    async with account(tmp_path) as (batch, _):
        after = await shown(batch)
        assert str(after).replace(batch.url, "") == str(before).replace(emulator.url, "")
        assert await jobs(batch) == {"old:job-1": "active"}
        assert await pools(batch) == [pool]

        async def made() -> list[str]:
            return [str(job.id) async for job in batch.client.list_jobs()]

        await batch.until(made, lambda seen: seen == ["later:job-1", "old:job-1"])
        await batch.send("DELETE", "/jobschedules/old")
        await batch.until(made, lambda seen: seen == ["later:job-1"])
        await batch.until(lambda: pools(batch), lambda seen: seen == [])

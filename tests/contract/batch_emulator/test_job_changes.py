"""What clients change of a job: its properties, whether it is enabled; and how it is counted."""

import asyncio

import pytest
from azure.batch.models import BatchJobDisableOptions, BatchJobUpdateOptions, BatchTaskCountsResult
from azure.core import MatchConditions

from tests.contract.conftest import Batch, Start, pool_body, refusal
from tests.support.plain_jobs import (
    code_of,
    plain_job,
    reason_of,
    settled,
    task_body,
    until_job,
    until_task,
)

SLEEP = "/bin/sleep 600"
UNLIMITED = "P10675199DT2H48M5.4775807S"


async def patch(batch: Batch, **properties: object) -> None:
    """Send the changes of a PATCH."""
    await batch.send("PATCH", "/jobs/job", json=properties)


async def start(batch: Batch, *commands: str, slots: int = 2) -> None:
    """Let the tasks of a job begin on one node, and wait until they run."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, taskSlotsPerNode=slots))
    await batch.client.create_job(plain_job())
    for number, command in enumerate(commands):
        await batch.client.create_task("job", task_body(f"t{number}", command))
        await until_task(batch, f"t{number}", "running")


async def test_a_patch_changes_what_it_names(batch: Batch) -> None:
    """Constraints are replaced as a whole, as recorded; the tag and the time of change move."""
    await batch.client.create_job(
        plain_job(
            constraints={"maxTaskRetryCount": 5},
            priority=7,
            metadata=[{"name": "test", "value": "value"}],
        )
    )
    before = (await batch.send("GET", "/jobs/job")).json()
    reply = await batch.send(
        "PATCH", "/jobs/job", json={"constraints": {"maxWallClockTime": "P3Y6M4DT12H30M5S"}}
    )
    after = (await batch.send("GET", "/jobs/job")).json()

    assert reply.status_code == 200
    assert reply.headers["ETag"] == after["eTag"] != before["eTag"]
    assert reply.headers["DataServiceId"] == f"{batch.url}/jobs/job"
    assert after["constraints"] == {"maxWallClockTime": "P1279DT12H30M5S", "maxTaskRetryCount": 0}
    changed = {"eTag", "lastModified", "constraints"}
    assert {name for name in after if after[name] != before[name]} == changed


async def test_a_put_replaces_everything_that_can_change(batch: Batch) -> None:
    """What it does not name gets the value of a new job; what cannot change stays."""
    environment = [{"name": "A", "value": "1"}]
    await batch.client.create_job(
        plain_job(
            constraints={"maxTaskRetryCount": 5, "maxWallClockTime": "P1D"},
            priority=7,
            metadata=[{"name": "test", "value": "value"}],
            commonEnvironmentSettings=environment,
        )
    )
    job = await batch.client.get_job("job")
    job.priority, job.metadata, job.constraints = None, None, None
    await batch.client.replace_job("job", job)
    after = (await batch.send("GET", "/jobs/job")).json()

    assert after["priority"] == 0
    assert "metadata" not in after
    assert after["constraints"] == {"maxWallClockTime": UNLIMITED, "maxTaskRetryCount": 0}
    assert after["commonEnvironmentSettings"] == environment
    missing = batch.send("PUT", "/jobs/job", json={"priority": 1})
    assert await refusal(missing) == (400, "MissingRequiredProperty")


async def test_what_only_a_creation_can_set(batch: Batch) -> None:
    """A change of it is refused, as reported in Azure/azure-sdk-for-python#34451."""
    await batch.client.create_job(plain_job())
    for name, value in (("onTaskFailure", "noaction"), ("usesTaskDependencies", True)):
        changed = patch(batch, **{name: value})
        assert await refusal(changed) == (400, "PropertyCannotBeUpdated")
    preemption = patch(batch, allowTaskPreemption=True)
    assert await refusal(preemption) == (400, "NotSupportedByEmulator")


async def test_a_condition_guards_a_change(batch: Batch) -> None:
    """With the tag of an older state nothing changes."""
    await batch.client.create_job(plain_job())
    job = await batch.client.get_job("job")
    change = BatchJobUpdateOptions(priority=1)
    await batch.client.update_job("job", change)
    late = batch.client.update_job(
        "job", change, etag=job.etag, match_condition=MatchConditions.IfNotModified
    )

    assert await refusal(late) == (412, "ConditionNotMet")


async def test_automatic_ends_cannot_be_taken_back(batch: Batch) -> None:
    """From terminatejob there is no way back to noaction, not by leaving it out either."""
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("waits"))
    await patch(batch, onAllTasksComplete="terminatejob")
    put = batch.send("PUT", "/jobs/job", json={"poolInfo": {"poolId": "pool"}})

    assert await refusal(patch(batch, onAllTasksComplete="noaction")) == (
        400,
        "InvalidPropertyValue",
    )
    assert await refusal(put) == (400, "InvalidPropertyValue")


async def test_a_priority_can_change_while_tasks_wait(batch: Batch) -> None:
    """The pool's room goes to the job that is first now."""
    for name in ("first", "job"):
        await batch.client.create_job(plain_job(name))
        await batch.client.create_task(name, task_body("task"))
    await patch(batch, priority=5)
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    late = (await settled(batch, "task", "first")).execution_info
    early = (await settled(batch, "task")).execution_info

    assert late is not None
    assert early is not None
    assert late.start_time is not None
    assert early.start_time is not None
    assert early.start_time < late.start_time


async def test_only_a_disabled_job_can_go_to_another_pool(batch: Batch) -> None:
    """Its waiting tasks run there when it is enabled again."""
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("task"))
    await batch.client.create_pool(pool_body("other", targetDedicatedNodes=1))
    there = {"poolInfo": {"poolId": "other"}}

    assert await refusal(patch(batch, **there)) == (409, "OperationInvalidForCurrentState")
    await batch.send("POST", "/jobs/job/disable", json={"disableTasks": "wait"})
    await patch(batch, **there)
    assert (await batch.client.get_task("job", "task")).state == "active"
    await batch.send("POST", "/jobs/job/enable")
    task = await settled(batch, "task")
    assert task.node_info is not None
    assert task.node_info.pool_id == "other"


async def test_a_new_time_limit_counts_from_the_creation(batch: Batch) -> None:
    """A job that has lived longer than it may now ends at once."""
    await batch.client.create_job(plain_job())
    await patch(batch, constraints={"maxWallClockTime": "PT0.1S"})

    assert reason_of(await batch.completed("job")) == "MaxWallClockTimeExpiry"
    assert await refusal(patch(batch, priority=1)) == (409, "JobCompleted")
    disable = batch.send("POST", "/jobs/job/disable", json={"disableTasks": "requeue"})
    assert await refusal(disable) == (409, "JobCompleted")


async def test_disabling_can_put_running_tasks_back(batch: Batch) -> None:
    """They are counted as requeued, and run again when the job is enabled."""
    await start(batch, SLEEP)
    reply = await batch.send("POST", "/jobs/job/disable", json={"disableTasks": "requeue"})
    job = await until_job(batch, "disabled")
    task = await batch.client.get_task("job", "t0")

    assert reply.status_code == 202
    assert reply.headers["DataServiceId"] == f"{batch.url}/jobs/job/disable"
    assert job.previous_state == "disabling"
    assert task.state == "active"
    assert task.execution_info is not None
    assert task.execution_info.requeue_count == 1
    await batch.send("POST", "/jobs/job/enable")
    await until_task(batch, "t0", "running")
    assert (await batch.client.get_job("job")).previous_state == "enabling"


async def test_disabling_can_end_running_tasks(batch: Batch) -> None:
    """They are completed as ended by a request; those that wait stay active."""
    await start(batch, SLEEP, SLEEP)
    await batch.client.create_task("job", task_body("waits"))
    await batch.send("POST", "/jobs/job/disable", json={"disableTasks": "terminate"})
    await until_job(batch, "disabled")

    assert code_of(await batch.client.get_task("job", "t0")) == "TaskEnded"
    assert code_of(await batch.client.get_task("job", "t1")) == "TaskEnded"
    assert (await batch.client.get_task("job", "waits")).state == "active"


async def test_disabling_can_wait_for_running_tasks(batch: Batch) -> None:
    """Until they have ended the job is being disabled; it cannot be enabled, but hurried."""
    command = "/bin/sh -c 'while ! test -e go; do sleep 0.05; done'"
    await start(batch, command, SLEEP)
    await batch.send("POST", "/jobs/job/disable", json={"disableTasks": "wait"})
    task = await batch.client.get_task("job", "t0")
    assert task.node_info is not None
    assert task.node_info.node_id is not None
    folder = batch.root / "pool" / task.node_info.node_id / "workitems/job/job-1/t0/wd"
    (folder / "go").touch()
    done = await settled(batch, "t0")

    assert done.execution_info is not None
    assert done.execution_info.result == "success"
    assert (await batch.client.get_job("job")).state == "disabling"
    enable = batch.send("POST", "/jobs/job/enable")
    assert await refusal(enable) == (409, "OperationInvalidForCurrentState")
    await batch.send("POST", "/jobs/job/disable", json={"disableTasks": "terminate"})
    await until_job(batch, "disabled")


async def test_the_official_client_waits_for_disabling_and_enabling(batch: Batch) -> None:
    """Its pollers end when the job is where it was asked to go."""
    await start(batch, SLEEP)
    options = BatchJobDisableOptions(disable_tasks="requeue")
    disabling = await batch.client.begin_disable_job("job", options, polling_interval=0)
    await disabling.result()
    assert (await batch.client.get_job("job")).state == "disabled"
    enabling = await batch.client.begin_enable_job("job", polling_interval=0)
    await enabling.result()

    assert (await batch.client.get_job("job")).state == "active"


async def test_a_disabled_job_can_end(batch: Batch) -> None:
    """It can be terminated and deleted like another."""
    await batch.client.create_job(plain_job())
    await batch.send("POST", "/jobs/job/disable", json={"disableTasks": "requeue"})
    await batch.terminate("job", "enough")

    assert reason_of(await batch.completed("job")) == "enough"
    enable = batch.send("POST", "/jobs/job/enable")
    assert await refusal(enable) == (409, "JobCompleted")


async def test_at_most_so_many_tasks_run_at_once(batch: Batch) -> None:
    """A job's own limit holds whatever room there is, and can be raised."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, taskSlotsPerNode=4))
    await batch.client.create_job(plain_job(maxParallelTasks=1))
    for name in ("one", "two"):
        await batch.client.create_task("job", task_body(name, SLEEP))
    await until_task(batch, "one", "running")
    await asyncio.sleep(0.2)
    assert (await batch.client.get_task("job", "two")).state == "active"
    await patch(batch, maxParallelTasks=2)

    await until_task(batch, "two", "running")


def numbers(counts: BatchTaskCountsResult) -> list[list[int]]:
    """Return both kinds of counts: active, running, completed, succeeded, failed."""
    return [
        [item.active, item.running, item.completed, item.succeeded, item.failed]
        for item in (counts.task_counts, counts.task_slot_counts)
    ]


async def test_task_counts(batch: Batch) -> None:
    """Tasks are counted by how far they are, and so are the slots that they need."""
    await start(batch, "/bin/sleep 600", slots=4)
    bodies = [
        task_body("good", requiredSlots=2),
        task_body("bad", "/bin/false", requiredSlots=3),
        task_body("waits", requiredSlots=4),
    ]
    for body in bodies:
        await batch.client.create_task("job", body)
    await settled(batch, "good")
    await settled(batch, "bad")

    counts = await batch.client.get_job_task_counts("job")
    assert numbers(counts) == [[1, 1, 2, 1, 1], [4, 1, 5, 2, 3]]
    await batch.client.delete_task("job", "bad")
    counts = await batch.client.get_job_task_counts("job")
    assert numbers(counts) == [[1, 1, 1, 1, 0], [4, 1, 2, 2, 0]]


@pytest.mark.parametrize("delay", [0.0, 1.0])
async def test_task_counts_can_be_late(start_batch: Start, delay: float) -> None:
    """With a delay the counts are those of before, and true in the end."""
    batch = await start_batch(counts_delay_seconds=delay)
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("one"))
    counts = await batch.client.get_job_task_counts("job")

    assert counts.task_counts.active == (0 if delay else 1)
    await batch.until(
        lambda: batch.client.get_job_task_counts("job"),
        lambda counts: counts.task_counts.active == 1,
    )

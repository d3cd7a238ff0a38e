"""Jobs without a job manager task, and the tasks that clients add to them."""

import pytest
from azure.core.exceptions import HttpResponseError

from tests.contract.conftest import Batch, job_body, pool_body, refusal
from tests.support.plain_jobs import plain_job, settled, task_body


async def test_an_added_task_runs_and_its_job_stays_active(batch: Batch) -> None:
    """A job without a job manager task does not end with its tasks unless it asks for that."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("one", "/bin/echo hello"))
    task = await settled(batch, "one")

    assert task.execution_info is not None
    assert task.execution_info.exit_code == 0
    parts = await batch.client.download_task_file("job", "one", "stdout.txt")
    assert b"".join([part async for part in parts]) == b"hello\n"
    assert (await batch.client.get_job("job")).state == "active"


async def test_an_added_task_has_the_defaults_of_the_service(batch: Batch) -> None:
    """Retries come from the job; the rest is what the service adds."""
    await batch.client.create_job(plain_job(constraints={"maxTaskRetryCount": 4}))
    await batch.client.create_task("job", task_body("One", displayName="the first"))
    reply = await batch.send("GET", "/jobs/job/tasks/one")
    task = reply.json()

    assert task["id"] == "One"
    assert task["displayName"] == "the first"
    assert task["constraints"] == {
        "maxWallClockTime": "P10675199DT2H48M5.4775807S",
        "retentionTime": "P7D",
        "maxTaskRetryCount": 4,
    }
    assert task["requiredSlots"] == 1
    assert task["userIdentity"] == {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}
    assert task["executionInfo"] == {"retryCount": 0, "requeueCount": 0}
    assert "runExclusive" not in task
    assert reply.headers["ETag"] == task["eTag"]


async def test_what_create_task_refuses(batch: Batch) -> None:
    """Each refusal has the service's status and code."""
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("one"))
    create = batch.client.create_task
    await batch.client.create_job(plain_job("ended"))
    await batch.terminate("ended", "enough")
    await batch.completed("ended")

    assert await refusal(create("none", task_body("one"))) == (404, "JobNotFound")
    assert await refusal(create("job", task_body("ONE"))) == (409, "TaskExists")
    assert await refusal(create("ended", task_body("one"))) == (409, "JobCompleted")
    dependent = task_body("two", dependsOn={"taskIds": ["one"]})
    assert await refusal(create("job", dependent)) == (400, "TaskDependenciesNotSpecifiedOnJob")
    acting = task_body("two", exitConditions={"default": {"jobAction": "terminate"}})
    assert await refusal(create("job", acting)) == (400, "InvalidPropertyValue")


async def test_tasks_that_are_not_supported_are_refused_by_name(batch: Batch) -> None:
    """What the emulator cannot do never looks like the service's refusal."""
    await batch.client.create_job(plain_job())
    for name, value in (
        ("multiInstanceSettings", {"numberOfInstances": 2, "coordinationCommandLine": "x"}),
        ("authenticationTokenSettings", {"access": ["job"]}),
    ):
        body = task_body("one", **{name: value})
        with pytest.raises(HttpResponseError, match=f"does not support property {name}"):
            await batch.client.create_task("job", body)


async def test_a_task_in_a_container_fails(batch: Batch) -> None:
    """It never runs outside of one; it has no subtasks, as no task has; its secret is forgotten."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(plain_job())
    registry = {"username": "ann", "password": "secret"}
    settings = {"imageName": "ubuntu", "registry": registry}
    await batch.client.create_task("job", task_body("one", containerSettings=settings))

    task = await settled(batch, "one")

    assert task.execution_info is not None
    assert task.execution_info.exit_code is None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "ContainerPoolNotSupported"
    assert task.container_settings is not None
    assert task.container_settings.registry is not None
    assert (
        task.container_settings.registry.username,
        task.container_settings.registry.password,
    ) == (
        "ann",
        None,
    )
    assert [one async for one in batch.client.list_subtasks("job", "one")] == []


async def test_the_job_manager_task_goes_first(batch: Batch) -> None:
    """Tasks that are added while the job manager task waits start after it."""
    await batch.client.create_job(job_body("job", "/bin/true", killJobOnCompletion=False))
    await batch.client.create_task("job", task_body("another"))
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    other = await settled(batch, "another")
    manager = await settled(batch, "main")

    assert manager.execution_info is not None
    assert other.execution_info is not None
    assert manager.execution_info.end_time is not None
    assert other.execution_info.start_time is not None
    assert manager.execution_info.end_time <= other.execution_info.start_time

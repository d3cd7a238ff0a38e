"""What clients do to a task that is there: end it, run it again, change it, delete it."""

from tests.contract.conftest import Batch, pool_body, refusal
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
ONCE = "/bin/sh -c 'test -e ../../../once && exit 0; touch ../../../once; exit 1'"
"""Fails when it first runs on a node, and succeeds after that."""


async def start(batch: Batch, *tasks: object, **job: object) -> None:
    """Create one node with room for one task, and a job with these tasks."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(plain_job(**job))
    await batch.send("POST", "/jobs/job/addtaskcollection", json={"value": tasks})


async def send(batch: Batch, task_id: str, what: str) -> None:
    """Send a request without a body about a task."""
    await batch.send("POST", f"/jobs/job/tasks/{task_id}/{what}")


async def test_a_waiting_task_is_ended_at_once(batch: Batch) -> None:
    """It is completed without having run, as recorded; its tag and time of change move."""
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("task"))
    before = (await batch.send("GET", "/jobs/job/tasks/task")).json()
    reply = await batch.send("POST", "/jobs/job/tasks/task/terminate")
    task = (await batch.send("GET", "/jobs/job/tasks/task")).json()

    assert reply.status_code == 204
    assert reply.headers["DataServiceId"] == f"{batch.url}/jobs/job/tasks/task/terminate"
    assert reply.headers["ETag"] == task["eTag"] != before["eTag"]
    assert task["state"] == "completed"
    assert task["previousState"] == "active"
    assert task["lastModified"] == task["stateTransitionTime"]
    assert task["nodeInfo"] == {}
    assert task["executionInfo"].keys() == {
        *("endTime", "failureInfo", "result", "retryCount", "requeueCount"),
    }
    assert task["executionInfo"]["failureInfo"]["code"] == "TaskEnded"
    assert await refusal(send(batch, "task", "terminate")) == (409, "TaskCompleted")


async def test_a_running_task_is_ended(batch: Batch) -> None:
    """Its place goes to the next one, and its job goes on."""
    await start(batch, task_body("one", SLEEP), task_body("two"))
    await until_task(batch, "one", "running")
    await batch.client.terminate_task("job", "one")

    assert code_of(await settled(batch, "one")) == "TaskEnded"
    assert code_of(await settled(batch, "two")) is None
    assert (await batch.client.get_job("job")).state == "active"


async def test_a_failed_task_can_run_again(batch: Batch) -> None:
    """Its retries are new, and nothing is left of how it ended."""
    retries = {"maxTaskRetryCount": 1}
    await start(batch, task_body("task", "/bin/sh -c 'exit 1'", constraints=retries))
    failed = await settled(batch, "task")
    assert failed.execution_info is not None
    assert failed.execution_info.retry_count == 1
    await batch.send("POST", "/jobs/job/disable", json={"disableTasks": "requeue"})
    reply = await batch.send("POST", "/jobs/job/tasks/task/reactivate")
    task = (await batch.send("GET", "/jobs/job/tasks/task")).json()

    assert reply.status_code == 204
    assert "DataServiceId" not in reply.headers
    assert reply.headers["ETag"] == task["eTag"]
    assert task["state"] == "active"
    assert task["executionInfo"] == {"retryCount": 0, "requeueCount": 0}
    assert "nodeInfo" not in task


async def test_a_task_that_runs_again_can_succeed(batch: Batch) -> None:
    """What waits for it goes on then."""
    after = task_body("after", dependsOn={"taskIds": ["task"]})
    await start(batch, task_body("task", ONCE), after, usesTaskDependencies=True)
    assert code_of(await settled(batch, "task")) == "FailureExitCode"
    await batch.client.reactivate_task("job", "task")

    await settled(batch, "after")
    assert code_of(await batch.client.get_task("job", "task")) is None


async def test_what_cannot_run_again(batch: Batch) -> None:
    """A task that waits, one that succeeded, and one of a job that has ended."""
    await start(batch, task_body("good"), task_body("bad", "/bin/false"))
    await settled(batch, "good")
    await settled(batch, "bad")
    await batch.client.create_job(plain_job("idle", poolInfo={"poolId": "none"}))
    await batch.client.create_task("idle", task_body("waits"))

    assert await refusal(send(batch, "good", "reactivate")) == (409, "TaskSucceeded")
    waiting = batch.client.reactivate_task("idle", "waits")
    assert await refusal(waiting) == (409, "TaskNotCompleted")
    await batch.terminate("job", "enough")
    await batch.completed("job")
    assert await refusal(send(batch, "bad", "reactivate")) == (409, "JobCompleted")


async def test_the_constraints_of_a_task_can_change(batch: Batch) -> None:
    """What is left out gets the value of a new task; nothing else can change."""
    await batch.client.create_job(plain_job(constraints={"maxTaskRetryCount": 3}))
    constraints = {"maxWallClockTime": "PT1H", "maxTaskRetryCount": 2}
    await batch.client.create_task("job", task_body("task", constraints=constraints))
    task = await batch.client.get_task("job", "task")
    before = task.etag
    assert task.constraints is not None
    task.constraints.max_wall_clock_time = None
    await batch.client.replace_task("job", "task", task)
    after = (await batch.send("GET", "/jobs/job/tasks/task")).json()

    assert after["eTag"] != before
    assert after["constraints"] == {
        "maxWallClockTime": "P10675199DT2H48M5.4775807S",
        "retentionTime": "P7D",
        "maxTaskRetryCount": 2,
    }
    other = batch.send("PUT", "/jobs/job/tasks/task", json={"commandLine": "x"})
    assert await refusal(other) == (400, "PropertyCannotBeUpdated")


async def test_a_deleted_task_is_gone_with_its_folder(batch: Batch) -> None:
    """Whether it was done or running; its id is free, and its place is given to the next."""
    await start(batch, task_body("done"), task_body("runs", SLEEP), task_body("next"))
    await settled(batch, "done")
    runs = await until_task(batch, "runs", "running")
    assert runs.node_info is not None
    assert runs.node_info.node_id is not None
    folder = batch.root / "pool" / runs.node_info.node_id / "workitems/job/job-1"
    for name in ("done", "runs"):
        assert (folder / name).exists()
        reply = await batch.send("DELETE", f"/jobs/job/tasks/{name}")
        assert reply.status_code == 200
        assert "ETag" not in reply.headers
        assert not (folder / name).exists()
        assert await refusal(batch.client.get_task("job", name)) == (404, "TaskNotFound")
    await settled(batch, "next")
    await batch.client.create_task("job", task_body("runs"))
    assert code_of(await settled(batch, "runs")) is None


async def test_the_last_open_task_ends_its_job_when_it_is_deleted(batch: Batch) -> None:
    """A job that ends with its tasks does so with the last one, in whatever way that goes."""
    await batch.client.create_job(plain_job())
    for name in ("one", "two"):
        await batch.client.create_task("job", task_body(name))
    await batch.send("PATCH", "/jobs/job", json={"onAllTasksComplete": "terminatejob"})
    await batch.client.delete_task("job", "one")
    assert (await batch.client.get_job("job")).state == "active"
    await batch.client.terminate_task("job", "two")

    assert reason_of(await batch.completed("job")) == "AllTasksComplete"


async def test_a_task_runs_where_it_would_like_to(batch: Batch) -> None:
    """If there is room on the node that a task names, it runs there."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=3, taskSlotsPerNode=4))
    nodes = await batch.until(
        batch.nodes, lambda nodes: len([node for node in nodes if node.state == "idle"]) == 3
    )
    await batch.client.create_job(plain_job())
    for number in range(4):
        affinity = {"affinityId": nodes[2].affinity_id}
        name = f"near{number}"
        await batch.client.create_task("job", task_body(name, SLEEP, affinityInfo=affinity))
        task = await until_task(batch, name, "running")
        assert task.node_info is not None
        assert task.node_info.node_id == nodes[2].id
        assert task.affinity_info is not None
        assert task.affinity_info.affinity_id == nodes[2].affinity_id


async def test_ending_a_task_goes_before_running_it_again(batch: Batch) -> None:
    """A task that is being requeued when a client ends it does not come back."""
    await start(batch, task_body("one", "/bin/sh -c 'trap \"\" TERM; touch on; sleep 600'"))

    async def deaf() -> bool:
        return any(batch.root.rglob("one/wd/on"))

    await batch.until(deaf, bool)
    await batch.send("POST", "/jobs/job/disable", json={"disableTasks": "requeue"})
    await batch.client.terminate_task("job", "one")
    await until_job(batch, "disabled")

    assert code_of(await settled(batch, "one")) == "TaskEnded"

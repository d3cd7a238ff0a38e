"""Job preparation and job release tasks: what a job does on a node before and after its tasks."""

import asyncio
import uuid
from typing import Any

import pytest

from tests.contract.conftest import Batch, Start, pool_body, refusal
from tests.support.plain_jobs import plain_job, settled, task_body, until_job, until_task
from tests.support.prepared_jobs import Status, prepared, statuses
from tests.support.stubborn import stubborn, survivors

WRITE = "/bin/sh -c 'pwd > $AZ_BATCH_NODE_SHARED_DIR/{name}; env > env.txt; echo {name}'"


async def node_file(batch: Batch, status: Status, path: str) -> str:
    """Return a file of the node of a status."""
    assert status.pool_id
    assert status.node_id
    parts = await batch.client.download_node_file(status.pool_id, status.node_id, path)
    return b"".join([part async for part in parts]).decode()


async def test_a_node_is_prepared_once_and_released(batch: Batch) -> None:
    """Two tasks share one preparation, find its folder, and the release comes before the job's end."""
    release = {"commandLine": WRITE.format(name="release"), "id": "bye"}
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    settings = [{"name": "WORD", "value": "hello"}]
    await batch.client.create_job(
        plain_job(
            commonEnvironmentSettings=settings,
            jobReleaseTask=release,
            **prepared(WRITE.format(name="prep")),
        )
    )
    assert await statuses(batch) == []
    for name in ("one", "two"):
        show = "/bin/sh -c 'cat $AZ_BATCH_JOB_PREP_WORKING_DIR/env.txt'"
        await batch.client.create_task("job", task_body(name, show))
        await settled(batch, name)
    (status,) = await statuses(batch)
    assert status.job_preparation_task_execution_info is not None
    assert status.job_preparation_task_execution_info.state == "completed"
    assert status.job_preparation_task_execution_info.result == "success"
    assert status.job_preparation_task_execution_info.exit_code == 0
    assert status.job_preparation_task_execution_info.retry_count == 0
    assert status.job_release_task_execution_info is None
    await batch.terminate("job", "done")
    await until_job(batch, "completed")

    (status,) = await statuses(batch)
    assert status.job_release_task_execution_info is not None
    assert status.job_release_task_execution_info.result == "success"
    root = status.job_release_task_execution_info.task_root_directory
    assert root == "workitems/job/job-1/bye"
    assert await node_file(batch, status, f"{root}/stdout.txt") == "release\n"
    variables = (await node_file(batch, status, f"{root}/wd/env.txt")).splitlines()
    (node,) = await batch.nodes()
    folder = batch.root.resolve() / "pool" / str(node.id) / "workitems/job/job-1"
    assert f"AZ_BATCH_JOB_PREP_DIR={folder}/jobpreparation" in variables
    assert f"AZ_BATCH_TASK_DIR={folder}/bye" in variables
    assert "AZ_BATCH_TASK_ID=bye" in variables
    own = (folder / "jobpreparation/wd/env.txt").read_text()
    assert "WORD=hello" in own.splitlines()
    assert "AZ_BATCH_TASK_ID=jobpreparation" in own.splitlines()
    assert "AZ_BATCH_JOB_PREP" not in own
    assert node.total_tasks_run == 2


async def test_a_failed_preparation_keeps_tasks_from_the_node(batch: Batch) -> None:
    """Until the node is reimaged; other jobs run there, and no release follows."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(
        plain_job(
            jobReleaseTask={"commandLine": "/bin/true"},
            **prepared("/bin/sh -c 'exit 3'", constraints={"maxTaskRetryCount": 1}),
        )
    )
    await batch.client.create_task("job", task_body("main"))

    async def failed() -> Any:  # noqa: ANN401
        return [one.job_preparation_task_execution_info for one in await statuses(batch)]

    (info,) = await batch.until(failed, lambda seen: bool(seen) and seen[0].state == "completed")
    assert (info.exit_code, info.retry_count, info.result) == (3, 1, "failure")
    assert info.failure_info.code == "FailureExitCode"
    waiting = await until_task(batch, "main", "active")
    assert waiting.execution_info is not None
    assert (waiting.execution_info.requeue_count, waiting.node_info) == (0, None)
    (node,) = await batch.nodes()
    assert (node.state, node.total_tasks_run) == ("idle", 0)
    assert [(one.task_id, one.task_state) for one in node.recent_tasks or []] == [
        ("main", "active")
    ]
    await batch.client.create_job(plain_job("other"))
    await batch.client.create_task("other", task_body("main"))
    await settled(batch, "main", "other")
    await batch.send("POST", f"/pools/pool/nodes/{node.id}/reboot", json={})
    await batch.until(batch.nodes, lambda nodes: nodes[0].state == "idle")
    assert (await batch.client.get_task("job", "main")).state == "active"
    await batch.send("POST", f"/pools/pool/nodes/{node.id}/reimage", json={})
    await batch.until(failed, lambda seen: bool(seen) and seen[0].start_time > info.end_time)
    await batch.terminate("job", "enough")
    await until_job(batch, "completed")
    assert [one.job_release_task_execution_info for one in await statuses(batch)] == [None]


async def test_a_preparation_that_spoils_its_folder_fails(batch: Batch) -> None:
    """Nothing waits for ever, and the node is there for other jobs."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    command = "/bin/sh -c 'cd ..; rm -r wd; touch wd; exit 1'"
    retried = {"constraints": {"maxTaskRetryCount": 1}}
    await batch.client.create_job(plain_job(**prepared(command, **retried)))
    await batch.client.create_task("job", task_body("main"))

    async def codes() -> list[str | None]:
        infos = [one.job_preparation_task_execution_info for one in await statuses(batch)]
        return [info.failure_info.code for info in infos if info and info.failure_info]

    await batch.until(codes, lambda seen: seen == ["CommandLaunchFailed"])
    await batch.client.create_job(plain_job("other"))
    await batch.client.create_task("other", task_body("main"))
    await settled(batch, "main", "other")


async def test_a_task_is_tried_on_another_node(batch: Batch) -> None:
    """The one node cannot be prepared, and the other can."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=2))
    await batch.until(batch.nodes, lambda nodes: [one.state for one in nodes] == ["idle"] * 2)
    bad, good = sorted(str(node.id) for node in await batch.nodes())
    command = f'/bin/sh -c \'test "$AZ_BATCH_NODE_ID" = "{good}"\''
    await batch.client.create_job(plain_job(**prepared(command)))
    near = {"affinityInfo": {"affinityId": f"TVM:{bad}"}}
    await batch.client.create_task("job", task_body("main", **near))

    task = await settled(batch, "main")

    assert task.node_info is not None
    assert task.node_info.node_id == good
    assert [(one.node_id, one.job_preparation_task_execution_info) for one in await statuses(batch)]


async def test_without_waiting_tasks_run_beside_the_preparation(batch: Batch) -> None:
    """Also when it has failed; with waiting they are preparing until it ends."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, taskSlotsPerNode=2))
    slow = "/bin/sh -c 'until [ -e ../../task/go ]; do sleep 0.02; done; exit 5'"
    await batch.client.create_job(plain_job(**prepared(slow, waitForSuccess=False)))
    await batch.client.create_task("job", task_body("task", "/bin/sh -c 'sleep 0.1; touch ../go'"))
    await settled(batch, "task")
    await batch.client.create_task("job", task_body("later"))
    await settled(batch, "later")

    gate = "/bin/sh -c 'until [ -e $AZ_BATCH_NODE_SHARED_DIR/go ]; do sleep 0.02; done'"
    await batch.client.create_job(plain_job("waits", **prepared(gate)))
    for name in ("one", "two"):
        await batch.client.create_task("waits", task_body(name))
        task = await until_task(batch, name, "preparing", "waits")
    assert task.execution_info is not None
    assert task.execution_info.start_time is not None
    assert task.node_info is not None
    assert task.node_info.node_id is not None
    assert task.node_info.task_root_directory is None
    counts = (await batch.client.get_job_task_counts("waits")).task_counts
    assert (counts.active, counts.running) == (0, 2)
    await batch.client.terminate_task("waits", "two")
    ended = await settled(batch, "two", "waits")
    assert ended.execution_info is not None
    assert (ended.execution_info.exit_code, ended.execution_info.result) == (None, "failure")
    (node,) = await batch.nodes()
    (batch.root / "pool" / str(node.id) / "shared/go").touch()
    await settled(batch, "one", "waits")


@pytest.mark.parametrize("again", [True, False])
async def test_a_reboot_prepares_again_where_that_is_wanted(batch: Batch, again: bool) -> None:
    """A preparation that has succeeded runs again only with ``rerunOnNodeRebootAfterSuccess``."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    count = "/bin/sh -c 'echo >> $AZ_BATCH_NODE_SHARED_DIR/count'"
    rerun = {"rerunOnNodeRebootAfterSuccess": again}
    await batch.client.create_job(plain_job(**prepared(count, **rerun)))
    await batch.client.create_task("job", task_body("one"))
    await settled(batch, "one")
    (node,) = await batch.nodes()
    await batch.send("POST", f"/pools/pool/nodes/{node.id}/reboot", json={})
    await batch.client.create_task("job", task_body("two"))
    await settled(batch, "two")

    counted = (batch.root / "pool" / str(node.id) / "shared/count").read_text()
    assert len(counted) == (2 if again else 1)


async def test_neither_task_leaves_a_process(start_batch: Start) -> None:
    """Not when the job ends while it is prepared, and not when the node goes; and none is said to run."""
    batch = await start_batch()
    first, second, third = (f"mark{uuid.uuid4().hex}" for _ in range(3))

    async def left() -> list[int]:
        return [*survivors(second), *survivors(third)]

    async def runs(mark: str) -> None:
        async def look() -> int:
            return len(survivors(mark))

        await batch.until(look, lambda seen: seen >= 2)

    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    release = {"commandLine": stubborn(second)}
    await batch.client.create_job(plain_job(**prepared(stubborn(first))))
    await batch.client.create_task("job", task_body("main"))
    await runs(first)
    await batch.terminate("job", "enough")
    await until_job(batch, "completed")
    assert survivors(first) == []
    await batch.client.create_job(plain_job("released", jobReleaseTask=release, **prepared()))
    await batch.client.create_task("released", task_body("main"))
    await settled(batch, "main", "released")
    await batch.terminate("released", "enough")
    await runs(second)
    assert (await batch.client.get_job("released")).state == "terminating"
    await batch.client.create_job(plain_job("third", **prepared(stubborn(third))))
    await batch.client.create_task("third", task_body("main"))
    await runs(third)
    await batch.client.begin_delete_pool("pool", polling_interval=0)
    await until_job(batch, "completed", "released")
    await until_task(batch, "main", "active", "third")
    await batch.until(left, lambda seen: seen == [])
    (released,), (third_one,) = await statuses(batch, "released"), await statuses(batch, "third")
    for info in (
        released.job_release_task_execution_info,
        third_one.job_preparation_task_execution_info,
    ):
        assert info is not None
        assert (info.state, info.result) == ("completed", "failure")


async def test_a_release_is_run_again_after_a_reboot(batch: Batch) -> None:
    """The job is not completed before; a job that is deleted is released as well."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    wait = (
        "/bin/sh -c 'echo >> $AZ_BATCH_NODE_SHARED_DIR/count; "
        "until [ -e $AZ_BATCH_NODE_SHARED_DIR/go ]; do sleep 0.02; done'"
    )
    await batch.client.create_job(plain_job(jobReleaseTask={"commandLine": wait}, **prepared()))
    await batch.client.create_task("job", task_body("main"))
    await settled(batch, "main")
    (node,) = await batch.nodes()
    shared = batch.root / "pool" / str(node.id) / "shared"

    async def count() -> int:
        await asyncio.sleep(0)
        return len((shared / "count").read_text()) if (shared / "count").exists() else 0

    await batch.send("DELETE", "/jobs/job")
    await batch.until(count, lambda seen: seen == 1)
    await batch.send("POST", f"/pools/pool/nodes/{node.id}/reboot", json={})
    await batch.until(count, lambda seen: seen == 2)
    assert (await batch.client.get_job("job")).state == "deleting"
    (shared / "go").touch()

    async def jobs() -> list[str]:
        return [str(job.id) async for job in batch.client.list_jobs()]

    await batch.until(jobs, lambda seen: seen == [])
    assert not (shared.parent / "workitems/job").exists()


async def test_what_is_refused(batch: Batch) -> None:
    """A release without a preparation, ids twice, and a release of more than 15 minutes."""
    release = {"jobReleaseTask": {"commandLine": "/bin/true"}}
    create = batch.client.create_job
    assert await refusal(create(plain_job(**release))) == (400, "MissingRequiredProperty")
    long = {"jobReleaseTask": {"commandLine": "/bin/true", "maxWallClockTime": "PT16M"}}
    assert await refusal(create(plain_job(**long, **prepared()))) == (400, "InvalidPropertyValue")
    manager = {"jobManagerTask": {"id": "JobRelease", "commandLine": "/bin/true"}}
    same = plain_job(**release, **manager, **prepared())
    assert await refusal(create(same)) == (409, "TaskIdSameAsJobReleaseTask")
    await create(plain_job(**release, **prepared()))
    task = batch.client.create_task("job", task_body("jobpreparation"))
    assert await refusal(task) == (409, "TaskIdSameAsJobPreparationTask")
    await create(plain_job("plain"))
    code = "JobPreparationTaskOrReleaseTaskNotSpecified"
    assert await refusal(statuses(batch, "plain")) == (409, code)

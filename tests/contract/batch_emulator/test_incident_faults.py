"""Incidents that the fault endpoint brings about: what the official client sees of each."""

from functools import partial
from operator import eq

import aiohttp
import pytest
from azure.batch.models import BatchTask

from tests.contract.conftest import TOKEN, Batch, Start, job_body, pool_body, refusal
from tests.contract.passes.incidents import incident
from tests.support.emulated_pools import idle, in_state, scaled
from tests.support.faults import BadFaultError
from tests.support.plain_jobs import plain_job, settled, task_body

BEARER = {"Authorization": f"Bearer {TOKEN}"}
UPLOADS = {
    "outputFiles": [
        {
            "filePattern": "../std*.txt",
            "destination": {"container": {"containerUrl": "http://127.0.0.1:9/a/c?sig=x"}},
            "uploadOptions": {"uploadCondition": "taskcompletion"},
        }
    ]
}


@pytest.fixture
async def faulty(start_batch: Start) -> Batch:
    return await start_batch(faults=True)


async def ended(batch: Batch, name: str) -> BatchTask:
    """Wait for the end of a task of the job ``job``."""
    task = await settled(batch, name)
    assert task.execution_info is not None
    return task


async def runs_of(batch: Batch) -> int | None:
    """Return how often the task ``one`` was tried again, while it runs."""
    task = await batch.client.get_task("job", "one")
    info = task.execution_info if task.state == "running" else None
    return info.retry_count if info else None


@incident(1)
@incident(2)
@incident(7)
@incident(14)
@incident(23)
@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        ("list_task_files", 409, "NodeNotReady"),
        ("list_task_files", 404, "NodeNotFound"),
        ("list_task_files", 409, "TaskFilesCleanedup"),
        ("list_task_files", 409, "OperationInvalidForCurrentState"),
        ("create_pool", 409, "InvalidApplicationPackageReferences"),
        ("create_job", 500, "InternalError"),
        ("enable_pool_auto_scale", 503, "TooManyEnableAutoScaleRequests"),
    ],
)
async def test_a_code_alone(faulty: Batch, operation: str, status: int, code: str) -> None:
    """Incidents 1, 2, 7, 14 and 23: any code of the service, with its status, where a test wants it."""
    rule = await faulty.faults.add("refusal", operation=operation, code=code)
    calls = {
        "list_task_files": ("GET", "/jobs/job/tasks/main/files"),
        "create_pool": ("POST", "/pools"),
        "create_job": ("POST", "/jobs"),
        "enable_pool_auto_scale": ("POST", "/pools/pool/enableautoscale"),
    }

    assert await refusal(faulty.send(*calls[operation])) == (status, code)
    assert (await faulty.faults.hits())[rule] >= 1


@incident(3)
async def test_a_task_is_skipped(faulty: Batch) -> None:
    """Incident 3: completed, without a start, an exit code or files; its job goes on."""
    await faulty.client.create_job(plain_job())
    await faulty.client.create_task("job", task_body("one", "/bin/true"))

    await faulty.faults.skip_task("job", "one")

    task = await faulty.client.get_task("job", "one")
    info = task.execution_info
    assert info is not None
    assert (task.state, info.result, info.start_time, info.exit_code) == (
        "completed",
        "failure",
        None,
        None,
    )
    assert info.failure_info is not None
    assert info.failure_info.code == "TaskEnded"
    files = faulty.client.list_task_files("job", "one")
    assert await refusal(anext(aiter(files))) == (409, "TaskFilesUnavailable")
    assert (await faulty.client.get_job("job")).state == "active"
    with pytest.raises(BadFaultError, match="the task is completed"):
        await faulty.faults.skip_task("job", "one")


@incident(5)
async def test_a_pool_that_follows_a_formula_shrinks(faulty: Batch) -> None:
    """Incident 5: the running task goes back to its queue, as the default of formulas is."""
    rarely = scaled("$TargetDedicatedNodes = 1;", autoScaleEvaluationInterval="PT168H")
    await faulty.client.create_pool(pool_body(**rarely))
    await faulty.client.create_job(job_body("job", "/bin/sleep 600"))
    await faulty.running("job")

    await faulty.faults.shrink("pool")

    await faulty.until(faulty.nodes, lambda nodes: not nodes)
    task = await faulty.client.get_task("job", "main")
    assert task.state == "active"
    assert task.execution_info is not None
    assert (task.execution_info.requeue_count, task.execution_info.retry_count) == (1, 0)
    with pytest.raises(BadFaultError, match="option must be one of"):
        await faulty.faults.shrink("pool", option="retaineddata")
    with pytest.raises(BadFaultError, match="dedicated must be a whole number from 0 to 64"):
        await faulty.faults.shrink("pool", dedicated=65)


@incident(6)
async def test_start_tasks_fail_until_the_pool_is_mended(faulty: Batch) -> None:
    """Incident 6: the node is of no use until it restarts; a mended pool runs its own start task."""
    start = {"commandLine": "/bin/true", "waitForSuccess": True}
    await faulty.client.create_pool(pool_body(startTask=start))
    await faulty.faults.break_start("pool", exitCode=7)
    await faulty.client.create_job(job_body("job", "/bin/true"))
    await faulty.send("POST", "/pools/pool/resize", json={"targetDedicatedNodes": 1})

    node = await in_state(faulty, "starttaskfailed")

    assert node.start_task_info is not None
    assert node.start_task_info.exit_code == 7
    assert (await faulty.client.get_task("job", "main")).state == "active"
    await faulty.faults.mend_pool("pool")
    await faulty.send("POST", f"/pools/pool/nodes/{node.id}/reboot")
    await faulty.completed("job")
    with pytest.raises(BadFaultError, match="exitCode must be a whole number from 1 to 255"):
        await faulty.faults.break_start("pool", exitCode=0)


@incident(12)
async def test_evaluations_fail_until_the_pool_is_mended(faulty: Batch) -> None:
    """Incident 12: the pool keeps its size and says why, in the form that was recorded."""
    await faulty.client.create_pool(pool_body(**scaled("$TargetDedicatedNodes = 1;")))
    await idle(faulty, 1)
    formula = {"autoScaleFormula": "$TargetDedicatedNodes = 0;"}

    await faulty.faults.break_formula("pool")

    run = (await faulty.send("POST", "/pools/pool/evaluateautoscale", json=formula)).json()
    assert run["results"].startswith("$TargetDedicatedNodes=1;")
    assert run["error"]["code"] == "InsufficientSampleData"
    assert run["error"]["values"][0]["name"] == "Message"
    assert "wanted 70%, received 0%" in run["error"]["values"][0]["value"]
    await faulty.faults.mend_pool("pool")
    run = (await faulty.send("POST", "/pools/pool/evaluateautoscale", json=formula)).json()
    assert "error" not in run
    with pytest.raises(BadFaultError, match="code must be one of"):
        await faulty.faults.break_formula("pool", code="Other")


@incident(18)
async def test_a_task_expires(faulty: Batch) -> None:
    """Incident 18: killed as for its time, and tried again where it may be; what it wrote is there."""
    await faulty.client.create_pool(pool_body(targetDedicatedNodes=1))
    await faulty.client.create_job(plain_job())
    command = "/bin/sh -c 'echo begun; sleep 600'"
    body = task_body("one", command, constraints={"maxTaskRetryCount": 1})
    await faulty.client.create_task("job", body)
    for retries in (0, 1):
        await faulty.until(lambda: runs_of(faulty), partial(eq, retries))
        await faulty.faults.expire_task("job", "one")

    info = (await ended(faulty, "one")).execution_info

    assert info is not None
    assert info.failure_info is not None
    assert (info.result, info.failure_info.code) == ("failure", "FailureExitCode")
    assert info.exit_code in {-15, -9}
    assert info.retry_count == 1
    with pytest.raises(BadFaultError, match="the task is completed"):
        await faulty.faults.expire_task("job", "one")


@incident(19)
async def test_uploads_fail_until_the_job_is_mended(faulty: Batch) -> None:
    """Incident 19: exit code 0 and a failed result, whatever the storage would have said."""
    await faulty.client.create_pool(pool_body(targetDedicatedNodes=1))
    await faulty.client.create_job(plain_job())
    await faulty.faults.break_uploads("job")
    await faulty.client.create_task("job", task_body("one", "/bin/true", **UPLOADS))
    await faulty.client.create_task("job", task_body("two", "/bin/true"))

    info = (await ended(faulty, "one")).execution_info

    assert info is not None
    assert info.failure_info is not None
    assert (info.exit_code, info.result) == (0, "failure")
    assert info.failure_info.code == "FileUploadContainerNotFound"
    other = (await ended(faulty, "two")).execution_info
    assert other is not None
    assert other.result == "success"
    await faulty.faults.mend_job("job")
    await faulty.client.create_task("job", task_body("three", "/bin/true", **UPLOADS))
    info = (await ended(faulty, "three")).execution_info
    assert info is not None
    assert info.failure_info is not None
    assert info.failure_info.code == "FileUploadMiscError"


@incident(21)
async def test_counts_are_held_until_the_job_is_mended(faulty: Batch) -> None:
    """Incident 21: what was told before, whatever tasks there are now."""
    await faulty.client.create_job(plain_job())
    await faulty.client.create_task("job", task_body("one", "/bin/true"))

    async def active() -> int:
        return (await faulty.client.get_job_task_counts("job")).task_counts.active

    assert await active() == 1
    await faulty.faults.hold_counts("job", seconds=3600)
    await faulty.client.create_task("job", task_body("two", "/bin/true"))
    assert await active() == 1
    await faulty.faults.mend_job("job")
    assert await active() == 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/faults", "a refusal has a status or a code, and not both"),
        ("/jobs/none/tasks/one/skip", "there is no task none/one"),
        ("/pools/none/shrink", "there is no pool none"),
        ("/tasks/none/skip", "there is no operation POST /emulator/tasks/none/skip"),
        ("/nodes/none/mend", "there is no operation POST /emulator/nodes/none/mend"),
    ],
)
async def test_what_there_is_not_is_refused(faulty: Batch, path: str, message: str) -> None:
    """By a message that says what is missing."""
    async with aiohttp.ClientSession(headers=BEARER) as session:
        reply = await session.post(f"{faulty.url}/emulator{path}", json={"kind": "refusal"})
        assert reply.status in {400, 404}
        assert message in await reply.text()

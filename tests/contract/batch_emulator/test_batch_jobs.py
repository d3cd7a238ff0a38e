"""The life of a job: what its task does, how it ends, and what is left of it."""

import shlex
import signal
import sys
from datetime import timedelta
from urllib.parse import quote

import pytest
from azure.batch.models import BatchTask

from tests.contract.conftest import Batch, job_body, pool_body, refusal

BINARY = bytes(range(256)) * 4 + b"no newline at the end"


async def ran(batch: Batch, command: str, **manager: object) -> BatchTask:
    """Run one command on a pool of one node and return its completed task."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", command, **manager))
    await batch.completed("job")
    return await batch.client.get_task("job", "main")


async def test_a_job_runs_its_command_and_completes(batch: Batch) -> None:
    """The job manager task runs, its output is exact to the byte, and the job ends with it."""
    script = f"import sys; sys.stdout.buffer.write({BINARY!r}); sys.stderr.write('w')"
    task = await ran(batch, shlex.join([sys.executable, "-c", script]))

    assert task.state == "completed"
    assert task.execution_info is not None
    assert task.execution_info.exit_code == 0
    assert task.execution_info.result == "success"
    assert task.execution_info.failure_info is None
    assert await batch.content("stdout.txt") == BINARY
    assert await batch.content("stderr.txt") == b"w"
    job = await batch.client.get_job("job")
    assert job.execution_info is not None
    assert job.execution_info.termination_reason == "JMComplete"
    assert job.execution_info.end_time is not None


async def test_a_command_that_exits_with_3_fails(batch: Batch) -> None:
    """The exit code is kept, the task fails, and the job completes all the same."""
    task = await ran(batch, "/bin/sh -c 'exit 3'")

    assert task.execution_info is not None
    assert task.execution_info.exit_code == 3
    assert task.execution_info.result == "failure"
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "FailureExitCode"


async def test_a_program_that_does_not_exist(batch: Batch) -> None:
    """A task whose program is missing fails without an exit code; its empty files exist."""
    task = await ran(batch, "/no/such/program --flag")

    assert task.execution_info is not None
    assert task.execution_info.exit_code is None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "CommandProgramNotFound"
    assert await batch.content("stdout.txt") == b""


async def test_no_shell_is_added(batch: Batch) -> None:
    """Variables and wildcards reach the program as they are written."""
    await ran(batch, "/bin/echo $AZ_BATCH_TASK_ID '*' \"two words\" Zoë")

    assert await batch.content("stdout.txt") == "$AZ_BATCH_TASK_ID * two words Zoë\n".encode()


async def test_the_environment_is_clean(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task sees Batch's variables and its own settings, and nothing of the emulator's."""
    monkeypatch.setenv("OF_THE_EMULATOR", "1")
    settings = [{"name": "MINE", "value": "a b"}, {"name": "AZ_BATCH_JOB_ID", "value": "forged"}]
    await ran(batch, "/usr/bin/env", environmentSettings=settings)

    lines = (await batch.content("stdout.txt")).decode().splitlines()
    seen = dict(line.split("=", 1) for line in lines)
    node = (await batch.nodes())[0]
    root = (batch.root / "pool" / node.id).resolve()
    task = root / "workitems/job/job-1/main"
    assert seen.keys() - {"PATH", "HOME", "USER", "AZ_BATCH_EMULATOR_TREE"} == {
        "MINE",
        "AZ_BATCH_ACCOUNT_NAME",
        "AZ_BATCH_ACCOUNT_URL",
        "AZ_BATCH_JOB_ID",
        "AZ_BATCH_NODE_ID",
        "AZ_BATCH_NODE_IS_DEDICATED",
        "AZ_BATCH_NODE_MOUNTS_DIR",
        "AZ_BATCH_NODE_ROOT_DIR",
        "AZ_BATCH_NODE_SHARED_DIR",
        "AZ_BATCH_NODE_STARTUP_DIR",
        "AZ_BATCH_POOL_ID",
        "AZ_BATCH_TASK_DIR",
        "AZ_BATCH_TASK_ID",
        "AZ_BATCH_TASK_WORKING_DIR",
    }
    assert seen["MINE"] == "a b"
    assert seen["AZ_BATCH_JOB_ID"] == "job"
    assert seen["AZ_BATCH_NODE_ROOT_DIR"] == str(root)
    assert seen["AZ_BATCH_TASK_DIR"] == str(task)
    assert seen["AZ_BATCH_TASK_WORKING_DIR"] == str(task / "wd")


async def test_a_task_past_its_wall_clock_time_is_killed(batch: Batch) -> None:
    """The task's own limit ends the task, not more than the job around it."""
    task = await ran(
        batch, "/bin/sleep 600", constraints={"maxWallClockTime": timedelta(seconds=0.3)}
    )

    assert task.execution_info is not None
    assert task.execution_info.result == "failure"
    assert task.execution_info.exit_code == -signal.SIGTERM


async def test_a_job_past_its_wall_clock_time_ends(batch: Batch) -> None:
    """The job's limit counts from its creation, also while its task never ran."""
    limits = {"constraints": {"maxWallClockTime": "PT0.3S"}}
    await batch.client.create_job(job_body("job", "/bin/true", limits))  # there is no pool
    job = await batch.completed("job")

    assert job.execution_info is not None
    assert job.execution_info.termination_reason == "MaxWallClockTimeExpiry"
    assert (await batch.client.get_task("job", "main")).state == "active"


async def test_a_job_can_outlive_its_job_manager(batch: Batch) -> None:
    """Without killJobOnCompletion the job stays active when its job manager task is completed."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/true", killJobOnCompletion=False))
    await batch.until(
        lambda: batch.client.get_task("job", "main"), lambda task: task.state == "completed"
    )

    assert (await batch.client.get_job("job")).state == "active"


async def test_a_task_can_refuse_spot_nodes(batch: Batch) -> None:
    """A job manager task that does not allow Spot nodes waits for a dedicated one."""
    await batch.client.create_job(job_body("picky", "/bin/true", allowLowPriorityNode=False))
    await batch.client.create_pool(pool_body(targetLowPriorityNodes=1))
    await batch.client.create_job(job_body("other", "/bin/true"))
    await batch.completed("other")

    assert (await batch.client.get_task("picky", "main")).state == "active"


async def test_retries_count_exit_codes(batch: Batch) -> None:
    """A task that exits with another code than 0 is run again, up to the limit."""
    command = "/bin/sh -c 'echo x >> tries; test $(wc -l < tries) -ge 3'"
    task = await ran(batch, command, constraints={"maxTaskRetryCount": 5})

    assert task.execution_info is not None
    assert task.execution_info.exit_code == 0
    assert task.execution_info.retry_count == 2
    assert task.execution_info.requeue_count == 0


async def test_terminate_ends_a_running_task(batch: Batch) -> None:
    """The caller's reason is kept, and the task says that it was ended by a request."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/sleep 600"))
    await batch.running("job")
    await batch.terminate("job", "enough")
    job = await batch.completed("job")
    task = await batch.client.get_task("job", "main")

    assert job.execution_info is not None
    assert job.execution_info.termination_reason == "enough"
    assert task.state == "completed"
    assert task.execution_info is not None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "TaskEnded"
    assert await refusal(batch.terminate("job", "again")) == (409, "JobCompleted")


async def test_an_active_task_of_an_ended_job_never_runs(batch: Batch) -> None:
    """What had not started when its job ended stays active, whatever room there is later."""
    await batch.client.create_job(job_body("job", "/bin/true"))
    await batch.terminate("job", "not needed")
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("other", "/bin/true"))
    await batch.completed("other")

    task = await batch.client.get_task("job", "main")
    assert task.state == "active"
    assert task.node_info is None


async def test_a_job_is_deleted_with_its_running_task(batch: Batch) -> None:
    """Deleting ends the task first; the job's id is free afterwards."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/sleep 600"))
    await batch.running("job")
    poller = await batch.client.begin_delete_job("job", polling_interval=0)
    await poller.result()

    assert await refusal(batch.client.get_job("job")) == (404, "JobNotFound")
    node = (await batch.nodes())[0]
    assert not list((batch.root / "pool" / node.id / "workitems").iterdir())
    await batch.client.create_job(job_body("job", "/bin/true"))
    await batch.completed("job")


async def test_a_job_waits_for_its_pool(batch: Batch) -> None:
    """A job is accepted for a pool that does not exist, and runs when it does."""
    await batch.client.create_job(job_body("job", "/bin/true"))
    assert (await batch.client.get_task("job", "main")).state == "active"
    await batch.client.create_pool(pool_body(targetLowPriorityNodes=1))

    await batch.completed("job")


async def test_a_higher_priority_runs_first(batch: Batch) -> None:
    """One slot is given to the job of the highest priority, then to the oldest."""
    for name, priority in (("low", 0), ("first", 5), ("second", 5)):
        body = job_body(name, "/bin/true", {"priority": priority})
        await batch.client.create_job(body)
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.completed("low")
    starts = []
    for name in ("first", "second", "low"):
        task = await batch.client.get_task(name, "main")
        assert task.execution_info is not None
        assert task.execution_info.start_time is not None
        starts.append(task.execution_info.start_time)

    assert starts == sorted(starts)


async def test_only_files_are_served(batch: Batch) -> None:
    """A pipe would be read for ever, and a link may lead anywhere: what is no file is not there."""
    script = (
        "mkfifo pipe; ln -s loop loop; ln -s nothing dangling; ln -s /etc/passwd out;"
        "echo here > file; ln -s file link; mkdir -p folder/below; ln -s .. folder/up; ln -s pipe tap"
    )
    await ran(batch, shlex.join(["/bin/sh", "-c", script]))

    reply = await batch.send("GET", "/jobs/job/tasks/main/files", recursive="true")
    assert {file["name"] for file in reply.json()["value"] if file["name"].startswith("wd/")} == {
        *("wd/file", "wd/link", "wd/folder", "wd/folder/below", "wd/folder/up"),
    }
    assert await batch.content("wd/link") == b"here\n"
    for name in ("pipe", "tap", "loop", "loop/x", "dangling", "out", "file/x", "n" * 300):
        for method in ("GET", "HEAD"):
            missing = batch.send(
                method, f"/jobs/job/tasks/main/files/{quote(f'wd/{name}', safe='')}"
            )
            code = "FileNotFound" if method == "GET" else None
            assert await refusal(missing) == (404, code), name


@pytest.mark.parametrize("days", [2_900_000, 3_700_000, 10_675_198])
async def test_a_job_whose_time_ends_after_all_dates(batch: Batch, days: int) -> None:
    """It ends like any other."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    limits = {"constraints": {"maxWallClockTime": f"P{days}D"}}
    await batch.client.create_job(job_body("job", "/bin/true", limits))

    assert (await batch.completed("job")).state == "completed"

"""Application packages of tasks: on the node before the command, once for all tasks there."""

import os
import shlex
import stat
import zipfile
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.batch.models import BatchTask

from batch_emulator.arm.arm_call import GROUP, TYPE
from batch_emulator.dataplane.network_shapes import SUBSCRIPTION
from batch_emulator.package import Package
from tests.contract.conftest import ACCOUNT, TOKEN, Batch, Start, job_body, pool_body, refusal

type Json = dict[str, Any]

TOOL: Json = {"applicationId": "My-Tool", "version": "1.0"}
VARIABLE = "AZ_BATCH_APP_PACKAGE_my_tool_1_0"


def packed(path: Path, name: str = "run.sh", mode: int = stat.S_IFREG | 0o755) -> Path:
    """Return a zip with one script."""
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, mode << 16
        archive.writestr(info, "#!/bin/sh\necho packaged\n")
    return path


@pytest.fixture
async def batch(start_batch: Start, tmp_path: Path) -> Batch:
    """Give an account with the application ``My-Tool``."""
    package = Package("My-Tool", "1.0", packed(tmp_path / "tool.zip"))
    return await start_batch(applications=(package,))


async def ran(batch: Batch, command: str, job_id: str = "job", **manager: object) -> BatchTask:
    """Run a shell's command as a job manager task with the package."""
    line = shlex.join(["/bin/sh", "-c", command])
    body = job_body(job_id, line, **{"applicationPackageReferences": [TOOL], **manager})
    await batch.client.create_job(body)
    await batch.completed(job_id)
    return await batch.client.get_task(job_id, "main")


async def test_a_package_of_a_task(batch: Batch) -> None:
    """It lies in the node's shared folder and is announced to the tasks that name it alone."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    task = await ran(batch, f"${VARIABLE}/run.sh; echo ${VARIABLE}; echo $AZ_BATCH_NODE_ROOT_DIR")
    said, folder, root = (await batch.content("stdout.txt")).decode().split()

    assert said == "packaged"
    assert folder == f"{root}/applications/my-tool1.0"
    assert [dict(item) for item in task.application_package_references or ()] == [TOOL]
    await ran(batch, f"echo ${VARIABLE}", "other", applicationPackageReferences=[])
    assert await batch.content("stdout.txt", "other") == b"\n"


async def test_a_package_is_unzipped_once(batch: Batch) -> None:
    """A second task finds what the first one has there, and what it did to it."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await ran(batch, f"echo changed > ${VARIABLE}/run.sh")
    await ran(batch, f"cat ${VARIABLE}/run.sh", "second")

    assert await batch.content("stdout.txt", "second") == b"changed\n"


async def test_a_package_of_pool_and_task(batch: Batch) -> None:
    """What the pool has brought is not brought again."""
    body = pool_body(targetDedicatedNodes=1, applicationPackageReferences=[TOOL])
    await batch.client.create_pool(body)
    await ran(batch, f"echo changed > ${VARIABLE}/run.sh", applicationPackageReferences=[])
    await ran(batch, f"cat ${VARIABLE}/run.sh", "second")

    assert await batch.content("stdout.txt", "second") == b"changed\n"


async def test_a_package_after_a_reboot(batch: Batch) -> None:
    """A node that restarts has none of it any more, and gets it again."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await ran(batch, f"echo changed > ${VARIABLE}/run.sh")
    (node,) = await batch.nodes()
    await batch.send("POST", f"/pools/pool/nodes/{node.id}/reboot")
    await batch.until(batch.nodes, lambda nodes: nodes[0].state == "idle")
    await ran(batch, f"${VARIABLE}/run.sh", "second")

    assert await batch.content("stdout.txt", "second") == b"packaged\n"


async def test_tasks_that_need_a_package_at_once(batch: Batch) -> None:
    """Many tasks begin together, and each finds the whole of it."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, taskSlotsPerNode=8))
    line = f"/bin/sh -c '${VARIABLE}/run.sh'"
    for number in range(8):
        body = job_body(
            f"job{number}", line, applicationPackageReferences=[TOOL], runExclusive=False
        )
        await batch.client.create_job(body)
    for number in range(8):
        await batch.completed(f"job{number}")
        assert await batch.content("stdout.txt", f"job{number}") == b"packaged\n"


@pytest.mark.parametrize("reference", [{**TOOL, "version": "2"}, {"applicationId": "My-Tool"}])
async def test_a_package_that_does_not_exist_is_refused(batch: Batch, reference: Json) -> None:
    """For a job manager task and for a task; no application has a default version."""
    expected = (409, "InvalidApplicationPackageReferences")
    body = job_body("job", "/bin/true", applicationPackageReferences=[reference])
    assert await refusal(batch.client.create_job(body)) == expected
    await batch.send("POST", "/jobs", json={"id": "job", "poolInfo": {"poolId": "pool"}})
    task = {"id": "t", "commandLine": "x", "applicationPackageReferences": [reference]}
    assert await refusal(batch.send("POST", "/jobs/job/tasks", json=task)) == expected


@pytest.mark.parametrize("kind", ["gone", "damaged", "leads out", "link"])
async def test_a_package_that_cannot_be_installed(batch: Batch, tmp_path: Path, kind: str) -> None:
    """The task fails before it runs, without a retry; the node goes on, and so does a later task."""
    path = tmp_path / "tool.zip"
    match kind:
        case "gone":
            path.unlink()
        case "damaged":
            os.truncate(path, 20)
        case "leads out":
            packed(path, "../../escaped")
        case _:
            packed(path, mode=stat.S_IFLNK | 0o777)
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    task = await ran(batch, "touch ran", constraints={"maxTaskRetryCount": 2})

    info = task.execution_info
    assert info is not None
    assert info.failure_info is not None
    assert info.failure_info.code == "ApplicationPackageError"
    assert (info.exit_code, info.result, info.retry_count) == (None, "failure", 0)
    assert not list(batch.root.rglob("ran"))
    assert not list(batch.root.rglob("escaped"))
    packed(path)
    await ran(batch, f"${VARIABLE}/run.sh", "second")
    assert await batch.content("stdout.txt", "second") == b"packaged\n"


async def delete_version(batch: Batch) -> None:
    """Delete the version in Azure Resource Manager."""
    account = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/{TYPE}/{ACCOUNT}"
    url = f"{batch.url}{account}/applications/My-Tool/versions/1.0?api-version=2024-07-01"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession() as session, session.delete(url, headers=headers) as reply:
        assert reply.ok, await reply.text()


async def test_a_version_that_is_deleted_before_the_task_runs(batch: Batch) -> None:
    """The task was accepted, and fails when its turn comes."""
    line = "/bin/true"
    body = job_body("job", line, applicationPackageReferences=[TOOL])
    await batch.client.create_job(body)  # there is no pool yet
    await delete_version(batch)
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.completed("job")

    info = (await batch.client.get_task("job", "main")).execution_info
    assert info is not None
    assert info.failure_info is not None
    assert (info.failure_info.code, info.exit_code) == ("ApplicationPackageError", None)

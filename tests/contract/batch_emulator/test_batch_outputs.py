"""Output files: what is uploaded, where to, and what a failure to upload makes of the task."""

import re
import shlex
import sys

import pytest
from azure.batch.models import BatchTask
from azure.storage.blob.aio import BlobServiceClient

from tests.conftest import Containers
from tests.contract.conftest import Batch, Start, job_body, pool_body
from tests.support.output_files import output

MEBIBYTE = 1024 * 1024


async def ran(batch: Batch, command: str, *outputs: dict[str, object]) -> BatchTask:
    """Run a shell's command with these output files and return its completed task."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    line = shlex.join(["/bin/sh", "-c", command])
    await batch.client.create_job(job_body("job", line, outputFiles=list(outputs)))
    await batch.completed("job")
    return await batch.client.get_task("job", "main")


async def blobs(containers: Containers) -> dict[str, bytes]:
    """Return all that was uploaded."""
    async with BlobServiceClient.from_connection_string(containers.connection_string) as storage:
        container = storage.get_container_client(containers.outputs)
        names = [name async for name in container.list_blob_names()]
        return {name: await (await container.download_blob(name)).readall() for name in names}


async def test_outputs_are_exact_and_there_when_the_task_is_completed(
    batch: Batch, containers: Containers
) -> None:
    """Bytes of any kind and number arrive as they are."""
    script = f"import sys; sys.stdout.buffer.write(bytes(range(256)) * {9 * MEBIBYTE // 256})"
    command = shlex.join([sys.executable, "-c", script])
    task = await ran(
        batch,
        command,
        output(containers, "../stdout.txt", "run/stdout.txt"),
        output(containers, "../stderr.txt", "run/stderr.txt"),
    )

    assert task.execution_info is not None
    assert task.execution_info.result == "success"
    expected = bytes(range(256)) * (9 * MEBIBYTE // 256)
    assert await blobs(containers) == {"run/stdout.txt": expected, "run/stderr.txt": b""}


async def test_patterns(batch: Batch, containers: Containers) -> None:
    """With wildcards the path is a prefix; without, it is the blob's name, or the file's."""
    command = (
        "mkdir -p report/deep; echo 1 > report/a.csv; echo 2 > report/deep/b.csv; "
        "echo 3 > report/.hidden.csv; echo 4 > c1.txt; echo 5 > c2.txt; echo 6 > single"
    )
    await ran(
        batch,
        command,
        output(containers, "report/*.csv", "one"),
        output(containers, "report/**/*.csv", "two/"),
        output(containers, "c[!2].txt", None),
        output(containers, "$AZ_BATCH_TASK_WORKING_DIR/c?.txt", "four"),
        output(containers, "single", None),
        output(containers, "../std*.txt", "five"),
        output(containers, "none/*.csv", "six"),
    )

    assert await blobs(containers) == {
        "one/a.csv": b"1\n",
        "two/a.csv": b"1\n",
        "two/deep/b.csv": b"2\n",
        "c1.txt": b"4\n",
        "four/c1.txt": b"4\n",
        "four/c2.txt": b"5\n",
        "single": b"6\n",
        "five/stdout.txt": b"",
        "five/stderr.txt": b"",
    }


@pytest.mark.parametrize(("code", "uploaded"), [(0, {"ok", "all"}), (1, {"bad", "all"})])
async def test_conditions(
    batch: Batch, containers: Containers, code: int, uploaded: set[str]
) -> None:
    """An output is uploaded when its condition holds, in whatever case it is written."""
    await ran(
        batch,
        f"exit {code}",
        output(containers, "../stdout.txt", "ok", condition="TaskSuccess"),
        output(containers, "../stdout.txt", "bad", condition="taskfailure"),
        output(containers, "../stdout.txt", "all", condition="TASKCOMPLETION"),
    )

    assert set(await blobs(containers)) == uploaded


async def test_a_missing_container_fails_the_task(batch: Batch, containers: Containers) -> None:
    """Exit code 0 with result failure: the work was done and its output is lost."""
    task = await ran(
        batch,
        "echo done",
        output(containers, "../stdout.txt", "x", container="never-made"),
        output(containers, "../stdout.txt", "y"),
    )

    assert task.execution_info is not None
    assert (task.execution_info.exit_code, task.execution_info.result) == (0, "failure")
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "FileUploadContainerNotFound"
    assert set(await blobs(containers)) == {"y"}
    assert b"never" not in await batch.content("fileuploadout.txt")
    assert b"FileUploadContainerNotFound" in await batch.content("fileuploaderr.txt")


@pytest.mark.parametrize(
    ("url", "pattern"),
    [
        ("http://127.0.0.1:1/other/outputs", "../stdout.txt"),
        ("https://example.blob.core.windows.net/outputs", "../stdout.txt"),
        ("{account}/a/b", "../stdout.txt"),
        ("{account}/{outputs}", "never-written.txt"),
    ],
)
async def test_other_failures_to_upload(
    batch: Batch, containers: Containers, url: str, pattern: str
) -> None:
    """Another account's container, and a file that is not there, fail the task as well."""
    one = output(containers, pattern, "x")
    container = {
        "containerUrl": url.format(account=containers.account_url, outputs=containers.outputs),
        "identityReference": {"resourceId": "/x"},
    }
    task = await ran(batch, "exit 0", one | {"destination": {"container": container}})

    assert task.execution_info is not None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "FileUploadMiscError"
    assert await blobs(containers) == {}


async def test_storage_that_does_not_answer(start_batch: Start, containers: Containers) -> None:
    """A task is completed, as a failure, when its outputs cannot be brought anywhere."""
    nowhere = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", containers.connection_string)
    batch = await start_batch(storage=nowhere)
    account = re.sub(r":\d+/", ":1/", containers.account_url)
    destination = {
        "container": {"containerUrl": f"{account}/x", "identityReference": {"resourceId": "/x"}}
    }
    one = output(containers, "../stdout.txt", "x") | {"destination": destination}
    task = await ran(batch, "exit 0", one)

    assert task.execution_info is not None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "FileUploadMiscError"


async def test_a_killed_task_leaves_its_output(batch: Batch, containers: Containers) -> None:
    """What a task wrote before it was ended is uploaded."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    line = "/bin/sh -c 'echo begun; touch started; exec sleep 600'"
    outputs = [output(containers, "../stdout.txt", "x")]
    await batch.client.create_job(job_body("job", line, outputFiles=outputs))
    await batch.until(lambda: _found(batch), lambda found: found)
    await batch.terminate("job", "enough")
    await batch.completed("job")

    assert await blobs(containers) == {"x": b"begun\n"}


async def _found(batch: Batch) -> bool:
    return any(batch.root.rglob("wd/started"))


async def test_a_program_that_never_ran_uploads_nothing(
    batch: Batch, containers: Containers
) -> None:
    """Without a process there is no output, and the failure is the program's."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    outputs = [output(containers, "../stdout.txt", "x")]
    await batch.client.create_job(job_body("job", "/no/program", outputFiles=outputs))
    await batch.completed("job")
    task = await batch.client.get_task("job", "main")

    assert task.execution_info is not None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "CommandProgramNotFound"
    assert await blobs(containers) == {}


async def test_a_task_that_removes_its_folder_keeps_its_exit_code(
    batch: Batch, containers: Containers
) -> None:
    """Its output is lost, which the log of the upload says."""
    one = output(containers, "../stdout.txt", "x")
    task = await ran(batch, "rm -rf $AZ_BATCH_TASK_DIR; exit 3", one)

    assert task.execution_info is not None
    assert task.execution_info.exit_code == 3
    assert b"no such file" in await batch.content("fileuploaderr.txt")


async def test_a_task_without_a_place_for_the_log_of_its_upload(
    batch: Batch, containers: Containers
) -> None:
    """Its exit code is kept, and its failure is that of the upload."""
    command = "rm -rf $AZ_BATCH_TASK_DIR; touch $AZ_BATCH_TASK_DIR"
    task = await ran(batch, command, output(containers, "../stdout.txt", "x"))

    assert task.execution_info is not None
    assert task.execution_info.exit_code == 0
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "FileUploadMiscError"

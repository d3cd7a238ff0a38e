"""Tasks that put other things where the emulator keeps its own files: nothing waits for ever."""

import pytest

from tests.conftest import Containers
from tests.contract.conftest import Batch, pool_body, refusal
from tests.support.output_files import output
from tests.support.plain_jobs import code_of, plain_job, settled, task_body


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param("rm ../stdout.txt; mkfifo ../stdout.txt", "FailureExitCode", id="pipe"),
        pytest.param("rm ../stdout.txt; mkdir ../stdout.txt", "CommandLaunchFailed", id="folder"),
        pytest.param("cd ..; rm -r wd; touch wd", "CommandLaunchFailed", id="no folder"),
    ],
)
async def test_a_retry_takes_what_the_try_before_has_left(
    batch: Batch, command: str, code: str
) -> None:
    """It runs, or it fails to be launched."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(plain_job())
    retried = {"constraints": {"maxTaskRetryCount": 1}}
    await batch.client.create_task(
        "job", task_body("one", f"/bin/sh -c '{command}; exit 1'", **retried)
    )

    assert code_of(await settled(batch, "one")) == code


async def test_logs_of_uploads_replace_what_is_in_their_place(
    batch: Batch, containers: Containers
) -> None:
    """To write into a pipe would hold up every request to the account."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(plain_job())
    command = "/bin/sh -c 'mkfifo ../fileuploadout.txt ../fileuploaderr.txt'"
    files = [output(containers, "../stdout.txt", "out")]
    await batch.client.create_task("job", task_body("one", command, outputFiles=files))

    assert code_of(await settled(batch, "one")) is None


async def test_an_output_whose_name_is_no_text_fails_the_upload(
    batch: Batch, containers: Containers
) -> None:
    """No blob can have such a name."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(plain_job())
    command = """/bin/sh -c 'touch "$(printf "a\\377b")"'"""
    files = [output(containers, "a*", "out")]
    await batch.client.create_task("job", task_body("one", command, outputFiles=files))

    assert code_of(await settled(batch, "one")) == "FileUploadMiscError"


@pytest.mark.parametrize("place", ["$AZ_BATCH_NODE_ROOT_DIR/workitems/job/job-1/one", "/"])
async def test_a_link_in_place_of_a_task_leads_to_no_other_files(batch: Batch, place: str) -> None:
    """Neither to those of another task nor to those of this machine, whatever is asked of them."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("one", "/bin/sh -c 'echo mine > mine.txt'"))
    await settled(batch, "one")
    command = f"/bin/sh -c 'cd ../..; mv two gone; ln -s {place} two'"
    await batch.client.create_task("job", task_body("two", command))
    await settled(batch, "two")
    files = "/jobs/job/tasks/two/files"

    for path in (files, f"{files}/wd/mine.txt", f"{files}/etc/passwd"):
        assert await refusal(batch.send("GET", path)) == (404, "FileNotFound"), path
    deleted = batch.send("DELETE", f"{files}/wd", recursive="true")
    assert await refusal(deleted) == (404, "FileNotFound")
    (node,) = await batch.nodes()
    aside = f"/bin/sh -c 'cd $AZ_BATCH_NODE_ROOT_DIR/..; mv {node.id} gone; ln -s / {node.id}'"
    await batch.client.create_task("job", task_body("three", aside))
    await settled(batch, "three")
    files = f"/pools/pool/nodes/{node.id}/files"

    for path in (files, f"{files}/etc/passwd"):
        assert await refusal(batch.send("GET", path)) == (404, "FileNotFound"), path

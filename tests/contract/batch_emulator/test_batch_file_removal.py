"""Removing files of tasks and nodes."""

import pytest

from tests.contract.conftest import Batch, job_body, pool_body, refusal

COMMAND = (
    "mkdir -p full/deep empty locked; touch full/deep/file a b; ln -s full linked; "
    "ln -s /etc/passwd away; touch locked/file; chmod 000 locked"
)


@pytest.fixture
async def written(batch: Batch) -> Batch:
    """Give an account with a task that has left files, directories and links."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", f'/bin/sh -c "{COMMAND}"'))
    await batch.completed("job")
    return batch


async def names(batch: Batch) -> set[str]:
    """Return the names of what is there, links as well."""
    (folder,) = batch.root.glob("pool/*/workitems/job/job-1/main/wd")
    return {path.name for path in folder.iterdir()}


async def test_files_and_directories(written: Batch) -> None:
    """A file goes, an empty directory too, and a full one only recursively; a link goes alone."""
    client = written.client
    await client.delete_task_file("job", "main", "wd/a")
    await client.delete_task_file("job", "main", "wd/empty")
    await client.delete_task_file("job", "main", "wd/linked", recursive=True)
    full = client.delete_task_file("job", "main", "wd/full")
    assert await refusal(full) == (409, "OperationInvalidForCurrentState")
    assert await names(written) == {"b", "full", "away", "locked"}
    await client.delete_task_file("job", "main", "wd/full", recursive=True)
    await client.delete_task_file("job", "main", "wd/locked", recursive=True)
    assert await names(written) == {"b", "away"}
    (node,) = await written.nodes()
    await client.delete_node_file("pool", node.id, "workitems/job/job-1/main/wd/b")
    assert await names(written) == {"away"}


async def test_what_is_not_there(written: Batch) -> None:
    """Nor does a path or a link that leads out lead to a file, nor is the folder itself one."""
    client = written.client
    for name in ("wd/none", "../main/../../../../startup", "wd/away", "wd/.."):
        gone = client.delete_task_file("job", "main", name, recursive=True)
        assert await refusal(gone) == (404, "FileNotFound")
    assert "b" in await names(written)


async def test_the_reply(written: Batch) -> None:
    """It is 200 and empty, in chunks, with the recorded headers."""
    reply = await written.send("DELETE", "/jobs/job/tasks/main/files/wd/b")
    assert (reply.status_code, reply.content) == (200, b"")
    assert set(reply.headers) >= {"DataServiceVersion", "request-id", "Transfer-Encoding"}
    assert not {"ETag", "Last-Modified", "Content-Type"} & set(reply.headers)
    bad = written.send("DELETE", "/jobs/job/tasks/main/files/wd/a", recursive="maybe")
    assert await refusal(bad) == (400, "InvalidQueryParameterValue")

"""Output files to containers with a shared access signature, and the headers of uploads."""

import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.batch.models import BatchTask
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from azure.storage.blob.aio import BlobServiceClient

from tests.conftest import Containers
from tests.contract.conftest import Batch, job_body, pool_body

type Json = dict[str, Any]

IDENTITY = {"identityReference": {"resourceId": "/subscriptions/0/identity"}}
LARGE = 3 * 1024 * 1024 + 1


def signed(containers: Containers, permissions: str = "w", hours: int = 1, name: str = "") -> str:
    """Return a container's address with a signature."""
    with_key = BlobServiceClient.from_connection_string(containers.connection_string)
    container = name or containers.outputs
    signature = generate_container_sas(
        str(with_key.account_name),
        container,
        account_key=with_key.credential.account_key,
        permission=ContainerSasPermissions.from_string(permissions),
        expiry=datetime.now(UTC) + timedelta(hours=hours),
    )
    return f"{containers.account_url}/{container}?{signature}"


def output(
    container: Json, path: str, condition: str = "taskcompletion", pattern: str = "../stdout.txt"
) -> Json:
    """Return an output file as the REST API has it."""
    return {
        "filePattern": pattern,
        "destination": {"container": {**container, "path": path}},
        "uploadOptions": {"uploadCondition": condition},
    }


async def ran(batch: Batch, command: str, *outputs: Json, **manager: object) -> BatchTask:
    """Run a shell's command with these output files and return its completed task."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    line = shlex.join(["/bin/sh", "-c", command])
    body = job_body("job", line, outputFiles=list(outputs), **manager)
    await batch.client.create_job(body)
    await batch.completed("job")
    return await batch.client.get_task("job", "main")


async def blobs(containers: Containers) -> dict[str, bytes]:
    """Return all that was uploaded."""
    async with BlobServiceClient.from_connection_string(containers.connection_string) as storage:
        container = storage.get_container_client(containers.outputs)
        names = [name async for name in container.list_blob_names()]
        return {name: await (await container.download_blob(name)).readall() for name in names}


async def test_a_signature_that_writes_is_enough(batch: Batch, containers: Containers) -> None:
    """Small and large files, by name and by pattern, again over what is there."""
    container = {"containerUrl": signed(containers)}
    task = await ran(
        batch,
        f"echo out; head -c {LARGE} /dev/zero > large; mkdir -p a/b; echo 1 > a/b/one.csv",
        output(container, "run/stdout.txt"),
        output(container, "run/stdout.txt"),
        output(container, "large", pattern="large"),
        output(container, "csv", pattern="**/*.csv"),
    )

    assert task.execution_info is not None
    assert task.execution_info.result == "success"
    assert await blobs(containers) == {
        "run/stdout.txt": b"out\n",
        "large": bytes(LARGE),
        "csv/a/b/one.csv": b"1\n",
    }
    log = await batch.content("fileuploadout.txt")
    assert b"run/stdout.txt" in log
    assert b"sig=" not in log
    given = (task.output_files or [])[0].destination
    assert given.container
    assert given.container.container_url == container["containerUrl"], "it is echoed"


@pytest.mark.parametrize("identity", [False, True], ids=["signature", "identity"])
@pytest.mark.parametrize(("code", "uploaded"), [(0, {"ok", "all"}), (1, {"bad", "all"})])
async def test_conditions_by_either_way(
    batch: Batch, containers: Containers, code: int, uploaded: set[str], *, identity: bool
) -> None:
    """An output is uploaded when its condition holds, whatever opens the container."""
    url = f"{containers.account_url}/{containers.outputs}"
    container = {"containerUrl": url, **IDENTITY} if identity else {}
    container = container or {"containerUrl": signed(containers)}
    await ran(
        batch,
        f"exit {code}",
        output(container, "ok", "tasksuccess"),
        output(container, "bad", "taskfailure"),
        output(container, "all", "taskcompletion"),
    )

    assert set(await blobs(containers)) == uploaded


async def test_a_task_that_never_ran_uploads_nothing(batch: Batch, containers: Containers) -> None:
    """Without its resource files a task has no outputs, whatever the condition."""
    container = {"containerUrl": signed(containers)}
    conditions = ("tasksuccess", "taskfailure", "taskcompletion")
    files = [{"httpUrl": "http://127.0.0.1:1/x", "filePath": "x"}]
    outputs = [output(container, condition, condition) for condition in conditions]
    task = await ran(batch, "true", *outputs, resourceFiles=files)

    assert task.execution_info is not None
    assert task.execution_info.exit_code is None
    assert await blobs(containers) == {}


DENIED = "FileUploadAccessDenied"
REFUSED: dict[str, tuple[Callable[[Containers], str], str]] = {
    "may not write": (lambda it: signed(it, "r"), DENIED),
    "expired": (lambda it: signed(it, hours=-1), DENIED),
    "unsigned": (lambda it: f"{it.account_url}/{it.outputs}", DENIED),
    "missing": (lambda it: signed(it, name="never-made"), "FileUploadContainerNotFound"),
    "no server": (lambda _: "http://127.0.0.1:1/a/b?sig=x", "FileUploadMiscError"),
    "no container": (lambda _: "http://127.0.0.1:1/?sig=x", "FileUploadMiscError"),
}


@pytest.mark.parametrize(("url", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_container_that_takes_nothing(
    batch: Batch, containers: Containers, url: Callable[[Containers], str], code: str
) -> None:
    """The exit code stays; the failure is that of the upload; other outputs are uploaded."""
    task = await ran(
        batch,
        "exit 0",
        output({"containerUrl": url(containers)}, "x"),
        output({"containerUrl": signed(containers)}, "y"),
    )

    info = task.execution_info
    assert info is not None
    assert (info.exit_code, info.result) == (0, "failure")
    assert info.failure_info is not None
    assert (info.failure_info.code, info.failure_info.category) == (code, "UserError")
    assert set(await blobs(containers)) == {"y"}
    assert code.encode() in await batch.content("fileuploaderr.txt")


@pytest.mark.parametrize("pattern", ["../stdout.txt", "large"])
async def test_upload_headers(batch: Batch, containers: Containers, pattern: str) -> None:
    """They are the blob's, in one request or in blocks; the case of their names is free."""
    headers = {
        "x-ms-blob-content-type": "text/csv",
        "X-MS-Blob-Content-Encoding": "identity",
        "x-ms-blob-content-language": "de",
        "x-ms-blob-content-disposition": "attachment",
        "x-ms-blob-cache-control": "no-store",
        "x-ms-meta-Mark": "7",
    }
    given = [{"name": name, "value": value} for name, value in headers.items()]
    container = {"containerUrl": signed(containers), "uploadHeaders": given}
    await ran(batch, f"head -c {LARGE} /dev/zero > large", output(container, "x", pattern=pattern))

    async with BlobServiceClient.from_connection_string(containers.connection_string) as storage:
        blob = storage.get_blob_client(containers.outputs, "x")
        properties = await blob.get_blob_properties()
    settings = properties.content_settings
    assert (settings.content_type, settings.content_encoding) == ("text/csv", "identity")
    assert (settings.content_language, settings.cache_control) == ("de", "no-store")
    assert settings.content_disposition == "attachment"
    assert properties.metadata == {"mark": "7"}


async def test_other_upload_headers_are_refused_by_name(
    batch: Batch, containers: Containers
) -> None:
    """A header that the emulator would have to ignore is named."""
    headers = [{"name": "x-ms-blob-content-type", "value": "a/b"}, {"name": "X-Ms-Tags"}]
    container = {"containerUrl": signed(containers), "uploadHeaders": headers}
    body = job_body("job", "/bin/true", outputFiles=[output(container, "x")])
    with pytest.raises(HttpResponseError) as refused:
        await batch.client.create_job(body)

    assert refused.value.error is not None
    assert refused.value.error.code == "NotSupportedByEmulator"
    assert "uploadHeaders[1].name with value 'X-Ms-Tags'" in str(refused.value)

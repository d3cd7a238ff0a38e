"""Resource files: what is there when a task begins, and what a task shows that lacks some."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from azure.batch.models import BatchTask
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from azure.storage.blob.aio import BlobServiceClient

from tests.conftest import Containers
from tests.contract.conftest import Batch, Start, job_body, pool_body

type Json = dict[str, Any]

IDENTITY = {"identityReference": {"resourceId": "/subscriptions/0/identity"}}
ODD_NAMES = {"/up": "../../escaped", "/inner": "a/../../../escaped"}
LISTING = "find . -type f -printf '%P %m ' -exec cat {} \\; | sort"


@dataclass(frozen=True, slots=True)
class Sources:
    """
    A container with blobs, and a web server beside it.

    Attributes:
        web: The server's address.
        url: The container's address.
        name: The container's name.
        asked: The paths that the server was asked for, with their queries.
    """

    web: str
    url: str
    name: str
    key: str
    account: str
    asked: list[str]

    def signed(self, path: str = "", permissions: str = "rl", hours: int = 1) -> str:
        """Return the address of the container or of a blob in it, with a signature."""
        signature = generate_container_sas(
            self.account,
            self.name,
            account_key=self.key,
            permission=ContainerSasPermissions.from_string(permissions),
            expiry=datetime.now(UTC) + timedelta(hours=hours),
        )
        return f"{self.url}{path}?{signature}"


async def _serve(request: web.Request) -> web.StreamResponse:
    match request.path:
        case "/file":
            return web.Response(body=b"from the web\n")
        case "/moved":
            raise web.HTTPFound("/file")
        case "/large":
            return web.Response(body=bytes(3 * 1024 * 1024 + 1))
        case "/up" | "/inner" as path:  # containers with names that no client of storage sends
            kind = "<Properties><BlobType>BlockBlob</BlobType></Properties>"
            blob = f"<Blob><Name>{ODD_NAMES[path]}</Name>{kind}</Blob>"
            listing = f"<EnumerationResults><Blobs>{blob}</Blobs></EnumerationResults>"
            return web.Response(text=listing, content_type="application/xml")
        case "/hangs":
            await asyncio.sleep(600)
        case _:
            pass
    raise _refusal(request)


def _refusal(request: web.Request) -> web.HTTPException:
    refusals = {"401": web.HTTPUnauthorized, "403": web.HTTPForbidden, "500": web.HTTPBadGateway}
    return refusals.get(request.path[1:], web.HTTPNotFound)()


@pytest.fixture
async def sources(containers: Containers) -> AsyncIterator[Sources]:
    """Put blobs into the container of outputs, and start a server."""
    asked: list[str] = []

    @web.middleware
    async def note(
        request: web.Request, handler: Callable[[web.Request], Any]
    ) -> web.StreamResponse:
        asked.append(request.raw_path)
        answer: web.StreamResponse = await handler(request)
        return answer

    application = web.Application(middlewares=[note])
    application.router.add_get("/{path:.*}", _serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with BlobServiceClient.from_connection_string(containers.connection_string) as storage:
        container = storage.get_container_client(containers.outputs)
        for name in ("in/a.txt", "in/deep/b c+é.txt", "inner.txt", "other.txt"):
            await container.upload_blob(name, f"{name}\n".encode())
        yield Sources(
            web=f"http://127.0.0.1:{runner.addresses[0][1]}",
            url=container.url,
            name=containers.outputs,
            key=storage.credential.account_key,
            account=str(storage.account_name),
            asked=asked,
        )
    await runner.cleanup()


async def ran(batch: Batch, command: str, *files: Json, **manager: object) -> BatchTask:
    """Run a shell's command with these resource files and return its completed task."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    line = shlex.join(["/bin/sh", "-c", command])
    await batch.client.create_job(job_body("job", line, resourceFiles=list(files), **manager))
    await batch.completed("job")
    return await batch.client.get_task("job", "main")


def written(*files: tuple[str, str, str]) -> bytes:
    return "".join(sorted(f"{name} {mode} {content}\n" for name, mode, content in files)).encode()


async def test_files_by_their_address(batch: Batch, sources: Sources) -> None:
    """From any server, with a signature, or with an identity; the mode is octal, 0770 by default."""
    await ran(
        batch,
        LISTING,
        {"httpUrl": f"{sources.web}/file?a=%2F+b c", "filePath": "web/page"},
        {"httpUrl": f"{sources.web}/moved", "filePath": "moved", "fileMode": "0400"},
        {"httpUrl": sources.signed("/in/a.txt"), "filePath": "./signed", "fileMode": "644"},
        {"httpUrl": f"{sources.url}/in/deep/b%20c%2B%C3%A9.txt", "filePath": "mine", **IDENTITY},
    )

    assert await batch.content("stdout.txt") == written(
        ("web/page", "770", "from the web"),
        ("moved", "400", "from the web"),
        ("signed", "644", "in/a.txt"),
        ("mine", "770", "in/deep/b c+é.txt"),
    )
    assert sources.asked == ["/file?a=%2F+b%20c", "/moved", "/file"]


async def test_files_of_containers(batch: Batch, sources: Sources) -> None:
    """With a signature, an identity or the linked storage; names keep their folders."""
    await ran(
        batch,
        LISTING,
        {"storageContainerUrl": sources.signed(), "blobPrefix": "in/"},
        {"storageContainerUrl": sources.url, "blobPrefix": "inn", "filePath": "x/y", **IDENTITY},
        {"autoStorageContainerName": sources.name, "filePath": "all/", "fileMode": "0700"},
    )

    assert await batch.content("stdout.txt") == written(
        ("in/a.txt", "770", "in/a.txt"),
        ("in/deep/b c+é.txt", "770", "in/deep/b c+é.txt"),
        ("x/y/inner.txt", "770", "inner.txt"),
        ("all/in/a.txt", "700", "in/a.txt"),
        ("all/in/deep/b c+é.txt", "700", "in/deep/b c+é.txt"),
        ("all/inner.txt", "700", "inner.txt"),
        ("all/other.txt", "700", "other.txt"),
    )


async def test_files_are_echoed(batch: Batch, sources: Sources) -> None:
    """As they were given, with their signature."""
    file = {"httpUrl": sources.signed("/in/a.txt"), "filePath": "a", "fileMode": "0644"}
    task = await ran(batch, "cat a", file)

    assert [dict(item) for item in task.resource_files or ()] == [file]


async def test_a_retry_finds_the_files_of_the_first_try(batch: Batch, sources: Sources) -> None:
    """They are downloaded once; what the task made of them stays."""
    command = "cat a; echo more >> a; exit 1"
    file = {"httpUrl": f"{sources.web}/file", "filePath": "a"}
    task = await ran(batch, command, file, constraints={"maxTaskRetryCount": 1})

    assert task.execution_info is not None
    assert (task.execution_info.exit_code, task.execution_info.retry_count) == (1, 1)
    assert await batch.content("stdout.txt") == b"from the web\nmore\n"
    assert sources.asked == ["/file"]


async def test_a_large_file(batch: Batch, sources: Sources) -> None:
    """A file of more than one piece arrives whole."""
    file = {"httpUrl": f"{sources.web}/large", "filePath": "large"}
    await ran(batch, "stat -c %s large", file)

    assert await batch.content("stdout.txt") == b"3145729\n"


type Given = Callable[[Sources], Json]

ADDRESSES: dict[str, tuple[Given, str]] = {
    "no such page": (lambda it: {"httpUrl": f"{it.web}/none"}, "BlobNotFound"),
    "401": (lambda it: {"httpUrl": f"{it.web}/401"}, "BlobAccessDenied"),
    "403": (lambda it: {"httpUrl": f"{it.web}/403"}, "BlobAccessDenied"),
    "502": (lambda it: {"httpUrl": f"{it.web}/500"}, "BlobDownloadMiscError"),
    "no server": (lambda _: {"httpUrl": "http://127.0.0.1:1/x"}, "BlobDownloadMiscError"),
    "no such blob": (lambda it: {"httpUrl": it.signed("/none")}, "BlobNotFound"),
    "may not read": (lambda it: {"httpUrl": it.signed("/in/a.txt", "l")}, "BlobAccessDenied"),
    "expired": (lambda it: {"httpUrl": it.signed("/in/a.txt", hours=-1)}, "BlobAccessDenied"),
    "identity": (lambda it: {"httpUrl": f"{it.url}/none", **IDENTITY}, "BlobNotFound"),
    "container": (lambda it: {"httpUrl": it.url, **IDENTITY}, "BlobNotFound"),
    "foreign": (lambda it: {"httpUrl": f"{it.web}/a/b", **IDENTITY}, "BlobDownloadMiscError"),
}


@pytest.mark.parametrize(("file", "code"), ADDRESSES.values(), ids=ADDRESSES)
async def test_an_address_that_has_no_file(
    batch: Batch, containers: Containers, sources: Sources, file: Given, code: str
) -> None:
    """The task ends before it runs: no exit code, no retry, no output, and the failure says why."""
    output = {
        "filePattern": "../std*.txt",
        "destination": {"container": {"containerUrl": sources.url, "path": "out", **IDENTITY}},
        "uploadOptions": {"uploadCondition": "taskcompletion"},
    }
    given = file(sources)
    task = await ran(
        batch,
        "touch ran",
        {"httpUrl": f"{sources.web}/file", "filePath": "first"},
        {**given, "filePath": "sub/second"},
        outputFiles=[output],
        constraints={"maxTaskRetryCount": 3},
    )

    info = task.execution_info
    assert info is not None
    assert info.failure_info is not None
    assert info.failure_info.code == code
    ours = code == "BlobDownloadMiscError"
    assert info.failure_info.category == ("ServerError" if ours else "UserError")
    assert (info.exit_code, info.result, info.retry_count) == (None, "failure", 0)
    details = {item.name: item.value for item in info.failure_info.details or ()}
    assert details["BlobSource"] == given["httpUrl"]
    assert str(details["FilePath"]).endswith("/workitems/job/job-1/main/wd/sub/second")
    assert not list(batch.root.rglob("ran"))
    async with BlobServiceClient.from_connection_string(containers.connection_string) as storage:
        container = storage.get_container_client(containers.outputs)
        assert [name async for name in container.list_blob_names(name_starts_with="out")] == []


CONTAINERS: dict[str, tuple[Given, str]] = {
    "may not list": (lambda it: {"storageContainerUrl": it.signed(permissions="r")}, "Denied"),
    "expired": (lambda it: {"storageContainerUrl": it.signed(hours=-1)}, "Denied"),
    "unsigned": (lambda it: {"storageContainerUrl": it.url}, "Denied"),
    "missing": (lambda it: {"storageContainerUrl": f"{it.url}x", **IDENTITY}, "Misc"),
    "blob": (lambda it: {"storageContainerUrl": f"{it.url}/x", **IDENTITY}, "Misc"),
    "foreign": (lambda it: {"storageContainerUrl": f"{it.web}/x", **IDENTITY}, "Misc"),
    "not linked": (lambda it: {"autoStorageContainerName": f"{it.name}x"}, "Misc"),
}
CONTAINER_CODES = {
    "Denied": "ResourceContainerAccessDenied",
    "Misc": "ResourceContainerListMiscError",
}


@pytest.mark.parametrize(("file", "code"), CONTAINERS.values(), ids=CONTAINERS)
async def test_a_container_that_cannot_be_listed(
    batch: Batch, sources: Sources, file: Given, code: str
) -> None:
    """Denied access has a code of its own, and every other failure shares one."""
    task = await ran(batch, "touch ran", file(sources))

    info = task.execution_info
    assert info is not None
    assert info.failure_info is not None
    assert info.failure_info.code == CONTAINER_CODES[code]
    assert (info.failure_info.category, info.exit_code) == ("UserError", None)
    assert not list(batch.root.rglob("ran"))


async def test_a_container_whose_blobs_cannot_be_read(batch: Batch, sources: Sources) -> None:
    """A signature that lists and does not read: the blob is what is denied."""
    task = await ran(batch, "true", {"storageContainerUrl": sources.signed(permissions="l")})

    assert task.execution_info is not None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "BlobAccessDenied"


@pytest.mark.parametrize("path", ODD_NAMES)
async def test_a_blob_whose_name_leads_out(batch: Batch, sources: Sources, path: str) -> None:
    """Nothing is written beside the working directory."""
    task = await ran(batch, "true", {"storageContainerUrl": f"{sources.web}{path}"})

    assert task.execution_info is not None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "ResourceFileCreateFailed"
    assert not list(batch.root.rglob("escaped"))


@pytest.mark.parametrize("path", ["taken", "taken/in/x/y"])
async def test_a_place_that_is_taken(batch: Batch, sources: Sources, path: str) -> None:
    """A file cannot take the place of a folder, whose name shows in the failure."""
    web_file = f"{sources.web}/file"
    task = await ran(
        batch,
        "true",
        {"httpUrl": web_file, "filePath": "taken/in/x/y/z"},
        {"httpUrl": web_file, "filePath": path},
    )

    assert task.execution_info is not None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "ResourceFileCreateFailed"


async def test_a_folder_below_a_file(batch: Batch, sources: Sources) -> None:
    """The failure is that of the folder."""
    web_file = f"{sources.web}/file"
    files = [{"httpUrl": web_file, "filePath": path} for path in ("a", "a/b")]
    task = await ran(batch, "true", *files)

    assert task.execution_info is not None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "ResourceDirectoryCreateFailed"


async def test_a_task_is_ended_while_it_waits_for_a_file(batch: Batch, sources: Sources) -> None:
    """A server that does not answer holds up nobody who ends the task."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    files = [{"httpUrl": f"{sources.web}/hangs", "filePath": "a"}]
    await batch.client.create_job(job_body("job", "/bin/true", resourceFiles=files))

    async def asked() -> list[str]:
        return sources.asked

    await batch.until(asked, lambda paths: paths == ["/hangs"])
    assert (await batch.client.get_task("job", "main")).state == "running"
    await batch.terminate("job", "enough")
    await batch.completed("job")

    info = (await batch.client.get_task("job", "main")).execution_info
    assert info is not None
    assert info.failure_info is not None
    assert (info.failure_info.code, info.exit_code) == ("TaskEnded", None)


async def test_files_of_a_start_task(batch: Batch, sources: Sources) -> None:
    """They are in the start task's working directory."""
    file = {"storageContainerUrl": sources.signed(), "blobPrefix": "in/a", "filePath": "x"}
    start = {"commandLine": "/bin/cat x/in/a.txt", "resourceFiles": [file]}
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, startTask=start))
    (node,) = await batch.until(
        batch.nodes, lambda nodes: [node.state for node in nodes] == ["idle"]
    )

    parts = await batch.client.download_node_file("pool", node.id, "startup/stdout.txt")
    assert b"".join([part async for part in parts]) == b"in/a.txt\n"


async def test_a_start_task_without_its_files(start_batch: Start, sources: Sources) -> None:
    """The start task fails without an exit code, and the node takes no task."""
    batch = await start_batch()
    files = [{"httpUrl": f"{sources.web}/none", "filePath": "x"}]
    start = {"commandLine": "/bin/touch ran", "resourceFiles": files, "maxTaskRetryCount": 2}
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, startTask=start))
    (node,) = await batch.until(
        batch.nodes, lambda nodes: [node.state for node in nodes] == ["starttaskfailed"]
    )

    info = node.start_task_info
    assert info is not None
    assert info.failure_info is not None
    assert (info.failure_info.code, info.exit_code) == ("BlobNotFound", None)
    assert (info.retry_count, info.result, info.state) == (0, "failure", "completed")
    assert sources.asked == ["/none"]
    assert not list(batch.root.rglob("ran"))

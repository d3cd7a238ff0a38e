"""Files of a task as any Batch service may send them: parts with 206 or 200, the whole, and less."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Literal

import pytest
from aiohttp import web
from azure.batch.aio import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from orchestrator.adapters.calls import RETRIES
from orchestrator.adapters.node_files import NodeFiles
from orchestrator.errors import BatchRefused, BatchUnavailable
from tests.contract.conftest import ACCOUNT, KEY, Start, job_body, pool_body

DATA: Final = bytes(range(256)) * 4
PART: Final = 100

type Manner = Literal["206", "200", "whole", "cut", "refused", "silent"]
type Open = Callable[[Manner], Awaitable[NodeFiles]]


def answer(manner: Manner, request: web.Request) -> web.Response:
    """Answer as a service does that sends files in this manner."""
    if manner == "refused":
        error = {"code": "NodeNotFound", "message": {"lang": "en-US", "value": "Gone.\nTime:now"}}
        return web.json_response(error, status=404)
    if manner == "silent":
        return web.Response(status=503)
    begin, end = 0, len(DATA)
    if (text := request.headers.get("ocp-range")) and manner != "whole":
        begin, last = (int(one) for one in text.removeprefix("bytes=").split("-"))
        end = last + 1
    if manner == "cut":
        end -= 1
    status = 206 if manner == "206" and text else 200
    return web.Response(body=DATA[begin:end], status=status)


@pytest.fixture
async def open_files() -> AsyncIterator[Open]:
    """Open the files of an account whose service sends them in a manner of its own."""
    closing: list[Callable[[], Awaitable[object]]] = []

    async def start(manner: Manner) -> NodeFiles:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            assert isinstance(request, web.Request)
            return answer(manner, request)

        application = web.Application()
        application.router.add_get("/{path:.*}", handle)
        runner = web.AppRunner(application)
        await runner.setup()
        closing.append(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0]
        key = AzureNamedKeyCredential(ACCOUNT, KEY)
        client = BatchClient(f"http://{host}:{port}", key, **{**RETRIES, "retry_total": 0})
        closing.append(client.close)
        return NodeFiles(client)

    yield start
    for close in reversed(closing):
        await close()


@pytest.mark.parametrize("manner", ["206", "200", "whole"])
@pytest.mark.parametrize(("begin", "end"), [(0, len(DATA)), (PART, len(DATA)), (500, 501)])
async def test_a_part_is_the_same_however_it_is_sent(
    open_files: Open, manner: Manner, begin: int, end: int
) -> None:
    """Where a range is ignored, what lies before it is left out."""
    files = await open_files(manner)

    found = [part async for part in files.read("job", "wd/a b", begin, end, PART)]

    assert b"".join(found) == DATA[begin:end]
    assert {len(part) for part in found[:-1]} <= {PART}


async def test_fewer_bytes_than_were_told_are_no_file(open_files: Open) -> None:
    """A reply in chunks has no length: only the count tells."""
    files = await open_files("cut")

    with pytest.raises(BatchUnavailable, match="1 bytes are missing"):
        _ = [part async for part in files.read("job", "a", 0, len(DATA), PART)]


async def test_a_refusal_keeps_its_code_while_bytes_stream(open_files: Open) -> None:
    """The client raises before it has read the body, and so without a code."""
    files = await open_files("refused")

    with pytest.raises(BatchRefused) as refused:
        _ = [part async for part in files.read("job", "a", 0, 1, PART)]
    assert (refused.value.code, refused.value.detail) == ("NodeNotFound", "Gone.")
    with pytest.raises(BatchRefused) as refused:
        _ = [page async for page in files.pages("job", recursive=False)]
    assert refused.value.code == "NodeNotFound"


async def test_no_answer_is_no_refusal(open_files: Open) -> None:
    """A 503 says nothing about the file."""
    files = await open_files("silent")

    with pytest.raises(BatchUnavailable):
        await files.size("job", "a")
    with pytest.raises(BatchUnavailable):
        _ = [part async for part in files.read("job", "a", 1, 2, PART)]


async def test_files_are_listed_with_their_sizes(start_batch: Start) -> None:
    """Folders are left out; those of the working directory come only where they are asked for."""
    batch = await start_batch()
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    command = "/bin/sh -c 'mkdir a; printf 123 > \"a/b %2F.csv\"; echo hi'"
    await batch.client.create_job(job_body("job", command))
    await batch.completed("job")
    files = NodeFiles(batch.client)

    top = [file async for page in files.pages("job", recursive=False) for file in page]
    found = [file async for page in files.pages("job", recursive=True) for file in page]

    assert {file.path: file.bytes for file in top}["stdout.txt"] == 3
    assert "wd/a/b %2F.csv" not in {file.path for file in top}
    assert {file.path: file.bytes for file in found}["wd/a/b %2F.csv"] == 3
    assert await files.size("job", "wd/a/b %2F.csv") == 3
    with pytest.raises(BatchRefused) as refused:
        await files.size("job", "wd/none")
    assert refused.value.code == "FileNotFound"

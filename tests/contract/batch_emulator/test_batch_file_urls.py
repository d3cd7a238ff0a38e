"""Addresses of files: the ``url`` of a list and the one that clients build both lead to the file."""

import shlex
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import pytest
from azure.core.rest import HttpRequest
from yarl import URL

from batch_emulator.dataplane.auth import sign, string_to_sign
from tests.contract.conftest import ACCOUNT, KEY, Batch, job_body, pool_body

NAMES = ["stdout.txt", "wd/deep/er/a file+é.txt", "wd/100%2Fa#b?c", "wd/{0}"]
QUERY = "api-version=2025-06-01"


@pytest.fixture
async def written(batch: Batch) -> Batch:
    """Give an account with a task that wrote files of such names, each holding its own name."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    writes = [f"printf %s {shlex.quote(name)} > {shlex.quote(name)}" for name in NAMES]
    command = "; ".join(["mkdir -p deep/er", "cd ..", *writes])
    await batch.client.create_job(job_body("job", shlex.join(["/bin/sh", "-c", command])))
    await batch.completed("job")
    return batch


async def plain(method: str, url: str) -> tuple[int, bytes, dict[str, str]]:
    """Send a signed request over plain http, with the address exactly as it is."""
    target = f"{url}?{QUERY}"
    headers = {"ocp-date": formatdate(usegmt=True)}
    path = target.removeprefix(f"http://{urlsplit(url).netloc}")
    text = string_to_sign(ACCOUNT, method, path, headers)
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{sign(KEY, text)}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, URL(target, encoded=True), headers=headers) as reply,
    ):
        return reply.status, await reply.read(), dict(reply.headers)


async def listed(batch: Batch, path: str) -> dict[str, Any]:
    """Return the address of each file in a list, by its name."""
    reply = await batch.send("GET", path, recursive="true")
    return {item["name"]: item["url"] for item in reply.json()["value"]}


async def test_the_url_of_a_list_leads_to_the_file(written: Batch) -> None:
    """By plain http and by the official client, as it stands in the list."""
    urls = await listed(written, "/jobs/job/tasks/main/files")
    for name in NAMES:
        status, content, headers = await plain("GET", urls[name])
        assert (status, content) == (200, name.encode())
        assert headers["ocp-batch-file-isdirectory"] == "False"
        status, content, headers = await plain("HEAD", urls[name])
        assert (status, content) == (200, b"")
        assert headers["Content-Length"] == str(len(name.encode()))
        request = HttpRequest("GET", f"{urls[name]}?{QUERY}")
        reply = await written.client.send_request(request, stream=True)
        assert await reply.read() == name.encode()


async def test_both_spellings_of_slashes(written: Batch) -> None:
    """Plain or as %2F, wholly or in part; the official client sends %2F."""
    base = f"{written.url}/jobs/job/tasks/main/files"
    name = "wd/deep/er/a file+é.txt"
    for spelled in (quote(name), quote(name, safe=""), f"wd/{quote(name[3:], safe='')}"):
        assert (await plain("GET", f"{base}/{spelled}"))[:2] == (200, name.encode())
    assert await written.content(name) == name.encode()
    assert (await plain("GET", f"{base}/wd/none"))[0] == 404
    assert (await plain("GET", f"{base}/wd/..%2F..%2Fmain/stdout.txt"))[1] == b"stdout.txt"
    assert (await plain("GET", f"{base}/../../../../startup/stdout.txt"))[0] == 404


async def test_files_of_nodes(written: Batch) -> None:
    """A node's files have such addresses too, and a task's folder has its own."""
    (node,) = await written.nodes()
    path = f"/pools/pool/nodes/{node.id}/files"
    urls = await listed(written, path)
    name = "workitems/job/job-1/main/stdout.txt"
    assert (await plain("GET", urls[name]))[:2] == (200, b"stdout.txt")
    both = await written.client.download_node_file("pool", node.id, name)
    assert b"".join([part async for part in both]) == b"stdout.txt"
    folder = (await plain("HEAD", urls["workitems/job/job-1/main"]))[2]
    assert folder["ocp-batch-file-isdirectory"] == "True"

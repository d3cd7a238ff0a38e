"""Large files of tasks: whole, in part, and while somebody reads or writes slowly."""

import asyncio
import os
import shlex
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path

import psutil
import pytest

from batch_emulator.dataplane.auth import sign, string_to_sign
from tests.contract.conftest import ACCOUNT, KEY, Batch, job_body, pool_body

MEBIBYTE = 1024 * 1024
SIZE = 33 * MEBIBYTE + 7
NAME = "wd/large"


def content(start: int, end: int) -> bytes:
    """Return a part of the file, in which no two places look alike."""
    first = start // 8
    numbers = range(first, -(-end // 8))
    return b"".join(number.to_bytes(8) for number in numbers)[start - first * 8 : end - first * 8]


@pytest.fixture
async def large(batch: Batch) -> Path:
    """Let a task write a file of several pieces; return its path."""
    script = (
        "import sys; f = open('large', 'wb'); "
        f"f.write(b''.join(n.to_bytes(8) for n in range({SIZE // 8 + 1}))); f.truncate({SIZE})"
    )
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", shlex.join([sys.executable, "-c", script])))
    await batch.completed("job")
    (path,) = batch.root.rglob("large")
    return path


@asynccontextmanager
async def reading(batch: Batch) -> AsyncIterator[asyncio.StreamReader]:
    """Ask for the file over a connection of one's own, and read no more than one is asked to."""
    path = "/jobs/job/tasks/main/files/wd%2Flarge?api-version=2025-06-01"
    headers = {"ocp-date": formatdate(usegmt=True)}
    signature = sign(KEY, string_to_sign(ACCOUNT, "GET", path, headers))
    headers |= {"Authorization": f"SharedKey {ACCOUNT}:{signature}", "Connection": "close"}
    host, _, port = batch.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=MEBIBYTE)
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    try:
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        yield reader
    finally:
        writer.close()


@pytest.mark.usefixtures("large")
async def test_the_whole_and_parts(batch: Batch) -> None:
    """Every byte is in its place, also where a part begins or ends between two pieces."""
    assert await batch.content(NAME) == content(0, SIZE)
    piece = 8 * MEBIBYTE
    for start, end in ((0, 1), (piece - 3, piece + 3), (piece, 3 * piece), (SIZE - 5, SIZE)):
        parts = await batch.client.download_task_file(
            "job", "main", NAME, ocp_range=f"bytes={start}-{end - 1}"
        )
        assert b"".join([part async for part in parts]) == content(start, end)


@pytest.mark.usefixtures("large")
async def test_who_reads_slowly_holds_up_nobody(batch: Batch) -> None:
    """The emulator answers others meanwhile, and keeps little of the file in memory."""
    await batch.content("stdout.txt")
    before = psutil.Process().memory_info().rss
    async with reading(batch) as first, reading(batch) as second:
        await first.readexactly(MEBIBYTE)
        begin = time.monotonic()
        assert await batch.content("stdout.txt") == b""
        assert time.monotonic() - begin < 5
        grown = psutil.Process().memory_info().rss - before
        assert grown < SIZE / 2, f"{grown:,} bytes"
        assert len(await second.read(-1)) > SIZE


async def test_a_file_that_becomes_shorter(batch: Batch, large: Path) -> None:
    """What there is no more is not sent, and the emulator goes on."""
    async with reading(batch) as reader:
        await reader.readuntil(b"\r\n\r\n")
        os.truncate(large, 9 * MEBIBYTE)
        got = 0
        try:
            while data := await reader.read(MEBIBYTE):
                got += len(data)
        except ConnectionError:
            pass
        assert got < SIZE
    assert await batch.content(NAME) == content(0, 9 * MEBIBYTE)


async def test_a_file_that_grows(batch: Batch, large: Path) -> None:
    """It is sent as long as it was when it was asked for."""
    async with reading(batch) as reader:
        await reader.readuntil(b"\r\n\r\n")
        with large.open("ab") as file:
            file.write(bytes(MEBIBYTE))
        rest = await reader.read(-1)
    assert rest.endswith(content(SIZE - 5, SIZE) + b"\r\n0\r\n\r\n")


@pytest.mark.usefixtures("large")
async def test_a_client_that_goes(batch: Batch) -> None:
    """The emulator goes on."""
    for _ in range(3):
        async with reading(batch) as reader:
            await reader.readexactly(MEBIBYTE)
    assert await batch.content("stdout.txt") == b""

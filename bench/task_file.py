"""
``python -m bench.task_file``: how fast the Batch emulator sends a large file of a task, in which memory.

Beside aiohttp's own handler of files, which sends the same file from a process of its own. The client
reads from a plain socket and keeps nothing; the two servers take turns.
"""

import argparse
import asyncio
import re
import socket
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from azure.batch.models import BatchJobCreateOptions
from rich.console import Console
from rich.table import Table

from bench.emulator_rate import Prepared, prepare, server_at
from bench.stage import POOL, Round, open_stage
from local.child import Child

_WANTED: Final = 0.5
_MEBIBYTE: Final = 1024 * 1024
_BUFFER_BYTES: Final = 4 * _MEBIBYTE
_LOOK_SECONDS: Final = 0.01
_PAUSE_SECONDS: Final = 0.1
_START_SECONDS: Final = 30.0
_URL: Final = re.compile(r"http://127\.0\.0\.1:\d+")
_JOB: Final = "large"
_FILE: Final = "wd%2Flarge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """
    One file, sent once.

    Attributes:
        per_second: Bytes.
        rss_before: The server's resident memory, in bytes.
        rss_peak: The most of it while the file was sent, looked at every 10 ms.
    """

    per_second: float
    rss_before: int
    rss_peak: int


def receive(request: Prepared, size: int) -> float:
    """
    Read a reply to its end and return how long that took, in seconds.

    Raises:
        RuntimeError: It is shorter than the file.
    """
    host, port = str(request.url.host), int(request.url.port or 0)
    lines = [f"GET {request.url.raw_path_qs} HTTP/1.1", f"Host: {host}:{port}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    head = "\r\n".join([*lines, "Connection: close", "", ""]).encode()
    buffer = bytearray(_BUFFER_BYTES)
    got = 0
    with socket.create_connection((host, port)) as connection:
        begin = time.perf_counter()
        connection.sendall(head)
        while count := connection.recv_into(buffer):
            got += count
        took = time.perf_counter() - begin
    if got < size:
        raise RuntimeError(f"{request.url}: {got:,} bytes of {size:,}")
    return took


async def measure(request: Prepared, size: int) -> Sent:
    """Let a server send the file once."""
    server = server_at(str(request.url.origin()))
    before = peak = int(server.memory_info().rss)
    receiving = asyncio.create_task(asyncio.to_thread(receive, request, size))
    while not receiving.done():
        peak = max(peak, _rss(server))
        await asyncio.sleep(_LOOK_SECONDS)
    return Sent(per_second=size / await receiving, rss_before=before, rss_peak=peak)


def _rss(server: psutil.Process) -> int:
    return int(server.memory_info().rss)


async def write_file(round_: Round, size: int) -> Path:
    """Let a task write a file of this size; return its path."""
    command = f'/bin/sh -c "head -c {size} /dev/zero > large; pwd"'
    body = {
        "id": _JOB,
        "poolInfo": {"poolId": POOL},
        "jobManagerTask": {"id": "main", "commandLine": command},
    }
    await round_.batch.create_job(BatchJobCreateOptions(body))
    await _completed(round_)
    parts = await round_.batch.download_task_file(_JOB, "main", "stdout.txt")
    folder = b"".join([part async for part in parts]).decode().strip()
    return Path(folder, "large")


async def _completed(round_: Round) -> None:
    while True:
        if (await round_.batch.get_job(_JOB)).state == "completed":
            return
        await asyncio.sleep(_PAUSE_SECONDS)


@contextmanager
def _bare_server(file: Path, folder: Path) -> Generator[str]:
    command = [sys.executable, "-m", "bench.bare_file", str(file)]
    with Child("the bare server", command, log=folder / "bare.log") as child:
        yield child.wait_for(_URL, limit_seconds=_START_SECONDS)[0]


async def _run(size: int, times: int) -> tuple[list[Sent], list[Sent]]:
    own, bare = [], []
    with tempfile.TemporaryDirectory(prefix="recur-bench-") as name:
        async with open_stage() as stage, stage.round(faults=False, nodes=1) as round_:
            file = await write_file(round_, size)
            base = round_.settings.batch_account_url
            request = prepare(base, "GET", f"/jobs/{_JOB}/tasks/main/files/{_FILE}")
            with _bare_server(file, Path(name)) as other:
                for _ in range(times):
                    own.append(await measure(request, size))
                    bare.append(await measure(request.at(other), size))
    return own, bare


def _show(own: list[Sent], bare: list[Sent], size: int, console: Console) -> None:
    table = Table(
        title=f"A file of {size // _MEBIBYTE:,} MiB, by the best of {len(own)} times each"
    )
    for name in ("server", "MiB a second", "RSS before", "peak RSS"):
        table.add_column(name, justify="right")
    for name, sent in (("emulator", own), ("bare handler", bare)):
        best = max(one.per_second for one in sent)
        table.add_row(
            name,
            f"{best / _MEBIBYTE:,.0f}",
            f"{sent[0].rss_before / _MEBIBYTE:,.0f} MiB",
            f"{max(one.rss_peak for one in sent) / _MEBIBYTE:,.0f} MiB",
        )
    console.print(table)
    ratio = max(one.per_second for one in own) / max(one.per_second for one in bare)
    console.print(f"The ratio of the rates is {ratio:.2f}; wanted is {_WANTED} or more.")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.task_file", description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=1024, help="size of the file")
    parser.add_argument("--times", type=int, default=5, help="how often each server sends it")
    given = parser.parse_args()
    size = given.mebibytes * _MEBIBYTE
    own, bare = asyncio.run(_run(size, given.times))
    _show(own, bare, size, Console())


if __name__ == "__main__":
    main()

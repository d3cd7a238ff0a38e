"""
``python -m bench.emulator_rate``: how many requests a second the Batch emulator answers.

Two calls, ``get_job`` and ``create_job``, beside a bare aiohttp handler that sends the same bytes; and
the creation of many jobs and tasks, the last thousand beside the first. The requests are signed
beforehand, so that the time of the client is the same for both servers.
"""

import argparse
import asyncio
import base64
import json
import re
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import islice, product
from pathlib import Path
from statistics import median
from typing import Final, Self

import aiohttp
import psutil
from rich.console import Console
from rich.table import Table
from yarl import URL

from batch_emulator.dataplane.auth import sign, string_to_sign
from bench.stage import ACCOUNT, KEY, POOL, open_stage
from local.child import Child

_WANTED: Final = 0.5
"""Of the bare handler's rate, for a client that sends one request after the other."""

_WANTED_SLOWDOWN: Final = 1.3
_AT_ONCE: Final = (1, 8)
_GROUP: Final = 1000
_GROUPS: Final = 5
"""Of so many thousands the median counts: a pass of the garbage collector falls into one of them."""

_TASKS_PER_CALL: Final = 100
_START_SECONDS: Final = 30.0
_VERSION: Final = "api-version=2025-06-01"
_JSON_TYPE: Final = "application/json; odata=minimalmetadata"
_BARE_URL: Final = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass(frozen=True, slots=True)
class Prepared:
    """One request, ready to be sent: where, by which method, with what."""

    method: str
    url: URL
    body: bytes
    headers: dict[str, str]

    def at(self, base: str) -> Self:
        """Return the same request to another server."""
        here = URL(base)
        url = self.url.with_host(here.host or "").with_port(here.port)
        return replace(self, url=url)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent, as far as another one can send the same."""

    status: int
    headers: dict[str, str]
    body: bytes


def prepare(base: str, method: str, path: str, body: object = None) -> Prepared:
    """Return a signed request; it is good for a quarter of an hour."""
    data = b"" if body is None else json.dumps(body).encode()
    headers = {"ocp-date": format_datetime(datetime.now(UTC), usegmt=True)}
    if data:
        headers |= {"Content-Type": _JSON_TYPE, "Content-Length": str(len(data))}
    target = f"{path}?{_VERSION}"
    text = string_to_sign(ACCOUNT, method, target, headers)
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{sign(KEY, text)}"
    return Prepared(method, URL(f"{base}{target}", encoded=True), data, headers)


async def send(session: aiohttp.ClientSession, request: Prepared) -> Answer:
    """
    Send a request and read the answer.

    Raises:
        RuntimeError: The server refused it.
    """
    async with session.request(
        request.method, request.url, data=request.body or None, headers=request.headers
    ) as reply:
        body = await reply.read()
        if not reply.ok:
            raise RuntimeError(f"{request.method} {request.url}: {reply.status} {body.decode()}")
        return Answer(reply.status, dict(reply.headers), body)


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests a server answered in a second, and in a second of its processor's time."""

    per_second: float
    per_busy_second: float


def server_at(base: str) -> psutil.Process:
    """
    Return the process below this one that listens at an address.

    Raises:
        LookupError: There is none.
    """
    port = URL(base).port
    for process in psutil.Process().children(recursive=True):
        if any(getattr(item.laddr, "port", None) == port for item in process.net_connections()):
            return process
    raise LookupError(f"no process below this one listens at {base}")


async def rate(session: aiohttp.ClientSession, requests: list[Prepared], at_once: int) -> Rate:
    """Send these requests to one server, some of them at once."""
    server = server_at(str(requests[0].url.origin()))
    left = iter(requests)

    async def work() -> None:
        for request in left:
            await send(session, request)

    busy, begin = _busy(server), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
    took, worked = time.perf_counter() - begin, _busy(server) - busy
    return Rate(len(requests) / took, len(requests) / worked)


def _busy(server: psutil.Process) -> float:
    """Return the processor time of a server so far, in seconds; finer on Linux than elsewhere."""
    exact = Path(f"/proc/{server.pid}/schedstat")
    if exact.exists():
        return int(exact.read_text().split()[0]) / 1e9
    times = server.cpu_times()
    return float(times.user + times.system)


@asynccontextmanager
async def bare_server(folder: Path, answers: dict[str, Answer]) -> AsyncGenerator[str]:
    """Start a process that sends these answers, by method, and give its address."""
    apart = {"transfer-encoding", "content-length", "date", "server"}
    given = {
        method: {
            "status": answer.status,
            "headers": json.dumps(
                {name: value for name, value in answer.headers.items() if name.lower() not in apart}
            ),
            "body": base64.b64encode(answer.body).decode(),
        }
        for method, answer in answers.items()
    }
    command = [sys.executable, "-m", "bench.bare_http", json.dumps(given)]
    with Child("the bare server", command, log=folder / "bare.log") as child:
        yield child.wait_for(_BARE_URL, limit_seconds=_START_SECONDS)[0]


def job(id_: str) -> dict[str, object]:
    """Return the body of a job without tasks."""
    return {"id": id_, "poolInfo": {"poolId": POOL}}


def managed_job(id_: str) -> dict[str, object]:
    """Return the body of a job with its job manager task, as the product sends it."""
    manager = {"id": "manager", "commandLine": "/bin/true", "constraints": {"maxTaskRetryCount": 0}}
    return {**job(id_), "jobManagerTask": manager, "constraints": {"maxWallClockTime": "PT1H"}}


def task(id_: str) -> dict[str, object]:
    """Return the body of a task."""
    return {"id": id_, "commandLine": "/bin/true"}


async def compare(
    base: str, folder: Path, count: int, rounds: int
) -> dict[tuple[str, int], list[tuple[Rate, Rate]]]:
    """
    Return the rates of the emulator and of the bare server in each round.

    They are found by the name of the call, and by how many are sent at once.
    """
    found: dict[tuple[str, int], list[tuple[Rate, Rate]]] = {
        (name, at_once): [] for name in ("get_job", "create_job") for at_once in _AT_ONCE
    }
    async with aiohttp.ClientSession() as session:
        create = prepare(base, "POST", "/jobs", managed_job("sample"))
        get = prepare(base, "GET", "/jobs/sample")
        answers = {"POST": await send(session, create), "GET": await send(session, get)}
        async with bare_server(folder, answers) as bare:
            for number, at_once in product(range(rounds), _AT_ONCE):
                jobs = [
                    prepare(base, "POST", "/jobs", managed_job(f"r{number}-{at_once}-{index}"))
                    for index in range(count)
                ]
                for name, requests in (("get_job", [get] * count), ("create_job", jobs)):
                    others = [request.at(bare) for request in requests]
                    own = await rate(session, requests, at_once)
                    found[name, at_once].append((own, await rate(session, others, at_once)))
    return found


async def fill(
    base: str, jobs: int, tasks: int, progress: Callable[[str], None]
) -> dict[str, tuple[float, float]]:
    """
    Return the rates of the first and of the last thousands, for jobs, tasks and collections.

    They are those of the server's processor time, which what else this machine does leaves alone.
    """
    numbers = range(jobs)
    kinds: dict[str, tuple[int, Iterator[Prepared]]] = {
        "create_job": (
            _GROUP,
            (prepare(base, "POST", "/jobs", job(f"many-{number}")) for number in numbers),
        ),
        "create_task": (
            _GROUP,
            (
                prepare(base, "POST", f"/jobs/many-{number % jobs}/tasks", task(f"t-{number}"))
                for number in range(tasks // 2)
            ),
        ),
        "create_task_collection": (
            _GROUP // _TASKS_PER_CALL,
            (
                prepare(
                    base,
                    "POST",
                    f"/jobs/many-{number % jobs}/addtaskcollection",
                    {"value": [task(f"c-{number}-{index}") for index in range(_TASKS_PER_CALL)]},
                )
                for number in range(tasks // 2 // _TASKS_PER_CALL)
            ),
        ),
    }
    found = {}
    async with aiohttp.ClientSession() as session:
        for name, (size, requests) in kinds.items():
            rates = []
            while group := list(islice(requests, size)):
                rates.append((await rate(session, group, _AT_ONCE[-1])).per_busy_second)
            found[name] = median(rates[:_GROUPS]), median(rates[-_GROUPS:])
            progress(name)
    return found


def _show(console: Console, rows: dict[tuple[str, int], list[tuple[Rate, Rate]]]) -> None:
    table = Table(title="Requests a second: medians of the rounds")
    for name in (
        "call",
        "at once",
        "emulator",
        "bare handler",
        "ratio",
        "by processor time",
        "wanted",
    ):
        table.add_column(name, justify="right")
    for (name, at_once), pairs in rows.items():
        own, bare = (median(pair[index].per_second for pair in pairs) for index in (0, 1))
        # By round, since what else this machine does changes from one to the next.
        ratio = median(own.per_second / bare.per_second for own, bare in pairs)
        busy = median(own.per_busy_second / bare.per_busy_second for own, bare in pairs)
        rates = f"{own:,.0f}", f"{bare:,.0f}", f"{ratio:.2f}", f"{busy:.2f}"
        wanted = f"{_WANTED}" if at_once == 1 else "-"
        table.add_row(name, f"{at_once}", *rates, wanted)
    console.print(table)


def _show_filling(console: Console, rows: dict[str, tuple[float, float]], title: str) -> None:
    table = Table(title=title)
    for name in ("call", "first, a busy second", "last", "times slower", "at most"):
        table.add_column(name, justify="right")
    for name, (first, last) in rows.items():
        slower = f"{first / last:.2f}"
        table.add_row(name, f"{first:,.0f}", f"{last:,.0f}", slower, f"{_WANTED_SLOWDOWN}")
    console.print(table)


async def _run(count: int, rounds: int, jobs: int, tasks: int, console: Console) -> None:
    with tempfile.TemporaryDirectory(prefix="recur-bench-") as name:
        async with open_stage() as stage, stage.round(faults=False) as round_:
            base = round_.settings.batch_account_url
            _show(console, await compare(base, Path(name), count, rounds))
        if not jobs:
            return
        async with open_stage() as stage, stage.round(faults=False) as round_:
            base = round_.settings.batch_account_url
            rows = await fill(base, jobs, tasks, lambda done: console.print(f"{done}: done"))
            title = f"{jobs:,} jobs and {tasks:,} tasks: the first thousand and the last"
            _show_filling(console, rows, title)


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.emulator_rate", description=__doc__)
    parser.add_argument("--calls", type=int, default=1000, help="of each kind, in each round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--tasks", type=int, default=100_000)
    given = parser.parse_args()
    asyncio.run(_run(given.calls, given.rounds, given.jobs, given.tasks, Console()))


if __name__ == "__main__":
    main()

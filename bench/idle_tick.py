"""
``python -m bench.idle_tick``: a tick with nothing to do, whatever there is.

Three storage reads, no write and no call to Batch. Its time is shown beside that of three bare reads
by the same client, taken in turns in the same run.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from azure.storage.blob.aio import ContainerClient
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.counting import Call, by_kind
from bench.stage import Round, Stage, open_bench_storage, open_stage
from local.azurite import ACCOUNT as STORAGE_ACCOUNT
from orchestrator import ids
from orchestrator.adapters.blobs import Cache
from orchestrator.ids import ScheduleId
from orchestrator.ledger.state import SubmitState, dump_submit
from orchestrator.passes import open_services, submit_due

_AT_ONCE: Final = 32
_RECORD: Final = b'{"schema": 1, "filler": "' + b"x" * 900 + b'"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """
    One line of the table.

    Attributes:
        schedules: How many there are.
        history: How many final records there are.
        calls: What one idle tick asked of blob storage.
        batch_calls: What it asked of Batch.
        tick_seconds: How long a tick took, its clients opened and closed; the median.
        bare_seconds: The same of three bare reads.
    """

    schedules: int
    history: int
    calls: list[Call]
    batch_calls: list[Call]
    tick_seconds: float
    bare_seconds: float


def document(count: int) -> str:
    """Return so many schedules, none of which is due for as long as anybody waits."""
    month = (datetime.now(UTC) + timedelta(days=90)).month
    tables = [
        f'[schedules.s-{number:04}]\ncron = "{number % 60} {number // 60 % 24} 1 {month} *"\n'
        f'command = "exit 0"\n'
        for number in range(count)
    ]
    return "\n".join(tables)


async def idle_tick(round_: Round, cache: Cache) -> dict[str, int | str]:
    """Do one tick, with clients of its own, as the function app does."""
    async with open_services(round_.settings, cache) as services:
        return await submit_due(services)


async def settled(round_: Round, schedules: int) -> Cache:
    """Put so many schedules in force, and return what a process knows that has ticked since."""
    await round_.apply(document(schedules))
    cache = Cache()
    for _ in range(2):  # the first takes the document over, the second has seen that
        await idle_tick(round_, cache)
    return cache


async def count_idle_tick(round_: Round, cache: Cache) -> tuple[list[Call], list[Call]]:
    """
    Return what one idle tick asks of blob storage and of Batch.

    The first tick of each quarter of an hour reads once more, for the report of the schedules: it
    is not counted, the next one is.
    """
    while True:
        reported = cache.reported
        await round_.begin()
        await idle_tick(round_, cache)
        if cache.reported == reported:
            return await round_.storage_calls.told(), await round_.batch_calls.told()


async def put_history(ledger: ContainerClient, count: int, console: Console) -> None:
    """Put so many final records in place, of a kilobyte each; nothing reads them."""
    if not count:
        return
    await ledger.upload_blob(ids.SUBMIT_STATE, dump_submit(SubmitState()))  # older than any record
    signature = generate_container_sas(
        STORAGE_ACCOUNT,
        ledger.container_name,
        account_key=ledger.credential.account_key,
        permission=ContainerSasPermissions(write=True, create=True),
        expiry=datetime.now(UTC) + timedelta(hours=2),
    )
    names = iter(track(_history(count), f"{count:,} records", total=count, console=console))
    headers = {"x-ms-blob-type": "BlockBlob"}

    async def put(session: aiohttp.ClientSession) -> None:
        for name in names:
            url = f"{ledger.url}/{name}?{signature}"
            async with session.put(url, data=_RECORD, headers=headers) as reply:
                reply.raise_for_status()

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(put(session))


def _history(count: int) -> list[str]:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    names = []
    for number in range(count):
        id_ = ScheduleId(f"s-{number % 1000:04}")
        nominal = hour - timedelta(hours=1 + number // 1000)
        run = ids.run_id(id_, nominal)
        names.append(f"{ids.FINAL_PREFIX}{id_}/{nominal:%Y/%m}/{run}.json")
    return names


async def _three_reads(round_: Round, tags: dict[str, str]) -> None:
    """Do what an idle tick asks for, by the same client, and nothing else."""
    async with open_bench_storage(round_.settings) as storage:
        ledger = storage.get_container_client(round_.settings.ledger_container)
        for name, etag in tags.items():
            condition: dict[str, Any] = {
                "etag": etag,
                "match_condition": MatchConditions.IfModified,
            }
            try:
                await ledger.download_blob(name, **condition)
            except HttpResponseError as error:
                if error.status_code != 304:  # noqa: PLR2004 - not modified
                    raise
        listing = ledger.list_blobs(name_starts_with=ids.OPEN_PREFIX, include=["metadata"])
        async for _ in listing:
            pass


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    begin = time.perf_counter()
    await work()
    return time.perf_counter() - begin


async def _measure(round_: Round, schedules: int, history: int, times: int) -> Measured:
    cache = await settled(round_, schedules)
    calls, batch_calls = await count_idle_tick(round_, cache)
    tags = {}
    for name in (ids.DOCUMENT, ids.SUBMIT_STATE):
        properties = await round_.ledger.get_blob_client(name).get_blob_properties()
        tags[name] = str(properties.etag)
    ticks, bare = [], []
    for _ in range(times):  # in turns, so that whatever else this machine does meets both
        ticks.append(await _timed(lambda: idle_tick(round_, cache)))
        bare.append(await _timed(lambda: _three_reads(round_, tags)))
    return Measured(
        schedules=schedules,
        history=history,
        calls=calls,
        batch_calls=batch_calls,
        tick_seconds=statistics.median(ticks),
        bare_seconds=statistics.median(bare),
    )


@asynccontextmanager
async def _with_history(stage: Stage, count: int, console: Console) -> AsyncGenerator[Round]:
    async with stage.round() as round_:
        await put_history(round_.ledger, count, console)
        yield round_


async def _run(schedules: int, history: int, times: int, console: Console) -> list[Measured]:
    measured = []
    async with open_stage() as stage:
        for records in (0, history):
            async with _with_history(stage, records, console) as round_:
                measured += [
                    await _measure(round_, count, records, times) for count in (1, schedules)
                ]
    return measured


def _show(measured: list[Measured], console: Console) -> None:
    table = Table(title="A tick with nothing to do")
    for name in ("schedules", "records", "reads", "writes", "Batch"):
        table.add_column(name, justify="right")
    for name in ("tick", "bare", "ratio"):
        table.add_column(name, justify="right")
    for one in measured:
        writes = sum(call.changes for call in one.calls)
        table.add_row(
            f"{one.schedules:,}",
            f"{one.history:,}",
            str(len(one.calls) - writes),
            str(writes),
            str(len(one.batch_calls)),
            f"{one.tick_seconds * 1000:.1f} ms",
            f"{one.bare_seconds * 1000:.1f} ms",
            f"{one.tick_seconds / one.bare_seconds:.2f}",
        )
    console.print(table)
    console.print(f"The calls: {', '.join(by_kind(measured[-1].calls))}.")
    console.print(
        "Bare: three reads by the same client. Times are medians; both open and close their clients."
    )


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.idle_tick", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--history", type=int, default=100_000, help="final records")
    parser.add_argument("--times", type=int, default=30, help="ticks of which the median is taken")
    given = parser.parse_args()
    console = Console()
    measured = asyncio.run(_run(given.schedules, given.history, given.times, console))
    _show(measured, console)


if __name__ == "__main__":
    main()

"""
``python -m bench.outputs``: in which memory a collect tick reads back the outputs of many runs.

The passes run in a process of their own. Its resident memory at its peak is compared with what it was
after a tick with nothing to do. Then come as many runs as have ended, each with a stdout that is read
back whole, and with one that is too large for that: stderr, which the node did not push, is asked for.
"""

import argparse
import asyncio
import multiprocessing
import os
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Final

import psutil
from azure.storage.blob.aio import ContainerClient
from rich.console import Console
from rich.table import Table

from bench.stage import Round, Stage, open_bench_storage, open_stage
from orchestrator import ids
from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.settings import Settings
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.attempt import Attempt, FrozenTask
from orchestrator.ledger.record import Action, Decided, Record, Versions, dump, load, metadata
from orchestrator.passes import collect_finished, open_services

_MEBIBYTE: Final = 1024 * 1024
_WANTED_MEBIBYTES: Final = 64
_HASHED_MEBIBYTES: Final = 60
_LOOK_SECONDS: Final = 0.01
_MOST_TICKS: Final = 60
_BLOCK: Final = 4 * _MEBIBYTE


def ended(number: int) -> Record:
    """Return the open record of a run whose attempt has failed, and whose outputs are unknown."""
    schedule = ScheduleId(f"bench-{number:04}")
    nominal = datetime(2026, 6, 1, tzinfo=UTC)
    run_id = ids.run_id(schedule, nominal)
    attempt = Attempt(
        number=1,
        job_id=run_id,
        state=AttemptState.ENDED,
        claimed=nominal,
        submitted=nominal,
        started=nominal,
        finished=nominal,
        exit_code=1,
        outcome=Outcome.FAILED,
        reason=Reason.EXIT_CODE,
    )
    task = FrozenTask(
        command="true",
        environment={},
        start_timeout=timedelta(hours=1),
        run_timeout=timedelta(hours=1),
        catch_up_window=timedelta(hours=1),
    )
    return Record(
        run_id=run_id,
        schedule=schedule,
        nominal=nominal,
        decision=Decided(action=Action.SUBMIT, at=nominal),
        task=task,
        attempts=(attempt,),
        outcome=Outcome.FAILED,
        reason=Reason.EXIT_CODE,
        versions=Versions(product="bench", tzdata="bench"),
    )


async def put_runs(round_: Round, count: int, mebibytes: int) -> list[Record]:
    """Put `count` ended runs in place, each with a stdout of `mebibytes` MiB."""
    records = [ended(number) for number in range(count)]
    async with open_bench_storage(round_.settings) as storage:
        outputs = storage.get_container_client(round_.settings.outputs_container)
        model = await _large_blob(outputs, mebibytes)
        for record in records:
            stdout = outputs.get_blob_client(f"{record.output_prefix}stdout.txt")
            await stdout.start_copy_from_url(model)
            await outputs.upload_blob(f"{record.output_prefix}stderr.txt", b"it failed\n")
            name = ids.open_blob(record.run_id)
            await round_.ledger.upload_blob(name, dump(record), metadata=metadata(record))
    return records


async def _large_blob(outputs: ContainerClient, mebibytes: int) -> str:
    """Make a blob of one block, used again and again; return its URL."""
    blob = outputs.get_blob_client("model")

    async def blocks() -> AsyncGenerator[bytes]:
        for _ in range(0, mebibytes * _MEBIBYTE, _BLOCK):
            yield os.urandom(_BLOCK)

    await blob.upload_blob(blocks(), length=mebibytes * _MEBIBYTE, overwrite=True)
    return str(blob.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """
    Runs that were ended.

    Attributes:
        idle: Resident memory of the process after a tick with nothing to do, in bytes.
        peak: The most of it until all runs were final.
        seconds: How long that took.
        ticks: In how many ticks.
        hashed: How many outputs have their hash in the record.
    """

    idle: int
    peak: int
    seconds: float
    ticks: int
    hashed: int


def tick_on_demand(settings: Settings, pipe: Connection) -> None:
    """Tick once with nothing to do; when told to, tick until no run is open."""

    async def work() -> None:
        cache = Cache()
        async with open_services(settings, cache) as services:
            await collect_finished(services)
        pipe.send("idle")
        pipe.recv()
        for ticks in range(1, _MOST_TICKS + 1):
            async with open_services(settings, cache) as services:
                await collect_finished(services)
                if not (await services.ledger.open_list()).runs:
                    pipe.send(ticks)
                    return
        pipe.send(0)

    asyncio.run(work())


async def measure(stage: Stage, count: int, mebibytes: int) -> Measured:
    """
    End `count` runs in a process of its own.

    Raises:
        RuntimeError: It did not end them all.
    """
    async with stage.round() as round_:
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        ticking = context.Process(target=tick_on_demand, args=(round_.settings, theirs))
        ticking.start()
        try:
            await asyncio.to_thread(ours.recv)
            process = psutil.Process(ticking.pid)
            idle = peak = int(process.memory_info().rss)
            records = await put_runs(round_, count, mebibytes)
            begin = time.monotonic()
            ours.send("go")
            while not ours.poll():
                peak = max(peak, int(process.memory_info().rss))
                await asyncio.sleep(_LOOK_SECONDS)
            ticks = int(ours.recv())
            seconds = time.monotonic() - begin
        finally:
            ticking.kill()
            ticking.join()
        if not ticks:
            raise RuntimeError(f"runs are open after {_MOST_TICKS} ticks")
        hashed = 0
        for record in records:
            data = await (await round_.ledger.download_blob(record.blob)).readall()
            hashed += sum(one.sha256 is not None for one in load(data).outputs)
        return Measured(idle=idle, peak=peak, seconds=seconds, ticks=ticks, hashed=hashed)


async def _run(count: int, mebibytes: int, console: Console) -> None:
    table = Table(title=f"Outputs of {count} finished runs, read back by one process")
    for name in ("stdout", "idle RSS", "peak RSS", "more", "seconds", "ticks", "hashed"):
        table.add_column(name, justify="right")
    worst = 0.0
    async with open_stage() as stage:
        for size in (_HASHED_MEBIBYTES, mebibytes):
            found = await measure(stage, count, size)
            more = (found.peak - found.idle) / _MEBIBYTE
            worst = max(worst, more)
            table.add_row(
                f"{size} MiB",
                f"{found.idle / _MEBIBYTE:,.0f} MiB",
                f"{found.peak / _MEBIBYTE:,.0f} MiB",
                f"{more:,.0f} MiB",
                f"{found.seconds:,.1f}",
                str(found.ticks),
                str(found.hashed),
            )
    console.print(table)
    console.print(
        f"The process grows by {worst:.0f} MiB at most; wanted are {_WANTED_MEBIBYTES} or less."
    )


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.outputs", description=__doc__)
    parser.add_argument("--runs", type=int, default=32, help="how many have finished")
    parser.add_argument("--mebibytes", type=int, default=200, help="size of the larger stdouts")
    given = parser.parse_args()
    asyncio.run(_run(given.runs, given.mebibytes, Console()))


if __name__ == "__main__":
    main()

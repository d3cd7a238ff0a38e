"""
``python -m bench.collect_many``: as many open runs as there may be.

What a tick asks Batch while none of them has ended; and how fast the product finishes them all when
all have, beside a bare loop that makes the same calls with the same clients, in turns on the same
runs, with which calls.
"""

import argparse
import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from bench import bare_collect
from bench.counting import Call, by_kind
from bench.speed_table import show_speed
from bench.stage import Round, Stage, open_stage
from bench.submit_many import submit
from orchestrator import ids
from orchestrator.adapters.blobs import Cache
from orchestrator.ledger.results import CollectState, dump_collect
from orchestrator.passes import collect_finished, open_services
from orchestrator.passes.services import AT_ONCE

_MOST_TICKS: Final = 40
_MOST_BATCH_CALLS: Final = 80
_MOST_PER_RUN: Final = {"storage": 12, "Batch": 2}
_EACH_TICK: Final = frozenset({"list_jobs", "get_pool", "list_nodes"})
"""What a tick asks Batch once, however many runs there are."""
_NODES: Final = 8
_COMMAND: Final = "echo out; echo err >&2"
_LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """
    One round of the product or of the bare loop.

    Attributes:
        seconds: How long it took.
        busy_seconds: How much of this processor.
        ticks: How many there were.
        ledger: What blob storage was asked about the ledger, in order.
        outputs: The same about outputs.
        batch: What Batch was asked.
    """

    seconds: float
    busy_seconds: float
    ticks: int
    ledger: list[Call]
    outputs: list[Call]
    batch: list[Call]

    @property
    def hashed(self) -> int:
        """How many outputs were read back."""
        return sum(call.method == "GET" and not call.query for call in self.outputs)


@dataclass(frozen=True, slots=True)
class OpenBlob:
    """The blob of an open record, as it was before a round."""

    name: str
    data: bytes
    metadata: dict[str, str]


async def open_blobs(round_: Round) -> list[OpenBlob]:
    """Return the blobs of all open records."""
    found = []
    async for blob in round_.ledger.list_blobs(
        name_starts_with=ids.OPEN_PREFIX, include=["metadata"]
    ):
        data = await (await round_.ledger.download_blob(blob.name)).readall()
        found.append(OpenBlob(blob.name, data, dict(blob.metadata or {})))
    return found


async def nothing_has_ended(round_: Round) -> None:
    """Let the collector know that there are no results yet, so that it looks for none."""
    state = dump_collect(CollectState())
    await round_.ledger.upload_blob(ids.COLLECT_STATE, state, overwrite=True)


async def put_back(round_: Round, blobs: list[OpenBlob]) -> None:
    """Make the runs open again, as if nothing had been collected."""
    for prefix in (ids.FINAL_PREFIX, ids.SUMMARIES_PREFIX):
        async for name in round_.ledger.list_blob_names(name_starts_with=prefix):
            await round_.ledger.delete_blob(name)
    await nothing_has_ended(round_)
    for blob in blobs:
        await round_.ledger.upload_blob(
            blob.name, blob.data, metadata=blob.metadata, overwrite=True
        )


async def all_ended(round_: Round) -> None:
    """Wait until each job is completed."""
    while True:
        jobs = round_.batch.list_jobs(filter="state ne 'completed'", select=["id"])
        if not [job async for job in jobs]:
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def collect(round_: Round, cache: Cache | None = None) -> Collected:
    """Let the product tick until no run is open, or once if nothing has ended."""
    await round_.begin()
    cache, ticks = cache or Cache(), 0
    begin = time.perf_counter(), time.process_time()
    counts: dict[str, int | str] = {"open": 1}
    while ticks < _MOST_TICKS:
        async with open_services(round_.settings, cache) as services:
            counts = await collect_finished(services)
        ticks += 1
        if int(counts["open"]) == counts["finished"] or not counts["finished"]:
            break
    seconds, busy_seconds = time.perf_counter() - begin[0], time.process_time() - begin[1]
    return await _told(round_, seconds, busy_seconds, ticks)


async def loop(round_: Round, product: Collected) -> Collected:
    """Make the calls that the product made, and no more."""
    script = bare_collect.script(product.ledger, product.outputs)
    await round_.begin()
    begin = time.perf_counter(), time.process_time()
    await bare_collect.run(round_, script)
    seconds, busy_seconds = time.perf_counter() - begin[0], time.process_time() - begin[1]
    return await _told(round_, seconds, busy_seconds, product.ticks)


async def _told(round_: Round, seconds: float, busy_seconds: float, ticks: int) -> Collected:
    return Collected(
        seconds=seconds,
        busy_seconds=busy_seconds,
        ticks=ticks,
        ledger=await round_.storage_calls.told(),
        outputs=await round_.outputs_calls.told(),
        batch=await round_.batch_calls.told(),
    )


async def compare(stage: Stage, count: int, rounds: int) -> list[tuple[Collected, Collected]]:
    """Let both finish the same runs, in turns."""
    pairs = []
    async with stage.round(nodes=_NODES) as round_:
        await submit(round_, count, command=_COMMAND)
        await all_ended(round_)
        blobs = await open_blobs(round_)
        await nothing_has_ended(round_)
        for _ in range(rounds):
            product = await collect(round_)
            await put_back(round_, blobs)
            pairs.append((product, await loop(round_, product)))
            await put_back(round_, blobs)
    return pairs


async def while_none_has_ended(stage: Stage, count: int) -> Collected:
    """Return one tick with open runs that all wait for a node."""
    async with stage.round() as round_:
        await submit(round_, count)
        return await collect(round_)


def _show_waiting(one: Collected, count: int, console: Console) -> None:
    table = Table(title=f"One tick with {count:,} open runs of which none has ended")
    table.add_column("call")
    table.add_column("requests", justify="right")
    for service, calls in (("storage", one.ledger), ("Batch", one.batch)):
        for kind, number in by_kind(calls).items():
            table.add_row(f"{service}: {kind}", f"{number:,}")
    console.print(table)
    verdict = "kept" if len(one.batch) <= _MOST_BATCH_CALLS else "broken"
    console.print(
        f"{len(one.batch)} requests to Batch in {one.seconds:.1f} s; at most {_MOST_BATCH_CALLS} "
        f"are wanted: {verdict}.\n"
    )


def _of_outputs(calls: list[Call]) -> dict[str, int]:
    """Count calls about outputs by what they ask for, whichever run they are about."""
    asked = (
        "list"
        if call.query.get("comp") == "list"
        else f"{call.method} {call.name.rpartition('/')[2]}"
        for call in calls
    )
    return dict(Counter(asked))


def _show_calls(product: Collected, loop_: Collected, count: int, console: Console) -> None:
    table = Table(title="Their calls, by what the servers saw")
    for name in ("call", "product", "bare loop", "product, per run"):
        table.add_column(name, justify="left" if name == "call" else "right")
    for service, ours, theirs in (
        ("storage", by_kind(product.ledger), by_kind(loop_.ledger)),
        ("outputs", _of_outputs(product.outputs), _of_outputs(loop_.outputs)),
        ("Batch", by_kind(product.batch), by_kind(loop_.batch)),
    ):
        for kind in [*ours, *(kind for kind in theirs if kind not in ours)]:
            mine = ours.get(kind, 0)
            table.add_row(
                f"{service}: {kind}", f"{mine:,}", f"{theirs.get(kind, 0):,}", f"{mine / count:.3f}"
            )
    console.print(table)
    each_tick = sum(call.name in _EACH_TICK for call in product.batch)
    storage = len(product.ledger) + len(product.outputs) - product.hashed
    for service, number in (("storage", storage), ("Batch", len(product.batch) - each_tick)):
        most = _MOST_PER_RUN[service]
        verdict = "kept" if number <= most * count else "broken"
        console.print(f"{service}: {number / count:.2f} a run, at most {most}: {verdict}.")
    console.print(
        f"Beside that {product.hashed / count:.2f} outputs a run were read back, and Batch was "
        f"asked {each_tick} times of the pool, its nodes and pages of jobs in "
        f"{product.ticks} ticks.\n"
    )


async def _run(count: int, rounds: int, console: Console) -> None:
    async with open_stage() as stage:
        _show_waiting(await while_none_has_ended(stage, count), count, console)
        pairs = await compare(stage, count, rounds)
        title = f"{count:,} finished runs, {AT_ONCE} at once"
        ticks = [product.ticks for product, _ in pairs]
        show_speed(title, pairs, ticks, console)
        _show_calls(*pairs[-1], count, console)


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.collect_many", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3, help="of the product and the bare loop")
    given = parser.parse_args()
    asyncio.run(_run(given.runs, given.rounds, Console()))


if __name__ == "__main__":
    main()

"""
``python -m bench.submit_many``: as many schedules as there may be, all due at once.

How fast the product submits them beside a bare loop that makes the same calls with the same clients,
in turns in the same run; which calls those are; and what becomes of them when one tick has not the
time: the next goes on, and repeats nothing.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.console import Console
from rich.table import Table

from bench import bare
from bench.counting import Call, by_kind
from bench.speed_table import show_speed
from bench.stage import Round, Stage, open_stage
from orchestrator import ids
from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.time_limits import WORK_SECONDS
from orchestrator.ledger.record import Record, load
from orchestrator.ledger.state import SubmitState, load_submit
from orchestrator.passes import open_services, submit_due
from orchestrator.passes.services import AT_ONCE

_MOST_TICKS: Final = 20


@dataclass(frozen=True, slots=True)
class Tick:
    """One tick: how long it took, how much of this processor, and what it says that it did."""

    seconds: float
    busy_seconds: float
    counts: dict[str, int | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """
    A round of the product.

    Attributes:
        ticks: Until everything was submitted.
        storage: What blob storage was asked.
        batch: What Batch was asked.
        created: Ids of the jobs, as often as they were created.
        state: What submit.json says at the end.
        records: The open records at the end.
    """

    ticks: list[Tick]
    storage: list[Call]
    batch: list[Call]
    created: list[str]
    state: SubmitState
    records: list[Record]

    @property
    def seconds(self) -> float:
        """How long its ticks took together."""
        return sum(tick.seconds for tick in self.ticks)

    @property
    def busy_seconds(self) -> float:
        """How much of the processor its ticks took together."""
        return sum(tick.busy_seconds for tick in self.ticks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """A round of the bare loop, with the same meanings."""

    seconds: float
    busy_seconds: float
    storage: list[Call]
    batch: list[Call]


def document(count: int, command: str = "exit 0") -> str:
    """Return so many schedules of which each has one occurrence that is due, and today no other."""
    due = datetime.now(UTC).replace(second=0, microsecond=0)
    start = (due - timedelta(minutes=1)).isoformat()
    return "\n".join(
        f'[schedules.s-{number:04}]\ncron = "{due.minute} {due.hour} * * *"\n'
        f'command = "{command}"\nstart = {start}\n'
        for number in range(count)
    )


async def submit(
    round_: Round, count: int, *, latency_milliseconds: int = 0, command: str = "exit 0"
) -> Submitted:
    """Let the product tick until everything is submitted."""
    await round_.apply(document(count, command))
    await round_.begin()
    if latency_milliseconds:
        await round_.batch_calls.slow_down("create_job", latency_milliseconds)
    cache, ticks, done = Cache(), list[Tick](), 0
    while done < count and len(ticks) < _MOST_TICKS:
        begin = time.perf_counter(), time.process_time()
        async with open_services(round_.settings, cache) as services:
            counts = await submit_due(services)
        ticks.append(Tick(*_since(begin), counts))
        done += int(counts.get("submitted", 0))
    storage = await round_.storage_calls.told()
    return Submitted(
        ticks=ticks,
        storage=storage,
        batch=await round_.batch_calls.told(),
        created=await round_.batch_calls.created(),
        state=load_submit(await _content(round_, ids.SUBMIT_STATE)),
        records=await _records(round_, storage),
    )


def _since(begin: tuple[float, float]) -> tuple[float, float]:
    return time.perf_counter() - begin[0], time.process_time() - begin[1]


async def _records(round_: Round, storage: Sequence[Call]) -> list[Record]:
    names = {call.name for call in storage if call.name.startswith(ids.OPEN_PREFIX)}
    return [load(await _content(round_, name)) for name in sorted(names)]


async def _content(round_: Round, name: str) -> bytes:
    return await (await round_.ledger.download_blob(name)).readall()


async def loop(round_: Round, product: Submitted, count: int) -> Bare:
    """Make the calls that the product made, and no more."""
    sent = bare.script(product.state, product.records, round_)
    await round_.apply(document(count))
    await round_.begin()
    begin = time.perf_counter(), time.process_time()
    await bare.run(round_, sent)
    seconds, busy_seconds = _since(begin)
    return Bare(
        seconds=seconds,
        busy_seconds=busy_seconds,
        storage=await round_.storage_calls.told(),
        batch=await round_.batch_calls.told(),
    )


async def _compare(stage: Stage, count: int, rounds: int) -> list[tuple[Submitted, Bare]]:
    pairs = []
    for _ in range(rounds):
        async with stage.round() as round_:
            product = await submit(round_, count)
        async with stage.round() as round_:
            pairs.append((product, await loop(round_, product, count)))
    return pairs


def _show_calls(product: Submitted, loop: Bare, count: int, console: Console) -> None:
    table = Table(title="Their calls, by what the servers saw")
    for name in ("call", "product", "bare loop", "product, per run"):
        table.add_column(name, justify="left" if name == "call" else "right")
    for service, ours, theirs in (
        ("storage", by_kind(product.storage), by_kind(loop.storage)),
        ("Batch", by_kind(product.batch), by_kind(loop.batch)),
    ):
        for kind in [*ours, *(kind for kind in theirs if kind not in ours)]:
            mine = ours.get(kind, 0)
            table.add_row(
                f"{service}: {kind}", f"{mine:,}", f"{theirs.get(kind, 0):,}", f"{mine / count:.3f}"
            )
    console.print(table)


def _show_ticks(product: Submitted, count: int, milliseconds: int, console: Console) -> None:
    table = Table(
        title=f"The same where Batch takes {milliseconds} ms for a job: "
        f"nothing is started later than {WORK_SECONDS} s after the lease"
    )
    for name in ("tick", "took", "claimed", "submitted", "left for the next"):
        table.add_column(name, justify="right")
    left = count
    for number, tick in enumerate(product.ticks, 1):
        submitted = int(tick.counts.get("submitted", 0))
        left -= submitted
        table.add_row(
            str(number),
            f"{tick.seconds:.1f} s",
            f"{tick.counts.get('claimed', 0):,}",
            f"{submitted:,}",
            f"{left:,}",
        )
    console.print(table)


def _show_repeats(product: Submitted, count: int, console: Console) -> None:
    """Say whether anything was done twice: each run is claimed, created and written down once."""
    creations = sum(call.name == "create_job" for call in product.batch)
    writes = Counter(
        call.name
        for call in product.storage
        if call.method == "PUT" and call.name.startswith(ids.OPEN_PREFIX)
    )
    console.print(
        f"{len(set(product.created)):,} of {count:,} jobs, {len(product.created):,} creations, "
        f"{creations:,} asked for; "
        f"{sum(writes.values()):,} writes of {len(writes):,} open records, "
        f"at most {max(writes.values(), default=0)} of one: its claim, and that it is submitted.\n"
    )


async def _run(count: int, rounds: int, milliseconds: int, console: Console) -> None:
    async with open_stage() as stage:
        if rounds:
            pairs = await _compare(stage, count, rounds)
            title = f"{count:,} due occurrences of {count:,} schedules, {AT_ONCE} at once"
            ticks = [len(product.ticks) for product, _ in pairs]
            show_speed(title, pairs, ticks, console)
            _show_calls(*pairs[-1], count, console)
            _show_repeats(pairs[-1][0], count, console)
        if milliseconds:
            async with stage.round() as round_:
                slow = await submit(round_, count, latency_milliseconds=milliseconds)
            _show_ticks(slow, count, milliseconds, console)
            _show_repeats(slow, count, console)


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.submit_many", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3, help="of the product and the bare loop")
    parser.add_argument(
        "--latency",
        type=int,
        default=600,
        metavar="MILLISECONDS",
        help="of Batch, for the round that one tick has no time for; 0 leaves it out",
    )
    given = parser.parse_args()
    asyncio.run(_run(given.schedules, given.rounds, given.latency, Console()))


if __name__ == "__main__":
    main()

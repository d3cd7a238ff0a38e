"""
``python -m bench.status``: how fast `recur status` answers, and what it reads, with 1,000 schedules.

Each has its last 30 runs in the summaries; every fifth failed last night. Each look is a process of
its own, as a person starts it, beside `recur --version`, which reads nothing, in turns.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.console import Console

from bench.counting import Call, by_kind
from bench.stage import Round, open_stage
from orchestrator import ids
from orchestrator.adapters.blobs import Cache
from orchestrator.enums import Outcome, Reason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Action
from orchestrator.ledger.result import Result
from orchestrator.ledger.summaries import KEPT, Recent, dump_recent, with_results
from orchestrator.passes import open_services, submit_due

_TABLE: Final = '[schedules.{}]\ncron = "0 2 * * *"\ncommand = "true"\n'
_EVERY_FIFTH: Final = 5
_WANTED_SECONDS: Final = 2.0
_WANTED_READS: Final = 20
_DAY: Final = timedelta(days=1)
_ENDS: Final = {0, 1}
"""1: somebody is needed, and somebody is."""


async def put_nights(round_: Round, schedules: int) -> None:
    """Put schedules in force, with the nights that the summaries keep behind them."""
    names = [ScheduleId(f"nightly-{number:04}") for number in range(schedules)]
    await round_.apply("".join(_TABLE.format(name) for name in names))
    async with open_services(round_.settings, Cache()) as services:
        await submit_due(services)
    recent = with_results(Recent(), _results(names))
    await round_.ledger.upload_blob(ids.RECENT, dump_recent(recent), overwrite=True)


def _results(names: list[ScheduleId]) -> Iterator[Result]:
    today = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
    for night in range(KEPT, 0, -1):
        for number, name in enumerate(names):
            nominal = today - night * _DAY
            failed = night == 1 and number % _EVERY_FIFTH == 0
            yield Result(
                run_id=ids.run_id(name, nominal),
                schedule=name,
                nominal=nominal,
                last=nominal,
                action=Action.SUBMIT,
                reason=Reason.EXIT_CODE if failed else Reason.EXIT_ZERO,
                outcome=Outcome.FAILED if failed else Outcome.SUCCEEDED,
                finished=nominal + timedelta(minutes=20),
                seconds=900.0,
                lateness=40.0,
            )


def seconds_of(round_: Round, *arguments: str) -> float:
    """Return how long a command of ``recur`` takes, from its start to its end."""
    command = [sys.executable, "-m", "recur", *arguments]
    begun = time.perf_counter()
    ended = subprocess.run(  # noqa: S603 - our own command
        command, env=os.environ | round_.environment, capture_output=True, check=False, text=True
    )
    seconds = time.perf_counter() - begun
    if ended.returncode not in _ENDS:
        raise RuntimeError(f"{command} ended with {ended.returncode}: {ended.stderr}")
    return seconds


async def _measure(schedules: int, times: int) -> tuple[list[Call], list[float], list[float]]:
    async with open_stage() as stage, stage.round() as round_:
        await put_nights(round_, schedules)
        await round_.begin()
        await asyncio.to_thread(seconds_of, round_, "status")
        calls = [*await round_.storage_calls.told(), *await round_.batch_calls.told()]
        looks, bare = [], []
        for _ in range(times):  # in turns, so that whatever else this machine does meets both
            looks.append(await asyncio.to_thread(seconds_of, round_, "status"))
            bare.append(await asyncio.to_thread(seconds_of, round_, "--version"))
        return calls, looks, bare


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m bench.status", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--times", type=int, default=10, help="how many runs the median is of")
    given = parser.parse_args()
    calls, looks, bare = asyncio.run(_measure(given.schedules, given.times))
    look, start = statistics.median(looks), statistics.median(bare)
    fast, few = look <= _WANTED_SECONDS, len(calls) <= _WANTED_READS
    console = Console()
    console.print(
        f"recur status, {given.schedules:,} schedules: {look:.2f} s, the median of {given.times}; "
        f"{_WANTED_SECONDS:.0f} s are wanted: {'reached' if fast else 'missed'}.\n"
        f"recur --version: {start:.2f} s; the ratio is {look / start:.2f}.\n"
        f"{len(calls)} reads of the ledger and of Batch; {_WANTED_READS} are wanted: "
        f"{'reached' if few else 'missed'}. The calls: {', '.join(by_kind(calls))}."
    )


if __name__ == "__main__":
    main()

"""
How large submit.json grows, and how many records a long pause leaves: no server, no clock.

``python -m bench.growth`` plays 365 nights in which a document pauses 1,000 schedules and resumes
them, and a pause of 7,201 minutes of a minute schedule that nothing ticked in.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.console import Console
from rich.table import Table

from orchestrator.decisions.decide import decide
from orchestrator.decisions.due import due
from orchestrator.decisions.moving import trim
from orchestrator.decisions.timings import take_over
from orchestrator.document.parse import parse
from orchestrator.ids import ScheduleId
from orchestrator.ledger.moved import dump_moved
from orchestrator.ledger.state import ScheduleState, SubmitState, dump_submit
from orchestrator.model import Schedule, Timing
from orchestrator.passes.services import STATE_BYTES

_BEGIN: Final = datetime(2026, 1, 1, 20, tzinfo=UTC)
_HALF_A_DAY: Final = timedelta(hours=12)
_PAUSED_MINUTES: Final = 7201
_TABLE: Final = '[schedules.{id}]\ncron = "{cron}"\ncommand = "true"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """
    What nights of pauses make of submit.json.

    Attributes:
        largest_bytes: Of its writes.
        last_bytes: Of the last one.
        blobs: How many blobs took what was moved out of it.
        largest_blob_bytes: Of those.
        moved_bytes: All of them together.
    """

    largest_bytes: int
    last_bytes: int
    blobs: int
    largest_blob_bytes: int
    moved_bytes: int


def toggle(nights: int, schedules: int, most_bytes: int) -> Growth:
    """Pause all schedules each evening, and resume them each morning."""
    cron = "0 2 * * MON-FRI"
    text = "".join(_TABLE.format(id=f"nightly-{n}", cron=cron) for n in range(schedules))
    tables = parse(text).schedules
    state = SubmitState()
    sizes, moved = [0], [0]
    for number in range(2 * nights):
        now = _BEGIN + number * _HALF_A_DAY
        paused = number % 2 == 0
        changed = {id_: replace(one, paused=paused) for id_, one in tables.items()}
        state = take_over(state, changed, frozenset(), document=str(number), modified=now)
        size = len(dump_submit(state))
        if size > most_bytes:
            trimmed = trim(state, excess_bytes=size - most_bytes * 2 // 3)
            moved += [len(dump_moved(one)) for one in trimmed.moved]
            state, size = trimmed.state, len(dump_submit(trimmed.state))
        sizes.append(size)
        state = replace(
            state,
            schedules={
                id_: replace(one, decided_until=now) for id_, one in state.schedules.items()
            },
        )
    return Growth(
        largest_bytes=max(sizes),
        last_bytes=sizes[-1],
        blobs=len(moved) - 1,
        largest_blob_bytes=max(moved),
        moved_bytes=sum(moved),
    )


def pause(minutes: int) -> tuple[int, int]:
    """Return how many occurrences a pause skips in one tick, and how many records that gives."""
    id_ = ScheduleId("minutely")
    table: Schedule = parse(_TABLE.format(id=id_, cron="* * * * *")).schedules[id_]
    timing = Timing(since=_BEGIN, recurrence=table.recurrence, paused=True)
    now = _BEGIN + timedelta(minutes=minutes)
    part = due(ScheduleState(timings=(timing,), decided_until=_BEGIN), now)
    decisions = decide(id_, table, part, now=now)
    return len(part.occurrences), len(decisions)


def show(console: Console, growth: Growth, skipped: int, records: int) -> None:
    """Print both, beside what they would be if nothing were moved or shared."""
    table = Table("what", "now", "with nothing moved or shared", title="growth")
    before = growth.last_bytes + growth.moved_bytes
    table.add_row("submit.json, largest write", _mb(growth.largest_bytes), _mb(before))
    table.add_row("blobs of moved timings", f"{growth.blobs}", "0")
    table.add_row("the largest of them", _mb(growth.largest_blob_bytes), "")
    table.add_row(f"records of {skipped:,} skipped occurrences", f"{records:,}", f"{skipped:,}")
    console.print(table)


def _mb(size: int) -> str:
    return f"{size / 1e6:.2f} MB"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How large submit.json grows.")
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--schedules", type=int, default=1000)
    given = parser.parse_args(arguments)
    growth = toggle(given.nights, given.schedules, STATE_BYTES)
    show(Console(), growth, *pause(_PAUSED_MINUTES))


if __name__ == "__main__":
    main()

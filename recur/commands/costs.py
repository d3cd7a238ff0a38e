"""`recur costs`: what the runs of a month cost by schedule, and their nodes beyond that."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from itertools import batched
from typing import Annotated, Final

import typer

from orchestrator.decisions.costs import rounded
from orchestrator.ids import FIRST_YEAR, LAST_YEAR
from recur.arguments import AnySchedule
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.formats import NOTHING, short_duration
from recur.ledger_reader.month_costs import (
    Month,
    PoolCost,
    ScheduleCost,
    Spent,
    pool_costs,
    schedule_costs,
    spent_in,
)
from recur.ledger_reader.records import History
from recur.ledger_reader.run_lookup import past_schedule
from recur.ledger_reader.snapshot import read_snapshot
from recur.output import Printer
from recur.tables import Column, show_table

_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_OF_SCHEDULES: Final = (
    Column(name="SCHEDULE", rank=0),
    Column(name="RUNS", rank=2),
    Column(name="TASK TIME", rank=3),
    Column(name="COST", rank=1),
)
_OF_POOLS: Final = (
    Column(name="POOL", rank=0),
    Column(name="NODES", rank=5),
    Column(name="NODE TIME", rank=2),
    Column(name="IN TASKS", rank=4),
    Column(name="BEYOND TASKS", rank=3),
    Column(name="COST BEYOND", rank=1),
)
_CENT: Final = 0.01
_AT_ONCE: Final = 512
"""Records that are held at a time."""


def command(
    context: typer.Context,
    schedule: AnySchedule = None,
    month: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM", help="The month, in UTC.", show_default="the current one"),
    ] = None,
) -> None:
    """
    Show the month's costs of each schedule, and what the nodes cost beyond their tasks.

    These are estimates from the table [prices] of the document. A task counts in the month in
    which it ended. docs/costs.md has the rules.

    Example: recur costs --month 2026-11
    """
    run(context, lambda given: show_costs(given, schedule, month))


def show_costs(given: Context, text: str | None, written: str | None) -> Exit:
    """
    Show what a month cost.

    Args:
        given: What every command is given.
        text: The schedule; None: all.
        written: The month; None: that of the storage's clock.

    Raises:
        CliError: There is no such schedule, or the month cannot be read.
    """
    wanted = _parse_month(written) if written is not None else None
    ledger = given.target().ledger()
    snapshot = read_snapshot(ledger)
    month = wanted or Month.of(snapshot.now.year, snapshot.now.month)
    history = History(ledger, given.output)
    schedules = [past_schedule(history, snapshot, text)] if text else history.schedules()
    with history.as_one("reading the history"):
        blobs = [
            one.blob
            for one in history.written(schedules)
            if one.count == 1
            and (one.modified is None or one.modified >= month.begin)
            and (one.nominal is None or one.nominal < month.end)
        ]
        spent = [*_spent(history, blobs, month)]
    by_schedule, by_pool = schedule_costs(spent), pool_costs(month, spent)
    _show(given.output, month, by_schedule, by_pool)
    for line in history.complaints:
        given.output.progress.print(line, markup=False)
    told = [asdict(one) for one in by_schedule]
    given.output.listing(
        {
            "month": str(month),
            "schedules": told,
            "pools": [asdict(one) for one in by_pool],
            "unreadable": history.complaints,
        },
        told,
        [one.name for one in fields(ScheduleCost)],
    )
    return Exit.FOUND if history.unreadable else Exit.DONE


def _parse_month(text: str) -> Month:
    found = _MONTH.fullmatch(text)
    if found is None or not FIRST_YEAR < int(found[1]) < LAST_YEAR:
        message = f"--month {text!r} is not a month that can have records"
        raise CliError(Exit.USAGE, message, "write the year and the month, as in 2026-11")
    return Month.of(int(found[1]), int(found[2]))


def _spent(history: History, blobs: Sequence[str], month: Month) -> Iterator[Spent]:
    for some in batched(blobs, _AT_ONCE, strict=False):
        for record in history.records(some):
            if record:
                yield from spent_in(month, record)


def _show(
    output: Printer, month: Month, schedules: Sequence[ScheduleCost], pools: Sequence[PoolCost]
) -> None:
    if not schedules:
        output.say(f"the records have no task that ended in {month}")
        return
    show_table(output, _OF_SCHEDULES, [*map(_schedule_row, schedules), *_totals(schedules)])
    if pools:
        output.say("")
        show_table(output, _OF_POOLS, [*map(_pool_row, pools)])
    if any(one.currency is None for one in schedules):
        output.say("")
        output.say(
            "Runs without a cost were claimed without a price: see [prices] in docs/costs.md."
        )


def _schedule_row(one: ScheduleCost) -> tuple[str, ...]:
    cost = _money(one.amount, one.currency)
    return (one.schedule, str(one.runs), short_duration(one.task_seconds), cost)


def _totals(schedules: Sequence[ScheduleCost]) -> Iterator[tuple[str, ...]]:
    """Yield one row for each currency, where more than one schedule is summed up."""
    for currency in dict.fromkeys(one.currency for one in schedules if one.currency):
        some = [one for one in schedules if one.currency == currency]
        if len(some) > 1:
            total = rounded(sum(one.amount or 0 for one in some))
            runs = str(sum(one.runs for one in some))
            time = short_duration(sum(one.task_seconds for one in some))
            yield ("all", runs, time, _money(total, currency))


def _pool_row(one: PoolCost) -> tuple[str, ...]:
    return (
        f"{one.pool or 'not named'} ({one.kind})",
        str(one.nodes),
        short_duration(one.node_seconds),
        short_duration(one.busy_seconds),
        short_duration(one.node_seconds - one.busy_seconds),
        _money(one.beyond_amount, one.currency),
    )


def _money(amount: float | None, currency: str | None) -> str:
    """Write an amount with two digits behind the point, and a small one with four."""
    if amount is None:
        return NOTHING
    return f"{amount:.4f} {currency}" if 0 < amount < _CENT else f"{amount:,.2f} {currency}"

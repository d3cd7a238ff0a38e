"""`recur rehearse`: what a document would run, skip, wait for and cost, before anything is deployed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import Annotated, Final

import typer

from orchestrator.document.parse import Document
from orchestrator.ids import ScheduleId
from orchestrator.model import Prices
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.formats import NOTHING, short_duration
from recur.ledger_reader.records import History
from recur.output import Printer
from recur.rehearsal.durations import Durations, parse_durations, recorded_durations
from recur.rehearsal.play import Course, play, that_run
from recur.rehearsal.simulated_pool import PoolShape, Rehearsal, play_on_pool
from recur.rehearsal.summary import (
    PoolSummary,
    ScheduleSummary,
    pool_summary,
    price_of,
    schedule_summary,
)
from recur.schedules.document_file import read_file, valid_document
from recur.tables import Column, show_table
from recur.times import parse_time

_OF_SCHEDULES: Final = (
    Column(name="SCHEDULE", rank=0),
    Column(name="RUNS", rank=1),
    Column(name="SKIPPED", rank=3, prose=True),
    Column(name="WAITING", rank=5),
    Column(name="LONGEST", rank=6),
    Column(name="NODE TIME", rank=7),
    Column(name="COST", rank=2, optional=True),
    Column(name="NOTES", rank=4, prose=True, optional=True),
)
_OF_POOL: Final = (
    Column(name="POOL", rank=0),
    Column(name="NODES", rank=3),
    Column(name="AT ONCE", rank=4),
    Column(name="NODE TIME", rank=2),
    Column(name="IN TASKS", rank=6),
    Column(name="BEYOND TASKS", rank=5),
    Column(name="COST", rank=1, optional=True),
)
_CENT: Final = 0.01
_SHOWN: Final = 5
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearseOptions:
    """What is asked for: the arguments of `recur rehearse`."""

    file: Path
    days: int
    begin: str | None
    durations: Sequence[str]
    pool: str | None
    shape: PoolShape


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The schedule document; it is not applied.")],
    days: Annotated[int, typer.Option(min=1, max=400, help="How many days to rehearse.")] = 30,
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="When the rehearsal starts. Default: now."),
    ] = None,
    duration: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[SCHEDULE=]LENGTH",
            help="How long runs take: of one schedule, or of all others. May be "
            "repeated. Default: as long as the newest runs in the ledger.",
        ),
    ] = None,
    nodes: Annotated[int, typer.Option(min=1, max=2500, help="The maximum number of nodes.")] = 1,
    slots: Annotated[
        int, typer.Option(min=1, max=256, help="How many runs a node takes at once.")
    ] = 1,
    spot: Annotated[bool, typer.Option("--spot", help="Use Spot nodes.")] = False,
    preemptions: Annotated[
        float,
        typer.Option(min=0, max=60, help="How often a Spot node is preempted per hour."),
    ] = 0.0,
    pool: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Use the prices of this pool in [prices.pools]."),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(help="The seed for boot times and preemptions; the same seed repeats them."),
    ] = 0,
) -> None:
    """
    Rehearse a document: show what would run, be skipped, wait and cost. Nothing is changed.

    Recur's own rules decide the occurrences, and a simulated pool with the deployed formula runs
    them. Runs take as long as the newest runs of their schedule in the ledger, or as --duration
    says. They do not fail, so nothing is retried or paused.

    WAITING is the time from the nominal time to the start of the task: the median and the longest.

    Example: recur rehearse schedules.toml --days 30 --duration 10m --duration nightly-report=2h
    """
    if preemptions and not spot:
        spot = True
    options = RehearseOptions(
        file=file,
        days=days,
        begin=begin,
        durations=duration or (),
        pool=pool,
        shape=PoolShape(
            nodes=nodes, spot=spot, slots=slots, preemptions_per_hour=preemptions, seed=seed
        ),
    )
    run(context, lambda given: show_rehearsal(given, options))


def show_rehearsal(given: Context, options: RehearseOptions) -> Exit:
    """
    Rehearse a document and show what came of it.

    Returns:
        FOUND if runs had not ended a day after the last one was due.

    Raises:
        CliError: The document has problems or no prices of the pool that is named, or nothing is
            known of how long a schedule's runs take.
    """
    document = valid_document(
        read_file(options.file), options.file, f"recur validate {quote(str(options.file))}"
    )
    now = datetime.now(UTC)
    begin = now
    if options.begin:
        begin = parse_time(options.begin, UTC, name="--from", now=now, ahead=True)
    # As recur next has it: an occurrence at --from itself counts, one that is due right now does not.
    after = begin - _SECOND if options.begin else begin
    last = after + timedelta(days=options.days)
    prices = next((one.prices for one in document.schedules.values()), None)
    price = _price(prices, options)
    asked = that_run(document.schedules, after, last)
    durations = _durations(given, options, document, asked=asked, now=now)

    async def perform(stage: Rehearsal) -> tuple[list[Course], Rehearsal]:
        courses = await play(stage, document.schedules, durations, after=after, until=last)
        return courses, stage

    first_tick = begin.replace(second=0, microsecond=0)
    courses, stage = play_on_pool(options.shape, first_tick, perform)
    found = [schedule_summary(one, slots=options.shape.slots, price=price) for one in courses]
    whole = pool_summary(stage.nodes, price)
    currency = prices.currency if prices and price is not None else None
    _show(given.output, found, whole, currency, spot=options.shape.spot)
    schedules = [asdict(one) for one in found]
    given.output.listing(
        {
            "from": begin,
            "until": begin + timedelta(days=options.days),
            "currency": currency,
            "schedules": schedules,
            "pool": asdict(whole),
        },
        schedules,
        [one.name for one in fields(ScheduleSummary)],
    )
    return Exit.FOUND if any(one.unfinished for one in found) else Exit.DONE


def _price(prices: Prices | None, options: RehearseOptions) -> float | None:
    pools = prices.pools if prices else {}
    if options.pool and options.pool.lower() not in {name.lower() for name in pools}:
        told = ", ".join(pools) or "none"
        raise CliError(
            Exit.USAGE,
            f"the document has no prices for the pool {options.pool}",
            f"[prices.pools] has: {told}; without --pool, the prices of [prices] are used",
        )
    return price_of(prices, options.pool, spot=options.shape.spot)


def _durations(
    given: Context,
    options: RehearseOptions,
    document: Document,
    *,
    asked: Sequence[ScheduleId],
    now: datetime,
) -> Durations:
    durations = parse_durations(options.durations, list(document.schedules))
    missing = durations.missing(asked)
    if not missing:
        return durations
    try:
        history = History(given.target().ledger(), given.output)
    except CliError as error:
        raise _unknown(missing, error.next_step) from error
    with history.as_one("reading the history"):
        durations = durations.over(recorded_durations(history, missing, now))
    if missing := durations.missing(asked):
        raise _unknown(missing, "the ledger has no recent finished run of these schedules")
    return durations


def _unknown(missing: Sequence[ScheduleId], why: str | None) -> CliError:
    some = ", ".join(missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
    hint = "add --duration 10m for all of them, or --duration SCHEDULE=10m for one"
    return CliError(
        Exit.USAGE,
        f"the duration of runs is not known for {len(missing)} schedule(s): {some}",
        f"{hint} ({why})" if why else hint,
    )


def _show(
    output: Printer,
    found: Sequence[ScheduleSummary],
    whole: PoolSummary,
    currency: str | None,
    *,
    spot: bool,
) -> None:
    show_table(output, _OF_SCHEDULES, [_schedule_row(one, currency) for one in found])
    output.say("")
    beyond = whole.node_seconds - whole.busy_seconds
    row = (
        "spot" if spot else "dedicated",
        str(whole.nodes),
        str(whole.most_nodes),
        short_duration(whole.node_seconds),
        short_duration(whole.busy_seconds),
        short_duration(beyond),
        _money(whole.amount, currency),
    )
    show_table(output, _OF_POOL, [row])
    if not found:
        output.say("")
        output.say("Nothing to rehearse: the document has no schedules.")
    elif currency is None:
        output.say("")
        output.say("No cost: the document gives no price for these nodes (docs/costs.md).")


def _schedule_row(one: ScheduleSummary, currency: str | None) -> tuple[str, ...]:
    return (
        one.schedule,
        str(one.runs),
        ", ".join(f"{count} {reason}" for reason, count in one.skipped.items()) or NOTHING,
        short_duration(one.waiting_seconds),
        short_duration(one.longest_waiting_seconds),
        short_duration(one.node_seconds),
        _money(one.amount, currency),
        _notes(one),
    )


def _notes(one: ScheduleSummary) -> str:
    counts = (
        (one.timed_out, "timed out"),
        (one.replaced, "replaced"),
        (one.preempted, "preempted"),
        (one.unfinished, "not ended"),
    )
    return ", ".join(f"{count} {what}" for count, what in counts if count)


def _money(amount: float | None, currency: str | None) -> str:
    """Write an amount with two digits behind the point, and a small one with four."""
    if amount is None or currency is None:
        return NOTHING
    return f"{amount:.4f} {currency}" if 0 < amount < _CENT else f"{amount:,.2f} {currency}"

"""`recur runs`: how runs stand or ended, what was skipped or missed and why, newest first."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Annotated, Any, Final

import typer

from orchestrator.enums import Outcome
from orchestrator.ledger.record import Action, Kind
from recur.about import about_json
from recur.arguments import AnySchedule, Since
from recur.context import Context, run
from recur.errors import Exit
from recur.formats import NOTHING, local, short_duration, utc
from recur.ledger_reader.record_search import FoundRecord, RecordFilter, RecordSearch
from recur.ledger_reader.records import History
from recur.ledger_reader.run_state import run_duration, run_state
from recur.ledger_reader.snapshot import read_snapshot, zone_of
from recur.state_cells import state_cell
from recur.tables import Cell, Column, show_table

_COLUMNS: Final = (
    Column(name="RUN", rank=0),
    Column(name="NOMINAL", rank=2),
    Column(name="LATE", rank=6),
    Column(name="STATE", rank=1),
    Column(name="REASON", rank=3),
    Column(name="BEHIND", rank=4, optional=True),
    Column(name="TOOK", rank=5),
    Column(name="TAGS", rank=7, prose=True, optional=True),
)
_MOST_BEHIND: Final = 5
_FIELDS: Final = (
    "run_id",
    "schedule",
    "nominal",
    "local",
    "kind",
    "decision",
    "open",
    "state",
    "outcome",
    "reason",
    "sentence",
    "lateness_seconds",
    "duration_seconds",
    "attempts",
    "count",
    "last",
    "description",
    "owner",
    "runbook",
    "tags",
)


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedule: AnySchedule = None,
    since: Since = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="The latest nominal time.")
    ] = None,
    outcome: Annotated[
        list[Outcome] | None,
        typer.Option(help="Only runs with this outcome. Repeat it to add others."),
    ] = None,
    decision: Annotated[
        list[Action] | None,
        typer.Option(help="Only occurrences with this decision. Repeat it to add others."),
    ] = None,
    kind: Annotated[
        list[Kind] | None, typer.Option(help="Only runs of this kind. Repeat it to add others.")
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Only runs with this tag. Repeat it to add others."),
    ] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only open runs.")] = False,
    count: Annotated[
        int, typer.Option("-n", min=1, help="The maximum number of runs to list.")
    ] = 20,
) -> None:
    """
    List runs, open ones too, and skipped and missed occurrences with the reason; newest first.

    TIME is ISO 8601, with an offset or Z, or in the schedule's time zone. A date is the start of
    that day: --since 2026-11-01 --until 2026-11-02 lists one day. TIME can also be yesterday, now,
    1h for one hour ago, or 22:38 for the most recent one.

    Consecutive skipped or missed occurrences with the same reason share a row: skipped ×14. If the
    terminal is too narrow to name the run that blocked them, a line below the table names it. A
    failed run shows its exit code.

    The tags of a run are the schedule's tags when the run was decided.

    A filter may read much of the history before it finds enough runs; limit it with --since.

    Example: recur runs nightly-report --outcome failed --since 2026-11-01
    """
    if open_only and outcome:
        raise typer.BadParameter(
            "--open and --outcome exclude each other: an open run has none yet"
        )
    if open_only and decision and Action.SUBMIT not in decision:
        raise typer.BadParameter("--open is about runs: what was skipped or missed is never open")
    record_filter = RecordFilter(
        schedule=schedule,
        since=since,
        until=until,
        outcomes=tuple(outcome or ()),
        decisions=tuple(decision or ()),
        kinds=tuple(kind or ()),
        tags=frozenset(tag or ()),
        open_only=open_only,
        count=count,
    )

    run(context, lambda given: list_runs(given, record_filter))


def list_runs(given: Context, record_filter: RecordFilter) -> Exit:
    """
    Show the newest records that are wanted.

    Raises:
        CliError: There is no such schedule, or a time cannot be read.
    """
    ledger = given.target().ledger()
    snapshot = read_snapshot(ledger)
    history = History(ledger, given.output)
    search = RecordSearch(history, snapshot, record_filter)
    with history.as_one("reading the history"):
        lines = list(islice(search.newest(), record_filter.count))
    if lines:
        show_runs(given, lines, snapshot.now)
    elif record_filter.open_only:
        given.output.say("no open run matches")
    else:
        given.output.say(f"no record matches since {utc(search.since)}")
    for text in history.complaints:
        given.output.progress.print(text, markup=False)
    runs = [
        _record_json(line, zone_of(snapshot, line.record.schedule) or UTC, snapshot.now)
        for line in lines
    ]
    given.output.listing({"runs": runs, "unreadable": history.complaints}, runs, _FIELDS)
    return Exit.FOUND if history.unreadable else Exit.DONE


def show_runs(given: Context, lines: Sequence[FoundRecord], now: datetime) -> None:
    """Show runs to people; equal neighbours that did not run share a row."""
    groups = collapsed(lines)
    rows = [_cells(group, given.zone, now) for group in groups]
    if "BEHIND" in show_table(given.output, _COLUMNS, rows):
        for line in behind_lines(groups):
            given.output.say(line)


def behind_lines(groups: Sequence[Sequence[FoundRecord]]) -> list[str]:
    """Say what stands in the column BEHIND, in a line for each of the newest that were in the way."""
    counts: Counter[tuple[str, str]] = Counter()
    for group in groups:
        decision = group[0].record.decision
        if decision.because:
            counts[decision.action, decision.because] += _count(group)
    lines = [
        f"{action}{f' ×{count}' if count > 1 else ''}, behind {run_id}"
        for (action, run_id), count in counts.items()
    ]
    more = len(lines) - _MOST_BEHIND
    return lines[:_MOST_BEHIND] + ([f"and behind {more} more: -o wide"] if more > 0 else [])


def _count(group: Sequence[FoundRecord]) -> int:
    return sum(one.record.range.count if one.record.range else 1 for one in group)


def collapsed(lines: Sequence[FoundRecord]) -> list[list[FoundRecord]]:
    """Group neighbours of one schedule that did not run for the same reason, newest first."""
    groups: list[list[FoundRecord]] = []
    for line in lines:
        if groups and (why := _why_not_run(line)) and why == _why_not_run(groups[-1][-1]):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _why_not_run(line: FoundRecord) -> tuple[object, ...] | None:
    """Return what equal neighbours have in common; None for what ran or is open."""
    record = line.record
    if line.is_open or record.outcome is not None or record.decision.action is Action.SUBMIT:
        return None
    decision = record.decision
    return record.schedule, decision.action, decision.reason, decision.because, _tags(line)


def _cells(group: Sequence[FoundRecord], zone: tzinfo | None, now: datetime) -> tuple[Cell, ...]:
    """Return the row of a group; it is named after its newest."""
    line = group[0]
    record = line.record
    stands = run_state(record, now, is_open=line.is_open)
    return (
        record.run_id,
        local(record.nominal, zone),
        short_duration(record.lateness_seconds),
        state_cell(record, stands, _count(group)),
        stands.reason or NOTHING,
        record.decision.because or NOTHING,
        short_duration(run_duration(record, now)),
        _tags(line) or NOTHING,
    )


def _tags(line: FoundRecord) -> str:
    about = line.record.about
    return ", ".join(about.tags) if about else ""


def _record_json(line: FoundRecord, zone: tzinfo, now: datetime) -> dict[str, Any]:
    """Return what programs are told of a record; all of it is in `recur show --json`."""
    record = line.record
    stands = run_state(record, now, is_open=line.is_open)
    took = run_duration(record, now)
    return {
        "run_id": record.run_id,
        "schedule": record.schedule,
        "nominal": utc(record.nominal),
        "local": record.nominal.astimezone(zone).isoformat(),
        "kind": record.kind,
        "decision": record.decision.action,
        "open": line.is_open,
        "state": stands.word,
        "outcome": record.outcome,
        "reason": stands.reason,
        "sentence": record.sentence,
        "lateness_seconds": record.lateness_seconds,
        "duration_seconds": took.total_seconds() if took else None,
        "attempts": len(record.attempts),
        "count": record.range.count if record.range else 1,
        "last": utc(record.range.last) if record.range else None,
        **about_json(record.about),
    }

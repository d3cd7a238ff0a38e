"""`recur runs`: what ran, what did not and why, newest first."""

from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Annotated, Any

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
from recur.output import show_table


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedule: AnySchedule = None,
    since: Since = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Up to this nominal time.")
    ] = None,
    outcome: Annotated[
        list[Outcome] | None, typer.Option(help="Only runs that ended so; may be repeated.")
    ] = None,
    decision: Annotated[
        list[Action] | None, typer.Option(help="Only what was decided so; may be repeated.")
    ] = None,
    kind: Annotated[
        list[Kind] | None, typer.Option(help="Only what was asked for so; may be repeated.")
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Only with this tag; may be repeated, then any of them."),
    ] = None,
    open_only: Annotated[
        bool, typer.Option("--open", help="Only runs that have not ended.")
    ] = False,
    count: Annotated[int, typer.Option("-n", min=1, help="So many at most.")] = 20,
) -> None:
    """
    List what ran, what did not and why, newest first; runs that have not ended are among them.

    TIME is ISO 8601: with an offset or Z, or on the wall clock of the schedule's zone, or a date
    for the beginning of that day: --since 2026-11-01 --until 2026-11-02 is one day.

    The tags of a run are those that its schedule had when the run was decided.

    A filter may have to read much of the history before it finds enough: --since bounds that.

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
    zones = {one: zone_of(snapshot, one) or UTC for one in {line.record.schedule for line in lines}}
    if lines:
        tagged = any(_tags(line) for line in lines)
        columns = ("RUN", "NOMINAL", "LATE", "STATE", "REASON", "TOOK", *("TAGS",) * tagged)
        rows = [
            (
                *_row(line, zones[line.record.schedule], snapshot.now),
                *(_tags(line) or NOTHING,) * tagged,
            )
            for line in lines
        ]
        show_table(given.output, columns, rows)
    elif record_filter.open_only:
        given.output.say("no run is open that is asked for")
    else:
        given.output.say(f"nothing is recorded that is asked for, since {utc(search.since)}")
    for text in history.complaints:
        given.output.progress.print(text, markup=False)
    given.output.result(
        {
            "runs": [
                _record_json(line, zones[line.record.schedule], snapshot.now) for line in lines
            ],
            "unreadable": history.complaints,
        }
    )
    return Exit.FOUND if history.unreadable else Exit.DONE


def _row(line: FoundRecord, zone: tzinfo, now: datetime) -> tuple[str, ...]:
    record = line.record
    stands = run_state(record, now, is_open=line.is_open)
    times = f" ({record.range.count} times)" if record.range else ""
    return (
        record.run_id,
        local(record.nominal, zone),
        short_duration(record.lateness_seconds),
        f"{stands.word}{times}",
        stands.reason or "-",
        short_duration(run_duration(record, now)),
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

"""`recur next`: when a schedule is due, also where clocks change, also under another policy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from orchestrator.model import Schedule, Timing
from orchestrator.timing.occurrences import ended
from orchestrator.timing.zones import parse_zone
from recur.about import about_json, about_lines
from recur.completion import schedules
from recur.context import Context, run
from recur.ended import why_ended
from recur.errors import CliError, Exit
from recur.formats import NOTHING, away, iso_offset, local
from recur.schedules.overview import show_overview
from recur.schedules.policy_comparison import compared, next_difference, parse_policy
from recur.schedules.source import Source, find_schedule
from recur.schedules.upcoming import Upcoming, first_occurrences, next_run, upcoming
from recur.tables import Column, show_table
from recur.times import parse_time

_INSTANT: Final = (
    Column(name="WALL TIME", rank=0),
    Column(name="OFFSET", rank=5),
    Column(name="UTC", rank=4),
)
_COLUMNS: Final = (
    *_INSTANT,
    Column(name="IN", rank=3, optional=True),
    Column(name="NOTE", rank=1, prose=True),
)
_COMPARED: Final = (
    Column(name="", rank=1),
    *_INSTANT,
    Column(name="AS IT IS", rank=3, prose=True),
    Column(name="COMPARED", rank=2, prose=True),
)
_FIELDS: Final = ("wall", "offset", "utc", "runs", "notes")


@dataclass(frozen=True, slots=True, kw_only=True)
class NextOptions:
    """What is asked for: the arguments of `recur next`."""

    schedule: str
    count: int
    file: Path | None
    begin: str | None
    compare: str | None


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedule: Annotated[
        str | None,
        typer.Argument(
            help="The id of a schedule. Without it, --file lists all schedules of a document.",
            autocompletion=schedules,
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option("-n", min=1, max=10_000, help="How many occurrences to show. Default: 10."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Read this document. Default: the document in force."),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="Show occurrences from this time on. Default: now."
        ),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(metavar="POLICY", help="Also show the occurrences with another dst."),
    ] = None,
) -> None:
    """
    Show when a schedule is due: wall time, offset, UTC, and the effect of clock changes.

    Without SCHEDULE, --file lists all schedules of a document: when each is due next, and what
    prevents it from running. recur status shows the schedules in force.

    It uses the current table, also for times in the past; explain shows what was in force then. For
    the document in force, it takes operators' pauses into account. Wall times that do not exist
    have their own line. Exit code 1: nothing is due within nine years.

    TIME is ISO 8601, with an offset or Z, or in the schedule's time zone; or a date; or tomorrow,
    1h for one hour from now, or 22:38 for the next one.

    POLICY is gap=auto|shift|skip, overlap=auto|first|second|both, or both, separated by a comma.

    Example: recur next nightly-report -n 5 --from 2026-03-07 --compare gap=skip
    """

    def look(given: Context) -> Exit:
        if schedule is not None:
            options = NextOptions(
                schedule=schedule, count=count or 10, file=file, begin=begin, compare=compare
            )
            return show_next(given, options)
        if file is None:
            raise CliError(
                Exit.USAGE,
                "recur next needs a SCHEDULE, or a document by --file",
                "recur status shows every schedule in force",
            )
        if count is not None or compare is not None:
            raise CliError(
                Exit.USAGE,
                "-n and --compare need a SCHEDULE",
                f"recur next --file {file} lists them all",
            )
        return show_overview(given, file, begin)

    run(context, look)


def show_next(given: Context, options: NextOptions) -> Exit:
    """
    Show the next occurrences of a schedule.

    Returns:
        FOUND if there is none within nine years.

    Raises:
        CliError: There is no such schedule, or a time or a policy cannot be read.
    """
    other = parse_policy(options.compare) if options.compare else None
    source = find_schedule(given, options.schedule, options.file)
    zone = parse_zone(source.schedule.recurrence.time_zone)
    begin = source.now
    if options.begin:
        begin = parse_time(options.begin, zone, name="--from", now=source.now, ahead=True)
    after = begin - timedelta(seconds=1) if options.begin else begin
    lines = list(
        first_occurrences(upcoming(source.schedule, after, pauses=source.pauses), options.count)
    )
    for name, value in about_lines(source.schedule.about):
        given.output.say(f"{name}: {value}")
    for doubt in source.doubts:
        given.output.say(f"ignored: {doubt}")
    if not any(one.nominal for one in lines):
        timing = Timing(since=after, recurrence=source.schedule.recurrence)
        if ended((timing,), after):
            raise CliError(
                Exit.FOUND,
                f"schedule {options.schedule!r} is ended: {why_ended(source.schedule.recurrence, after)}",
                "give it a later end, or more times in at, or remove it",
            )
        raise CliError(
            Exit.FOUND,
            f"schedule {options.schedule!r} is not due within nine years",
            "look at its cron, at, every, except and start, and at recur validate",
        )
    if other:
        changed = replace(source.schedule, recurrence=other.on(source.schedule.recurrence))
        _compare(given, source, changed, begin, after, lines, other.text)
    else:
        show_upcoming(given, source, begin, lines, counted=options.begin is None)
    return Exit.DONE


def show_upcoming(
    given: Context, source: Source, begin: datetime, lines: Sequence[Upcoming], *, counted: bool
) -> None:
    """
    Show what is to come; what a pause skips shares a row, and the next that runs is named.

    Args:
        given: What every command is given.
        source: The schedule.
        begin: From when on.
        lines: What is to come.
        counted: Whether to tell how far away each is.
    """
    output, rows = given.output, []
    for group in collapsed(lines):
        first = group[0]
        length = away(first.at, source.now) if counted and first.nominal else NOTHING
        rows.append((*_cells(first, given.zone), length, _note(group)))
    show_table(output, _COLUMNS, rows)
    if any(_is_paused(one) for one in lines):
        output.say(_when_it_runs(source, lines[0].at, given.zone))
    occurrences = [_upcoming_json(one) for one in lines]
    output.listing(
        {**_heading(source.schedule, begin), "occurrences": occurrences}, occurrences, _FIELDS
    )


def _is_paused(one: Upcoming) -> bool:
    """Whether an occurrence is skipped for a pause."""
    paused = any(note.startswith("paused") for note in one.notes)
    return one.nominal is not None and not one.runs and paused


def collapsed(lines: Sequence[Upcoming]) -> list[list[Upcoming]]:
    """Group the neighbours that the same pauses skip."""
    groups: list[list[Upcoming]] = []
    for one in lines:
        if groups and _is_paused(one) and one.notes == groups[-1][-1].notes:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _note(group: Sequence[Upcoming]) -> str:
    note = "; ".join(group[0].notes)
    if not _is_paused(group[0]):
        return note
    return f"skipped ×{len(group)}: {note}" if len(group) > 1 else f"skipped: {note}"


def _when_it_runs(source: Source, first: datetime, zone: tzinfo | None) -> str:
    """Say when a paused schedule runs next."""
    schedule = source.schedule
    at = next_run(schedule, first - timedelta(seconds=1), source.pauses)
    if at:
        return f"the next that runs: {local(at, zone or parse_zone(schedule.recurrence.time_zone))}"
    if schedule.paused:
        return "nothing runs before a document without paused = true is applied"
    return f"nothing runs before `recur resume {schedule.id}`"


def _compare(  # noqa: PLR0913, PLR0917 - both sides and what they have in common
    given: Context,
    source: Source,
    changed: Schedule,
    begin: datetime,
    after: datetime,
    lines: Sequence[Upcoming],
    text: str,
) -> None:
    """Show two policies side by side, over the time that the first one's lines take."""
    until = max(one.nominal for one in lines if one.nominal)
    others = list(upcoming(changed, after, pauses=source.pauses, until=until))
    pairs = list(compared(lines, others))
    rows = [
        (
            "*" if pair.differs else "",
            *_cells(pair.either, given.zone),
            _side(pair.here),
            _side(pair.there),
        )
        for pair in pairs
    ]
    output = given.output
    show_table(output, _COMPARED, rows, {"COMPARED": text.upper()})
    later = None
    if not any(pair.differs for pair in pairs):
        later = next_difference(source.schedule, changed, until)
        zone = given.zone or parse_zone(source.schedule.recurrence.time_zone)
        when = later.astimezone(zone) if later else None
        output.say(
            f"no difference here; the next is at {when:%Y-%m-%d %H:%M%:z}"
            if when
            else "no difference here, nor within two years"
        )
    output.result(
        {
            **_heading(source.schedule, begin),
            "compared_with": text,
            "rows": [
                {
                    "differs": pair.differs,
                    "here": _upcoming_json(pair.here) if pair.here else None,
                    "there": _upcoming_json(pair.there) if pair.there else None,
                }
                for pair in pairs
            ],
            "next_difference": later,
        }
    )


def _heading(schedule: Schedule, begin: datetime) -> dict[str, Any]:
    return {
        "schedule": schedule.id,
        "time_zone": schedule.recurrence.time_zone,
        **about_json(schedule.about),
        "from": begin,
    }


def _upcoming_json(one: Upcoming) -> dict[str, Any]:
    return {
        "wall": one.wall.isoformat(),
        "offset": iso_offset(one.offset),
        "utc": one.nominal,
        "runs": one.runs,
        "notes": list(one.notes),
    }


def _cells(one: Upcoming, zone: tzinfo | None) -> tuple[str, str, str]:
    """
    Return wall time, offset and instant for people; seconds only where there are some.

    Args:
        one: What is to come.
        zone: Of wall time and offset; None: the schedule's.
    """
    shown = one.at.astimezone(zone) if zone else None
    wall, offset = (shown, shown.utcoffset()) if shown else (one.wall, one.offset)
    form = "%Y-%m-%d %H:%M:%S" if one.wall.second else "%Y-%m-%d %H:%M"
    utc = f"{one.nominal:{form}}Z" if one.nominal else NOTHING
    return f"{wall:{form}}", iso_offset(offset) or NOTHING, utc


def _side(one: Upcoming | None) -> str:
    if one is None:
        return NOTHING
    return "; ".join(one.notes) or "runs"

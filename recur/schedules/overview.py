"""`recur next --file FILE` without a schedule: all of a document, and when each is due next."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Final

from orchestrator.document.parse import Document
from orchestrator.ids import ScheduleId
from orchestrator.model import About, Schedule, Timing
from orchestrator.timing.occurrences import ended
from orchestrator.timing.zones import parse_zone
from recur.about import about_json
from recur.context import Context
from recur.errors import Exit
from recur.formats import NOTHING, away, iso_offset, local
from recur.progress import progress
from recur.schedules.source import document_of_file
from recur.schedules.upcoming import next_due, pause_notes
from recur.tables import Column, show_table
from recur.times import parse_time

_COLUMNS: Final = (
    Column(name="SCHEDULE", rank=0),
    Column(name="NEXT", rank=1),
    Column(name="IN", rank=4, optional=True),
    Column(name="OWNER", rank=3, prose=True, optional=True),
    Column(name="NOTE", rank=2, prose=True),
)
_FIELDS: Final = (
    "schedule",
    "time_zone",
    "wall",
    "offset",
    "utc",
    "runs",
    "notes",
    "description",
    "owner",
    "runbook",
    "tags",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """
    One schedule of a document, and when it is due.

    Attributes:
        zone: Of its wall times.
        at: When it is due next and ``except`` does not leave it out; None: that is not known.
        runs: Whether nothing keeps it from running then.
        notes: What is to be said of it.
        about: What its table says for people.
    """

    schedule: ScheduleId
    zone: tzinfo
    at: datetime | None = None
    runs: bool = False
    notes: tuple[str, ...]
    about: About | None = None


def show_overview(given: Context, file: Path, begin: str | None) -> Exit:
    """
    Show every schedule of a file, when it is due next, and what keeps it from running.

    Args:
        given: What every command is given.
        file: A document that need not be in force.
        begin: From when on, as it was typed; None: now.

    Raises:
        CliError: The file or the time cannot be read.
    """
    document, now = document_of_file(file), datetime.now(UTC)
    found: list[Outlook] = []
    schedule_ids = sorted({*document.schedules, *document.invalid})
    with progress(given.output, "looking ahead", len(schedule_ids)) as advance:
        for id_ in schedule_ids:
            found.append(_outlook(id_, document, now, begin))
            advance(1)
    _show_outlooks(given, found, None if begin else now)
    schedules = [_outlook_json(one) for one in found]
    given.output.listing({"from": begin or now, "schedules": schedules}, schedules, _FIELDS)
    return Exit.DONE


def _outlook(id_: ScheduleId, document: Document, now: datetime, begin: str | None) -> Outlook:
    schedule = document.schedules.get(id_)
    if schedule is None:
        notes = ("its table is invalid, so nothing runs",)
        return Outlook(schedule=id_, zone=UTC, notes=notes)
    zone = parse_zone(schedule.recurrence.time_zone)
    after = (
        parse_time(begin, zone, name="--from", now=now, ahead=True) - timedelta(seconds=1)
        if begin
        else now
    )
    at = next(iter(next_due(schedule, after, 1)), None)
    return Outlook(
        schedule=id_,
        zone=zone,
        at=at,
        runs=at is not None and not schedule.paused,
        notes=tuple(_obstacle_notes(schedule, begin=after, at=at)),
        about=schedule.about,
    )


def _obstacle_notes(schedule: Schedule, *, begin: datetime, at: datetime | None) -> list[str]:
    """Return what keeps a schedule from running."""
    notes = pause_notes(schedule, ())
    if at is None:
        timing = Timing(since=begin, recurrence=schedule.recurrence)
        notes.append("ended" if ended((timing,), begin) else "not due within nine years")
    return notes


def _show_outlooks(given: Context, found: list[Outlook], now: datetime | None) -> None:
    """Show a line for each schedule; how far away it is due only if that is asked of now."""
    rows = [
        (
            one.schedule,
            local(one.at, given.zone) if one.at else NOTHING,
            away(one.at, now) if one.at and now else NOTHING,
            (one.about and one.about.owner) or NOTHING,
            "; ".join(one.notes),
        )
        for one in found
    ]
    if rows:
        show_table(given.output, _COLUMNS, rows)
    else:
        given.output.say("the document has no schedules")


def _outlook_json(one: Outlook) -> dict[str, Any]:
    shown = one.at.astimezone(one.zone) if one.at else None
    return {
        "schedule": one.schedule,
        "time_zone": str(one.zone),
        "wall": shown.replace(tzinfo=None, fold=0).isoformat() if shown else None,
        "offset": iso_offset(shown.utcoffset()) if shown else None,
        "utc": one.at,
        "runs": one.runs,
        "notes": list(one.notes),
        **about_json(one.about),
    }

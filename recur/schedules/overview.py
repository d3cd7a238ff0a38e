"""`recur next` without a schedule: all of them, when each is due next and how it went last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Final

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.adapters.calls import first_line
from orchestrator.document.parse import Document
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import ScheduleId
from orchestrator.ledger.results import ScheduleResults, load_collect
from orchestrator.model import About, Pause, Schedule, Timing
from orchestrator.timing.occurrences import ended
from orchestrator.timing.zones import parse_zone
from recur.about import about_json
from recur.context import Context
from recur.errors import Exit
from recur.formats import NOTHING, iso_offset, local
from recur.ledger_reader.snapshot import Snapshot, read_snapshot, zone_of
from recur.output import Printer, show_table
from recur.progress import progress
from recur.schedules.source import document_in_force, document_of_file
from recur.schedules.upcoming import next_due, pause_notes
from recur.times import parse_time

_RESULTS: Final = ("LAST SUCCESS", "FAILED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """
    One schedule and what is to be said of it.

    Attributes:
        zone: Of its wall times.
        at: When it is due next and ``except`` does not leave it out; None: not that it is known.
        runs: Whether nothing keeps it from running then.
        notes: What is to be said of it.
        results: Of its finished runs; None if they are not known.
        about: What its table says for people.
    """

    schedule: ScheduleId
    zone: tzinfo
    at: datetime | None = None
    runs: bool = False
    notes: tuple[str, ...]
    results: ScheduleResults | None
    about: About | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """
    What is told of.

    Attributes:
        document: In force, or of a file.
        snapshot: What the ledger says of schedules; None for a file.
        results: What it says of finished runs; None if that is not known.
        doubts: What could not be read.
    """

    document: Document
    snapshot: Snapshot | None = None
    results: Mapping[ScheduleId, ScheduleResults] | None = None
    doubts: tuple[str, ...] = ()


def show_overview(given: Context, file: Path | None, begin: str | None) -> Exit:
    """
    Show every schedule of the document in force, or of a file: three reads for a whole ledger.

    Args:
        given: What every command is given.
        file: A document that need not be in force.
        begin: From when on, as it was typed; None: now.

    Raises:
        CliError: There is no document, or it or the time cannot be read.
    """
    sources = _Sources(document=document_of_file(file)) if file else _sources_in_force(given)
    document, now = (
        sources.document,
        sources.snapshot.now if sources.snapshot else datetime.now(UTC),
    )
    found: list[Outlook] = []
    schedule_ids = sorted({*document.schedules, *document.invalid})
    with progress(given.output, "looking ahead", len(schedule_ids)) as advance:
        for id_ in schedule_ids:
            found.append(_outlook(id_, sources, now, begin))
            advance(1)
    for doubt in sources.doubts:
        given.output.say(f"not taken into account: {doubt}")
    _show_outlooks(given.output, found, with_results=sources.snapshot is not None)
    given.output.result({"from": begin or now, "schedules": [_outlook_json(one) for one in found]})
    return Exit.DONE


def _sources_in_force(given: Context) -> _Sources:
    ledger = given.target().ledger()
    snapshot = read_snapshot(ledger)
    document = document_in_force(snapshot)
    try:
        results, doubts = _results(ledger), snapshot.doubts
    except RecordUnreadable as error:
        results, doubts = None, (*snapshot.doubts, first_line(error))
    return _Sources(document=document, snapshot=snapshot, results=results, doubts=doubts)


def _results(ledger: ContainerClient) -> Mapping[ScheduleId, ScheduleResults]:
    try:
        data = ledger.download_blob(ids.COLLECT_STATE).readall()
    except ResourceNotFoundError:
        return {}
    return load_collect(data).schedules


def _outlook(id_: ScheduleId, sources: _Sources, now: datetime, begin: str | None) -> Outlook:
    snapshot = sources.snapshot
    results = None
    if sources.results is not None:
        results = sources.results.get(id_, ScheduleResults())
    schedule = sources.document.schedules.get(id_)
    if schedule is None:
        return Outlook(
            schedule=id_,
            zone=(zone_of(snapshot, id_) if snapshot else None) or UTC,
            notes=("its table is invalid: it stands still",),
            results=results,
        )
    zone = parse_zone(schedule.recurrence.time_zone)
    after = parse_time(begin, zone, name="--from") - timedelta(seconds=1) if begin else now
    state = snapshot.schedule(id_) if snapshot else None
    pauses = state.pauses if state else ()
    at = next(iter(next_due(schedule, after, 1)), None)
    notes = _obstacle_notes(schedule, pauses, begin=after, at=at)
    if snapshot and not snapshot.doubts and (state is None or state.removed):
        notes = (*notes, "no tick has seen it yet")
    return Outlook(
        schedule=id_,
        zone=zone,
        at=at,
        runs=at is not None and not schedule.paused and not any(one.holds(at) for one in pauses),
        notes=notes,
        results=results,
        about=schedule.about,
    )


def _obstacle_notes(
    schedule: Schedule, pauses: tuple[Pause, ...], *, begin: datetime, at: datetime | None
) -> tuple[str, ...]:
    """Return what keeps a schedule from running, at the begin or when it is due next."""
    moments = [begin + timedelta(seconds=1), *([at] if at else [])]
    held = [one for one in pauses if any(one.holds(moment) for moment in moments)]
    notes = pause_notes(schedule, held)
    if at is None:
        timing = Timing(since=begin, recurrence=schedule.recurrence)
        notes.append("ended" if ended((timing,), begin) else "not due within nine years")
    return tuple(notes)


def _show_outlooks(output: Printer, found: list[Outlook], *, with_results: bool) -> None:
    owned = any(one.about and one.about.owner for one in found)
    owner, results = ("OWNER",) if owned else (), _RESULTS if with_results else ()
    columns = ("SCHEDULE", "NEXT", "UTC", *results, *owner, "NOTE")
    rows = [
        (
            one.schedule,
            local(one.at, one.zone) if one.at else NOTHING,
            local(one.at, UTC) if one.at else NOTHING,
            *(_went(one) if with_results else ()),
            *(((one.about and one.about.owner) or NOTHING,) if owned else ()),
            "; ".join(one.notes),
        )
        for one in found
    ]
    if rows:
        show_table(output, columns, rows)
    else:
        output.say("the document holds no schedule")


def _went(one: Outlook) -> tuple[str, str]:
    """Return when the newest success was due, and how many runs have failed since."""
    if one.results is None:
        return NOTHING, NOTHING
    success, failed = one.results.last_success, len(one.results.failed)
    more = "+" if one.results.more_failed else ""
    return local(success, one.zone) if success else NOTHING, f"{failed}{more}"


def _outlook_json(one: Outlook) -> dict[str, Any]:
    shown = one.at.astimezone(one.zone) if one.at else None
    results = one.results
    return {
        "schedule": one.schedule,
        "time_zone": str(one.zone),
        "wall": shown.replace(tzinfo=None, fold=0).isoformat() if shown else None,
        "offset": iso_offset(shown.utcoffset()) if shown else None,
        "utc": one.at,
        "runs": one.runs,
        "notes": list(one.notes),
        "last_success": results.last_success if results else None,
        "last_success_run": results.last_success_run if results else None,
        "failed": list(results.failed) if results else None,
        **about_json(one.about),
    }

"""Describe a schedule: pure functions of what was read of the ledger."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Record
from orchestrator.ledger.state import ScheduleState
from orchestrator.ledger.summaries import DayNumbers
from orchestrator.model import Pause, Recurrence, Schedule
from recur.causes.surroundings import OpenLine, Unreadable
from recur.description.definition import definition_of
from recur.description.history import (
    SHOWN,
    figures_of,
    first_day,
    past_occurrences,
    with_exit_codes,
)
from recur.description.value import AppliedVersion, Description, OpenRunStatus, Presence
from recur.schedules.upcoming import Upcoming, first_occurrences, upcoming
from recur.status.open_runs import run_state
from recur.status.outcomes import recent_of
from recur.status.readings import Blob, Readings, Work
from recur.status.schedules import Standing, standing_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """
    What a description follows from.

    Attributes:
        schedule: Whose.
        readings: Of the ledger; timers and pool are not looked at.
        state: Its timings and watermark, also where they have left ``submit.json``.
        data: The document that has its table: the one in force, or the one before its removal.
        version: Of the document in force, or the one that removed it.
        days: The numbers of the last 30 days, as far as there are any; None: they cannot be read.
        records: Of the past occurrences that are shown, where one was worth reading.
        doubts: What else could not be read.
    """

    schedule: ScheduleId
    readings: Readings
    state: ScheduleState | None = None
    data: bytes | None = None
    version: AppliedVersion | None = None
    days: tuple[DayNumbers, ...] | None = None
    records: Mapping[RunId, Record] = field(default_factory=dict[RunId, Record])
    doubts: tuple[str, ...] = ()


def describe(sources: Sources) -> Description:
    """Return the description of a schedule that there is, or was."""
    id_, readings = sources.schedule, sources.readings
    presence = presence_of(id_, readings)
    document = readings.parsed
    table = document.schedules.get(id_) if document else None
    lines = _lines(id_, readings)
    standing: Standing | None = None
    if presence is not Presence.REMOVED:
        standing = standing_of(id_, readings, lines)
    past = past_occurrences(id_, recent_of(readings, id_), sources.state)
    since = first_day(readings.now)
    return Description(
        schedule=id_,
        at=readings.now,
        presence=presence,
        definition=definition_of(
            id_, table, _last_recurrence(sources.state), sources.data, sources.version
        ),
        status=standing.status if standing else None,
        troubles=standing.troubles if standing else (),
        coming=_coming(table, sources.state, readings.now),
        past=with_exit_codes(past, sources.records),
        figures=None if sources.days is None else figures_of(since, sources.days),
        open_runs=tuple(_open_run(line, readings) for line in lines),
        doubts=(*_doubts(readings), *sources.doubts),
    )


def presence_of(schedule: ScheduleId, readings: Readings) -> Presence:
    """Return what the document in force has of a schedule."""
    document = readings.parsed
    if document is None and readings.document is not None:
        return Presence.UNKNOWN
    if document and schedule in document.schedules:
        return Presence.IN_FORCE
    if document and schedule in document.invalid:
        return Presence.INVALID
    return Presence.REMOVED


def _lines(schedule: ScheduleId, readings: Readings) -> list[OpenLine]:
    found = readings.work.by_schedule() if isinstance(readings.work, Work) else {}
    return found.get(schedule, [])


def _last_recurrence(state: ScheduleState | None) -> Recurrence | None:
    """Return the newest recurrence that the timings of a schedule have."""
    found = (one.recurrence for one in reversed(state.timings)) if state else iter(())
    return next((one for one in found if one), None)


def _coming(
    table: Schedule | None, state: ScheduleState | None, now: datetime
) -> tuple[Upcoming, ...]:
    if table is None:
        return ()
    pauses: tuple[Pause, ...] = state.pauses if state and not state.removed else ()
    return tuple(first_occurrences(upcoming(table, now, pauses=pauses), SHOWN))


def _open_run(line: OpenLine, readings: Readings) -> OpenRunStatus:
    run = line.run
    return OpenRunStatus(
        run_id=run.run_id,
        state=run_state(line, readings),
        kind=run.kind,
        nominal=run.nominal,
        since=run.since,
        reason=line.blocked,
    )


def _doubts(readings: Readings) -> Iterator[str]:
    """Yield what could not be read, with what mends it."""
    document = readings.document
    if isinstance(document, Blob) and isinstance(document.content.document, Unreadable):
        yield f"the document in force cannot be read: {document.content.document.why}"
    for one in (document, readings.submit, readings.collect, readings.recent, readings.work):
        if isinstance(one, Unreadable):
            yield f"{one.why} (next: {one.next_step})"
    if readings.recent is None:
        yield "there are no summaries: nothing is known of past occurrences (next: recur runs)"

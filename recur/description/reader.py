"""Reads what a description follows from: summaries, and no record but those of recent failures."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Final

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.adapters.calls import first_line
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Record, load
from orchestrator.ledger.state import ScheduleState
from orchestrator.ledger.summaries import DayNumbers, day_blob, load_day
from orchestrator.ledger.versions import Version, read_version
from recur.causes.refusals import REFUSED
from recur.causes.surroundings import Unreadable
from recur.context import Context
from recur.description.describing import Sources, describe, presence_of
from recur.description.history import (
    DAYS,
    first_day,
    past_occurrences,
    records_worth_reading,
)
from recur.description.value import AppliedVersion, Description, Presence
from recur.ledger_reader.moved_timings import with_moved
from recur.ledger_reader.records import History
from recur.ledger_reader.run_lookup import past_schedule
from recur.ledger_reader.snapshot import Snapshot, check_container
from recur.status.outcomes import recent_of
from recur.status.reader import read_deployment
from recur.status.readings import Blob, Readings

_AT_ONCE: Final = 10
"""As many connections as a client keeps."""


def read_description(given: Context, text: str) -> Description:
    """
    Read what a schedule is, does and did.

    Args:
        given: What every command is given.
        text: The id of a schedule, as it was typed.

    Raises:
        CliError: There is no such schedule and there was none; the message has those that are
            meant perhaps. Or a blob of one that was removed cannot be read.
    """
    target = given.target()
    ledger = target.ledger()
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        readings = read_deployment(target, ledger, pool, timers=False)
        snapshot = _snapshot(readings)
        id_ = _find(given, ledger, snapshot, readings, text)
        return describe(_sources(id_, ledger, snapshot, readings, pool))


def _snapshot(readings: Readings) -> Snapshot:
    unreadable = (readings.document, readings.submit)
    doubts = [one.why for one in unreadable if isinstance(one, Unreadable)]
    if isinstance(readings.document, Blob) and readings.parsed is None:
        doubts.append(f"{ids.DOCUMENT} cannot be read")
    return Snapshot(
        state=readings.state, document=readings.parsed, doubts=tuple(doubts), now=readings.now
    )


def _find(
    given: Context, ledger: ContainerClient, snapshot: Snapshot, readings: Readings, text: str
) -> ScheduleId:
    """Return the schedule that is meant; the history is looked at only for one that is nowhere else."""
    document, id_ = readings.parsed, ScheduleId(text)
    known = document is not None and text in {*document.schedules, *document.invalid}
    if known or recent_of(readings, id_).runs:
        return id_
    try:
        return past_schedule(History(ledger, given.output), snapshot, text)
    except ResourceNotFoundError as error:
        check_container(ledger, error)
        raise


def _sources(
    id_: ScheduleId,
    ledger: ContainerClient,
    snapshot: Snapshot,
    readings: Readings,
    pool: ThreadPoolExecutor,
) -> Sources:
    removed = presence_of(id_, readings) is Presence.REMOVED
    state = snapshot.schedule(id_)
    if removed and state is None:
        state = with_moved(ledger, snapshot, after=readings.now, schedule=id_).schedule(id_)
    definition = pool.submit(_removed if removed else _in_force, ledger, readings, state)
    wanted = records_worth_reading(past_occurrences(id_, recent_of(readings, id_), state))
    records = pool.map(lambda blob: _record(ledger, blob), wanted.values())
    days = pool.map(lambda day: _numbers(ledger, day, id_), _days(readings))
    numbers, doubts = _known(days)
    data, version = definition.result()
    return Sources(
        schedule=id_,
        readings=readings,
        state=state,
        data=data,
        version=version,
        days=None if isinstance(readings.recent, Unreadable) else numbers,
        records={run: one for run, one in zip(wanted, records, strict=True) if one is not None},
        doubts=doubts,
    )


def _days(readings: Readings) -> list[date]:
    """Return the days of the last 30 that have numbers; all of them, where nothing tells."""
    if isinstance(readings.recent, Unreadable):
        return []
    every = [first_day(readings.now) + timedelta(days=n) for n in range(DAYS)]
    known = None if readings.recent is None else {*readings.recent.days}
    return [day for day in every if known is None or day in known]


def _numbers(ledger: ContainerClient, day: date, schedule: ScheduleId) -> DayNumbers | str:
    """Return the numbers of a schedule on one day, or why they cannot be read."""
    try:
        found = load_day(ledger.download_blob(day_blob(day)).readall())
    except ResourceNotFoundError:
        return DayNumbers()
    except (*REFUSED, RecordUnreadable) as error:
        return f"the numbers of {day} cannot be read: {first_line(error)}"
    return found.schedules.get(schedule, DayNumbers())


def _known(days: Iterable[DayNumbers | str]) -> tuple[tuple[DayNumbers, ...], tuple[str, ...]]:
    found = list(days)
    return (
        tuple(one for one in found if isinstance(one, DayNumbers)),
        tuple(one for one in found if isinstance(one, str)),
    )


def _record(ledger: ContainerClient, blob: str) -> Record | None:
    """Return a record that says more; None where it is gone, or cannot be read."""
    try:
        return load(ledger.download_blob(blob).readall())
    except (*REFUSED, RecordUnreadable):
        return None


type _Table = tuple[bytes | None, AppliedVersion | None]
"""A document that has the table of a schedule, and its version."""


def _in_force(ledger: ContainerClient, readings: Readings, _: ScheduleState | None) -> _Table:
    """Return the document in force, with who applied it."""
    document = readings.document
    if not isinstance(document, Blob):
        return None, None
    number = _number(readings)
    version = _version(ledger, number) if number is not None else None
    if version is None:
        return document.content.data, AppliedVersion(number=number, at=document.modified)
    return document.content.data, _applied(version)


def _number(readings: Readings) -> int | None:
    """Return the number of the version in force."""
    document, state = readings.document, readings.state
    if not isinstance(document, Blob):
        return None
    if document.content.number is None and state and state.document == document.etag:
        return state.version  # uploaded by hand; a tick has made it a version
    return document.content.number


def _removed(ledger: ContainerClient, readings: Readings, state: ScheduleState | None) -> _Table:
    """Return the document before a schedule was removed, with who removed it."""
    timing = state.timings[-1] if state else None
    number = timing.version if timing and timing.removed else _number(readings)
    version = _version(ledger, number) if number is not None else None
    if version is None:
        return None, AppliedVersion(number=number) if number is not None else None
    before = version.before.number if version.before else None
    if before is None:
        return None, _applied(version)
    try:
        data = ledger.download_blob(ids.version_blob(before)).readall()
    except REFUSED:
        data = None
    return data, _applied(version)


def _version(ledger: ContainerClient, number: int) -> Version | None:
    """Return what the metadata of a version's blob say; None where they cannot be read."""
    name = ids.version_blob(number)
    try:
        properties = ledger.get_blob_client(name).get_blob_properties()
        return read_version(name, properties.metadata or {})
    except (*REFUSED, RecordUnreadable):
        return None


def _applied(version: Version) -> AppliedVersion:
    return AppliedVersion(number=version.number, at=version.at, by=version.by, note=version.note)
